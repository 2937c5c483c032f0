use std::env;
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};
use tensor::Tensor;

use crate::Random;

/// A file of tensors under `golden/`, or of real weights.
#[derive(Clone, Debug)]
pub struct Golden(Vec<(String, Tensor)>);

/// Why a golden could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GoldenError {
    /// The operating system refused.
    #[error("could not read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no safetensors file.
    #[error(transparent)]
    Format(#[from] safetensors::SafeTensorError),
    /// It holds something else than float32.
    #[error("{name} is {dtype:?}, goldens are F32")]
    Dtype {
        /// The tensor.
        name: String,
        /// Its type.
        dtype: Dtype,
    },
}

/// What a whole tensor was like, of which only samples are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stats {
    /// Mean of all values.
    pub mean: f64,
    /// Largest magnitude.
    pub scale: f64,
}

/// A file of this project's `golden/` folder.
pub fn golden_path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../golden").join(file)
}

/// The folder of real weights and pictures that `PENTIMENTO_MATERIAL` names.
/// Without it a test has nothing to do, and says so.
pub fn material() -> Option<PathBuf> {
    env::var_os("PENTIMENTO_MATERIAL").map(PathBuf::from)
}

impl Golden {
    /// Reads `golden/{file}`.
    ///
    /// # Errors
    ///
    /// If it cannot be read or holds anything but float32.
    pub fn open(file: &str) -> Result<Self, GoldenError> {
        let path = golden_path(file);
        let bytes = std::fs::read(&path).map_err(|source| GoldenError::Io { path, source })?;
        let mut tensors = vec![];
        for (name, view) in SafeTensors::deserialize(&bytes)?.iter() {
            if view.dtype() != Dtype::F32 {
                return Err(GoldenError::Dtype { name: name.to_owned(), dtype: view.dtype() });
            }
            let (values, _) = view.data().as_chunks::<4>();
            let data = values.iter().map(|&b| f32::from_le_bytes(b)).collect();
            tensors.push((name.to_owned(), Tensor::new(view.shape(), data)));
        }
        tensors.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(Self(tensors))
    }

    /// The names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The tensor of that name.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.0.binary_search_by(|(n, _)| n.as_str().cmp(name)).ok().map(|i| &self.0[i].1)
    }

    /// The stored samples of a tap with the same samples of `full`, and what
    /// the whole tensor was like. `None` if the tap is not stored.
    pub fn samples(&self, name: &str, full: &Tensor) -> Option<(Vec<f32>, &[f32], Stats)> {
        let [mean, scale, want @ ..] = self.get(name)?.data() else { return None };
        let (mean, scale) = (f64::from(*mean), f64::from(*scale));
        Some((sampled(full, name, want.len()), want, Stats { mean, scale }))
    }
}

/// `count` values at random places that depend on `name` alone, or all values
/// in their order if there are no more than that.
fn sampled(full: &Tensor, name: &str, count: usize) -> Vec<f32> {
    let data = full.data();
    if data.len() <= count {
        return data.to_vec();
    }
    let mut random = Random::named(0, name);
    (0..count).map(|_| data[random.below(data.len())]).collect()
}
