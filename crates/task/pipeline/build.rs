//! Finds what ships: every `zoo/NAME/NAME.safetensors` is a style, but for the network that
//! colours and those that name classes.

use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The network that colours: no style.
const COLORIZER: &str = "colorizer";

fn main() -> io::Result<()> {
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../zoo");
    println!("cargo::rerun-if-changed={}", zoo.display());
    let mut table = String::from("&[\n");
    let mut colorizer = String::from("None\n");
    for (name, file) in networks(&zoo)? {
        println!("cargo::rerun-if-changed={}", file.display());
        let file = file.canonicalize()?;
        let file = file.to_string_lossy().into_owned();
        if name == COLORIZER {
            colorizer = format!("Some(include_bytes!({file:?}))\n");
            continue;
        }
        let _ = writeln!(table, "    ({name:?}, include_bytes!({file:?})),");
    }
    table.push_str("]\n");
    let out = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    fs::write(out.join("colorizer.rs"), colorizer)?;
    fs::write(out.join("shipped.rs"), table)
}

/// What the metadata of a classifier have, as JSON; `insight` ships those.
const CLASSES: &str = r#""pentimento.classes":"#;

/// A safetensors file's JSON, which the first eight bytes count.
fn header(file: &Path) -> io::Result<String> {
    let mut file = fs::File::open(file)?;
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let mut text = String::new();
    file.take(u64::from_le_bytes(length)).read_to_string(&mut text)?;
    Ok(text)
}

/// Names and files, by name.
fn networks(zoo: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = vec![];
    for entry in zoo.read_dir()? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let file = entry.path().join(format!("{name}.safetensors"));
        if file.is_file() && !header(&file)?.contains(CLASSES) {
            found.push((name, file));
        }
    }
    found.sort();
    Ok(found)
}
