//! Round numbers along an axis.

/// An axis: its ends, and where it is marked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ticks {
    pub(super) low: f64,
    pub(super) high: f64,
    step: f64,
}

impl Ticks {
    /// An axis that holds these values, with at most about `most` marks.
    /// Values that are no numbers are passed over.
    pub(super) fn holding(values: impl Iterator<Item = f64>, most: usize) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|v| v.is_finite()) {
            (low, high) = (low.min(value), high.max(value));
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        if high - low <= high.abs().max(low.abs()) * 1e-9 {
            let room = if high == 0.0 { 1.0 } else { high.abs() * 0.1 };
            (low, high) = (low - room, high + room);
        }
        let step = nice((high - low) / most.max(1) as f64);
        Self { low, high, step }
    }

    /// The same with ends on round numbers.
    pub(super) fn rounded(self) -> Self {
        let low = (self.low / self.step - 1e-9).floor() * self.step;
        let high = (self.high / self.step + 1e-9).ceil() * self.step;
        Self { low, high, ..self }
    }

    /// The same with marks at whole numbers only.
    pub(super) fn whole(self) -> Self {
        Self { step: self.step.max(1.0), ..self }
    }

    pub(super) fn marks(&self) -> Vec<f64> {
        let first = (self.low / self.step - 1e-9).ceil();
        let last = (self.high / self.step + 1e-9).floor();
        let count = (last - first).clamp(-1.0, 1000.0) as i64;
        (0..=count).map(|i| (first + i as f64) * self.step).collect()
    }

    /// A mark in words, with as many places as the step has.
    pub(super) fn label(&self, value: f64) -> String {
        let places = (-self.step.log10()).ceil().clamp(0.0, 9.0) as usize;
        let places = if self.step >= 1.0 { 0 } else { places };
        let value = if value.abs() < self.step * 1e-6 { 0.0 } else { value };
        if self.high.abs().max(self.low.abs()) >= 1e6 || (self.step < 1e-4) {
            return format!("{value:.1e}");
        }
        format!("{value:.places$}").replace('-', "−")
    }

    /// Where a value lies between the ends, 0 to 1.
    pub(super) fn share(&self, value: f64) -> f32 {
        ((value - self.low) / (self.high - self.low)) as f32
    }
}

/// The least of 1, 2, 5 times a power of ten that is not below `least`.
fn nice(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    let fitting = factors.into_iter().find(|f| f * power >= least * (1.0 - 1e-9));
    fitting.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_hold_the_values() {
        let ticks = Ticks::holding([0.13, 0.97].into_iter(), 5).rounded();
        let labels: Vec<String> = ticks.marks().iter().map(|&m| ticks.label(m)).collect();
        assert_eq!(labels, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        let ticks = Ticks::holding([1.0, 100.0].into_iter(), 6).whole();
        assert_eq!(ticks.marks(), [20.0, 40.0, 60.0, 80.0, 100.0]);
        assert!(ticks.share(1.0).abs() < 1e-6);
    }

    #[test]
    fn flat_missing_and_infinite_values_still_give_an_axis() {
        for values in [vec![], vec![f64::NAN], vec![3.0], vec![0.0, 0.0], vec![1.0, f64::INFINITY]]
        {
            let ticks = Ticks::holding(values.into_iter(), 5).rounded();
            assert!(ticks.high > ticks.low && (2..20).contains(&ticks.marks().len()), "{ticks:?}");
        }
    }
}
