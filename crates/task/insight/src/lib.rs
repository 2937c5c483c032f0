//! Looking into networks.
//!
//! [`classify`] says what a picture shows. [`plot`] draws charts, grids of pictures and tables, with a font of its own.
#![forbid(unsafe_code)]

pub mod classify;
pub mod plot;
