use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use pentimento::pipeline::default_memory_limit;
use pentimento::pipeline::pull::{self, Cache};

/// How a studio is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address to listen at. Default: 127.0.0.1, this machine alone.
    pub host: IpAddr,
    /// The port; 0 takes a free one. Default: 0.
    pub port: u16,
    /// What a request must know. Demanded where `host` is no loopback address.
    pub token: Option<String>,
    /// Names besides its addresses that the machine is reached by, for `Host`.
    pub names: Vec<String>,
    /// Folders of photographs that may be trained from. Default: none.
    pub photos: Vec<PathBuf>,
    /// The folder of the user's styles, and of what is trained. Default: the one it is started in.
    pub styles: PathBuf,
    /// Where weights that were fetched lie. Default: the user's cache, if the system has one.
    pub weights: Option<Cache>,
    /// Threads to compute with. Default: one for each processor.
    pub threads: Option<usize>,
    /// What it may take.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            token: None,
            names: vec![],
            photos: vec![],
            styles: PathBuf::from("."),
            weights: Cache::of_user().ok(),
            threads: None,
            limits: Limits::default(),
        }
    }
}

impl Settings {
    /// Where the weights of a name lie, if they are known and were fetched.
    pub(crate) fn pulled(&self, name: &str) -> Option<PathBuf> {
        self.weights.as_ref()?.find(pull::named(name).ok()?)
    }
}

/// What a studio may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory for pictures, results and what is being computed, all together.
    /// Networks in use and the program itself come on top. Default: three quarters of what
    /// is free at the start.
    pub memory: u64,
    /// Bytes of an upload. Default: 200 MB.
    pub upload: u64,
    /// Pixels of an uploaded picture. Default: 100 million.
    pub pixels: u64,
    /// Jobs that wait or run. Default: 32.
    pub queue: usize,
    /// Event streams that are open at once. Default: 128.
    pub streams: usize,
    /// How long pictures and results are kept after their last use. Default: 4 hours.
    pub age: Duration,
    /// How long a body may pause. Default: 10 seconds.
    pub pause: Duration,
    /// How long a body may take in all. Default: 2 minutes.
    pub whole: Duration,
    /// How long a request waits for its turn to draw a picture. Default: 20 seconds.
    pub turn: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: default_memory_limit(),
            upload: 200_000_000,
            pixels: 100_000_000,
            queue: 32,
            streams: 128,
            age: Duration::from_hours(4),
            pause: Duration::from_secs(10),
            whole: Duration::from_mins(2),
            turn: Duration::from_secs(20),
        }
    }
}

impl Limits {
    /// The part of the memory that pictures and results may fill.
    pub(crate) fn stored(&self) -> u64 {
        (self.memory / 3).min(2 << 30)
    }

    /// The part that is for computing.
    pub(crate) fn working(&self) -> u64 {
        self.memory - self.stored()
    }
}
