use std::path::PathBuf;

/// Why weights could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PullError {
    /// Nothing is known under that name.
    #[error("no weights are known as {name:?}; there are {}", known.join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// The system names no folder for caches.
    #[error("there is no folder for the weights: set HOME or XDG_CACHE_HOME, or name one")]
    NoCache,
    /// The address did not answer, or not with the file.
    #[error(
        "{url}: {why}\nWithout a network: get that file on another machine and put it at {path}",
        path = path.display()
    )]
    Unreachable {
        /// Where it was asked for.
        url: String,
        /// What happened.
        why: String,
        /// Where the file belongs.
        path: PathBuf,
    },
    /// The connection broke; what came is kept.
    #[error(
        "{url}: the connection broke after {have} of {size} bytes: the same again goes on from there"
    )]
    Cut {
        /// Where it was asked for.
        url: String,
        /// Bytes that are there.
        have: u64,
        /// Bytes that there should be.
        size: u64,
    },
    /// What is offered there has another size than what is known.
    #[error("{url}: {got} bytes, and not the {size} of the file that is wanted; nothing is kept")]
    Size {
        /// Where it was asked for.
        url: String,
        /// Bytes offered, or received.
        got: u64,
        /// Bytes wanted.
        size: u64,
    },
    /// It is another file.
    #[error("{what}: its SHA-256 is {got}, and not {want}{remedy}")]
    Hash {
        /// The address or the file.
        what: String,
        /// The hash it has.
        got: String,
        /// The hash it should have.
        want: &'static str,
        /// What became of it, or what to do.
        remedy: &'static str,
    },
    /// Another process is fetching the same file.
    #[error("{path}: another process is fetching this file", path = path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Its words.
        source: std::io::Error,
    },
    /// The caller asked to stop; what came is kept.
    #[error("stopped: the same again goes on from there")]
    Stopped,
}
