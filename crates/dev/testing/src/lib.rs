//! Goldens, tolerances and reproducible random data for tests.
//!
//! The goldens in `golden/` were computed by other implementations on random
//! weights and pictures. Neither is stored: [`Random`] makes them, here and in
//! `golden/common.py`, bit by bit the same from a seed and a name.
#![forbid(unsafe_code)]

mod close;
mod golden;
mod picture;
mod random;

pub use close::{Mismatch, REORDERED, TAP, Tolerance, check_close, largest, one_level};
pub use golden::{Golden, GoldenError, golden_path, material};
pub use picture::{encoded, smooth_picture};
pub use random::{Random, random_weights};
