use std::env;
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};
use tensor::Tensor;

use crate::{Mismatch, Random, Tolerance, check_close, largest};

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
    /// The file holds nothing of that name.
    #[error("no golden is called {name:?}")]
    Missing {
        /// The name.
        name: String,
    },
    /// What was computed is not what is stored. The first two values are the
    /// mean and the largest magnitude of the whole tensor, the others samples.
    #[error("{name}{source}")]
    Mismatch {
        /// The tap.
        name: String,
        /// How it differs.
        source: Mismatch,
    },
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

    /// Compares a tensor with what is stored of it under `name`: its mean, its
    /// largest magnitude and samples at random places. The tolerance's scale is
    /// the whole tensor's.
    ///
    /// # Errors
    ///
    /// If nothing is stored under that name, or something is further off.
    pub fn check(&self, name: &str, got: &Tensor, tolerance: Tolerance) -> Result<(), GoldenError> {
        let stored = self.get(name).map(Tensor::data);
        let Some(want @ [_, scale, samples @ ..]) = stored else {
            return Err(GoldenError::Missing { name: name.to_owned() });
        };
        let data = got.data();
        let mean = data.iter().map(|&v| f64::from(v)).sum::<f64>() / data.len() as f64;
        let mut have = vec![mean as f32, largest(data) as f32];
        have.extend(sampled(data, tap(name), samples.len()));
        let tolerance = Tolerance::Absolute(tolerance.allowed(f64::from(*scale)));
        check_close(&have, want, tolerance)
            .map_err(|source| GoldenError::Mismatch { name: name.to_owned(), source })
    }
}

/// `conv1` of `1x3x33x45/conv1`: what the samples' places depend on.
fn tap(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, tap)| tap)
}

/// `count` values at places that depend on `tap` alone, or all values in their
/// order if there are no more than that.
fn sampled(data: &[f32], tap: &str, count: usize) -> Vec<f32> {
    if data.len() <= count {
        return data.to_vec();
    }
    let mut random = Random::named(0, tap);
    (0..count).map(|_| data[random.below(data.len())]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TAP;

    #[test]
    fn a_tap_is_held_to_what_is_stored() {
        let stored = Tensor::new([6], vec![2.5, 4.0, 1.0, 2.0, 3.0, 4.0]);
        let golden = Golden(vec![("case/tap".to_owned(), stored)]);
        let check = |last: f32| {
            golden.check("case/tap", &Tensor::new([2, 2], vec![1.0, 2.0, 3.0, last]), TAP)
        };
        assert!(check(4.0003).is_ok());
        let message = check(4.0005).unwrap_err().to_string();
        assert!(message.starts_with("case/tap") && message.contains("want 4"), "{message}");
        let other = golden.check("case/top", &Tensor::zeros([1]), TAP).unwrap_err();
        assert_eq!(other.to_string(), "no golden is called \"case/top\"");
    }
}
