//! Keras's files, which Keras and h5py wrote, read as `samples/make_keras.py` says.

mod support;

use std::time::{Duration, Instant};

use support::{bias, sample, weight};
use tensor::Tensor;
use weights::{DType, Format, Limits, WeightsError, inspect, read};

#[test]
fn every_keras_gives_the_same_names() {
    for (name, format) in [
        ("k2_weights.h5", Format::Hdf5),
        ("k2_model.h5", Format::Hdf5),
        ("k3.weights.h5", Format::Hdf5),
        ("k3_model.h5", Format::Hdf5),
        ("k3.keras", Format::Keras),
        ("k30.keras", Format::Keras),
        ("deflated.keras", Format::Keras),
    ] {
        let checkpoint = read(&sample(name), &Limits::default()).unwrap();
        assert_eq!(checkpoint.format, format, "{name}");
        let names: Vec<_> = checkpoint.tensors.keys().map(String::as_str).collect();
        assert_eq!(names, ["a/bias", "a/kernel"], "{name}");
        assert_eq!(checkpoint.tensors["a/kernel"], weight().permuted(&[2, 3, 1, 0]), "{name}");
        assert_eq!(checkpoint.tensors["a/bias"], bias(), "{name}");
    }
}

#[test]
fn whole_models_say_what_they_are() {
    for (name, input, version) in [
        ("k2_model.h5", "input_1 (InputLayer)", "2.21.0"),
        ("k3_model.h5", "input_layer (InputLayer)", "3.15.1"),
        ("k3.keras", "input_layer (InputLayer)", "3.15.1"),
    ] {
        let metadata = inspect(&sample(name), &Limits::default()).unwrap().metadata;
        assert_eq!(metadata["keras_class"], "Sequential", "{name}");
        assert_eq!(metadata["keras_layers"], format!("{input}, a (Conv2D)"), "{name}");
        assert_eq!(metadata["keras_version"], version, "{name}");
    }
}

#[test]
fn every_kind_of_layer_has_its_variables() {
    // In the order of Keras's `get_weights`, by which make_keras.py numbers them.
    let want = [
        "one/kernel",
        "one/bias",
        "depth/kernel",
        "sep/depthwise_kernel",
        "sep/pointwise_kernel",
        "sep/bias",
        "noscale/beta",
        "noscale/moving_mean",
        "noscale/moving_variance",
        "norm/gamma",
        "norm/beta",
        "norm/moving_mean",
        "norm/moving_variance",
        "inner/up/kernel",
        "inner/up/bias",
        "top/kernel",
        "top/bias",
    ];
    for name in ["k3_layers.weights.h5", "k3_layers.h5"] {
        let tensors = read(&sample(name), &Limits::default()).unwrap().tensors;
        assert_eq!(tensors.len(), want.len(), "{name}: {:?}", tensors.keys());
        for (number, variable) in (0u8..).zip(want) {
            // Keras 3 keeps a separable kernel's parts in files of either kind.
            let tensor = tensors.get(variable).unwrap_or_else(|| panic!("{name}: {variable}"));
            assert_eq!(tensor.data()[..1], [f32::from(number)], "{name}: {variable}");
        }
    }
}

#[test]
fn hdf5_of_anybody() {
    for name in ["chunks.h5", "latest.h5"] {
        let tensors = read(&sample(name), &Limits::default()).unwrap().tensors;
        assert_eq!(tensors["a/weight"], weight(), "{name}");
        assert_eq!(tensors["a/bias"], bias(), "{name}");
    }
    let tensors = read(&sample("chunks.h5"), &Limits::default()).unwrap().tensors;
    assert_eq!(tensors["odd"], Tensor::new([3, 5], (0..15u8).map(f32::from).collect()));
    assert_eq!(tensors["half"], bias());
    assert_eq!(tensors["ints"].data(), [1.0, -2.0]);
    assert_eq!(tensors["bools"].data(), [1.0, 0.0]);
    assert_eq!(tensors["scalar"], Tensor::new([], vec![2.5]));
    assert_eq!(tensors["none"].shape(), [0, 3]);
    let tensors = read(&sample("latest.h5"), &Limits::default()).unwrap().tensors;
    assert_eq!(tensors["inline"], bias());
    assert_eq!(tensors["whole"].shape(), [0]);
    let read = read(&sample("bf16.h5"), &Limits::default()).unwrap().tensors;
    assert_eq!(read["a.bias"], bias());
    let inspection = inspect(&sample("bf16.h5"), &Limits::default()).unwrap();
    assert_eq!(inspection.tensors[0].dtype, DType::Bf16);
}

#[test]
fn what_leads_out_of_a_file_or_claims_what_is_not_in_it_is_refused_by_name() {
    for (name, want) in [
        ("evil.soft.h5", "a soft link, \"link\""),
        ("evil.external.h5", "an external link, \"link\""),
        ("evil.elsewhere.h5", "values in other files"),
        ("evil.virtual.h5", "a virtual dataset"),
        ("evil.cycle.h5", "group \"a/b\" contains itself"),
        ("evil.shape.h5", "claims shape [50000, 50000, 1000000]"),
        ("evil.chunks.h5", "claims shape [50000, 50000, 1000000]"),
        ("evil.dense.h5", "links in dense storage"),
        ("evil.lambda.h5", "layer \"shell\" is a Lambda"),
        ("evil.function.keras", "layer \"shell\" wants os.function"),
        ("evil.escape.keras", "a member that leads out of it, \"../../.bashrc\""),
        ("evil.shape.keras", "claims shape [50000, 50000, 1000000]"),
        ("bomb.keras", "needs 16777217 bytes of memory"),
    ] {
        let start = Instant::now();
        let error = read(&sample(name), &Limits::default()).unwrap_err();
        assert!(error.to_string().contains(want), "{name}: {error}");
        assert!(inspect(&sample(name), &Limits::default()).is_err(), "{name}");
        assert!(start.elapsed() < Duration::from_secs(1), "{name}");
    }
    let error = read(&sample("evil.lambda.h5"), &Limits::default()).unwrap_err();
    assert!(matches!(error, WeightsError::ForbiddenCode { .. }));
}

#[test]
fn limits_hold() {
    let of = |limits| read(&sample("k3.weights.h5"), &limits).unwrap_err();
    let all = Limits::default();
    assert!(matches!(of(Limits { bytes: 100, ..all }), WeightsError::TooLarge { limit: 100, .. }));
    assert!(matches!(of(Limits { entries: 1, ..all }), WeightsError::TooMany { limit: 1 }));
    assert!(matches!(of(Limits { header: 999, ..all }), WeightsError::TooLarge { limit: 999, .. }));
}
