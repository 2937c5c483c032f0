use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// A name that nobody can guess: 128 random bits in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id(Arc<str>);

impl Id {
    /// A new one.
    pub(crate) fn new() -> Self {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the system has random numbers, or no page is safe");
        Self(format!("{:032x}", u128::from_be_bytes(bytes)).into())
    }

    /// What a request says; it is only ever looked up.
    pub(crate) fn of(text: &str) -> Self {
        Self(text.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
