//! The networks, one file per paper.
#![forbid(unsafe_code)]
