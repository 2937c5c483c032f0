//! Real checkpoints, where the folder named by `PENTIMENTO_MATERIAL` has them.

use std::path::PathBuf;

use weights::{Format, Layout, Limits, inspect, read};

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("PENTIMENTO_MATERIAL").map(|f| PathBuf::from(f).join("weights"));
    if folder.is_none() {
        eprintln!("skipped: PENTIMENTO_MATERIAL is not set");
    }
    folder
}

#[test]
fn every_real_checkpoint_reads() {
    let Some(folder) = folder() else { return };
    for (name, format, tensors, parameters) in [
        ("lengstrom_wave.npz", Format::Npz, 48, 1_677_638),
        ("lpips_vgg16_lin.safetensors", Format::Safetensors, 5, 1472),
        ("vgg16_features.f16.safetensors", Format::Safetensors, 26, 14_714_688),
        ("vgg19_normalised_to_conv5_1.f16.safetensors", Format::Safetensors, 28, 12_944_972),
    ] {
        let path = folder.join(name);
        let inspection = inspect(&path, &Limits::default()).unwrap();
        let checkpoint = read(&path, &Limits::default()).unwrap();
        assert_eq!((checkpoint.format, checkpoint.tensors.len()), (format, tensors), "{name}");
        let values: usize = checkpoint.tensors.values().map(|t| t.data().len()).sum();
        assert_eq!(values as u64, inspection.parameters, "{name}");
        assert_eq!(inspection.parameters, parameters, "{name}");
        let finite = checkpoint.tensors.values().all(|t| t.data().iter().all(|v| v.is_finite()));
        assert!(finite, "{name}");
    }
}

#[test]
fn a_real_lengstrom_network_is_renamed() {
    let Some(folder) = folder() else { return };
    let checkpoint = read(&folder.join("lengstrom_wave.npz"), &Limits::default()).unwrap();
    let layout = Layout::detect(&checkpoint.tensors).unwrap();
    let dict = layout.apply(checkpoint.tensors).unwrap();
    assert_eq!(dict["conv1.weight"].shape(), [32, 3, 9, 9]);
    assert_eq!(dict["resid5.conv2.weight"].shape(), [128, 128, 3, 3]);
    assert_eq!(dict["conv_t1.weight"].shape(), [128, 64, 3, 3]);
    assert_eq!(dict["conv_t2.weight"].shape(), [64, 32, 3, 3]);
    assert_eq!(dict["conv_t3.weight"].shape(), [3, 32, 9, 9]);
    // A scale begins at 1 and a shift at 0; training does not turn that round.
    for (name, tensor) in &dict {
        let mean = tensor.data().iter().sum::<f32>() / tensor.data().len() as f32;
        assert!(!name.ends_with("norm.weight") || mean > 0.5, "{name} {mean}");
        assert!(!name.ends_with("norm.bias") || mean < 0.5, "{name} {mean}");
    }
}
