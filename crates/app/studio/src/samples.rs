//! Photographs that ship, to try things with.

use std::sync::OnceLock;

use pentimento::imaging::{Limits, decode, identify};
use serde::Serialize;

use crate::fault::Fault;
use crate::picture::Original;

/// A photograph that ships.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    file: &'static str,
    title: &'static str,
    credit: &'static str,
    licence: &'static str,
    in_color: bool,
    bytes: &'static [u8],
    decoded: OnceLock<Original>,
}

/// What is told of a sample.
#[derive(Debug, Serialize)]
pub(crate) struct About {
    name: &'static str,
    title: &'static str,
    credit: &'static str,
    licence: &'static str,
    in_color: bool,
    width: u32,
    height: u32,
}

macro_rules! picture {
    ($file:literal) => {
        include_bytes!(concat!("../../../../examples/pictures/", $file))
    };
}

/// As `examples/pictures/LICENSES.md` has them.
static SAMPLES: [Sample; 2] = [
    Sample {
        name: "mountains",
        file: "mountains.jpg",
        title: "Mountains",
        credit: "Aitzol Berasategi, \"Picos de Europa\", 2018",
        licence: "CC-BY-4.0",
        in_color: true,
        bytes: picture!("mountains.jpg"),
        decoded: OnceLock::new(),
    },
    Sample {
        name: "broadway",
        file: "broadway.jpg",
        title: "Broadway, black and white",
        credit: "Saratoga Springs, between 1900 and 1915",
        licence: "public domain",
        in_color: false,
        bytes: picture!("broadway.jpg"),
        decoded: OnceLock::new(),
    },
];

pub(crate) fn all() -> Result<Vec<About>, Fault> {
    let about = |sample: &Sample| {
        let probe = identify(sample.bytes)?;
        Ok(About {
            name: sample.name,
            title: sample.title,
            credit: sample.credit,
            licence: sample.licence,
            in_color: sample.in_color,
            width: probe.width,
            height: probe.height,
        })
    };
    SAMPLES.iter().map(about).collect()
}

pub(crate) fn find(name: &str) -> Result<&'static Sample, Fault> {
    SAMPLES.iter().find(|sample| sample.name == name).ok_or_else(|| Fault::not_found("sample"))
}

impl Sample {
    /// A picture of it.
    pub(crate) fn open(&self) -> Result<Original, Fault> {
        let format = identify(self.bytes)?.format;
        let picture = decode(self.bytes, &Limits::default())?;
        let original = Original::new(self.file, picture, format, self.bytes.len() as u64);
        Ok(original.of_sample(self.name))
    }

    /// The picture, decoded once for all looks at it.
    pub(crate) fn look(&self) -> Result<&Original, Fault> {
        if let Some(decoded) = self.decoded.get() {
            return Ok(decoded);
        }
        let decoded = self.open()?;
        Ok(self.decoded.get_or_init(|| decoded))
    }
}
