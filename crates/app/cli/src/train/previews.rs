//! Pictures that are shown to a network while it learns.

use std::path::{Path, PathBuf};

use pentimento::imaging::{Filter, Fit, Limits, decode_file, resize_tensor};
use pentimento::tensor::Tensor;
use pentimento::train::TrainError;
use pentimento::train::data::{Folder, Photo};
use pentimento::train::run::Journal;

/// Previews are no larger.
const PREVIEW: usize = 512;

/// A picture that is shown to the network now and then.
#[derive(Debug)]
pub(super) struct Preview {
    /// What its file is called, without the ending.
    name: String,
    /// `[1, 3, H, W]`, RGB in 0..=1.
    rgb: Tensor,
}

/// The pictures that the flags name, or else two of those kept out.
pub(super) fn previews(named: &[PathBuf], held_out: &Folder) -> anyhow::Result<Vec<Preview>> {
    if named.is_empty() {
        let path = |photo: &Photo| held_out.root().join(&photo.path);
        let found = held_out.photos().iter().filter_map(|photo| preview(&path(photo)).ok());
        return Ok(found.take(2).collect());
    }
    named.iter().map(|path| preview(path)).collect()
}

/// Keeps what the network makes of each after so many steps.
pub(super) fn show(
    previews: &[Preview],
    (journal, step): (&mut Journal, u64),
    mut paint: impl FnMut(&Tensor) -> Result<Tensor, TrainError>,
) -> Result<(), TrainError> {
    for preview in previews {
        journal.preview(step, &preview.name, &paint(&preview.rgb)?)?;
    }
    Ok(())
}

fn preview(path: &Path) -> anyhow::Result<Preview> {
    let picture = decode_file(path, &Limits::default())
        .map_err(|source| TrainError::Picture { path: path.to_owned(), source })?;
    let rgb = picture.to_rgb_tensor();
    let [height, width] = picture.size();
    let size = if height.max(width) > PREVIEW {
        Fit::Long(PREVIEW).size([height, width])
    } else {
        [height, width]
    };
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Preview { name, rgb: resize_tensor(&rgb, size, Filter::Triangle) })
}
