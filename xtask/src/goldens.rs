//! Makes the goldens again, to show that they are what their scripts make.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::{python, shell};

/// A script that lies among what it makes.
#[derive(Debug)]
struct Maker {
    script: PathBuf,
    args: &'static [&'static str],
}

/// Makers elsewhere than in `golden/*/`, and those that want arguments. `TensorFlow` and
/// `PyTorch` do not live in one process.
const ELSEWHERE: &[(&str, &[&str])] = &[
    ("crates/model/weights/tests/samples/make.py", &["numpy", "safetensors", "torch"]),
    ("crates/model/weights/tests/samples/make.py", &["tensorflow"]),
    ("crates/base/imaging/src/colour/make_bins.py", &[]),
];

/// What no script makes twice: `PyTorch`'s legacy format names each storage by its address in
/// memory. These are put back as they were.
const NEVER_THE_SAME: &str = ".legacy.pth";

/// Runs `golden/*/make*.py` and those elsewhere, or those whose path contains `only`, in a
/// virtual environment with `golden/requirements.txt`. A golden that changed stays changed, so
/// that it can be looked at, and the run fails: a new reference is never taken unseen.
pub(crate) fn run(only: Option<&str>) -> Result<()> {
    let root = shell::root();
    let mut makers = makers(&root)?;
    makers.retain(|m| m.script.to_string_lossy().contains(only.unwrap_or_default()));
    ensure!(!makers.is_empty(), "no script's path contains {:?}", only.unwrap_or_default());
    let python = python::environment("goldens", &root.join("golden/requirements.txt"))?;
    let mut changed = Vec::new();
    for Maker { script, args } in &makers {
        println!("── {} {}", script.display(), args.join(" "));
        let folder = root.join(script.parent().context("a script lies in a folder")?);
        let before = snapshot(&folder)?;
        let mut command = shell::command(&python, &[]);
        command.arg(root.join(script)).args(*args).current_dir(&folder);
        shell::run(command.env("PYTHONDONTWRITEBYTECODE", "1"))?;
        put_back(&before)?;
        changed.extend(differences(&before, &snapshot(&folder)?));
    }
    for file in &changed {
        println!("changed: {}", file.strip_prefix(&root).unwrap_or(file).display());
    }
    if !changed.is_empty() {
        bail!("{} goldens changed: look at each, then commit or restore it", changed.len());
    }
    println!("{} scripts made exactly what is there", makers.len());
    Ok(())
}

/// All makers, by path from the root.
fn makers(root: &Path) -> Result<Vec<Maker>> {
    let mut found = Vec::new();
    for folder in entries(&root.join("golden"))?.into_iter().filter(|p| p.is_dir()) {
        for script in entries(&folder)?.into_iter().filter(|p| is_script(p)) {
            let script = script.strip_prefix(root).unwrap_or(&script).to_owned();
            found.push(Maker { script, args: &[] });
        }
    }
    let elsewhere = ELSEWHERE.iter().map(|&(s, args)| Maker { script: s.into(), args });
    found.extend(elsewhere);
    Ok(found)
}

fn is_script(path: &Path) -> bool {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    name.starts_with("make") && path.extension().is_some_and(|e| e == "py")
}

/// Every file under a folder with what it holds.
fn snapshot(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for path in entries(folder)? {
        if path.is_dir() {
            files.append(&mut snapshot(&path)?);
        } else {
            let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            files.insert(path, bytes);
        }
    }
    Ok(files)
}

/// Writes what [`NEVER_THE_SAME`] names again.
fn put_back(files: &BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
    let shifting = |path: &Path| path.to_string_lossy().ends_with(NEVER_THE_SAME);
    for (path, bytes) in files.iter().filter(|(path, _)| shifting(path)) {
        fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// The files that are new, gone or different.
fn differences(
    before: &BTreeMap<PathBuf, Vec<u8>>,
    after: &BTreeMap<PathBuf, Vec<u8>>,
) -> Vec<PathBuf> {
    let mut all: Vec<&PathBuf> = before.keys().chain(after.keys()).collect();
    all.sort();
    all.dedup();
    all.into_iter().filter(|f| before.get(*f) != after.get(*f)).cloned().collect()
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut paths = read.map(|e| Ok(e?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_a_lost_and_a_different_file_are_seen() {
        let make = |files: &[(&str, &[u8])]| {
            files.iter().map(|(n, b)| (PathBuf::from(n), b.to_vec())).collect()
        };
        let before = make(&[("lost", b"1"), ("same", b"2"), ("other", b"3")]);
        let after = make(&[("new", b"1"), ("same", b"2"), ("other", b"4")]);
        let names = ["lost", "new", "other"].map(PathBuf::from);
        assert_eq!(differences(&before, &after), names);
        assert!(differences(&before, &before).is_empty());
    }

    #[test]
    fn only_makers_are_scripts() {
        let is = |name: &str| is_script(Path::new(name));
        assert!(is("golden/a/make.py") && is("make_big.py"));
        assert!(!is("golden/a/model.py") && !is("make.txt"));
    }

    #[test]
    fn every_maker_is_there() {
        let root = shell::root();
        let makers = makers(&root).unwrap();
        assert!(makers.len() > ELSEWHERE.len(), "no golden/*/make*.py");
        for maker in makers {
            assert!(root.join(&maker.script).is_file(), "{maker:?}");
        }
    }
}
