//! The photographs that are judged.

use std::path::{Path, PathBuf};

use imaging::colour::Lab;
use imaging::{Depth, Filter, Fit, Picture};
use tensor::Tensor;

use super::EvaluateOptions;
use crate::discover::{Recursion, Unreadable, pictures};
use crate::{COLORED, PipelineError, spread_of_colors};

/// The photographs of a folder, one at a time.
pub(super) struct PhotoSet<'a> {
    pub(super) paths: Vec<PathBuf>,
    pub(super) options: &'a EvaluateOptions,
    pub(super) colorless: usize,
    pub(super) failed: Vec<(PathBuf, String)>,
}

impl<'a> PhotoSet<'a> {
    pub(super) fn of(folder: &Path, options: &'a EvaluateOptions) -> Self {
        let (mut found, unreadable) = pictures(folder, Recursion::Deep, Path::new(""));
        if let Some(only) = &options.only {
            found.retain(|path| path.strip_prefix(folder).is_ok_and(|path| only.contains(path)));
        }
        let most = options.limit.unwrap_or(found.len()).min(found.len());
        let paths = (0..most).map(|i| found[i * found.len() / most].clone()).collect();
        let failed = unreadable.into_iter().map(|Unreadable { path, error }| (path, error));
        Self { paths, options, colorless: 0, failed: failed.collect() }
    }

    /// The mean ab of all, once; only those that count stay.
    pub(super) fn mean_ab(&mut self) -> Option<[f32; 2]> {
        let (mut sum, mut kept) = ([0.0f64; 2], vec![]);
        for path in std::mem::take(&mut self.paths) {
            match self.read(&path) {
                Err(e) => self.failed.push((path, e.to_string())),
                Ok(photo) if spread_of_colors(&photo) < COLORED => self.colorless += 1,
                Ok(photo) => {
                    let lab = Lab::of_picture(&photo).into_tensor();
                    let area = self.options.size * self.options.size;
                    for (sum, plane) in sum.iter_mut().zip(lab.data()[area..].chunks(area)) {
                        *sum += plane.iter().map(|v| f64::from(*v)).sum::<f64>() / area as f64;
                    }
                    kept.push(path);
                }
            }
        }
        self.paths = kept;
        let n = self.paths.len() as f64;
        (n > 0.0).then(|| sum.map(|s| (s / n) as f32))
    }

    /// A photograph; none if it has vanished since.
    pub(super) fn open(&mut self, path: &Path) -> Option<Picture> {
        self.read(path).map_err(|e| self.failed.push((path.to_owned(), e.to_string()))).ok()
    }

    /// The middle of a photograph, in 8 bits.
    fn read(&self, path: &Path) -> Result<Picture, PipelineError> {
        let picture = imaging::decode_file(path, &self.options.limits)?;
        let side = self.options.size;
        let [height, width] = Fit::Short(side).size(picture.size());
        let rgb = picture.to_rgb_tensor_of([height, width], Filter::default());
        let [top, left] = [height, width].map(|length| (length - side) / 2);
        let rows = (0..3 * side).flat_map(|row| {
            let (c, y) = (row / side, row % side);
            let start = (c * height + top + y) * width + left;
            rgb.data()[start..start + side].iter().copied()
        });
        let square = Tensor::new([1, 3, side, side], rows.collect());
        Ok(Picture::from_rgb_tensor(&square, Depth::Eight))
    }
}
