//! Keras 3's `.keras`: a zip file with `config.json`, `metadata.json` and `model.weights.h5`.

use super::config::{Config, MAX_TEXT};
use super::h5::H5;
use crate::archive::Archive;
use crate::checkpoint::{Listing, Reader};
use crate::{Format, Limits, StateDict, WeightsError};

pub(super) const CONFIG: &str = "config.json";
pub(super) const METADATA: &str = "metadata.json";
pub(super) const WEIGHTS: &str = "model.weights.h5";

/// Whether a zip file's member is one that only such an archive has.
pub(crate) fn is_main_member(name: &str) -> bool {
    name == WEIGHTS
}

/// An archive whose configuration and table of weights are read.
pub(crate) struct KerasArchive<'a>(H5<'a>);

impl<'a> KerasArchive<'a> {
    pub(crate) fn open(mut archive: Archive<'a>, limits: &Limits) -> Result<Self, WeightsError> {
        if let Some(name) = archive.names().find(|name| escapes(name)) {
            let what = format!("a member that leads out of it, {name:?}");
            return Err(WeightsError::unsupported(Format::Keras, what));
        }
        let config = match text(&mut archive, CONFIG, limits)? {
            Some(text) => Config::parse(&text, limits)?,
            None => return Err(WeightsError::corrupt(Format::Keras, 0, "there is no config.json")),
        };
        let metadata = text(&mut archive, METADATA, limits)?;
        let index = archive.names().position(|name| name == WEIGHTS);
        let index = index.ok_or_else(|| {
            WeightsError::corrupt(Format::Keras, 0, format!("there is no {WEIGHTS}"))
        })?;
        let weights = archive.into_member(index, limits)?;
        let mut h5 = H5::with_names(weights, limits, &config.names_by_path())?;
        describe(metadata.as_deref(), h5.listing_mut(), limits)?;
        config.describe(h5.listing_mut(), limits)?;
        Ok(Self(h5))
    }
}

impl Reader for KerasArchive<'_> {
    fn listing(&self) -> &Listing {
        self.0.listing()
    }

    fn load(&mut self, limits: &Limits) -> Result<StateDict, WeightsError> {
        self.0.load(limits)
    }
}

/// Whether extracting a member under its name would write outside of a folder.
fn escapes(name: &str) -> bool {
    let is_absolute = name.starts_with('/') || name.contains('\\') || name.contains(':');
    is_absolute || name.split('/').any(|part| part == "..")
}

fn text(
    archive: &mut Archive<'_>,
    name: &str,
    limits: &Limits,
) -> Result<Option<String>, WeightsError> {
    let Some(index) = archive.names().position(|member| member == name) else { return Ok(None) };
    let bytes = archive.read(index, MAX_TEXT.min(limits.header))?;
    let text = String::from_utf8(bytes);
    let wrong = |_not_utf8| WeightsError::corrupt(Format::Keras, 0, format!("{name} is not UTF-8"));
    text.map(Some).map_err(wrong)
}

/// The texts of `metadata.json`: `keras_version`, `date_saved`.
fn describe(
    metadata: Option<&str>,
    listing: &mut Listing,
    limits: &Limits,
) -> Result<(), WeightsError> {
    let metadata = metadata.and_then(|text| serde_json::from_str(text).ok());
    let Some(serde_json::Value::Object(metadata)) = metadata else { return Ok(()) };
    for (key, value) in metadata {
        if let Some(text) = value.as_str() {
            listing.describe(&key, text.to_owned(), limits)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leads_out_is_told() {
        for name in ["../x", "a/../../x", "/etc/passwd", "C:x", "a\\..\\x", "a/.."] {
            assert!(escapes(name), "{name}");
        }
        for name in ["config.json", "assets/a..b/c.txt", "model.weights.h5"] {
            assert!(!escapes(name), "{name}");
        }
    }
}
