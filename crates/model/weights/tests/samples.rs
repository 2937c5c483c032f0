//! Every sample file, which other people's libraries wrote, reads as its maker says.
#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

mod support;

use std::collections::BTreeMap;

use support::{bias, sample, weight};
use tensor::Tensor;
use weights::{DType, Format, Limits, WeightsError, inspect, read, read_bundle, read_bytes};

#[track_caller]
fn holds_both(name: &str, format: Format) -> weights::Checkpoint {
    let checkpoint = read(&sample(name), &Limits::default()).unwrap();
    assert_eq!(checkpoint.format, format, "{name}");
    assert_eq!(checkpoint.tensors["a.weight"], weight(), "{name}");
    assert_eq!(checkpoint.tensors["a.bias"], bias(), "{name}");
    checkpoint
}

#[test]
fn safetensors_of_every_type() {
    for name in ["f32", "f16", "bf16", "f64"] {
        let checkpoint = holds_both(&format!("{name}.safetensors"), Format::Safetensors);
        assert_eq!(checkpoint.tensors.len(), 2);
        assert_eq!(checkpoint.metadata["made by"], "make.py");
    }
    let ints = read(&sample("ints.safetensors"), &Limits::default()).unwrap().tensors;
    assert_eq!(ints["i64"].data(), [1.0, -2.0]);
    assert_eq!(ints["u8"].data(), [255.0]);
    assert_eq!(ints["bool"].data(), [1.0, 0.0]);
}

#[test]
fn numpy_in_both_orders() {
    let array = |name| read(&sample(name), &Limits::default()).unwrap().tensors["tensor"].clone();
    for name in ["c_f4.npy", "fortran_big_f8.npy", "f2_v3.npy"] {
        assert_eq!(array(name), weight(), "{name}");
    }
    assert_eq!(array("big_i4.npy"), Tensor::new([2, 2], vec![1.0, -2.0, 3.0, 70000.0]));
    holds_both("stored.npz", Format::Npz);
    holds_both("zip64.npz", Format::Npz);
    let deflated = read(&sample("deflated.npz"), &Limits::default()).unwrap().tensors;
    assert_eq!(deflated["a.weight"], weight());
    assert_eq!(deflated["a.bias"].data(), [7.0, 7.0]);
}

#[test]
fn archives_with_64_bit_ends() {
    // Python writes the small numbers into the old end record too; a huge archive cannot.
    let mut bytes = std::fs::read(sample("zip64.npz")).unwrap();
    let end = bytes.len() - 22;
    bytes[end + 8..end + 20].fill(0xff);
    let tensors = read_bytes(&bytes, &Limits::default()).unwrap().tensors;
    assert_eq!(tensors["a.weight"], weight());
    bytes[end - 20] = 0; // the locator's signature
    let error = read_bytes(&bytes, &Limits::default()).unwrap_err().to_string();
    assert!(error.contains("no 64-bit end record"), "{error}");
}

#[test]
fn pytorch_in_both_containers() {
    for (kind, format) in [("zip", Format::PytorchZip), ("legacy", Format::PytorchLegacy)] {
        for name in ["plain", "f16", "bf16", "protocol4", "module", "parameters"] {
            let checkpoint = holds_both(&format!("{name}.{kind}.pth"), format);
            assert_eq!(checkpoint.tensors.len(), 2, "{name}");
        }
    }
}

#[test]
fn pytorch_views_share_a_storage() {
    for kind in ["zip", "legacy"] {
        let name = format!("views.{kind}.pth");
        let tensors = read(&sample(&name), &Limits::default()).unwrap().tensors;
        assert_eq!(tensors["a.weight"], weight());
        assert_eq!(tensors["a.bias"], bias());
        assert_eq!(tensors["turned"], weight().permuted(&[3, 2, 0, 1]));
        // The storage's values 24 to 29, as two rows of three, turned.
        let tail = Tensor::new([2, 3], (24..30u8).map(|i| f32::from(i) / 4.0 - 3.0).collect());
        assert_eq!(tensors["tail"], tail.permuted(&[1, 0]));
        assert_eq!(tensors["expanded"], Tensor::new([3], vec![-2.0; 3]));
        assert_eq!(tensors["scalar"], Tensor::new([], vec![2.5]));
    }
}

#[test]
fn pytorch_training_checkpoints() {
    for kind in ["zip", "legacy"] {
        let path = sample(&format!("training.{kind}.pth"));
        let checkpoint = read(&path, &Limits::default()).unwrap();
        let names: Vec<_> = checkpoint.tensors.keys().map(String::as_str).collect();
        let want = [
            "a.bias",
            "a.weight",
            "norm.bias",
            "norm.num_batches_tracked",
            "norm.running_mean",
            "norm.running_var",
            "norm.weight",
        ];
        assert_eq!(names, want, "neither `module.` nor the optimiser's tensors");
        assert_eq!(checkpoint.tensors["a.weight"], weight());
        let metadata = [("arch", "tiny"), ("best", "0.5"), ("epoch", "3")];
        let metadata = metadata.map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(checkpoint.metadata, BTreeMap::from(metadata));
    }
}

