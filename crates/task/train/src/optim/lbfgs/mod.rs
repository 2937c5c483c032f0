//! L-BFGS: gradients of the last few steps tell how the function curves.

mod search;
mod vectors;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use search::{Line, Point, strong_wolfe};
use vectors::{add, dot, largest, scaled};

pub use vectors::Value;

/// How far to go in a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Search {
    /// Always `rate` times the direction: one evaluation a step, and no
    /// promise that the function falls.
    #[default]
    Fixed,
    /// To a point that lies lower and flatter (strong Wolfe conditions, 1e-4
    /// and 0.9), by cubic interpolation: mostly one evaluation a step too.
    StrongWolfe,
}

/// The settings; `Default` is `torch.optim.LBFGS()`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LbfgsConfig {
    /// Times the direction is how far it goes, or looks first: 1.
    pub rate: f64,
    /// Iterations in one [`Lbfgs::step`], at most: 20.
    pub iterations: usize,
    /// Evaluations in one step after which no iteration begins: without a
    /// number 5/4 of `iterations`.
    pub evaluations: Option<usize>,
    /// It is done where no slope is steeper: 1e-7.
    pub flat: f64,
    /// It is done where neither the function nor any value changes more: 1e-9.
    pub still: f64,
    /// How many steps it remembers: 100. Each takes twice the memory of the values.
    pub history: usize,
    /// How far to go: [`Search::Fixed`].
    pub search: Search,
}

impl Default for LbfgsConfig {
    fn default() -> Self {
        Self {
            rate: 1.0,
            iterations: 20,
            evaluations: None,
            flat: 1e-7,
            still: 1e-9,
            history: 100,
            search: Search::Fixed,
        }
    }
}

/// Why a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It had the iterations or evaluations it was given: go on.
    Spent,
    /// No slope is left to speak of.
    Flat,
    /// Nothing changes any more.
    Still,
    /// The function is no number where it looked: the values may be useless.
    NotFinite,
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LbfgsReport {
    /// The function before.
    pub first: f64,
    /// The function where it was last known: afterwards, but for
    /// [`Search::Fixed`], which ends on a move.
    pub last: f64,
    /// Iterations made.
    pub iterations: usize,
    /// Times the function was evaluated.
    pub evaluations: usize,
    /// Why it ended.
    pub stop: Stop,
}

/// Finds a minimum of one smooth function of many values, such as the loss of a
/// picture.
///
/// ```
/// use train::optim::{Lbfgs, LbfgsConfig, Search};
///
/// let mut x = [3.0f32, -1.0];
/// let mut lbfgs = Lbfgs::new(LbfgsConfig { search: Search::StrongWolfe, ..Default::default() });
/// lbfgs.step(&mut x, |x, gradient| {
///     *gradient.first_chunk_mut().unwrap() = [2.0 * (x[0] - 1.0), 20.0 * x[1]];
///     f64::from((x[0] - 1.0).powi(2) + 10.0 * x[1].powi(2))
/// });
/// assert!((x[0] - 1.0).abs() < 1e-4 && x[1].abs() < 1e-4);
/// ```
///
/// Values are kept as `V`, f32 or f64; sums and steps are worked out in f64.
///
/// # Source
///
/// Nocedal & Wright, "Numerical Optimization", 2nd edition, algorithms 7.4, 7.5,
/// 3.5 and 3.6, as `torch/optim/lbfgs.py` of `PyTorch` 2.15 has them, whose
/// every evaluation is at the same point. It differs in one thing: where the
/// function is no number, the search backs away and, failing that, the step ends.
#[derive(Clone, Debug)]
pub struct Lbfgs<V> {
    config: LbfgsConfig,
    /// The newest last.
    history: VecDeque<Change<V>>,
    /// The curvature of the newest, for what the history does not reach.
    scale: f64,
    direction: Vec<V>,
    length: f64,
    /// At the point before.
    gradient: Vec<V>,
}

/// What a step changed.
#[derive(Clone, Debug)]
struct Change<V> {
    gradient: Vec<V>,
    values: Vec<V>,
    inverse: f64,
}

/// Where a step is.
struct Here<V> {
    loss: f64,
    gradient: Vec<V>,
    /// Along the direction.
    slope: f64,
    iterations: usize,
    evaluations: usize,
}

impl<V: Value> Lbfgs<V> {
    /// Knows nothing yet.
    pub fn new(config: LbfgsConfig) -> Self {
        let (history, direction, gradient) = (VecDeque::new(), vec![], vec![]);
        Self { config, history, scale: 1.0, direction, length: 0.0, gradient }
    }

