use std::path::Path;

use imaging::{Filter, Fit, Limits, decode_file, resize_tensor};
use tensor::Tensor;

use crate::TrainError;
use crate::data::{Folder, Photo};

/// Previews are no larger.
const LARGEST: usize = 512;

/// How many of the photographs kept out are shown.
const COUNT: usize = 2;

/// A picture that is shown to the network now and then.
#[derive(Clone, Debug)]
pub struct Preview {
    /// What its file is called, without the ending.
    pub name: String,
    /// `[1, 3, H, W]`, RGB in 0..=1.
    pub rgb: Tensor,
}

/// Two of the photographs kept out, the first that can be read; of those learnt from, if there
/// are so few that none was kept out.
pub fn previews(held_out: &Folder, learnt: &Folder) -> Vec<Preview> {
    let from = if held_out.photos().is_empty() { learnt } else { held_out };
    let path = |photo: &Photo| from.root().join(&photo.path);
    let found = from.photos().iter().filter_map(|photo| Preview::open(&path(photo)).ok());
    found.take(COUNT).collect()
}

impl Preview {
    /// Reads a picture, scaled down if it is large.
    ///
    /// # Errors
    ///
    /// If it cannot be read or is no picture.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let picture = decode_file(path, &Limits::default())
            .map_err(|source| TrainError::Picture { path: path.to_owned(), source })?;
        let rgb = picture.to_rgb_tensor();
        let [height, width] = picture.size();
        let size = if height.max(width) > LARGEST {
            Fit::Long(LARGEST).size([height, width])
        } else {
            [height, width]
        };
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, rgb: resize_tensor(&rgb, size, Filter::Triangle) })
    }
}
