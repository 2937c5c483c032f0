//! Maps held to pytorch-grad-cam's and Keras's on the same weights and picture.

#![allow(clippy::unwrap_used, reason = "a test's own helpers")]

mod common;

use insight::cam::{CamOptions, Explainer, Map, Method, quality};
use testing::Golden;

/// The largest difference that a map between 0 and 1 may have.
const OF_RANGE: f32 = 1e-3;

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn map(explainer: &mut Explainer<'_>, class: usize, method: Method) -> Map {
    explainer.map(class, method, &CamOptions::default()).unwrap()
}

const SHARED: [Method; 7] = [
    Method::GradCam,
    Method::GradCamPlusPlus,
    Method::HiResCam,
    Method::LayerCam,
    Method::XGradCam,
    Method::ScoreCam,
    Method::AblationCam,
];

#[test]
fn maps_are_pytorch_grad_cams() {
    let golden = Golden::open("insight/pytorch.safetensors").unwrap();
    let model = common::model();
    for layer in ["relu3", "relu5"] {
        let id = model.layer(layer).unwrap();
        let mut explainer = Explainer::new(&model, common::picture(), Some(id)).unwrap();
        let scores: Vec<f32> = (0..5).map(|class| explainer.score(class)).collect();
        testing::check_close(&scores, golden.get("scores").unwrap().data(), testing::TAP).unwrap();
        for class in [0, 3] {
            for method in SHARED {
                let found = map(&mut explainer, class, method);
                let name = format!("{layer}/{class}/{method}");
                let want = golden.get(&name).unwrap().data();
                let off = largest_difference(&found.enlarged([32, 32]), want);
                assert!(off <= OF_RANGE, "{name}: {off}");
            }
        }
        let found = map(&mut explainer, 0, Method::EigenCam).enlarged([32, 32]);
        let either = ["+", "-"].map(|sign| {
            let want = golden.get(&format!("{layer}/eigen-cam{sign}")).unwrap();
            largest_difference(&found, want.data())
        });
        assert!(either[0].min(either[1]) <= OF_RANGE, "{layer}/eigen-cam: {either:?}");
    }
}

#[test]
fn guided_backpropagation_is_pytorch_grad_cams() {
    let golden = Golden::open("insight/pytorch.safetensors").unwrap();
    let model = common::model();
    let explainer = Explainer::new(&model, common::picture(), None).unwrap();
    for class in [0, 3] {
        let want = golden.get(&format!("guided/{class}")).unwrap();
        let got = explainer.guided_gradient(class).unwrap();
        testing::check_close(got.data(), want.data(), testing::TAP).unwrap();
    }
}

#[test]
fn the_road_score_is_pytorch_grad_cams() {
    let golden = Golden::open("insight/pytorch.safetensors").unwrap();
    let model = common::model();
    let mut explainer = Explainer::new(&model, common::picture(), None).unwrap();
    assert_eq!(explainer.layer(), "relu5");
    let found = map(&mut explainer, 3, Method::ScoreCam);
    let quality = quality(&explainer, &found, (0.0, 1)).unwrap();
    let want = golden.get("road").unwrap().data()[0];
    // Scores are of the order of 1, and equal to 1e-4 (`testing::TAP`).
    assert!((quality.road - want).abs() <= 2e-4, "{} {want}", quality.road);
}

#[test]
fn the_tutorials_map_is_kerass() {
    let golden = Golden::open("insight/keras.safetensors").unwrap();
    let model = common::model();
    for layer in ["relu3", "relu5"] {
        let id = model.layer(layer).unwrap();
        let mut explainer = Explainer::new(&model, common::picture(), Some(id)).unwrap();
        let probabilities: Vec<f32> = (0..5).map(|class| explainer.probability(class)).collect();
        let want = golden.get("probabilities").unwrap();
        testing::check_close(&probabilities, want.data(), testing::TAP).unwrap();
        for class in [0, 3] {
            let found = map(&mut explainer, class, Method::Tutorial);
            let of = |part: &str| golden.get(&format!("{layer}/{class}/{part}")).unwrap();
            testing::check_close(&found.values, of("raw").data(), testing::TAP).unwrap();
            let off = largest_difference(&found.normalised(), of("tutorial").data());
            assert!(off <= OF_RANGE, "{layer}/{class}: {off}");
        }
    }
}
