use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::TrainError;
use crate::data::Folder;

/// The pictures of a folder in which each folder is a class, at least two of them,
/// none of which is empty.
///
/// # Errors
///
/// - [`TrainError::NoPictures`] and [`TrainError::Io`] as [`Folder::with_classes`].
/// - [`TrainError::EmptyClass`] if a folder in it holds no pictures.
/// - [`TrainError::OneClass`] if there is only one.
pub fn open_classes(root: &Path) -> Result<Folder, TrainError> {
    let folder = Folder::with_classes(root)?;
    let full: BTreeSet<&str> = folder.classes().iter().map(String::as_str).collect();
    for entry in fs::read_dir(root).map_err(TrainError::io(root))? {
        let path = entry.map_err(TrainError::io(root))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && !full.contains(name.as_str()) {
            return Err(TrainError::EmptyClass { folder: path });
        }
    }
    match folder.classes() {
        [only] => Err(TrainError::OneClass { folder: root.to_owned(), class: only.clone() }),
        _ => Ok(folder),
    }
}

/// Whether two folders have the same classes; the labels then mean the same.
pub(super) fn check_same(learnt: &Folder, other: &Folder) -> Result<(), TrainError> {
    if learnt.classes() == other.classes() {
        return Ok(());
    }
    Err(TrainError::OtherClasses {
        folder: other.root().to_owned(),
        want: learnt.classes().to_vec(),
        got: other.classes().to_vec(),
    })
}

/// Whether every class has a picture left.
pub(super) fn check_all_there(folder: &Folder) -> Result<(), TrainError> {
    let there: BTreeSet<usize> = folder.photos().iter().map(|photo| photo.label).collect();
    match (0..folder.classes().len()).find(|label| !there.contains(label)) {
        Some(missing) => {
            let folder = folder.root().join(&folder.classes()[missing]);
            Err(TrainError::EmptyClass { folder })
        }
        None => Ok(()),
    }
}
