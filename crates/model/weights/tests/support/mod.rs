//! The samples, and what their makers put into most of them.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]

use std::path::{Path, PathBuf};

use tensor::Tensor;

pub fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples").join(name)
}

/// `i / 4 - 3`, out × in × h × w: see `samples/make.py`.
pub fn weight() -> Tensor {
    Tensor::new([2, 3, 2, 2], (0..24u8).map(|i| f32::from(i) / 4.0 - 3.0).collect())
}

pub fn bias() -> Tensor {
    Tensor::new([2], vec![0.5, -1.5])
}
