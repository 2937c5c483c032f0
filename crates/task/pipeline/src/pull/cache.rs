use std::env;
use std::path::{Path, PathBuf};

use super::{KnownWeights, PullError, named};

/// A folder of fetched weights, each under the name its publisher gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// The user's own: `$XDG_CACHE_HOME/pentimento/weights`, without it
    /// `~/.cache/pentimento/weights`, on macOS `~/Library/Caches/…` and on Windows
    /// `%LOCALAPPDATA%\…`.
    ///
    /// # Errors
    ///
    /// [`PullError::NoCache`] where the system names none.
    pub fn of_user() -> Result<Self, PullError> {
        let folder = base(|name| env::var_os(name).map(PathBuf::from)).ok_or(PullError::NoCache)?;
        Ok(Self::at(folder.join("pentimento").join("weights")))
    }

    /// A folder of one's own. It is made when something is put into it.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where these weights lie, or would.
    pub fn path(&self, weights: &KnownWeights) -> PathBuf {
        self.folder.join(weights.file)
    }

    /// Where these weights lie, if they do. Only [`Pull`](super::Pull) looks
    /// into the file; it was right when it was put there.
    pub fn find(&self, weights: &KnownWeights) -> Option<PathBuf> {
        Some(self.path(weights)).filter(|path| path.is_file())
    }
}

/// Where the weights of a name lie, if they are known and were pulled into the
/// user's cache.
pub fn find(name: &str) -> Option<PathBuf> {
    Cache::of_user().ok()?.find(named(name).ok()?)
}

/// The system's folder for what can be fetched again.
fn base(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    // The XDG specification has relative paths ignored.
    let absolute = |name| variable(name).filter(|p| p.is_absolute());
    let home = |below: &str| absolute("HOME").map(|home| home.join(below));
    absolute("XDG_CACHE_HOME").or_else(|| {
        if cfg!(windows) {
            absolute("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            home("Library/Caches")
        } else {
            home(".cache")
        }
    })
}

#[cfg(all(test, unix, not(target_os = "macos")))]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_xdgs() {
        let base = |cache: Option<&str>, home: Option<&str>| {
            base(|name| if name == "HOME" { home } else { cache }.map(PathBuf::from))
        };
        assert_eq!(base(Some("/c"), Some("/h")), Some("/c".into()));
        assert_eq!(base(None, Some("/h")), Some("/h/.cache".into()));
        assert_eq!(base(Some(""), Some("/h")), Some("/h/.cache".into()));
        assert_eq!(base(Some("c"), Some("/h")), Some("/h/.cache".into()));
        assert_eq!(base(None, None), None);
    }
}
