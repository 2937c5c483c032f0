//! PyTorch checkpoints.
//!
//! Two layouts are read:
//!
//! - since 1.6, a zip file with `NAME/data.pkl` (one pickle) and `NAME/data/KEY`
//!   (the bytes of each storage);
//! - before, five pickles one after the other (a magic number, a version, facts
//!   about the machine, the object, the keys of the storages) and then each
//!   storage: its length in values, eight bytes, and the values.
//!
//! In both, the object's pickle builds tensors as views (offset, sizes, strides)
//! of storages. It is read by a small machine of our own, which executes
//! nothing: see [`machine`] and `docs/decisions/0022`.
//!
//! # Source
//!
//! `torch/serialization.py` and `torch/_utils.py` of PyTorch 2. The tar files of
//! PyTorch before 0.1.10 and `TorchScript` archives are not read.

mod build;
mod containers;
mod globals;
mod machine;
mod object;
mod state;
mod views;

pub(crate) use containers::{Legacy, Zip, is_main_member, is_pickle};
