//! Transforms held to the numbers of Keras' `ImageDataGenerator`: `golden/augment/`.

use serde::Deserialize;
use tensor::Tensor;
use testing::{Golden, Tolerance, check_close, golden_path, smooth_picture};
use train::augment::{Fill, Transform, apply};

const SEED: u64 = 4;

/// Both sides compute in f64 and round to f32 once. Coordinates, below 2⁶ here, lose a
/// few dozen roundings of 2⁻⁵³; pixels in 0..=1 differ by at most 1, so values differ
/// by less than 2⁻⁴⁰ before that last rounding, which can then go either way: one step
/// of f32 at 1 to 2, which is where the constant of −1.5 and its blends lie.
const ONE_STEP: Tolerance = Tolerance::Absolute(f32::EPSILON as f64);

#[derive(Deserialize)]
struct Case {
    name: String,
    shape: [usize; 3],
    fill: String,
    cval: f32,
    transform: Parameters,
}

/// Keras' parameters; those left out do nothing.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Parameters {
    theta: f64,
    tx: f64,
    ty: f64,
    shear: f64,
    zx: f64,
    zy: f64,
    flip_horizontal: bool,
    flip_vertical: bool,
}

impl Default for Parameters {
    fn default() -> Self {
        let Transform { theta, tx, ty, shear, zx, zy, flip_horizontal, flip_vertical } =
            Transform::default();
        Self { theta, tx, ty, shear, zx, zy, flip_horizontal, flip_vertical }
    }
}

impl Case {
    fn fill(&self) -> Fill {
        match self.fill.as_str() {
            "nearest" => Fill::Nearest,
            "constant" => Fill::Constant(self.cval),
            "reflect" => Fill::Reflect,
            "wrap" => Fill::Wrap,
            other => panic!("no fill is called {other}"),
        }
    }

    fn run(&self) -> Tensor {
        let [c, h, w] = self.shape;
        let mut picture = smooth_picture([1, c, h, w], SEED).reshaped(self.shape);
        picture.data_mut().iter_mut().for_each(|v| *v /= 255.0);
        let Parameters { theta, tx, ty, shear, zx, zy, flip_horizontal, flip_vertical } =
            self.transform;
        let transform = Transform { theta, tx, ty, shear, zx, zy, flip_horizontal, flip_vertical };
        apply(&picture, &transform, self.fill())
    }
}

#[test]
fn every_case_is_keras() {
    let golden = Golden::open("augment/keras.safetensors").unwrap();
    let cases = std::fs::read_to_string(golden_path("augment/cases_keras.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_str(&cases).unwrap();
    assert_eq!(cases.len(), golden.names().count());
    let mut wrong = vec![];
    for case in &cases {
        let want = golden.get(&case.name).unwrap();
        let got = case.run();
        assert_eq!(got.shape(), want.shape(), "{}", case.name);
        if let Err(e) = check_close(got.data(), want.data(), ONE_STEP) {
            wrong.push(format!("{}{e}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
