//! Real checkpoints against PyTorch and TensorFlow, where `PENTIMENTO_MATERIAL`
//! names a folder that has them. Their results are in `golden/nets/material_*`.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

mod common;

use std::path::PathBuf;

use common::Case;
use weights::{Limits, fit, read};

const SIZE: [usize; 4] = [1, 3, 132, 196];

/// Real weights: the output alone, as one runs it, then every tap, at every level.
fn hold(file: &str, golden: &str, name: &str, config: &str) {
    let Some(folder) = testing::material() else {
        eprintln!("skipped: PENTIMENTO_MATERIAL is not set");
        return;
    };
    let path: PathBuf = folder.join("weights").join(file);
    let net = nets::by_name(name, config).unwrap();
    let weights = fit(&net.graph, read(&path, &Limits::default()).unwrap().tensors).unwrap();
    let case = Case::new(golden, net, weights);
    let taps = case.taps();
    for (level, network) in case.networks() {
        for taps in [&[], &taps[..]] {
            let faults = case.faults(SIZE, taps, &case.run(&network, SIZE, taps));
            assert!(faults.is_empty(), "{level:?}, {} taps:\n{}", taps.len(), faults.join("\n"));
        }
    }
}

#[test]
fn lengstroms_wave_is_tensorflows() {
    hold("lengstrom_wave.npz", "material_lengstrom_wave", "lengstrom", "");
}

#[test]
fn vgg16_is_torchvisions() {
    let config = r#"{"depth": "16"}"#;
    hold("vgg16_features.f16.safetensors", "material_vgg16", "vgg", config);
}

#[test]
fn normalised_vgg19_is_pytorchs() {
    let file = "vgg19_normalised_to_conv5_1.f16.safetensors";
    let config = r#"{"depth": "19", "form": "normalised", "up_to": "conv5_1"}"#;
    hold(file, "material_vgg19_normalised", "vgg", config);
}
