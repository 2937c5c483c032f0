//! VGG16 with its top at 224 pixels a side against pytorch-grad-cam, captum and Keras, with
//! what `golden/insight/large/*.py` write into the folder named by `PENTIMENTO_LARGE`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "measures are to be read")]

use std::path::PathBuf;
use std::time::Instant;

use graph::Encoding;
use insight::Model;
use insight::cam::{CamOptions, Explainer, Method};
use tensor::Tensor;
use testing::Golden;
use weights::Weights;

/// Of the scripts.
const SEED: u64 = 11;

/// The largest difference that a map between 0 and 1 may have.
const OF_RANGE: f32 = 1e-3;

const BY_GRADIENT: [Method; 5] = [
    Method::GradCam,
    Method::GradCamPlusPlus,
    Method::HiResCam,
    Method::LayerCam,
    Method::XGradCam,
];

fn golden(file: &str) -> Option<Golden> {
    let Some(folder) = std::env::var_os("PENTIMENTO_LARGE").map(PathBuf::from) else {
        eprintln!("skipped: PENTIMENTO_LARGE is not set");
        return None;
    };
    Some(Golden::open(folder.join(file).to_str().unwrap()).unwrap())
}

fn model() -> Model {
    let (name, config) = nets::known_as("vgg16").unwrap();
    let net = nets::by_name(name, config).unwrap();
    let weights = Weights::bind(&net.graph, testing::random_weights(&net.graph, SEED)).unwrap();
    Model::of(&net, &weights).unwrap()
}

fn explainer<'m>(model: &'m Model, layer: &str) -> Explainer<'m> {
    let picture = testing::smooth_picture([1, 3, 224, 224], SEED);
    let seen = testing::encoded(&picture, &Encoding::IMAGENET);
    Explainer::new(model, seen, Some(model.layer(layer).unwrap())).unwrap()
}

fn classes(golden: &Golden) -> Vec<usize> {
    golden.get("classes").unwrap().data().iter().map(|&class| class as usize).collect()
}

/// The largest difference, as a share of the reference's range.
fn off(got: &[f32], want: &Tensor) -> f32 {
    assert_eq!(got.len(), want.data().len());
    let fold = |f: fn(f32, f32) -> f32, from| want.data().iter().copied().fold(from, f);
    let range = fold(f32::max, f32::NEG_INFINITY) - fold(f32::min, f32::INFINITY);
    got.iter().zip(want.data()).map(|(g, w)| (g - w).abs()).fold(0.0, f32::max) / range
}

fn hold(what: &str, off: f32, since: Instant) {
    println!("{what}: {off:.1e} of the range, {:.2} s", since.elapsed().as_secs_f64());
    assert!(off <= OF_RANGE, "{what}: {off}");
}

#[test]
#[ignore = "needs PENTIMENTO_LARGE: golden/insight/large/vgg16_pytorch.py"]
fn maps_of_vgg16_are_pytorch_grad_cams() {
    let Some(golden) = golden("vgg16_pytorch.safetensors") else { return };
    let model = model();
    let mut explainer = explainer(&model, "relu5_3");
    let classes = classes(&golden);
    assert_eq!(explainer.best_class(), classes[0]);
    let scores: Vec<f32> = (0..1000).map(|class| explainer.score(class)).collect();
    hold("scores", off(&scores, golden.get("scores").unwrap()), Instant::now());
    for &class in &classes {
        for method in BY_GRADIENT {
            let since = Instant::now();
            let map = explainer.map(class, method, &CamOptions::default()).unwrap();
            let want = golden.get(&format!("relu5_3/{class}/{method}")).unwrap();
            hold(&format!("{class}/{method}"), off(&map.enlarged([224, 224]), want), since);
        }
    }
    let since = Instant::now();
    let map = explainer.map(0, Method::EigenCam, &CamOptions::default()).unwrap();
    let either = ["relu5_3/eigen-cam+", "relu5_3/eigen-cam-"]
        .map(|name| off(&map.enlarged([224, 224]), golden.get(name).unwrap()));
    hold("eigen-cam", either[0].min(either[1]), since);
    let since = Instant::now();
    let got = explainer.guided_gradient(classes[0]).unwrap();
    hold("guided-backprop", off(got.data(), golden.get("guided-backprop").unwrap()), since);
    let got = explainer.integrated_gradients(classes[0], &CamOptions::default()).unwrap();
    let [theirs, exact] =
        ["32", "64"].map(|bits| golden.get(&format!("integrated-gradients/{bits}")).unwrap());
    let theirs = off(theirs.data(), exact);
    let ours = off(got.data(), exact);
    println!("integrated-gradients: {ours:.1e}, PyTorch in float32 {theirs:.1e}");
    assert!(ours <= OF_RANGE.max(2.0 * theirs), "{ours} {theirs}");
}

#[test]
#[ignore = "needs PENTIMENTO_LARGE: golden/insight/large/vgg16_pytorch.py"]
fn maps_of_vgg16_without_gradients_are_pytorch_grad_cams() {
    let Some(golden) = golden("vgg16_pytorch.safetensors") else { return };
    let (model, class) = (model(), classes(&golden)[0]);
    for layer in ["relu2_2", "relu5_3"] {
        let mut explainer = explainer(&model, layer);
        for method in [Method::ScoreCam, Method::AblationCam] {
            let since = Instant::now();
            let map = explainer.map(class, method, &CamOptions::default()).unwrap();
            let want = golden.get(&format!("{layer}/{class}/{method}")).unwrap();
            hold(&format!("{method} at {layer}"), off(&map.enlarged([224, 224]), want), since);
        }
    }
}

#[test]
#[ignore = "needs PENTIMENTO_LARGE: golden/insight/large/vgg16_keras.py"]
fn the_tutorials_map_of_vgg16_is_kerass() {
    let Some(golden) = golden("vgg16_keras.safetensors") else { return };
    let model = model();
    let mut explainer = explainer(&model, "relu5_3");
    for class in classes(&golden) {
        let since = Instant::now();
        let map = explainer.map(class, Method::Tutorial, &CamOptions::default()).unwrap();
        let want = golden.get(&format!("{class}/tutorial")).unwrap();
        hold(&format!("{class}/tutorial"), off(&map.normalised(), want), since);
    }
}
