//! What a record has to say of the machine.

use std::fs;

use anyhow::Result;

use crate::shell;

/// `2026-11-21 05:30 UTC`.
pub(super) fn now() -> Result<String> {
    Ok(shell::output(shell::command("date", &["-u", "+%F %H:%M UTC"]))?.trim().to_owned())
}

/// `2026-11-21`.
pub(super) fn today() -> Result<String> {
    Ok(shell::output(shell::command("date", &["-u", "+%F"]))?.trim().to_owned())
}

/// The CPU's name with what tells its generation.
pub(super) fn cpu() -> String {
    let info = cpuinfo();
    let name = field(&info, "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    match (field(&info, "cpu family"), field(&info, "model")) {
        (Some(family), Some(model)) => format!("{name} (family {family}, model {model})"),
        _ => name,
    }
}

/// The CPU's name for a file's.
pub(super) fn cpu_slug() -> String {
    slug(&cpu())
}

fn slug(text: &str) -> String {
    let parts = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|p| !p.is_empty());
    parts.collect::<Vec<_>>().join("-").to_lowercase()
}

/// The machine, the compiler and the state of the code, one line each.
pub(super) fn facts(threads: usize) -> Result<Vec<String>> {
    let info = cpuinfo();
    let flags = field(&info, "flags").unwrap_or_default();
    let seen = ["avx2", "fma", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16"];
    let has: Vec<&str> =
        seen.into_iter().filter(|s| flags.split_whitespace().any(|f| f == *s)).collect();
    let cores = std::thread::available_parallelism().map_or(1, Into::into);
    let commit = shell::output(shell::command("git", &["rev-parse", "--short", "HEAD"]));
    let commit = commit.map_or_else(|_| "no commit".into(), |c| c.trim().to_owned());
    let changes = shell::output(shell::command("git", &["status", "--porcelain", "--", "crates"]));
    let state = if changes.is_ok_and(|c| c.is_empty()) { "" } else { ", with changes" };
    let rustc = shell::output(shell::command("rustc", &["--version"]))?;
    let has = if has.is_empty() { "none of the wide instructions".into() } else { has.join(", ") };
    Ok(vec![
        format!("CPU: {}, {cores} cores seen, {threads} threads used; it has {has}", cpu()),
        format!("Pentimento {commit}{state}; {}", rustc.trim()),
    ])
}

/// What makes the figures doubtful.
pub(super) fn warnings() -> Vec<String> {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: f64 = text.split(' ').next().and_then(|l| l.parse().ok()).unwrap_or(0.0);
    let busy = load > 0.7; // the build just before leaves a little
    busy.then(|| format!("the machine was busy at the start (load {load}): doubt these figures"))
        .into_iter()
        .collect()
}

fn cpuinfo() -> String {
    fs::read_to_string("/proc/cpuinfo").unwrap_or_default()
}

fn field(info: &str, name: &str) -> Option<String> {
    let found = info.lines().filter_map(|l| l.split_once(':')).find(|(k, _)| k.trim() == name);
    found.map(|(_, value)| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_cpuinfo_and_makes_a_file_name() {
        let info = "cpu family\t: 25\nmodel\t\t: 1\nmodel name\t: AMD EPYC\n";
        assert_eq!(field(info, "model").as_deref(), Some("1"));
        assert_eq!(field(info, "model name").as_deref(), Some("AMD EPYC"));
        assert_eq!(slug("AMD EPYC (family 25, model 1)"), "amd-epyc-family-25-model-1");
    }
}
