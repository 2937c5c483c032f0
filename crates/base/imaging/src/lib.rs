//! Pictures in and out, with profile, orientation, metadata, transparency and depth kept.
//!
//! [`decode`] reads any supported file into a [`Picture`]: upright, in sRGB, at
//! its own depth. [`Picture::to_rgb_tensor`] is what a network sees;
//! [`Picture::with_rgb_tensor`] puts a network's colours back beside the
//! original's alpha, depth and metadata; [`encode_file`] writes the result.
//!
//! ```no_run
//! use imaging::{EncodeOptions, Limits, decode_file, encode_file};
//!
//! let photo = decode_file("photo.jpg".as_ref(), &Limits::default())?;
//! let rgb = photo.to_rgb_tensor(); // [1, 3, H, W], sRGB in 0..=1
//! encode_file(&photo.with_rgb_tensor(&rgb), "copy.png".as_ref(), &EncodeOptions::default())?;
//! # Ok::<(), imaging::ImagingError>(())
//! ```
#![forbid(unsafe_code)]

pub mod colour;
mod convert;
mod decode;
mod encode;
mod error;
mod format;
mod grain;
mod guided;
mod keep;
mod limits;
mod metadata;
mod picture;
mod plain;
mod probe;
mod profile;
mod recolour;
mod reduce;
mod resize;
mod write;

pub use decode::{decode, decode_file};
pub use encode::{Effort, EncodeOptions, encode, encode_file};
pub use error::ImagingError;
pub use format::Format;
pub use grain::add_grain;
pub use guided::{Guided, GuidedOptions};
pub use keep::keep_colours;
pub use limits::Limits;
pub use picture::{Channels, Depth, Metadata, Picture, Pixels};
pub use plain::{deblock, degrain};
pub use probe::{Probe, identify, identify_file};
pub use recolour::{beside, with_chroma};
pub use resize::{Filter, Fit, resize_tensor};
pub use write::atomic_write;
