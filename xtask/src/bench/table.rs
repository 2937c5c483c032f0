//! The results as Markdown.

use std::fmt::Write;

use super::cases::{COMMAND, Case};
use super::turns::{Measured, median};
use super::worker::Side;

/// A row for each worker, a column for each case: medians, and ratios to our best.
pub(super) fn medians(measured: &[Measured]) -> String {
    table(measured, |m| {
        let ours = best_of_ours(measured, m.case);
        match ours {
            Some(best) if best.label != m.label => {
                format!("{} ({:.1}×)", milliseconds(m.median()), m.median() / best.median())
            }
            _ => milliseconds(m.median()),
        }
    })
}

/// The smallest and the largest turn of each.
pub(super) fn spread(measured: &[Measured]) -> String {
    let table = table(measured, |m| {
        let least = m.times.iter().copied().fold(f64::INFINITY, f64::min);
        let most = m.times.iter().copied().fold(0.0, f64::max);
        format!("{} – {}", milliseconds(least), milliseconds(most))
    });
    if table.is_empty() { table } else { format!("Smallest and largest turn:\n\n{table}") }
}

/// The whole command: time and peak memory.
pub(super) fn command(measured: &[Measured]) -> String {
    let mut text = String::new();
    for m in measured.iter().filter(|m| m.case.name == COMMAND) {
        let most = m.memory.iter().copied().fold(0.0, f64::max);
        let _ = writeln!(
            text,
            "The command `pentimento stylize` on a 1024×680 photograph, process start to file \
             written: {} ms ({} – {}), peak memory {:.0} MB.",
            milliseconds(median(&m.times)),
            milliseconds(m.times.iter().copied().fold(f64::INFINITY, f64::min)),
            milliseconds(m.times.iter().copied().fold(0.0, f64::max)),
            most * 1024.0 / 1e6,
        );
    }
    text
}

/// Each once, in order of first appearance.
pub(super) fn without_repeats<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if !seen.contains(name) {
            seen.push(name);
        }
    }
    seen
}

fn best_of_ours(measured: &[Measured], case: Case) -> Option<&Measured> {
    let ours = measured.iter().filter(|m| m.case == case && m.side == Side::Ours);
    ours.min_by(|a, b| a.median().total_cmp(&b.median()))
}

fn table(measured: &[Measured], cell: impl Fn(&Measured) -> String) -> String {
    let networks: Vec<&Measured> = measured.iter().filter(|m| m.side != Side::Command).collect();
    let titles: Vec<&str> = networks.iter().map(|m| m.case.title).collect();
    let labels: Vec<&str> = networks.iter().map(|m| m.label.as_str()).collect();
    let titles = without_repeats(&titles);
    if titles.is_empty() {
        return String::new();
    }
    let mut text = format!("| | {} |\n|---|", titles.join(" | "));
    text += &"---|".repeat(titles.len());
    text.push('\n');
    for label in without_repeats(&labels) {
        let _ = write!(text, "| {label} |");
        for title in &titles {
            let found = networks.iter().find(|m| m.label == label && m.case.title == *title);
            let _ = write!(text, " {} |", found.map(|m| cell(m)).unwrap_or_default());
        }
        text.push('\n');
    }
    text
}

/// Three significant digits.
fn milliseconds(ms: f64) -> String {
    match ms {
        ms if ms < 10.0 => format!("{ms:.2}"),
        ms if ms < 100.0 => format!("{ms:.1}"),
        ms => format!("{ms:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(label: &str, side: Side, times: &[f64]) -> Measured {
        let case = Case { name: "c", title: "C" };
        Measured { case, label: label.into(), side, times: times.into(), memory: vec![] }
    }

    #[test]
    fn ratios_are_to_our_best_level() {
        let rows = [
            row("ours, AVX2", Side::Ours, &[20.0, 10.0, 30.0]),
            row("ours, portable", Side::Ours, &[50.0]),
            row("them", Side::Peer, &[100.0]),
        ];
        let want = "| | C |\n|---|---|\n| ours, AVX2 | 20.0 |\n\
                    | ours, portable | 50.0 (2.5×) |\n| them | 100 (5.0×) |\n";
        assert_eq!(medians(&rows), want);
        assert!(spread(&rows).contains("| 10.0 – 30.0 |"));
    }

    #[test]
    fn the_command_has_its_own_line() {
        let mut m = row("ours", Side::Command, &[400.0, 500.0, 450.0]);
        m.case = Case { name: COMMAND, title: "the command" };
        m.memory = vec![250_000.0];
        let text = command(&[m]);
        assert!(text.contains("450 ms (400 – 500), peak memory 256 MB"), "{text}");
    }
}
