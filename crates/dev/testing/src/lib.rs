//! Goldens and tolerances for tests.
#![forbid(unsafe_code)]
