//! Keras: what its variables are called and how their axes lie.
//!
//! # Names
//!
//! Every reader of Keras files gives the tensors the same names, whichever Keras
//! wrote the file: `layer/variable`, and `model/layer/variable` inside a model that
//! is a layer of another. The layer's name is the model's own (`block1_conv1`), the
//! variable's that of Keras 3:
//!
//! | layer | variables, in this order, axes as in the file |
//! |---|---|
//! | `Conv2D` | `kernel` `[h, w, in/groups, out]`, `bias` `[out]` |
//! | `Conv2DTranspose` | `kernel` `[h, w, out, in]`, `bias` `[out]` |
//! | `DepthwiseConv2D` | `kernel` (of Keras 2 `depthwise_kernel`) `[h, w, in, multiplier]`, `bias` |
//! | `SeparableConv2D` | `depthwise_kernel`, `pointwise_kernel`, `bias` |
//! | `Dense` | `kernel` `[in, out]`, `bias` `[out]` |
//! | `BatchNormalization` | `gamma`, `beta`, `moving_mean`, `moving_variance`, each `[channels]` |
//!
//! Values and axes are the file's. What an optimiser kept is left out.
//!
//! # Tables
//!
//! A [`Table`] takes such tensors to a graph's parameters and back. It is made from
//! the graph, which knows each layer's kind and so its axes, and a function from the
//! graph's layer to Keras's. For a network whose layers are called otherwise than
//! Keras's, add that function to [`layer_names`]'s list, under the graph's name: then
//! [`fit`](crate::fit) finds it, and the writers do.

mod archive;
mod axes;
mod config;
mod h5;
mod model;
mod names;
mod table;
mod variables;
mod write;

pub(crate) use archive::{KerasArchive, is_main_member};
pub use axes::Axes;
pub(crate) use h5::H5;
pub use names::{is_keras, layer_names};
pub use table::{Row, Table};
pub use write::{Kind, write, write_model};
