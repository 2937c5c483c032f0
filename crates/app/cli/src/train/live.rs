//! How a run goes, in words.

use std::time::Duration;

use pentimento::train::losses::Losses;
use pentimento::train::run::Pace;

/// Losses, as they are told everywhere.
pub(crate) fn losses(losses: &Losses) -> String {
    let Losses { content, style, variation, lpips } = losses;
    let lpips = if *lpips > 0.0 { format!(", LPIPS {lpips:.3e}") } else { String::new() };
    format!("content {content:.3e}, style {style:.3e}, variation {variation:.2e}{lpips}")
}

/// How it goes, with speed and time left.
pub(super) fn paced(words: &str, pace: Pace) -> String {
    let Pace { steps_per_second, left, waiting } = pace;
    let speed = if steps_per_second >= 1.0 {
        format!("{steps_per_second:.1} steps/s")
    } else {
        format!("{:.1} s a step", 1.0 / steps_per_second.max(1e-9))
    };
    let waited = if waiting >= 0.05 {
        format!(", {:.0} % of it waiting for pictures", 100.0 * waiting)
    } else {
        String::new()
    };
    format!("{words}; {speed}{waited}, {} left", time(left))
}

/// A time in round words.
pub(crate) fn time(time: Duration) -> String {
    match time.as_secs() {
        s @ 0..100 => format!("{s} s"),
        s @ 100..6000 => format!("{} min", s.div_ceil(60)),
        s => format!("{} h {} min", s / 3600, s % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_round_words() {
        let of = |seconds| time(Duration::from_secs(seconds));
        assert_eq!([of(99), of(100), of(3601), of(7320)], ["99 s", "2 min", "61 min", "2 h 2 min"]);
    }
}