    /// Moves `x` downhill for some iterations. `f` gives the function's value
    /// and writes its gradient; it is called several times. What was learnt
    /// about the function is kept for the next step.
    ///
    /// # Panics
    ///
    /// If `x` is not as long as in the step before.
    pub fn step(&mut self, x: &mut [V], mut f: impl FnMut(&[V], &mut [V]) -> f64) -> LbfgsReport {
        assert!(self.gradient.is_empty() || self.gradient.len() == x.len(), "as many values");
        let gradient = vec![V::default(); x.len()];
        let mut here = Here { loss: 0.0, gradient, slope: 0.0, iterations: 0, evaluations: 1 };
        here.loss = f(x, &mut here.gradient);
        let first = here.loss;
        let mut stop = self.settled(&here);
        while stop.is_none() {
            stop = self.iterate(x, &mut here, &mut f);
        }
        let Here { loss: last, iterations, evaluations, .. } = here;
        LbfgsReport { first, last, iterations, evaluations, stop: stop.unwrap_or(Stop::Spent) }
    }

    /// One iteration; why it is the last, if it is.
    fn iterate<F: FnMut(&[V], &mut [V]) -> f64>(
        &mut self,
        x: &mut [V],
        here: &mut Here<V>,
        f: &mut F,
    ) -> Option<Stop> {
        let LbfgsConfig { iterations, still, search, .. } = self.config;
        let before = here.loss;
        here.iterations += 1;
        self.aim(&here.gradient);
        here.slope = dot(&here.gradient, &self.direction);
        if here.slope > -still {
            return Some(Stop::Still);
        }
        match search {
            Search::StrongWolfe => self.seek(x, here, f),
            Search::Fixed => {
                add(x, self.length, &self.direction);
                if here.iterations < iterations {
                    here.loss = f(x, &mut here.gradient);
                    here.evaluations += 1;
                }
            }
        }
        let settled = self.settled(here);
        if settled == Some(Stop::NotFinite) {
            return settled;
        }
        if here.iterations >= iterations || here.evaluations >= self.budget() {
            return Some(Stop::Spent);
        }
        let moved = largest(&self.direction) * self.length.abs();
        let stopped = moved <= still || (here.loss - before).abs() < still;
        settled.or(stopped.then_some(Stop::Still))
    }

    /// Goes along the direction as far as is good.
    fn seek<F: FnMut(&[V], &mut [V]) -> f64>(
        &mut self,
        x: &mut [V],
        here: &mut Here<V>,
        f: &mut F,
    ) {
        let gradient = std::mem::take(&mut here.gradient);
        let start = Point { t: 0.0, loss: here.loss, slope: here.slope, gradient };
        let left = self.budget().saturating_sub(here.evaluations);
        let mut line = Line::new(x, &self.direction, f);
        let found = strong_wolfe(&mut line, start, self.length, left);
        here.evaluations += line.evaluations();
        (self.length, here.loss, here.gradient) = (found.t, found.loss, found.gradient);
        add(x, self.length, &self.direction);
    }

    fn budget(&self) -> usize {
        self.config.evaluations.unwrap_or(self.config.iterations * 5 / 4)
    }

    fn settled(&self, here: &Here<V>) -> Option<Stop> {
        let slope = largest(&here.gradient);
        if !(here.loss.is_finite() && slope.is_finite()) {
            return Some(Stop::NotFinite);
        }
        (slope <= self.config.flat).then_some(Stop::Flat)
    }

    /// Learns from the step before, and points at where the minimum should be.
    fn aim(&mut self, gradient: &[V]) {
        if self.gradient.is_empty() {
            self.direction = scaled(gradient, -1.0);
            let sum: f64 = vectors::magnitude(gradient);
            self.length = (1.0 / sum).min(1.0) * self.config.rate;
        } else {
            self.learn(gradient);
            self.direction = self.newton(gradient);
            self.length = self.config.rate;
        }
        gradient.clone_into(&mut self.gradient);
    }

    fn learn(&mut self, gradient: &[V]) {
        let mut change = gradient.to_vec();
        add(&mut change, -1.0, &self.gradient);
        let values = scaled(&self.direction, self.length);
        let curvature = dot(&change, &values);
        if curvature <= 1e-10 {
            return;
        }
        self.scale = curvature / dot(&change, &change);
        while self.history.len() >= self.config.history.max(1) {
            self.history.pop_front();
        }
        self.history.push_back(Change { gradient: change, values, inverse: 1.0 / curvature });
    }

    /// Minus the gradient times the inverse of what is known of the Hessian: two loops.
    fn newton(&self, gradient: &[V]) -> Vec<V> {
        let mut q = scaled(gradient, -1.0);
        let mut shares = Vec::with_capacity(self.history.len());
        for change in self.history.iter().rev() {
            let share = dot(&change.values, &q) * change.inverse;
            add(&mut q, -share, &change.gradient);
            shares.push(share);
        }
        let mut r = scaled(&q, self.scale);
        for (change, share) in self.history.iter().zip(shares.into_iter().rev()) {
            let other = dot(&change.gradient, &r) * change.inverse;
            add(&mut r, share - other, &change.values);
        }
        r
    }
}
