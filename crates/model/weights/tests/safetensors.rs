//! The house format: what we write others read, and the same content gives the same bytes.
#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

use std::collections::BTreeMap;

use tensor::Tensor;
use weights::{
    Conversion, Encoding, Limits, NetworkCard, Precision, StateDict, WeightsError, convert, read,
    read_bytes, write, write_to,
};

fn dict() -> StateDict {
    let values = |n: u8| (0..n).map(|i| f32::from(i) / 4.0 - 3.0).collect();
    [
        ("b.weight".to_owned(), Tensor::new([2, 3, 2, 2], values(24))),
        ("a".to_owned(), Tensor::new([3], values(3))),
        ("empty".to_owned(), Tensor::new([0, 4], vec![])),
        ("scalar".to_owned(), Tensor::new([], vec![7.0])),
    ]
    .into()
}

fn bytes(dict: &StateDict, metadata: &BTreeMap<String, String>, precision: Precision) -> Vec<u8> {
    let mut bytes = vec![];
    write_to(&mut bytes, dict, metadata, precision).unwrap();
    bytes
}

#[test]
fn the_reference_reads_what_we_write() {
    let card = NetworkCard::new("tiny", Encoding::UNIT, Encoding::BYTES);
    for (precision, dtype) in [
        (Precision::F32, safetensors::Dtype::F32),
        (Precision::F16, safetensors::Dtype::F16),
        (Precision::Bf16, safetensors::Dtype::BF16),
    ] {
        let bytes = bytes(&dict(), &card.to_metadata(), precision);
        let theirs = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let tensor = theirs.tensor("b.weight").unwrap();
        assert_eq!((tensor.dtype(), tensor.shape()), (dtype, &[2, 3, 2, 2][..]));
        assert_eq!(theirs.len(), 4);
        let ours = read_bytes(&bytes, &Limits::default()).unwrap();
        assert_eq!(ours.tensors, dict(), "{precision:?}");
        assert_eq!(NetworkCard::from_metadata(&ours.metadata).unwrap(), card);
    }
}

#[test]
fn values_begin_at_a_multiple_of_eight() {
    for n in 0..9 {
        let metadata = [("k".to_owned(), "x".repeat(n))].into();
        let bytes = bytes(&dict(), &metadata, Precision::F32);
        let (length, _) = bytes.split_first_chunk().unwrap();
        assert_eq!(u64::from_le_bytes(*length) % 8, 0);
    }
}

#[test]
fn what_a_type_cannot_hold_is_not_written() {
    let dict: StateDict = [("w".to_owned(), Tensor::new([1], vec![1e6]))].into();
    let error = write_to(std::io::sink(), &dict, &BTreeMap::new(), Precision::F16).unwrap_err();
    assert!(error.to_string().contains("1000000 in w as F16"), "{error}");
    assert!(write_to(std::io::sink(), &dict, &BTreeMap::new(), Precision::Bf16).is_ok());
}

#[test]
fn a_crooked_header_is_refused_in_words() {
    let file = |header: &str, data: usize| {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.resize(bytes.len() + data, 0);
        read_bytes(&bytes, &Limits::default()).map(|c| c.tensors.len()).map_err(|e| e.to_string())
    };
    let tensor = |from: usize, to: usize| {
        format!(r#"{{"dtype":"F32","shape":[1],"data_offsets":[{from},{to}]}}"#)
    };
    let (first, second) = (tensor(0, 4), tensor(4, 8));
    assert_eq!(file(&format!(r#"{{"a":{first},"b":{second}}}"#), 8), Ok(2));
    for (header, data, words) in [
        (format!(r#"{{"a":{first},"a":{second}}}"#), 8, "a stands there twice"),
        (format!(r#"{{"a":{first},"b":{first}}}"#), 4, "b overlaps another tensor"),
        (format!(r#"{{"a":{second}}}"#), 8, "leaves a gap"),
        (format!(r#"{{"a":{first}}}"#), 8, "4 bytes of data announced, 8 there"),
        (format!(r#"{{"a":{first}}}"#), 3, "4 bytes of data announced, 3 there"),
        (format!(r#"{{"a":{}}}"#, tensor(0, 5)), 5, "not as long as its shape says"),
        (r#"{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}"#.to_owned(), 1, "F4 values in a"),
        (r#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#.to_owned(), 4, "invalid value"),
        (
            r#"{"a":{"dtype":"F32","shape":[4611686018427387904,4611686018427387904,0],"data_offsets":[0,0]}}"#.to_owned(),
            0,
            "not as long as its shape says",
        ),
        (r#"{"__metadata__":{"a":1}}"#.to_owned(), 0, "expected a string"),
        ("{}x".to_owned(), 0, "trailing characters"),
    ] {
        let message = file(&header, data).unwrap_err();
        assert!(message.contains(words), "{header}: {message}");
    }
    let mut huge = 100_000_001u64.to_le_bytes().to_vec();
    huge.extend(b"{}");
    assert!(read_bytes(&huge, &Limits::default()).is_err());
}

#[test]
fn writing_replaces_a_file_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    write(&path, &dict(), &BTreeMap::new(), Precision::F32).unwrap();
    let first = std::fs::read(&path).unwrap();
    assert_eq!(first, bytes(&dict(), &BTreeMap::new(), Precision::F32));
    let bad: StateDict = [("w".to_owned(), Tensor::new([1], vec![1e6]))].into();
    write(&path, &bad, &BTreeMap::new(), Precision::F16).unwrap_err();
    assert_eq!(std::fs::read(&path).unwrap(), first);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left lying about");
    let nowhere = folder.path().join("none/net.safetensors");
    let error = write(&nowhere, &dict(), &BTreeMap::new(), Precision::F32).unwrap_err();
    assert!(matches!(error, WeightsError::Io(_)), "{error}");
}

#[test]
fn converts_from_any_format() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("net.safetensors");
    let samples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let card = NetworkCard::new("tiny", Encoding::UNIT, Encoding::UNIT);
    let how =
        Conversion { precision: Precision::F16, card: Some(card.clone()), ..Conversion::default() };
    for name in ["plain.legacy.pth", "stored.npz", "f64.safetensors", "sharded.ckpt"] {
        let inspection = convert(&samples.join(name), &to, &how).unwrap();
        assert_eq!((inspection.parameters, inspection.bytes), (26, 52), "{name}");
        let written = read(&to, &Limits::default()).unwrap();
        assert_eq!(written.tensors["a.bias"].data(), [0.5, -1.5], "{name}");
        assert_eq!(NetworkCard::from_metadata(&written.metadata).unwrap(), card);
    }
    let json = serde_json::to_value(weights::inspect(&to, &Limits::default()).unwrap()).unwrap();
    assert_eq!(json["tensors"][0]["dtype"], "f16");
}
