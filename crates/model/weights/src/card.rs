use std::collections::BTreeMap;

use graph::Encoding;
use serde::de::DeserializeOwned;

use crate::WeightsError;

const NETWORK: &str = "pentimento.network";
const CONFIG: &str = "pentimento.config";
const INPUT: &str = "pentimento.input";
const OUTPUT: &str = "pentimento.output";
const CLASSES: &str = "pentimento.classes";
const SIZE: &str = "pentimento.size";

/// What the house format's metadata says: which network a file holds, how to feed
/// it, and where it comes from.
///
/// ```
/// use std::collections::BTreeMap;
/// use weights::{Encoding, NetworkCard};
///
/// let mut card = NetworkCard::new("johnson", Encoding::BYTES, Encoding::BYTES);
/// card.notes.insert("licence".into(), "CC0-1.0".into());
/// let metadata: BTreeMap<String, String> = card.to_metadata();
/// assert_eq!(metadata["pentimento.network"], "johnson");
/// assert_eq!(NetworkCard::from_metadata(&metadata)?, card);
/// # Ok::<(), weights::WeightsError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkCard {
    /// The network's name in the registry of networks.
    pub network: String,
    /// The settings that it was built with; an empty object for the published ones.
    pub config: serde_json::Value,
    /// The numbers that it wants.
    pub input: Encoding,
    /// The numbers in which it gives a picture; none if it gives something else.
    pub output: Option<Encoding>,
    /// What its outputs stand for, in their order, if it tells classes apart. A single
    /// output is the probability of the second of two.
    pub classes: Vec<String>,
    /// Height and width to which a picture is stretched for it, if it was trained so.
    pub size: Option<[usize; 2]>,
    /// Everything else: `title`, `licence`, `provenance` and whatever the maker wrote.
    pub notes: BTreeMap<String, String>,
}

impl NetworkCard {
    /// A network with its published settings.
    pub fn new(
        network: impl Into<String>,
        input: Encoding,
        output: impl Into<Option<Encoding>>,
    ) -> Self {
        let config = serde_json::Value::Object(serde_json::Map::new());
        Self {
            network: network.into(),
            config,
            input,
            output: output.into(),
            classes: vec![],
            size: None,
            notes: BTreeMap::new(),
        }
    }

    /// Reads a file's metadata.
    ///
    /// # Errors
    ///
    /// [`WeightsError::Card`] with the key that is missing or cannot be read.
    pub fn from_metadata(metadata: &BTreeMap<String, String>) -> Result<Self, WeightsError> {
        let keys = [NETWORK, CONFIG, INPUT, OUTPUT, CLASSES, SIZE];
        let notes = metadata.iter().filter(|(key, _)| !keys.contains(&key.as_str()));
        Ok(Self {
            network: text(metadata, NETWORK)?.to_owned(),
            config: json(metadata, CONFIG)?,
            input: json(metadata, INPUT)?,
            output: json_if_there(metadata, OUTPUT)?,
            classes: json_if_there(metadata, CLASSES)?.unwrap_or_default(),
            size: json_if_there(metadata, SIZE)?,
            notes: notes.map(|(key, text)| (key.clone(), text.clone())).collect(),
        })
    }

    /// The same of a file that may not say at all which network it is of.
    ///
    /// # Errors
    ///
    /// As [`NetworkCard::from_metadata`], where it says so.
    pub fn if_told(metadata: &BTreeMap<String, String>) -> Result<Option<Self>, WeightsError> {
        metadata.contains_key(NETWORK).then(|| Self::from_metadata(metadata)).transpose()
    }

    /// The metadata for [`write`](crate::write()).
    pub fn to_metadata(&self) -> BTreeMap<String, String> {
        let mut metadata = self.notes.clone();
        let encoding = |e: &Encoding| serde_json::json!(e).to_string();
        metadata.insert(NETWORK.to_owned(), self.network.clone());
        metadata.insert(CONFIG.to_owned(), self.config.to_string());
        metadata.insert(INPUT.to_owned(), encoding(&self.input));
        let output = self.output.as_ref().map(|e| (OUTPUT.to_owned(), encoding(e)));
        metadata.extend(output);
        if !self.classes.is_empty() {
            metadata.insert(CLASSES.to_owned(), serde_json::json!(self.classes).to_string());
        }
        metadata.extend(self.size.map(|s| (SIZE.to_owned(), serde_json::json!(s).to_string())));
        metadata
    }
}

fn text<'m>(
    metadata: &'m BTreeMap<String, String>,
    key: &'static str,
) -> Result<&'m str, WeightsError> {
    let missing = || WeightsError::Card { key, what: "is missing".to_owned() };
    metadata.get(key).map(String::as_str).ok_or_else(missing)
}

fn json_if_there<T: DeserializeOwned>(
    metadata: &BTreeMap<String, String>,
    key: &'static str,
) -> Result<Option<T>, WeightsError> {
    metadata.contains_key(key).then(|| json(metadata, key)).transpose()
}

fn json<T: DeserializeOwned>(
    metadata: &BTreeMap<String, String>,
    key: &'static str,
) -> Result<T, WeightsError> {
    serde_json::from_str(text(metadata, key)?)
        .map_err(|e| WeightsError::Card { key, what: format!("cannot be read: {e}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_a_round_trip_bit_by_bit() {
        let mut card = NetworkCard::new("imfw", Encoding::IMAGENET, Encoding::BYTES);
        card.config = serde_json::json!({"width": 16});
        card.notes.insert("title".to_owned(), "A wave".to_owned());
        assert_eq!(NetworkCard::from_metadata(&card.to_metadata()).unwrap(), card);
        card.output = None;
        card.classes = ["cats", "dogs"].map(str::to_owned).into();
        card.size = Some([150, 160]);
        assert_eq!(NetworkCard::from_metadata(&card.to_metadata()).unwrap(), card);
    }

    #[test]
    fn says_which_key_is_wrong() {
        let good = NetworkCard::new("imfw", Encoding::UNIT, Encoding::UNIT).to_metadata();
        let message = |change: &dyn Fn(&mut BTreeMap<String, String>)| {
            let mut metadata = good.clone();
            change(&mut metadata);
            NetworkCard::from_metadata(&metadata).unwrap_err().to_string()
        };
        let missing = message(&|m| drop(m.remove(NETWORK)));
        assert!(
            missing.ends_with("describe its network: pentimento.network is missing"),
            "{missing}"
        );
        let broken = message(&|m| drop(m.insert(INPUT.to_owned(), "{}".to_owned())));
        assert!(broken.contains("pentimento.input cannot be read: missing field"), "{broken}");
    }
}
