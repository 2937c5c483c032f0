use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tensor::Tensor;

use super::chunks::pairs;
use super::state::{self, State, StateError};

/// Which mean of the parameters over time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Averaging {
    /// Of all that were shown, each as much as any other: `torch`'s
    /// `AveragedModel` as it is by default.
    Mean,
    /// `a ← decay·a + (1−decay)·p`, beginning at the first `p` shown, which so
    /// weighs `decay^(n−1)` for long: `AveragedModel` with `get_ema_avg_fn(decay)`.
    Exponential {
        /// What the average keeps each time, such as 0.999.
        decay: f64,
    },
    /// The same, beginning at zero and divided by `1 − decayⁿ`, as Adam does
    /// with its moments: a true weighted mean from the first step on, in which
    /// early parameters are forgotten as fast as any.
    Corrected {
        /// What the average keeps each time, such as 0.999.
        decay: f64,
    },
}

impl Averaging {
    /// The share of the newest in the average, when it is the `n`-th, from 1.
    ///
    /// All three are `a ← a + share·(p − a)` with the share going from 1 to its
    /// limit, which keeps the average an average whatever the rounding.
    fn share(self, n: u64) -> f64 {
        match self {
            Self::Mean => 1.0 / n as f64,
            Self::Exponential { .. } if n == 1 => 1.0,
            Self::Exponential { decay } => 1.0 - decay,
            // From a = s/(1 − dⁿ) and s ← d·s + (1−d)·p.
            Self::Corrected { decay } => (1.0 - decay) / (1.0 - decay.powf(n as f64)),
        }
    }
}

/// The mean of a network's parameters over the steps of its training.
///
/// ```
/// use tensor::Tensor;
/// use train::optim::{Averaging, WeightAverage};
///
/// let shown = |x: f32| [Tensor::new([1], vec![x])];
/// let mut average = WeightAverage::new(Averaging::Mean, &shown(0.0));
/// average.update(&shown(1.0));
/// average.update(&shown(3.0));
/// assert_eq!(average.parameters(), shown(2.0));
/// ```
#[derive(Clone, Debug)]
pub struct WeightAverage {
    averaging: Averaging,
    shown: u64,
    average: Vec<Tensor>,
}

const SLOT: &str = "average";

impl WeightAverage {
    /// For parameters of these shapes; their values do not count.
    pub fn new(averaging: Averaging, parameters: &[Tensor]) -> Self {
        let average = parameters.iter().map(|p| Tensor::zeros(p.shape())).collect();
        Self { averaging, shown: 0, average }
    }

    /// Takes the parameters as they are now into the average.
    ///
    /// # Panics
    ///
    /// If their shapes are not those it was made for.
    pub fn update(&mut self, parameters: &[Tensor]) {
        self.shown += 1;
        let share = self.averaging.share(self.shown) as f32;
        pairs(&mut self.average, parameters).into_par_iter().for_each(|(average, parameters)| {
            for (a, &p) in average.iter_mut().zip(parameters) {
                *a += share * (p - *a);
            }
        });
    }

    /// How often parameters were shown to it.
    pub fn shown(&self) -> u64 {
        self.shown
    }

    /// The averages; zeros before the first update.
    pub fn parameters(&self) -> &[Tensor] {
        &self.average
    }

    /// What it remembers.
    pub fn state(&self) -> State {
        let all = self.average.iter().enumerate();
        state::gather(self.shown, all.map(|(index, tensor)| (SLOT, index, tensor)))
    }

    /// Goes on from where another of the same shapes was.
    ///
    /// # Errors
    ///
    /// If the state is of other shapes; then nothing changes.
    pub fn restore(&mut self, state: State) -> Result<(), StateError> {
        let all = self.average.iter_mut().enumerate();
        self.shown = state::scatter(state, all.map(|(index, tensor)| (SLOT, index, tensor)))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Roundings of each update, times the updates that still count.
    const ROUNDING: f64 = 2.0 * 50.0 * f32::EPSILON as f64;

    fn shown(step: u32) -> Vec<Tensor> {
        vec![Tensor::new([1], vec![(step * step % 7) as f32 - 2.0])]
    }

    #[test]
    fn the_corrected_average_is_the_definition() {
        let decay = 0.9;
        let mut average = WeightAverage::new(Averaging::Corrected { decay }, &shown(0));
        let (mut sum, mut weight) = (0.0, 0.0);
        for step in 0..50 {
            average.update(&shown(step));
            sum = decay * sum + (1.0 - decay) * f64::from(shown(step)[0].data()[0]);
            weight = decay * weight + (1.0 - decay);
            let got = f64::from(average.parameters()[0].data()[0]);
            assert!((got - sum / weight).abs() <= 4.0 * ROUNDING, "{step}: {got}");
        }
    }

    #[test]
    fn a_restored_average_goes_on_to_the_same_bits() {
        let averaging = Averaging::Corrected { decay: 0.8 };
        let mut one = WeightAverage::new(averaging, &shown(0));
        (0..5).for_each(|s| one.update(&shown(s)));
        let mut other = WeightAverage::new(averaging, &shown(0));
        other.restore(one.state()).unwrap();
        for average in [&mut one, &mut other] {
            (5..9).for_each(|s| average.update(&shown(s)));
        }
        assert_eq!(one.state(), other.state());
    }
}
