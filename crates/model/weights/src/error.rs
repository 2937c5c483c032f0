use crate::{BindError, Format};

/// How much a file may ask for. A checkpoint comes from a stranger: what it
/// claims is compared with this before any memory is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes for all tensors together, as `f32`; 4 GiB by default.
    ///
    /// Reading needs little more than that: at most one tensor's storage, or
    /// one block of a TensorFlow table, is held beside them.
    pub bytes: u64,
    /// Tensors, or named things of any kind; 65,536 by default.
    pub entries: usize,
    /// Bytes for headers, pickles and tables of contents; 64 MiB by default.
    pub header: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 4 << 30, entries: 1 << 16, header: 64 << 20 }
    }
}

impl Limits {
    pub(crate) fn check_bytes(&self, need: u64) -> Result<(), WeightsError> {
        within(need, self.bytes)
    }

    pub(crate) fn check_header(&self, need: u64) -> Result<(), WeightsError> {
        within(need, self.header)
    }

    pub(crate) fn check_entries(&self, entries: usize) -> Result<(), WeightsError> {
        if entries > self.entries {
            return Err(WeightsError::TooMany { limit: self.entries });
        }
        Ok(())
    }
}

fn within(need: u64, limit: u64) -> Result<(), WeightsError> {
    if need > limit { Err(WeightsError::TooLarge { need, limit }) } else { Ok(()) }
}

/// Why a checkpoint could not be read, written or fitted to its network.
///
/// Paths are not in here: the caller knows the path and adds it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The bytes are no checkpoint that this crate knows.
    #[error("not a checkpoint: expected safetensors, NumPy, PyTorch, TensorFlow, Keras or ONNX")]
    UnknownFormat,
    /// The file ends early or contradicts its own format.
    #[error("corrupt {format} file at byte {offset}: {what}")]
    Corrupt {
        /// The format it claims to be.
        format: Format,
        /// Where, roughly; in a pickle, counted from the pickle's start.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// A pickle names a callable that is not on the list of tensor constructors.
    #[error("the pickle wants to call {global}, which is not allowed")]
    ForbiddenGlobal {
        /// Its full name, `module.name`.
        global: String,
    },
    /// A model's configuration holds code, or names some to be imported.
    #[error(
        "the model's configuration holds code: layer {layer:?} {what}; \
         only its weights, saved alone (save_weights), can be read"
    )]
    ForbiddenCode {
        /// The layer, or what is nearest to it.
        layer: String,
        /// What it is or wants.
        what: String,
    },
    /// Reading on would go over a limit set by the caller.
    #[error("the file needs {need} bytes of memory, the limit is {limit}")]
    TooLarge {
        /// How much the file asks for.
        need: u64,
        /// How much it may have.
        limit: u64,
    },
    /// The file names more things than the caller allows.
    #[error("the file has more than {limit} entries")]
    TooMany {
        /// How many it may have.
        limit: usize,
    },
    /// The file is sound, but uses something that this crate does not read.
    #[error("{format} file with {what}, which is not supported")]
    Unsupported {
        /// The format.
        format: Format,
        /// What it uses.
        what: String,
    },
    /// An ONNX model has an operator that this crate does not know.
    #[error(
        "ONNX file with operator {operator} ({node}), which is not supported; these are: {}",
        crate::onnx::OPERATORS.join(", ")
    )]
    Operator {
        /// Its name, with its domain if that is not ONNX's own.
        operator: String,
        /// The node that has it.
        node: String,
    },
    /// The tensors are not those that a [`Layout`](crate::Layout) renames.
    #[error("not {layout}'s layout: {what}")]
    Layout {
        /// The layout.
        layout: &'static str,
        /// The first thing that differs.
        what: String,
    },
    /// The variables are not those of this network in Keras.
    #[error("not Keras's {network}: {what}")]
    Keras {
        /// The network.
        network: String,
        /// The first thing that differs.
        what: String,
    },
    /// The file does not say which network it is and how to feed it.
    #[error("the file's metadata does not describe its network: {key} {what}")]
    Card {
        /// The metadata key at fault.
        key: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// The tensors do not fit the network.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The operating system refused.
    #[error("could not read or write the file: {0}")]
    Io(#[from] std::io::Error),
}

impl WeightsError {
    pub(crate) fn corrupt(format: Format, offset: u64, what: impl Into<String>) -> Self {
        Self::Corrupt { format, offset, what: what.into() }
    }

    pub(crate) fn unsupported(format: Format, what: impl Into<String>) -> Self {
        Self::Unsupported { format, what: what.into() }
    }
}
