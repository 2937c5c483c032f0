//! What a run was begun with, kept in its folder: so that another program can go on with it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use cpu::Memory;
use serde::{Deserialize, Serialize};

use super::StyleRecipe;
use crate::TrainError;
use crate::run::RunFolder;

/// What a run was begun with, beside its painting, which is copied into the run's folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Which program began it.
    pub origin: Origin,
    /// The style's file.
    pub output: PathBuf,
    /// The painting's file, in the run's folder.
    pub painting: PathBuf,
    /// The folder of photographs.
    pub photographs: PathBuf,
    /// The loss network's file, if it is none that was pulled under the recipe's name for it.
    #[serde(default)]
    pub loss_network: Option<PathBuf>,
    /// The file of LPIPS's heads.
    #[serde(default)]
    pub lpips_heads: Option<PathBuf>,
    /// Pictures that are painted on the way; if none, photographs that are kept out.
    #[serde(default)]
    pub previews: Vec<PathBuf>,
    /// How it is trained.
    pub recipe: StyleRecipe,
    /// What all randomness comes from.
    pub seed: u64,
    /// Whether values are computed again rather than kept.
    #[serde(default)]
    pub recompute: bool,
    /// Steps between two looks at what is kept out.
    pub preview_every: u64,
    /// Steps between two checkpoints.
    pub checkpoint_every: u64,
    /// What the style's card says: its title, its painting.
    pub notes: BTreeMap<String, String>,
}

/// Which program began a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Origin {
    /// The command line.
    Command,
    /// The studio.
    Studio,
}

const SETTINGS: &str = "settings.json";

impl Settings {
    /// Writes them into a run's folder, and `painting` (a picture file's bytes) beside them.
    ///
    /// # Errors
    ///
    /// [`TrainError::Unwritable`] if the system refuses, or a path is not Unicode, which JSON
    /// cannot hold.
    pub fn write(&self, run: &RunFolder, painting: &[u8]) -> Result<(), TrainError> {
        let path = run.path().join(SETTINGS);
        let text = serde_json::to_string_pretty(self).map_err(TrainError::unwritable(&path))?;
        let picture = run.path().join(&self.painting);
        imaging::atomic_write(&picture, painting).map_err(TrainError::unwritable(&picture))?;
        imaging::atomic_write(&path, text.as_bytes()).map_err(TrainError::unwritable(&path))
    }

    /// Those of a run's folder; `None` if it has none, as runs of earlier versions.
    ///
    /// # Errors
    ///
    /// [`TrainError::Settings`] if they cannot be read.
    pub fn read(run: &Path) -> Result<Option<Self>, TrainError> {
        let path = run.join(SETTINGS);
        let wrong = |what: String| TrainError::Settings { path: path.clone(), what };
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|error| wrong(error.to_string()))?,
        };
        let read: Self = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let mut parts = read.painting.components();
        if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
            return Err(wrong(format!("{} is no file in it", read.painting.display())));
        }
        Ok(Some(read))
    }

    /// Whether a run's folder has any.
    pub fn are_in(run: &Path) -> bool {
        run.join(SETTINGS).is_file()
    }

    /// What is kept of a step.
    pub fn memory(&self) -> Memory {
        if self.recompute { Memory::Recomputed } else { Memory::Kept }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Begin;

    #[test]
    fn they_are_read_as_they_were_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.run");
        let run = RunFolder::open(&path, Begin::New).unwrap();
        assert!(!Settings::are_in(&path) && Settings::read(&path).unwrap().is_none());
        let settings = Settings {
            origin: Origin::Command,
            output: "a.safetensors".into(),
            painting: "painting.jpg".into(),
            photographs: "/photos".into(),
            loss_network: None,
            lpips_heads: Some("heads.pth".into()),
            previews: vec!["b.png".into()],
            recipe: StyleRecipe::pytorch_examples(),
            seed: 7,
            recompute: true,
            preview_every: 3,
            checkpoint_every: 2,
            notes: BTreeMap::from([("title".to_owned(), "A".to_owned())]),
        };
        settings.write(&run, b"bytes").unwrap();
        assert_eq!(Settings::read(&path).unwrap(), Some(settings.clone()));
        assert_eq!(fs::read(path.join("painting.jpg")).unwrap(), b"bytes");
        for elsewhere in ["../painting.jpg", "/etc/passwd", "", ".."] {
            let elsewhere = Settings { painting: elsewhere.into(), ..settings.clone() };
            fs::write(path.join(SETTINGS), serde_json::to_string(&elsewhere).unwrap()).unwrap();
            assert!(matches!(Settings::read(&path), Err(TrainError::Settings { .. })));
        }
        fs::write(path.join(SETTINGS), "{").unwrap();
        assert!(matches!(Settings::read(&path), Err(TrainError::Settings { .. })));
    }
}
