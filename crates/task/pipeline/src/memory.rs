//! How much memory there is to take.

use std::fs;

/// Where the system does not say what is free.
const UNKNOWN: u64 = 4 << 30;

/// Three quarters of the memory that is free now, for this process' control
/// group too if it is in one; 4 GiB where the system does not say (so far, all but Linux).
pub fn default_memory_limit() -> u64 {
    let system = fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    let group = fs::read_to_string("/proc/self/cgroup").ok().and_then(|text| group_room(&text));
    [system, group].into_iter().flatten().min().map_or(UNKNOWN, |free| free / 4 * 3)
}

/// `MemAvailable` of Linux' `meminfo`, in bytes.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kib.checked_mul(1024)
}

/// What a version 2 control group has left.
fn group_room(cgroup: &str) -> Option<u64> {
    let path = cgroup.lines().find_map(|l| l.strip_prefix("0::"))?;
    let read = |file: &str| -> Option<u64> {
        let text = fs::read_to_string(format!("/sys/fs/cgroup{path}/{file}")).ok()?;
        text.trim().parse().ok() // "max" is no number: no limit
    };
    Some(read("memory.max")?.saturating_sub(read("memory.current")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_linux_says() {
        let text = "MemTotal:       24689768 kB\nMemAvailable:   20480000 kB\n";
        assert_eq!(available(text), Some(20_480_000 * 1024));
        assert_eq!(available("MemTotal: 5 kB\n"), None);
        assert!(default_memory_limit() > 0);
    }
}
