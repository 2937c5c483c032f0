use crate::Format;

/// Why a picture could not be read or written.
///
/// Paths are not in here: the caller knows the path and adds it as context.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImagingError {
    /// The bytes are of no picture format that is known here.
    #[error("not a picture: the content is none of {}", Format::readable())]
    NotAPicture,
    /// The file ends before the picture does.
    #[error("truncated {format} file")]
    Truncated {
        /// What the file began as.
        format: Format,
    },
    /// The file contradicts its own format.
    #[error("corrupt {format} file: {what}")]
    Corrupt {
        /// What the file began as.
        format: Format,
        /// The decoder's words.
        what: String,
    },
    /// The picture has more pixels than the caller allows.
    #[error("{width}×{height} pixels, but the limit is {limit} pixels in all")]
    TooLarge {
        /// Pixels across, as the header declares.
        width: u32,
        /// Pixels down, as the header declares.
        height: u32,
        /// [`Limits::pixels`](crate::Limits::pixels).
        limit: u64,
    },
    /// Reading on would take more memory than the caller allows.
    #[error("the picture needs {need} bytes of memory, but the limit is {limit}")]
    TooManyBytes {
        /// Bytes of the file, or of its decoded pixels.
        need: u64,
        /// [`Limits::bytes`](crate::Limits::bytes).
        limit: u64,
    },
    /// A valid file, of a kind that is not read here.
    #[error("{format}: {what}")]
    Unsupported {
        /// The file's format.
        format: Format,
        /// What is not supported, and the remedy.
        what: String,
    },
    /// The output's name does not end in a format that can be written.
    #[error("cannot write {extension:?} files: use {}", Format::writable())]
    UnknownExtension {
        /// What the name ends with, without the dot; may be empty.
        extension: String,
    },
    /// The format cannot hold this picture.
    #[error("a {format} file cannot hold this picture: {what}")]
    DoesNotFit {
        /// The format asked for.
        format: Format,
        /// What does not fit.
        what: String,
    },
    /// The operating system refused.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}
