//! Everyone's checkpoints, read safely and bound strictly.
//!
//! [`read`] takes safetensors, NumPy, PyTorch, TensorFlow and Keras files, told by their
//! content, to a [`StateDict`]; [`fit`] binds it to a network; [`write()`] makes the
//! house format, safetensors whose metadata ([`NetworkCard`]) say which network it
//! is and how to feed it.
//!
//! A checkpoint comes from a stranger. Nothing in it is executed, what it claims
//! is compared with [`Limits`] before memory is taken, and damage is an error.
#![forbid(unsafe_code)]
#![warn(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "foreign sizes"
)]

mod archive;
mod bind;
mod card;
mod checkpoint;
mod dtype;
mod error;
mod hdf5;
mod inspect;
pub mod keras;
mod layout;
mod npy_header;
mod numpy;
pub mod onnx;
mod parse;
mod proto;
mod pytorch;
mod safetensors;
mod source;
mod tensorflow;
mod write;

pub use bind::{BindError, StateDict, Weights};
pub use card::NetworkCard;
pub use checkpoint::{Checkpoint, Format, read, read_bundle, read_bytes};
pub use dtype::DType;
pub use error::{Limits, WeightsError};
pub use graph::Encoding;
pub use inspect::{Conversion, Inspection, TensorInfo, convert, inspect};
pub use layout::{Layout, fit, fit_part, forget_running_statistics};
pub use write::{Precision, write, write_to};
