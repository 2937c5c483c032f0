//! The flags of every command that turns pictures into pictures.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::quantity;

/// What is read and where the results go.
#[derive(Args, Debug)]
pub(crate) struct Places {
    /// Pictures, and folders of pictures.
    #[arg(required = true, value_name = "PICTURE|FOLDER", value_hint = ValueHint::AnyPath)]
    pub(crate) inputs: Vec<PathBuf>,

    /// Where the result goes: a file if its name ends like a picture's, otherwise
    /// a folder, which is made if it is not there.
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::AnyPath)]
    pub(crate) output: PathBuf,
}

/// How files are found, read and written.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "switches, as they are typed")]
pub(crate) struct Handling {
    /// Search folders to the bottom; the results mirror them.
    #[arg(short, long)]
    pub(crate) recursive: bool,

    /// Make outputs again that are already there.
    #[arg(long)]
    pub(crate) overwrite: bool,

    /// Format of the results, if the output's name does not say it. Without it,
    /// each picture keeps its own (PNG where that cannot be written).
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<Format>,

    /// JPEG quality.
    #[arg(long, value_name = "1..100", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) quality: Option<u8>,

    /// Threads to compute with. Without it, one for each processor. The result does
    /// not depend on it.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,

    /// Refuse pictures of more pixels, before they are decoded: 50M are fifty million.
    /// Without it, 200M.
    #[arg(long, value_name = "N", value_parser = quantity::amount)]
    pub(crate) max_pixels: Option<u64>,

    /// Refuse pictures that would take more memory, before it is taken: 2G, 800M.
    /// Without it, three quarters of what is free.
    #[arg(long, value_name = "BYTES", value_parser = quantity::amount)]
    pub(crate) max_memory: Option<u64>,

    /// Print a report of every picture as JSON.
    #[arg(long)]
    pub(crate) json: bool,

    /// Say nothing but what went wrong.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// A format that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    #[value(alias = "jpg")]
    Jpeg,
    Png,
    Webp,
    #[value(alias = "tif")]
    Tiff,
    Bmp,
}
