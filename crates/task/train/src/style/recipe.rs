use serde::{Deserialize, Serialize};

use crate::losses::{Objective, Variation, Weighted};
use crate::optim::{Adam, Averaging, Muon, Rule, Schedule};

/// Everything that decides how a style is trained, but for the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StyleRecipe {
    /// The recipe's name.
    pub name: String,
    /// The network that learns, as the registry of networks calls it.
    pub network: String,
    /// The network's settings; an empty object for the published ones.
    #[serde(default = "published")]
    pub config: serde_json::Value,
    /// The style that ships whose weights are the beginning; random ones, if none is named.
    #[serde(default)]
    pub start: Option<String>,
    /// The loss network: `vgg16`, `vgg19` or `vgg19_normalised`.
    pub loss_network: String,
    /// What is asked of its pictures.
    pub objective: Objective,
    /// Its pictures, in its own numbers, are cut to these before the loss sees them.
    pub clamp: Option<[f32; 2]>,
    /// Photographs a step.
    pub batch: usize,
    /// Pixels of a training picture's side.
    pub size: usize,
    /// Pixels of the painting's shorter side; as it is, if not given.
    pub style_size: Option<usize>,
    /// Levels of 255 of grain that are taken from the painting in that size, of paper or
    /// canvas: a network would learn it as dots.
    #[serde(default, skip_serializing_if = "is_none")]
    pub style_degrain: f32,
    /// How many steps; overrides `epochs`.
    pub steps: Option<u64>,
    /// How often each photograph is seen.
    pub epochs: f64,
    /// How the network is changed.
    pub rule: Rule,
    /// The learning rate.
    pub schedule: Schedule,
    /// What is kept in the end is a mean over the last steps.
    pub averaging: Option<Averaging>,
}

fn published() -> serde_json::Value {
    serde_json::Value::Object(serde_json::Map::new())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn is_none(levels: &f32) -> bool {
    *levels == 0.0
}

fn each(taps: &[&str], weight: f64) -> Vec<Weighted> {
    taps.iter().map(|&tap| Weighted { tap: tap.to_owned(), weight }).collect()
}

const VGG16_STYLE: [&str; 4] = ["relu1_2", "relu2_2", "relu3_3", "relu4_3"];

impl StyleRecipe {
    /// Every name that [`StyleRecipe::by_name`] knows.
    pub const NAMES: [&str; 4] =
        ["pentimento", "pytorch-tutorial", "tensorflow-tutorial", "pytorch-examples"];

    /// The recipe of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "pentimento" => Some(Self::default()),
            "pytorch-tutorial" => Some(Self::pytorch_tutorial()),
            "tensorflow-tutorial" => Some(Self::tensorflow_tutorial()),
            "pytorch-examples" => Some(Self::pytorch_examples()),
            _ => None,
        }
    }

    /// The PyTorch tutorial's: its residual network in ImageNet's numbers, VGG16,
    /// style 1e5, content 1, total variation 1e-5, four epochs.
    pub fn pytorch_tutorial() -> Self {
        Self {
            name: "pytorch-tutorial".into(),
            network: "imfw_net".into(),
            objective: Objective {
                content: each(&["relu3_3"], 1.0),
                style: each(&VGG16_STYLE, 1e5),
                variation: Variation::Absolute(1e-5),
                ..Objective::default()
            },
            clamp: Some([-2.1, 2.7]),
            epochs: 4.0,
            ..Self::pytorch_examples()
        }
    }

    /// lengstrom's `fast-style-transfer`: tanh network, VGG19, style 100, content
    /// 7.5, total variation 200, two epochs.
    ///
    /// Its VGG19 is Caffe's, fed 0..=255; with torchvision's the features are
    /// about 58 times smaller, and the weights of content and style have to grow.
    pub fn tensorflow_tutorial() -> Self {
        Self {
            name: "tensorflow-tutorial".into(),
            network: "lengstrom".into(),
            loss_network: "vgg19".into(),
            objective: Objective {
                content: each(&["relu4_2"], 7.5),
                style: each(&["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"], 1e2),
                variation: Variation::Squared(2e2),
                ..Objective::default()
            },
            epochs: 2.0,
            ..Self::pytorch_examples()
        }
    }

    /// pytorch/examples `fast_neural_style`: content 1e5 at `relu2_2`, style 1e10.
    pub fn pytorch_examples() -> Self {
        Self {
            name: "pytorch-examples".into(),
            network: "transformer_net".into(),
            config: published(),
            start: None,
            loss_network: "vgg16".into(),
            objective: Objective {
                content: each(&["relu2_2"], 1e5),
                style: each(&VGG16_STYLE, 1e10),
                variation: Variation::Off,
                ..Objective::default()
            },
            clamp: None,
            batch: 4,
            size: 256,
            style_size: None,
            style_degrain: 0.0,
            steps: None,
            epochs: 2.0,
            rule: Adam::default().into(),
            schedule: Schedule::Constant { rate: 1e-3 },
            averaging: None,
        }
    }
}

impl Default for StyleRecipe {
    /// Ours: pytorch/examples' network and losses with a little smoothness, begun
    /// with a style that ships, orthogonal steps (docs/decisions/0069), a rate that
    /// falls to nothing, and averaged weights.
    fn default() -> Self {
        let base = Self::pytorch_examples();
        let (steps, peak) = (2000, 3e-3);
        Self {
            name: "pentimento".into(),
            objective: Objective { variation: Variation::PerPicture(4e-3), ..base.objective },
            start: Some("starry-night".into()),
            style_size: Some(384),
            steps: Some(steps),
            schedule: Schedule::Cosine { from: 0.0, peak, last: peak / 100.0, warmup: 20, steps },
            rule: Muon { rate: peak, ..Muon::default() }.into(),
            averaging: Some(Averaging::Corrected { decay: 0.99 }),
            ..base
        }
    }
}
