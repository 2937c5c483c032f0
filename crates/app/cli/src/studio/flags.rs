//! What can be typed after `pentimento studio`.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::quantity;

/// Open the studio: a page in the browser that paints, colours, looks inside and trains.
///
/// The page comes from this program and talks to nothing else; pictures stay on this machine.
/// What the page can do can be scripted too: /api/openapi.json describes how.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Studio {
    /// The port to listen at; 0 takes a free one. Without it 7878, or a free one if that is
    /// taken.
    #[arg(long, value_name = "N")]
    pub(crate) port: Option<u16>,

    /// Do not open the browser.
    #[arg(long)]
    pub(crate) no_open: bool,

    /// The address to listen at. Any but this machine's own demands a --token.
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub(crate) host: IpAddr,

    /// What every request must know: at least 16 letters and digits.
    #[arg(long, value_name = "SECRET")]
    pub(crate) token: Option<String>,

    /// A name that this machine is reached by, besides its addresses; may be given several
    /// times.
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,

    /// A folder of photographs to train from; may be given several times. No other can be
    /// chosen on the page.
    #[arg(long, value_name = "FOLDER", num_args = 1.., value_hint = ValueHint::DirPath)]
    pub(crate) photos: Vec<PathBuf>,

    /// The folder of your own styles, and of what is trained.
    #[arg(long, value_name = "FOLDER", default_value = ".", value_hint = ValueHint::DirPath)]
    pub(crate) styles: PathBuf,

    /// Memory for pictures, results and what is being computed, such as 4G. Without it, three
    /// quarters of what is free.
    #[arg(long, value_name = "SIZE", value_parser = quantity::amount)]
    pub(crate) memory: Option<u64>,

    /// Threads to compute with. Without it, one for each processor.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,

    /// The largest file that can be uploaded.
    #[arg(long, value_name = "SIZE", value_parser = quantity::amount)]
    pub(crate) max_upload: Option<u64>,

    /// The most pixels that a picture may have, such as 100M.
    #[arg(long, value_name = "N", value_parser = quantity::amount)]
    pub(crate) max_pixels: Option<u64>,

    /// Jobs that may wait or run at once.
    #[arg(long, value_name = "N")]
    pub(crate) queue: Option<NonZeroUsize>,

    /// Minutes for which pictures and results are kept after their last use.
    #[arg(long, value_name = "MINUTES")]
    pub(crate) keep: Option<NonZeroUsize>,

    /// Say nothing but the address and what went wrong.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

const HELP: &str = "\
Examples:
  pentimento studio
  pentimento studio --photos ~/Pictures --styles ~/styles
  pentimento studio --no-open --port 8080 --memory 4G
  pentimento studio --host 0.0.0.0 --token \"$(openssl rand -hex 16)\" --no-open

Exit status:
  0    stopped by Ctrl-C
  1    the address cannot be listened at
  2    a flag is wrong, or a folder is none";
