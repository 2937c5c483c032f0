//! Who may see whom.

use std::collections::BTreeMap;
use std::path::Path;

/// A crate of the workspace and what its manifest names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    /// `None` for a folder that is no ring.
    pub(super) ring: Option<Ring>,
    pub(super) uses: Vec<Use>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) name: String,
    pub(super) purpose: Purpose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Ships,
    Tests,
}

/// The folder that a crate lies in. A ring sees those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ring {
    Base,
    Model,
    Engine,
    Task,
    App,
    /// For tests alone.
    Dev,
    /// `xtask` and `bench`: see everything, and nothing sees them.
    Tool,
}

impl Ring {
    /// The ring of a member's folder, relative to the workspace's root.
    pub(super) fn of_folder(folder: &Path) -> Option<Self> {
        let parts: Vec<&str> = folder.iter().filter_map(|part| part.to_str()).collect();
        match *parts {
            ["crates", "base", _] => Some(Self::Base),
            ["crates", "model", _] => Some(Self::Model),
            ["crates", "engine", _] => Some(Self::Engine),
            ["crates", "task", _] => Some(Self::Task),
            ["crates", "app", _] => Some(Self::App),
            ["crates", "dev", _] => Some(Self::Dev),
            ["xtask"] | ["bench", ..] => Some(Self::Tool),
            _ => None,
        }
    }
}

/// The one app that the other apps see, and that sees the rings below.
const FACADE: &str = "pentimento";

/// The edges inside a ring, besides those from an app to the façade.
const INSIDE: &[(&str, &str)] = &[
    ("kernels", "tensor"),
    ("imaging", "tensor"),
    ("nets", "graph"),
    ("weights", "graph"),
    ("cli", "studio"),
];

/// Foreign crates that say nothing about a crate's design: anyone may name them.
const PLUMBING: &[&str] = &[
    "anyhow",
    "bytemuck",
    "crc32c",
    "half",
    "rayon",
    "serde",
    "serde_json",
    "sha2",
    "strsim",
    "tempfile",
    "thiserror",
    "walkdir",
];

/// Foreign crates with a fixed home. One that is neither here nor plumbing
/// belongs to whoever names it first, alone.
const HOMES: &[(&str, &str)] = &[
    ("fearless_simd", "kernels"),
    ("image", "imaging"),
    ("moxcms", "imaging"),
    ("png", "imaging"),
    ("tiff", "imaging"),
    ("zune-jpeg", "imaging"),
    ("safetensors", "weights"),
    ("zip", "weights"),
    ("rustls", "pipeline"),
    ("ureq", "pipeline"),
    ("ab_glyph", "insight"),
    ("rustfft", "insight"),
    ("tiny-skia", "insight"),
    ("clap", "cli"),
    ("indicatif", "cli"),
    ("libc", "cli"),
    ("axum", "studio"),
    ("getrandom", "studio"),
    ("hyper", "studio"),
    ("hyper-util", "studio"),
    ("tokio", "studio"),
    ("tokio-stream", "studio"),
    ("pyo3", "python"),
];

/// Every edge that breaks a rule, as a sentence.
pub(super) fn breaches(members: &[Member]) -> Vec<String> {
    let mut found = Vec::new();
    let mut homes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for member in members {
        let Some(ring) = member.ring else {
            found.push(format!("{} lies in no ring's folder", member.name));
            continue;
        };
        for used in &member.uses {
            if let Some(other) = members.iter().find(|m| m.name == used.name) {
                found.extend(edge(member, ring, other, used.purpose));
            } else if shapes(ring, used.purpose) && !PLUMBING.contains(&used.name.as_str()) {
                homes.entry(&used.name).or_default().push(&member.name);
            }
        }
    }
    for (foreign, mut users) in homes {
        users.dedup();
        found.extend(home(foreign, &users));
    }
    found
}

/// Whether a foreign crate used so can shape a design. Tests and chores may hold our readers
/// and writers to anybody's.
fn shapes(ring: Ring, purpose: Purpose) -> bool {
    purpose == Purpose::Ships && ring < Ring::Dev
}

/// What is wrong with an edge between two members, if anything is.
fn edge(from: &Member, ring: Ring, to: &Member, purpose: Purpose) -> Option<String> {
    let other = to.ring?;
    let (a, b) = (&from.name, &to.name);
    let inside = INSIDE.contains(&(a.as_str(), b.as_str()));
    let why = match (ring, other) {
        (Ring::Tool, _) => return None,
        (_, Ring::Tool) => "nothing stands on a chore",
        (_, Ring::Dev) if purpose == Purpose::Ships => "it is for tests alone",
        (_, Ring::Dev) => return None,
        (Ring::Dev, Ring::App) => "test helpers serve the rings below the apps",
        (Ring::App, _) if a != FACADE && b != FACADE && !inside => "an app sees only the façade",
        _ if ring == other && !inside && b != FACADE => "no such edge is drawn inside the ring",
        _ if ring < other => "that is a ring further out",
        _ => return None,
    };
    Some(format!("{a} ({ring:?}) must not use {b} ({other:?}): {why}"))
}

