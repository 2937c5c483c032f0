//! Looking into networks.
//!
//! [`plot`] draws charts, grids of pictures and tables, with a font of its own.
#![forbid(unsafe_code)]

pub mod plot;
