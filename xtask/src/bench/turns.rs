//! Who runs when, and what came of it.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::cases::{COMMAND, Case};
use super::worker::{Side, Worker};

/// All turns of one row at one case.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) case: Case,
    pub(super) label: String,
    pub(super) side: Side,
    /// Milliseconds.
    pub(super) times: Vec<f64>,
    /// KiB, for the command.
    pub(super) memory: Vec<f64>,
}

impl Measured {
    pub(super) fn median(&self) -> f64 {
        median(&self.times)
    }
}

/// The middle of some values, or the mean of the two in the middle.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[half],
        _ => f64::midpoint(sorted[half - 1], sorted[half]),
    }
}

/// Of the largest value. Wide enough for another order of summation over thirty layers.
const SAME_F32: f64 = 2e-3;
/// The same for bf16, which keeps 8 bits.
const SAME_BF16: f64 = 0.15;

/// Holds everybody to the first worker's results: a fast wrong answer is no answer.
pub(super) fn check(workers: &mut [Worker], cases: &[Case]) -> Result<()> {
    for case in cases.iter().filter(|c| c.name != COMMAND) {
        let mut truth: Option<Vec<f64>> = None;
        for worker in workers.iter_mut().filter(|w| w.has(case.name)) {
            let got = worker.ask("check", case.name)?;
            let want = truth.get_or_insert_with(|| got.clone());
            let allowed = if worker.label.contains("bf16") { SAME_BF16 } else { SAME_F32 };
            let off = difference(&got, want);
            if off.is_nan() || off > allowed {
                bail!("{} and {}: results differ: {got:?}, {want:?}", case.name, worker.label);
            }
        }
    }
    Ok(())
}

/// The largest difference, as a share of the largest value.
fn difference(got: &[f64], want: &[f64]) -> f64 {
    if got.len() != want.len() {
        return f64::NAN;
    }
    let scale = want.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    let pairs = got.iter().zip(want);
    pairs.fold(0.0, |m: f64, (g, w)| if m.is_nan() { m } else { larger(m, (g - w).abs() / scale) })
}

/// `f64::max` would lose a NaN.
fn larger(a: f64, b: f64) -> f64 {
    if b > a || b.is_nan() { b } else { a }
}

/// Thread pools spin for some milliseconds after a run; the next one should not pay for it.
const REST: Duration = Duration::from_millis(40);

/// Case by case, everybody's turn and then everybody's next: A B A B. What heats or slows
/// the machine for a while hits all rows alike.
pub(super) fn take(workers: &mut [Worker], cases: &[Case], rounds: usize) -> Result<Vec<Measured>> {
    let mut all = Vec::new();
    for &case in cases {
        let mut taking: Vec<&mut Worker> =
            workers.iter_mut().filter(|w| w.has(case.name)).collect();
        let row = |w: &&mut Worker| {
            let (label, side) = (w.label.clone(), w.side);
            Measured { case, label, side, times: vec![], memory: vec![] }
        };
        let mut rows: Vec<Measured> = taking.iter().map(row).collect();
        let start = Instant::now();
        for _ in 0..rounds {
            for (worker, row) in taking.iter_mut().zip(&mut rows) {
                thread::sleep(REST);
                let answer = worker.ask("run", case.name)?;
                row.times.extend(answer.first());
                row.memory.extend(answer.get(1));
            }
        }
        eprintln!("{}: {rounds} rounds, {:.0} s", case.name, start.elapsed().as_secs_f64());
        all.append(&mut rows);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        let exact = |got: f64, want: f64| assert_eq!(got.to_bits(), want.to_bits());
        exact(median(&[3.0, 1.0, 2.0]), 2.0);
        exact(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_wrong_or_missing_result_is_seen() {
        let exact = |got: f64, want: f64| assert_eq!(got.to_bits(), want.to_bits());
        exact(difference(&[1.0, -4.0], &[1.0, -4.0]), 0.0);
        exact(difference(&[1.0, -3.0], &[1.0, -4.0]), 0.25);
        assert!(difference(&[f64::NAN, -4.0], &[1.0, -4.0]).is_nan());
        assert!(difference(&[1.0, f64::NAN], &[1.0, -4.0]).is_nan());
        assert!(difference(&[1.0], &[1.0, -4.0]).is_nan());
    }
}
