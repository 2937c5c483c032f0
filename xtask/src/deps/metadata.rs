//! What `cargo metadata` says of the workspace's members.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::rules::{Member, Purpose, Ring, Use};
use crate::shell;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: String,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `None`, `"dev"` or `"build"`.
    kind: Option<String>,
}

/// The members with what their manifests name, in order of name.
pub(super) fn members() -> Result<Vec<Member>> {
    let json = shell::output(shell::cargo(&["metadata", "--format-version=1", "--no-deps"]))?;
    parse(&json)
}

fn parse(json: &str) -> Result<Vec<Member>> {
    let metadata: Metadata = serde_json::from_str(json).context("cargo metadata's JSON")?;
    let root = Path::new(&metadata.workspace_root);
    let mut members = Vec::new();
    for package in metadata.packages {
        let folder = Path::new(&package.manifest_path).parent().unwrap_or(root);
        let folder = folder.strip_prefix(root).unwrap_or(folder);
        let uses = package.dependencies.into_iter().map(|d| Use {
            name: short(&d.name),
            purpose: if d.kind.as_deref() == Some("dev") { Purpose::Tests } else { Purpose::Ships },
        });
        let (ring, name) = (Ring::of_folder(folder), short(&package.name));
        members.push(Member { name, ring, uses: uses.collect() });
    }
    members.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(members)
}

/// `pentimento-graph` is `graph` to us: packages carry the project's name, the code does not.
fn short(package: &str) -> String {
    package.strip_prefix("pentimento-").unwrap_or(package).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_cargo_writes() {
        let json = r#"{"workspace_root": "/w", "packages": [
            {"name": "xtask", "manifest_path": "/w/xtask/Cargo.toml", "dependencies": []},
            {"name": "pentimento-nets", "manifest_path": "/w/crates/model/nets/Cargo.toml",
             "dependencies": [{"name": "pentimento-graph", "kind": null},
                              {"name": "proptest", "kind": "dev"}]}]}"#;
        let members = parse(json).unwrap();
        let nets = Member {
            name: "nets".into(),
            ring: Some(Ring::Model),
            uses: vec![
                Use { name: "graph".into(), purpose: Purpose::Ships },
                Use { name: "proptest".into(), purpose: Purpose::Tests },
            ],
        };
        let xtask = Member { name: "xtask".into(), ring: Some(Ring::Tool), uses: vec![] };
        assert_eq!(members, [nets, xtask]);
    }

    #[test]
    fn the_workspace_itself_is_read_and_keeps_the_rules() {
        let members = members().unwrap();
        assert!(members.iter().any(|m| m.name == "graph" && m.ring == Some(Ring::Model)));
        let breaches = super::super::rules::breaches(&members);
        assert_eq!(breaches, Vec::<String>::new());
    }
}
