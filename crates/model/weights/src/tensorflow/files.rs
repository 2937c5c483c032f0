//! Which files make up a checkpoint.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::source::Source;
use crate::{Limits, WeightsError};

/// The file to open for a path that may name a checkpoint's folder, prefix or any of
/// its files. Any other path is given back as it is.
pub(crate) fn main_file(path: &Path) -> io::Result<PathBuf> {
    let path =
        if path.is_dir() { latest(path)?.unwrap_or_else(|| path.into()) } else { path.into() };
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let of_bundle = extension == "meta" || extension.starts_with("data-");
    let prefix = if of_bundle { path.with_extension("") } else { path.clone() };
    let index = with_suffix(&prefix, ".index");
    let missing = |path: &Path| !path.exists();
    if (of_bundle || missing(&path)) && index.exists() {
        return Ok(index);
    }
    Ok(if extension == "meta" && prefix.exists() { prefix } else { path })
}

/// What the `checkpoint` file of a folder calls the latest one. Only its last part
/// counts: the rest is a path on the machine where it was trained.
fn latest(folder: &Path) -> io::Result<Option<PathBuf>> {
    const MAX: u64 = 1 << 16;
    let Ok(file) = File::open(folder.join("checkpoint")) else { return Ok(None) };
    let mut bytes = vec![];
    file.take(MAX).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let quoted = text.lines().find_map(|line| line.strip_prefix("model_checkpoint_path:"));
    let name = quoted.map(|q| q.trim().trim_matches('"')).and_then(|q| Path::new(q).file_name());
    Ok(name.map(|name| folder.join(name)))
}

/// The data files beside an index.
pub(crate) fn shard_files(
    index: &Path,
    count: usize,
    limits: &Limits,
) -> Result<Vec<Source<'static>>, WeightsError> {
    limits.check_entries(count)?;
    let prefix = index.with_extension("");
    let open = |i| File::open(with_suffix(&prefix, &format!(".data-{i:05}-of-{count:05}")));
    (0..count).map(|i| Ok(Source::file(open(i)?)?)).collect()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_index_by_any_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["m.ckpt.index", "m.ckpt.meta", "m.ckpt.data-00000-of-00001", "v1", "v1.meta"] {
            File::create(at(name)).unwrap();
        }
        for name in ["m.ckpt", "m.ckpt.index", "m.ckpt.meta", "m.ckpt.data-00000-of-00001"] {
            assert_eq!(main_file(&at(name)).unwrap(), at("m.ckpt.index"), "{name}");
        }
        assert_eq!(main_file(&at("v1.meta")).unwrap(), at("v1"));
        assert_eq!(main_file(&at("v1")).unwrap(), at("v1"));
        assert_eq!(main_file(&at("none")).unwrap(), at("none"));
        let latest = "model_checkpoint_path: \"/home/somebody/m.ckpt\"\nall_model…: \"x\"\n";
        std::fs::write(at("checkpoint"), latest).unwrap();
        assert_eq!(main_file(folder.path()).unwrap(), at("m.ckpt.index"));
    }
}
