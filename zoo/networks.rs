//! What lies in this folder, for the build scripts of the crates that compile it in.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What the metadata of a classifier have, as JSON.
const CLASSES: &str = r#""pentimento.classes":"#;

/// What a network tells or makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gives {
    /// It names classes.
    Classes,
    /// It makes pictures.
    Pictures,
}

/// The names of all `NAME/NAME.safetensors` of a kind, and for each the Rust that compiles it in;
/// by name. The build script runs again when any of them changes.
pub(crate) fn networks(gives: Gives) -> io::Result<Vec<(String, String)>> {
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../zoo");
    println!("cargo::rerun-if-changed={}", zoo.display());
    let mut found = vec![];
    for entry in zoo.read_dir()? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let file = entry.path().join(format!("{name}.safetensors"));
        if file.is_file() && kind(&file)? == gives {
            println!("cargo::rerun-if-changed={}", file.display());
            let file = file.canonicalize()?;
            found.push((name, format!("include_bytes!({:?})", file.to_string_lossy())));
        }
    }
    found.sort();
    Ok(found)
}

/// Where a build script writes.
pub(crate) fn out(file: &str) -> PathBuf {
    env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default().join(file)
}

fn kind(file: &Path) -> io::Result<Gives> {
    Ok(if header(file)?.contains(CLASSES) { Gives::Classes } else { Gives::Pictures })
}

/// A safetensors file's JSON, which the first eight bytes count.
fn header(file: &Path) -> io::Result<String> {
    let mut file = fs::File::open(file)?;
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let mut text = String::new();
    file.take(u64::from_le_bytes(length)).read_to_string(&mut text)?;
    Ok(text)
}
