//! Colour, restyle and enlarge pictures with convolutional networks, on an
//! ordinary processor.
//!
//! ```
//! use pentimento::prelude::*;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let (photo, painting) = (folder.path().join("photo.png"), folder.path().join("out.png"));
//! # let grey = pentimento::tensor::Tensor::new([1, 3, 30, 40], vec![0.5; 3600]);
//! # encode_file(&Picture::from_rgb_tensor(&grey, Depth::Eight), &photo, &EncodeOptions::default())?;
//! let Some(style) = shipped().next() else { return Ok(()) };
//! let mut stylizer = Stylizer::new(style.open()?);
//!
//! let picture = decode_file(&photo, &Limits::default())?;
//! let options = StylizeOptions { strength: 0.8, ..StylizeOptions::default() };
//! let styled = stylizer.stylize(&picture, &options)?;
//! encode_file(&styled, &painting, &EncodeOptions::default())?;
//! # assert_eq!(styled.size(), [30, 40]);
//! # Ok(())
//! # }
//! ```
//!
//! This crate has no code of its own: it is the others under one name.
//!
//! | module | what for |
//! |---|---|
//! | [`pipeline`] | pictures through networks: one, or a folder of them |
//! | [`train`] | networks of one's own: data, losses, optimisers, runs that can be resumed |
//! | [`insight`] | looking into networks; plots |
//! | [`imaging`] | pictures in and out, with profile, metadata, transparency and depth kept |
//! | [`cpu`] | the engine: a graph and its weights, run on every core |
//! | [`nets`] | the networks, one module per paper |
//! | [`weights`] | everyone's checkpoints, read safely and bound strictly |
//! | [`graph`] | a network as data; write your own |
//! | [`tensor`] | the numbers that cross the borders |
#![forbid(unsafe_code)]

pub use {cpu, graph, imaging, insight, nets, pipeline, tensor, train, weights};

/// What a program that stylizes pictures needs.
pub mod prelude {
    pub use cpu::Threads;
    pub use imaging::{
        Depth, EncodeOptions, Format, Limits, Picture, decode, decode_file, encode, encode_file,
    };
    pub use pipeline::{
        Batch, ColorModel, ColorizeOptions, Colorizer, Colors, Existing, FileOptions, Job,
        JobOptions, PipelineError, Recursion, Style, StylizeOptions, Stylizer, shipped,
    };
}
