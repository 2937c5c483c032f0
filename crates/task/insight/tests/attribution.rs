//! What methods attribute to pixels, held to captum's; measures of maps, held to RISE's.

#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

mod common;

use insight::cam::{CamOptions, Explainer, Map, Method, quality};
use testing::Golden;

const CLASSES: [usize; 2] = [0, 3];

/// The largest difference, as a share of the reference's range.
fn off(got: &[f32], want: &[f32]) -> f32 {
    assert_eq!(got.len(), want.len());
    let fold = |f: fn(f32, f32) -> f32, from| want.iter().copied().fold(from, f);
    let range = fold(f32::max, f32::NEG_INFINITY) - fold(f32::min, f32::INFINITY);
    let differences = got.iter().zip(want).map(|(g, w)| (g - w).abs());
    differences.fold(0.0, f32::max) / range
}

/// The share of its range by which a map may differ.
const OF_RANGE: f32 = 1e-3;

#[test]
fn gradients_by_pixels_are_captums() {
    let golden = Golden::open("insight/attribution.safetensors").unwrap();
    let model = common::model();
    let explainer = Explainer::new(&model, common::picture(), None).unwrap();
    let options = CamOptions::default();
    for class in CLASSES {
        for (method, got) in [
            ("integrated-gradients", explainer.integrated_gradients(class, &options)),
            ("smooth-grad", explainer.smooth_gradient(class, &options)),
            ("guided-backprop", explainer.guided_gradient(class)),
        ] {
            let want = golden.get(&format!("{method}/{class}")).unwrap();
            let off = off(got.unwrap().data(), want.data());
            assert!(off <= OF_RANGE, "{method} for {class}: {off}");
        }
    }
}

#[test]
fn what_a_square_hides_is_captums() {
    let golden = Golden::open("insight/attribution.safetensors").unwrap();
    let model = common::model();
    let mut explainer = Explainer::new(&model, common::picture(), None).unwrap();
    for class in CLASSES {
        for pixels in [5u8, 8] {
            // A little more than the share, so that no rounding makes it a pixel less.
            let patch = (f32::from(pixels) + 0.01) / 32.0;
            let options = CamOptions { patch, ..CamOptions::default() };
            let found = explainer.map(class, Method::Occlusion, &options).unwrap();
            let want = golden.get(&format!("occlusion/{pixels}/{class}")).unwrap();
            let off = off(&found.values, want.data());
            assert!(off <= OF_RANGE, "a square of {pixels} for {class}: {off}");
        }
    }
}

#[test]
fn insertion_and_deletion_are_rises() {
    let golden = Golden::open("insight/attribution.safetensors").unwrap();
    let model = common::model();
    let explainer = Explainer::new(&model, common::picture(), None).unwrap();
    for class in CLASSES {
        let values = golden.get(&format!("saliency/{class}")).unwrap().data().to_vec();
        let (method, score) = (Method::EigenCam, explainer.score(class));
        let map = Map { method, layer: None, class, score, size: [32, 32], values };
        let found = quality(&explainer, &map, (0.0, 1)).unwrap();
        let want = |what: &str| golden.get(&format!("{what}/{class}")).unwrap().data()[0];
        // A mean of probabilities, each equal to `testing::TAP`.
        for (what, got) in [("insertion", found.insertion), ("deletion", found.deletion)] {
            let want = want(what);
            assert!((got - want).abs() <= 1e-4, "{what} for {class}: {got}, {want}");
        }
    }
}
