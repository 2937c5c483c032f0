//! How far to go: a line search for the strong Wolfe conditions.

use super::vectors::{Value, add, dot, largest};

/// How much of the promised fall there has to be.
const FALL: f64 = 1e-4;
/// How much of the slope may be left.
const LEFT: f64 = 0.9;
/// No value moves less within the bracket: 1e-9 in `_strong_wolfe`, whatever
/// the optimiser's own.
const NARROW: f64 = 1e-9;

/// The function on a line from `origin`.
pub(super) struct Line<'a, V, F> {
    origin: &'a [V],
    direction: &'a [V],
    f: &'a mut F,
    trial: Vec<V>,
    evaluations: usize,
}

/// Some way along the line.
#[derive(Clone, Debug)]
pub(super) struct Point<V> {
    pub(super) t: f64,
    pub(super) loss: f64,
    /// Along the line.
    pub(super) slope: f64,
    pub(super) gradient: Vec<V>,
}

impl<'a, V: Value, F: FnMut(&[V], &mut [V]) -> f64> Line<'a, V, F> {
    pub(super) fn new(origin: &'a [V], direction: &'a [V], f: &'a mut F) -> Self {
        Self { origin, direction, f, trial: vec![], evaluations: 0 }
    }

    pub(super) fn evaluations(&self) -> usize {
        self.evaluations
    }

    fn at(&mut self, t: f64) -> Point<V> {
        self.origin.clone_into(&mut self.trial);
        add(&mut self.trial, t, self.direction);
        let mut gradient = vec![V::default(); self.trial.len()];
        let loss = (self.f)(&self.trial, &mut gradient);
        self.evaluations += 1;
        Point { t, loss, slope: dot(&gradient, self.direction), gradient }
    }
}

/// What is wanted of a point.
#[derive(Clone, Copy)]
struct Wanted {
    loss: f64,
    slope: f64,
}

impl Wanted {
    fn too_high<V>(self, point: &Point<V>) -> bool {
        // What is no number is too high as well: the search backs away from it.
        point.loss.is_nan() || point.loss > self.loss + FALL * point.t * self.slope
    }

    fn flat<V>(self, point: &Point<V>) -> bool {
        point.slope.abs() <= -LEFT * self.slope
    }
}

/// What the first half of the search found.
enum Bracket<V> {
    Good(Point<V>),
    Between([Point<V>; 2]),
}

/// Looks first at `t`, then further out until a good point is passed, then in
/// between; after `budget` more looks the lowest has to do. The point returned
/// may be `start`.
pub(super) fn strong_wolfe<V: Value, F: FnMut(&[V], &mut [V]) -> f64>(
    line: &mut Line<'_, V, F>,
    start: Point<V>,
    t: f64,
    budget: usize,
) -> Point<V> {
    let wanted = Wanted { loss: start.loss, slope: start.slope };
    let new = line.at(t);
    match bracket(line, wanted, [start, new], budget) {
        Bracket::Good(point) => point,
        Bracket::Between(ends) => zoom(line, wanted, ends, budget),
    }
}

fn bracket<V: Value, F: FnMut(&[V], &mut [V]) -> f64>(
    line: &mut Line<'_, V, F>,
    wanted: Wanted,
    [start, mut new]: [Point<V>; 2],
    budget: usize,
) -> Bracket<V> {
    let mut previous = start.clone();
    for look in 0..budget {
        if wanted.too_high(&new) || (look > 1 && new.loss >= previous.loss) {
            return Bracket::Between([previous, new]);
        }
        if wanted.flat(&new) {
            return Bracket::Good(new);
        }
        if new.slope >= 0.0 {
            return Bracket::Between([previous, new]);
        }
        let range = [new.t + 0.01 * (new.t - previous.t), new.t * 10.0];
        let t = cubic(&previous, &new, range);
        previous = std::mem::replace(&mut new, line.at(t));
    }
    Bracket::Between([start, new])
}

fn zoom<V: Value, F: FnMut(&[V], &mut [V]) -> f64>(
    line: &mut Line<'_, V, F>,
    wanted: Wanted,
    ends: [Point<V>; 2],
    budget: usize,
) -> Point<V> {
    let reach = largest(line.direction);
    let [mut low, mut high] = by_loss(ends);
    let mut hugging = false;
    // The first look out of the bracket's loop is not one of the budget.
    while line.evaluations - 1 < budget {
        if (high.t - low.t).abs() * reach < NARROW {
            break;
        }
        let new = line.at(inside(&low, &high, &mut hugging));
        if wanted.too_high(&new) || new.loss >= low.loss {
            [low, high] = by_loss([low, new]);
            continue;
        }
        let good = wanted.flat(&new);
        if !good && new.slope * (high.t - low.t) >= 0.0 {
            high = low;
        }
        low = new;
        if good {
            break;
        }
    }
    low
}

/// The lower one first.
fn by_loss<V>([a, b]: [Point<V>; 2]) -> [Point<V>; 2] {
    if b.loss < a.loss { [b, a] } else { [a, b] }
}

/// Where to look next: the cubic's minimum, kept off the ends if it hugs them twice.
fn inside<V>(low: &Point<V>, high: &Point<V>, hugging: &mut bool) -> f64 {
    let [least, most] = [low.t.min(high.t), low.t.max(high.t)];
    let t = cubic(low, high, [least, most]);
    let margin = 0.1 * (most - least);
    if (most - t).min(t - least) >= margin {
        *hugging = false;
        return t;
    }
    let at_the_end = t >= most || t <= least;
    if !*hugging && !at_the_end {
        *hugging = true;
        return t;
    }
    *hugging = false;
    if (t - most).abs() < (t - least).abs() { most - margin } else { least + margin }
}

/// The minimum of the cubic through two points with their slopes, within a
/// range; the middle of the range if it has none.
fn cubic<V>(a: &Point<V>, b: &Point<V>, [least, most]: [f64; 2]) -> f64 {
    let (a, b) = if a.t <= b.t { (a, b) } else { (b, a) };
    let d1 = a.slope + b.slope - 3.0 * (a.loss - b.loss) / (a.t - b.t);
    let square = d1 * d1 - a.slope * b.slope;
    if square < 0.0 || square.is_nan() {
        return f64::midpoint(least, most);
    }
    let d2 = square.sqrt();
    let t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2));
    t.max(least).min(most)
}