/// What is wrong with who names a foreign crate, if anything is.
fn home(foreign: &str, users: &[&str]) -> Option<String> {
    let fixed = HOMES.iter().find(|(name, _)| *name == foreign).map(|(_, home)| *home);
    match (fixed, users) {
        (Some(home), users) if users.iter().any(|u| *u != home) => {
            Some(format!("{foreign} belongs in {home} alone, {} name it", users.join(" and ")))
        }
        (None, users) if users.len() > 1 => {
            Some(format!("{foreign} needs one home, {} name it", users.join(" and ")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(folder: &str, ships: &[&str], tests: &[&str]) -> Member {
        let make = |purpose| move |name: &&str| Use { name: (*name).into(), purpose };
        let ships = ships.iter().map(make(Purpose::Ships));
        let uses = ships.chain(tests.iter().map(make(Purpose::Tests))).collect();
        let folder = Path::new(folder);
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        Member { name, ring: Ring::of_folder(folder), uses }
    }

    /// Crates that keep every rule; each case adds one that may not.
    fn good() -> Vec<Member> {
        vec![
            member("crates/base/tensor", &["bytemuck"], &["testing", "proptest"]),
            member("crates/base/kernels", &["tensor", "rayon"], &[]),
            member("crates/base/imaging", &["tensor", "image"], &[]),
            member("crates/model/graph", &["serde"], &[]),
            member("crates/model/nets", &["graph"], &[]),
            member("crates/engine/cpu", &["kernels", "graph"], &["nets", "testing"]),
            member("crates/task/pipeline", &["cpu", "imaging", "nets"], &[]),
            member("crates/app/pentimento", &["pipeline", "tensor"], &[]),
            member("crates/app/studio", &["pentimento", "axum", "tokio"], &["testing"]),
            member("crates/app/cli", &["pentimento", "studio", "clap"], &["testing"]),
            member("crates/dev/testing", &["tensor"], &[]),
            member("xtask", &["cpu", "serde"], &[]),
            member("bench/ours", &["cpu", "nets"], &[]),
        ]
    }

    #[test]
    fn the_drawn_edges_are_allowed() {
        assert_eq!(breaches(&good()), Vec::<String>::new());
    }

    #[test]
    fn every_other_edge_is_a_breach() {
        struct Case {
            folder: &'static str,
            ships: &'static [&'static str],
            tests: &'static [&'static str],
            want: &'static str,
        }
        let c = |folder, ships, tests, want| Case { folder, ships, tests, want };
        let cases = [
            c("crates/base/x", &["graph"], &[], "a ring further out"),
            c("crates/model/x", &["cpu"], &[], "a ring further out"),
            c("crates/engine/x", &[], &["pipeline"], "a ring further out"),
            c("crates/task/x", &["pentimento"], &[], "a ring further out"),
            c("crates/base/x", &["tensor"], &[], "no such edge is drawn"),
            c("crates/model/x", &["nets"], &[], "no such edge is drawn"),
            c("crates/engine/x", &["cpu"], &[], "no such edge is drawn"),
            c("crates/app/x", &["pipeline"], &[], "only the façade"),
            c("crates/app/x", &["cli"], &[], "only the façade"),
            c("crates/app/x", &["studio"], &[], "only the façade"),
            c("crates/base/x", &["testing"], &[], "for tests alone"),
            c("crates/dev/x", &["cli"], &[], "below the apps"),
            c("crates/task/x", &["xtask"], &[], "nothing stands on a chore"),
            c("crates/odd/x", &[], &[], "no ring's folder"),
            c("crates/task/x", &["image"], &[], "image belongs in imaging alone"),
            c("crates/task/x", &["tokio"], &[], "tokio belongs in studio alone"),
        ];
        for case in cases {
            let mut members = good();
            members.push(member(case.folder, case.ships, case.tests));
            let found = breaches(&members);
            assert_eq!(found.len(), 1, "{} → {:?}: {found:?}", case.folder, case.ships);
            assert!(found[0].contains(case.want), "got {:?}, want {:?}", found[0], case.want);
        }
    }

    #[test]
    fn a_foreign_crate_has_one_home() {
        let mut members = good();
        members.push(member("crates/task/x", &["flate9"], &["clap"]));
        members.push(member("crates/dev/y", &["flate9"], &[]));
        members.push(member("crates/base/z", &[], &["flate9"]));
        assert_eq!(breaches(&members), Vec::<String>::new());
        members.push(member("crates/engine/w", &["flate9"], &[]));
        assert_eq!(breaches(&members), ["flate9 needs one home, x and w name it"]);
    }
}
