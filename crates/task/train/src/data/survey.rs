//! What can be told of photographs before the first is needed.

use std::path::Path;
use std::time::{Duration, Instant};

use imaging::{ImagingError, Limits, identify_file};
use rayon::prelude::*;

use super::{Bad, Folder, Photo};

/// What the headers of a folder's photographs show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// Photographs that cannot be read, in the folder's order, and why.
    pub bad: Vec<Bad>,
    /// How many were looked at: all, if there was the time.
    pub seen: usize,
    /// The names of classes of which no photograph can be read.
    pub lost: Vec<String>,
}

impl Folder {
    /// Reads the header of every photograph, on all threads, for about so long at the most.
    /// What is decoded later may still turn out to be damaged further on.
    pub fn survey(&self, limits: &Limits, longest: Duration) -> Survey {
        let began = Instant::now();
        let look = |photo: &Photo| {
            let path = self.root().join(&photo.path);
            let in_time = began.elapsed() <= longest;
            in_time.then(|| fault(&path, limits).map(|why| Bad { path, why }))
        };
        let found: Vec<Option<Option<Bad>>> = self.photos().par_iter().map(look).collect();
        let mut good = vec![false; self.classes().len()];
        for (photo, looked) in self.photos().iter().zip(&found) {
            if let (None | Some(None), Some(good)) = (looked, good.get_mut(photo.label)) {
                *good = true;
            }
        }
        let lost = self.classes().iter().zip(good).filter(|(_, good)| !good);
        let lost = lost.map(|(name, _)| name.clone()).collect();
        let seen = found.iter().flatten().count();
        Survey { bad: found.into_iter().flatten().flatten().collect(), seen, lost }
    }
}

/// Why a picture cannot be read, if its header shows it.
fn fault(path: &Path, limits: &Limits) -> Option<String> {
    match identify_file(path) {
        Err(error) => Some(error.to_string()),
        Ok(probe) => {
            let (width, height, limit) = (probe.width, probe.height, limits.pixels);
            let is_large = u64::from(width) * u64::from(height) > limit;
            is_large.then(|| ImagingError::TooLarge { width, height, limit }.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use imaging::{Depth, EncodeOptions, Picture, encode_file};
    use tensor::Tensor;

    #[test]
    fn what_cannot_be_read_is_found_in_the_folders_order() {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["cats", "dogs"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
        }
        let grey = Tensor::new([1, 3, 20, 30], vec![0.5; 1800]);
        let picture = Picture::from_rgb_tensor(&grey, Depth::Eight);
        for name in ["cats/a.png", "cats/c.png"] {
            encode_file(&picture, &dir.path().join(name), &EncodeOptions::default()).unwrap();
        }
        std::fs::write(dir.path().join("cats/b.jpg"), "no picture").unwrap();
        std::fs::write(dir.path().join("dogs/a.jpg"), "").unwrap();
        let folder = Folder::with_classes(dir.path()).unwrap();
        let of = |pixels, longest| folder.survey(&Limits { pixels, ..Limits::default() }, longest);
        let found = of(600, Duration::MAX);
        let names: Vec<_> = found.bad.iter().map(|bad| bad.path.file_name().unwrap()).collect();
        assert_eq!((names, found.seen), (vec!["b.jpg".as_ref(), "a.jpg".as_ref()], 4));
        assert_eq!(found.lost, ["dogs"]);
        let found = of(599, Duration::MAX);
        assert_eq!((found.bad.len(), found.lost.len()), (4, 2));
        assert!(found.bad[0].why.contains("30"), "{:?}", found.bad);
        let found = of(600, Duration::ZERO);
        assert!(found.seen < 4 && found.lost.is_empty(), "{found:?}");
    }
}