#[test]
fn a_pickle_that_calls_is_refused_by_name() {
    for kind in ["zip", "legacy"] {
        let error = read(&sample(&format!("evil.{kind}.pth")), &Limits::default()).unwrap_err();
        // `os.system` is `posix.system` where the sample was made.
        assert!(
            matches!(&error, WeightsError::ForbiddenGlobal { global } if global == "posix.system"),
            "{error}"
        );
    }
    let bare = b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02ls\x85R.";
    let message = read_bytes(bare, &Limits::default()).unwrap_err().to_string();
    assert_eq!(message, "the pickle wants to call posix.system, which is not allowed");
}

#[test]
fn tensorflow_of_both_kinds() {
    let all = ["a.bias", "a.bias/Adam", "a.weight", "beta1_power", "double", "global_step", "half"];
    for (name, format) in [
        ("v1.ckpt", Format::TensorflowV1),
        ("v2.ckpt", Format::TensorflowV2),
        ("v2.ckpt.data-00000-of-00001", Format::TensorflowV2),
    ] {
        let tensors = holds_both(name, format).tensors;
        let names: Vec<_> = tensors.keys().map(String::as_str).collect();
        assert_eq!(names, all, "{name}");
        assert_eq!(tensors["half"], bias(), "{name}");
        assert_eq!(tensors["double"], bias(), "{name}");
        assert_eq!(tensors["global_step"].data(), [7.0], "{name}");
        assert_eq!(tensors["beta1_power"], Tensor::new([], vec![0.5]), "{name}");
    }
}

#[test]
fn tensorflow_bundles_in_parts() {
    assert_eq!(holds_both("sharded.ckpt", Format::TensorflowV2).tensors.len(), 2);
    let file = |end: &str| std::fs::read(sample(&format!("sharded.ckpt.{end}"))).unwrap();
    let [index, a, b] = ["index", "data-00000-of-00002", "data-00001-of-00002"].map(file);
    let checkpoint = read_bundle(&index, &[&a, &b], &Limits::default()).unwrap();
    assert_eq!(checkpoint.tensors["a.weight"], weight());
    let error = read_bundle(&index, &[&a], &Limits::default()).unwrap_err();
    assert!(error.to_string().contains("2 data files where 1 are given"), "{error}");
    // The other way round, the bytes are not those whose checksums the index has.
    assert!(read_bundle(&index, &[&b, &a], &Limits::default()).is_err());
    for name in ["sliced.v1.ckpt", "sliced.v2.ckpt"] {
        let error = read(&sample(name), &Limits::default()).unwrap_err().to_string();
        assert!(error.contains("sliced in several slices, which is not supported"), "{error}");
    }
}

#[test]
fn limits_are_kept() {
    let zeros = 4 << 20; // values in bomb.npz, a file of 16 kB
    let limits = |bytes| Limits { bytes, ..Limits::default() };
    let bomb = read(&sample("bomb.npz"), &limits(4 * zeros)).unwrap();
    assert_eq!(bomb.tensors["zeros"].data().len() as u64, zeros);
    let error = read(&sample("bomb.npz"), &limits(4 * zeros - 1)).unwrap_err().to_string();
    assert_eq!(error, "the file needs 16777216 bytes of memory, the limit is 16777215");
    for name in ["f16.safetensors", "c_f4.npy", "plain.zip.pth", "plain.legacy.pth", "v1.ckpt"] {
        let error = read(&sample(name), &limits(95)).unwrap_err();
        assert!(matches!(error, WeightsError::TooLarge { limit: 95, .. }), "{name}: {error}");
    }
    let few = Limits { entries: 1, ..Limits::default() };
    for name in ["f32.safetensors", "stored.npz", "plain.zip.pth", "v1.ckpt", "v2.ckpt"] {
        assert!(read(&sample(name), &few).is_err(), "{name}");
    }
}

#[test]
fn inspects_without_reading_values() {
    let inspection = inspect(&sample("bf16.zip.pth"), &Limits::default()).unwrap();
    assert_eq!((inspection.parameters, inspection.bytes), (26, 52));
    assert_eq!(inspection.tensors[1].dtype, DType::Bf16);
    let table = inspection.to_string();
    assert!(table.contains("format      PyTorch\ntensors     2\nparameters  26\n"), "{table}");
    assert!(table.ends_with("a.bias    bf16  [2]\na.weight  bf16  [2, 3, 2, 2]\n"), "{table}");
    // A file beyond the limit for tensors can be inspected all the same.
    let limits = Limits { bytes: 0, ..Limits::default() };
    assert_eq!(inspect(&sample("bomb.npz"), &limits).unwrap().parameters, 4 << 20);
}

#[test]
fn files_that_are_no_checkpoints() {
    for bytes in [&b""[..], b"GIF89a", b"\x89PNG\r\n\x1a\n\0\0\0\0\0\0\0\0", b"{\"a\": 1}"] {
        let error = read_bytes(bytes, &Limits::default()).unwrap_err();
        assert!(matches!(error, WeightsError::UnknownFormat), "{error}");
    }
    let missing = read(&sample("there is none"), &Limits::default()).unwrap_err();
    assert!(matches!(missing, WeightsError::Io(_)), "{missing}");
    let folder = read(&sample(""), &Limits::default()).unwrap_err();
    assert!(matches!(folder, WeightsError::Io(_)), "{folder}");
}
