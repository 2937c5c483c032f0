//! Looking into VGG16, as `bench/peers/cam.py` does it. At the best level only.

use std::time::Instant;

use anyhow::{Result, bail};
use graph::Encoding;
use insight::Model;
use insight::cam::{CamOptions, Explainer, Method};
use insight::filters::{PatternOptions, patterns};
use testing::Random;

use crate::engine::timed;
use crate::made::{SEED, network};

/// Grad-CAM at the last convolution, forwards and backwards.
pub(crate) const CAM: &str = "grad-cam";
/// 64 patterns of `conv3_1`, 40 steps at 64 pixels. Nobody else's program has it.
pub(crate) const PATTERNS: &str = "patterns";

const CLASS: usize = 386;

/// `run`: milliseconds. `check`: five of the classes' scores and five of the map's values.
pub(crate) fn cam(what: &str) -> Result<String> {
    let model = model("vgg16")?;
    let picture = Random::named(SEED, "input").tensor(&[1, 3, 224, 224], 1.0);
    let mut explainer = Explainer::new(&model, picture.clone(), None)?;
    let options = CamOptions::default();
    match what {
        "run" => Ok(timed(|| {
            explainer.show(picture.clone());
            explainer.map(CLASS, Method::GradCam, &options)
        })),
        "check" => {
            let map = explainer.map(CLASS, Method::GradCam, &options)?.normalised();
            let scores = (0..5).map(|i| explainer.score(i * 200));
            let values = (0..5).map(|i| map[i * 40]);
            let all: Vec<String> = scores.chain(values).map(|v| format!("{v:.6e}")).collect();
            Ok(all.join(" "))
        }
        other => bail!("{other:?} is neither run nor check"),
    }
}

/// `run`: milliseconds of all 64, once. `check`: what the first ten channels answer.
pub(crate) fn filters(what: &str) -> Result<String> {
    let model = model("vgg16")?;
    let layer = model.layer("conv3_1")?;
    let count = if what == "check" { 10 } else { 64 };
    let channels: Vec<usize> = (0..count).collect();
    let start = Instant::now();
    let found = patterns(&model, (layer, &channels), &PatternOptions::TUTORIAL, |_, _| true)?;
    match what {
        "run" => Ok(format!("{:.1}", start.elapsed().as_secs_f64() * 1e3)),
        "check" => {
            let answers: Vec<String> = found.iter().map(|p| format!("{:.6e}", p.answer)).collect();
            Ok(answers.join(" "))
        }
        other => bail!("{other:?} is neither run nor check"),
    }
}

fn model(name: &str) -> Result<Model> {
    let Some((name, config)) = nets::known_as(name) else { bail!("{name} is not known") };
    let (net, weights) = network(name, config)?;
    Ok(Model::new(&net.graph, &weights, Encoding::IMAGENET)?)
}
