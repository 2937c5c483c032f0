//! VGG: the convolutions that perceptual losses look through, and the classifier.
//!
//! # Source
//!
//! Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale
//! Image Recognition" (ICLR 2015), configurations D and E. Parameter names are
//! torchvision's in the plain form, and as there the features are brought to 7×7
//! by averages, so that the classifier takes pictures of any size.
//!
//! The *normalised* form is `AdaIN`'s encoder (Huang and Belongie, ICCV 2017):
//! weights scaled so that each channel's mean activation is 1, reflection
//! padding, a 1×1 convolution `conv0` that maps RGB in 0..=1 to Caffe's BGR
//! around zero, and poolings that keep a half window at an odd border.

use graph::{Builder, Conv, Encoding, Graph, NodeId, PadMode, Padding, Pool, PoolKind};

/// Which of the two stacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Depth {
    /// VGG16.
    #[serde(rename = "16")]
    Sixteen,
    /// VGG19.
    #[serde(rename = "19")]
    Nineteen,
}

/// Whose weights it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// torchvision's: zero padding, parameters `features.0.weight`, ….
    Plain,
    /// `AdaIN`'s: reflection padding, parameters `conv0.weight`, `conv1_1.weight`, ….
    Normalised,
}

/// Which stack, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// VGG16.
    pub depth: Depth,
    /// Plain.
    pub form: Form,
    /// The tap after which the network ends. `pool5`, the last of the convolutions';
    /// the plain form goes on to [`LOGITS`].
    pub up_to: String,
    /// What the classifier tells apart, where there is one. `ImageNet`'s 1000.
    #[serde(skip_serializing_if = "is_imagenets")]
    pub classes: usize,
}

/// The classifier's output.
pub const LOGITS: &str = "classifier.6";

/// Height and width of the pictures it is trained on.
pub const SIZE: usize = 224;

/// `ImageNet`'s classes.
const CLASSES: usize = 1000;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn is_imagenets(classes: &usize) -> bool {
    *classes == CLASSES
}

impl Default for Config {
    fn default() -> Self {
        Self {
            depth: Depth::Sixteen,
            form: Form::Plain,
            up_to: "pool5".to_owned(),
            classes: CLASSES,
        }
    }
}

impl Config {
    /// The whole classifier, logits of `ImageNet`'s classes.
    pub fn classifier(depth: Depth) -> Self {
        Self { depth, up_to: LOGITS.to_owned(), ..Self::default() }
    }
}

impl Form {
    /// How the network wants its picture.
    pub fn input(self) -> Encoding {
        match self {
            Self::Plain => Encoding::IMAGENET,
            Self::Normalised => Encoding::UNIT,
        }
    }
}

/// `[N, 3, H, W]` as [`Form::input`] to the tap's features; each pooling halves
/// the sides. Taps: `conv1_1`, `relu1_1`, …, `pool1`, …; in the plain form then
/// torchvision's `avgpool`, `flatten`, `classifier.0` … `classifier.6`.
///
/// # Panics
///
/// If no layer is called `config.up_to`; [`taps`] lists them.
pub fn graph(config: &Config) -> Graph {
    let whole = stack(config);
    let Some(end) = whole.find(&config.up_to) else {
        panic!("{:?} has no layer {:?}", config.depth, config.up_to);
    };
    whole.up_to(end)
}

/// Every name that `up_to` may have.
pub fn taps(depth: Depth, form: Form) -> Vec<String> {
    let config = Config { depth, form, ..Config::default() };
    stack(&config).nodes().iter().skip(1).map(|n| n.name.clone()).collect()
}

fn stack(&Config { depth, form, classes, .. }: &Config) -> Graph {
    let (name, layers) = match depth {
        Depth::Sixteen => ("vgg16", [2, 2, 3, 3, 3]),
        Depth::Nineteen => ("vgg19", [2, 2, 4, 4, 4]),
    };
    let mut g =
        Builder::new(if form == Form::Plain { name.into() } else { format!("{name}_normalised") });
    let mut x = g.input("rgb", 3);
    if form == Form::Normalised {
        x = g.conv("conv0", x, Conv::new(3, 1));
    }
    let mut index = 0; // in torchvision's Sequential, where `ReLU`s and poolings count too
    for (block, (layers, channels)) in (1..).zip(layers.into_iter().zip([64, 128, 256, 512, 512])) {
        for layer in 1..=layers {
            x = conv_relu(&mut g, x, form, [block, layer, index, channels]);
            index += 2;
        }
        x = g.pool(&format!("pool{block}"), x, pool(form));
        index += 1;
    }
    if form == Form::Plain {
        x = classifier(&mut g, x, classes);
    }
    g.finish(x)
}

/// Configuration D's last rows: 4096, 4096, classes.
fn classifier(g: &mut Builder, x: NodeId, classes: usize) -> NodeId {
    const HIDDEN: usize = 4096;
    let x = g.adaptive_avg_pool(x, [7, 7]);
    let x = g.tap(x, "avgpool");
    let x = g.flatten(x);
    let mut x = g.tap(x, "flatten");
    for (index, features) in [(0, 512 * 7 * 7), (3, HIDDEN)] {
        x = g.linear(&format!("classifier.{index}"), x, features, HIDDEN);
        x = g.relu(x);
        x = g.tap(x, &format!("classifier.{}", index + 1));
        x = g.dropout(x, 0.5);
        x = g.tap(x, &format!("classifier.{}", index + 2));
    }
    g.linear(LOGITS, x, HIDDEN, classes)
}

fn conv_relu(g: &mut Builder, x: NodeId, form: Form, at: [usize; 4]) -> NodeId {
    let [block, layer, index, channels] = at;
    let name = format!("conv{block}_{layer}");
    let x = match form {
        Form::Plain => {
            let x = g.conv(&format!("features.{index}"), x, Conv::same(channels, 3, PadMode::Zero));
            g.tap(x, &name)
        }
        Form::Normalised => g.conv(&name, x, Conv::same(channels, 3, PadMode::Reflect)),
    };
    let x = g.relu(x);
    g.tap(x, &format!("relu{block}_{layer}"))
}

fn pool(form: Form) -> Pool {
    let pool = Pool::new(PoolKind::Max, 2);
    match form {
        Form::Plain => pool,
        Form::Normalised => Pool { pad: Padding::Same, ..pool }, // PyTorch's `ceil_mode`
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(depth: Depth, form: Form, up_to: &str) -> Graph {
        graph(&Config { depth, form, up_to: up_to.to_owned(), ..Config::default() })
    }

    #[test]
    fn plain_parameters_are_torchvisions() {
        let sixteen = graph(&Config::default());
        assert_eq!(sixteen.param_count(), 14_714_688);
        let of = |g: &Graph| -> Vec<String> {
            let weights = g.params().iter().filter_map(|p| p.name.strip_suffix(".weight"));
            weights.map(|n| n.replace("features.", "")).collect()
        };
        assert_eq!(of(&sixteen).join(" "), "0 2 5 7 10 12 14 17 19 21 24 26 28");
        let nineteen = cut(Depth::Nineteen, Form::Plain, "pool5");
        assert_eq!(nineteen.param_count(), 20_024_384);
        assert_eq!(of(&nineteen).join(" "), "0 2 5 7 10 12 14 16 19 21 23 25 28 30 32 34");
    }

    #[test]
    fn normalised_parameters_are_adains() {
        let g = cut(Depth::Nineteen, Form::Normalised, "conv5_1");
        let names: Vec<&str> = g.params().iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names[..3], ["conv0.weight", "conv0.bias", "conv1_1.weight"]);
        assert_eq!(names.len(), 28);
        assert_eq!(g.params()[0].shape, [3, 3, 1, 1]);
        assert_eq!(*names.last().unwrap(), "conv5_1.bias");
    }

    #[test]
    fn an_odd_border_is_dropped_or_kept() {
        let out = |form| {
            let g = cut(Depth::Sixteen, form, "pool2");
            g.shapes(&[[1, 3, 33, 45]]).unwrap()[g.output().index()]
        };
        assert_eq!(out(Form::Plain), [1, 128, 8, 11]);
        assert_eq!(out(Form::Normalised), [1, 128, 9, 12]);
    }

    #[test]
    fn every_relu_is_a_tap() {
        let names = taps(Depth::Nineteen, Form::Plain);
        for (block, layers) in (1..).zip([2, 2, 4, 4, 4]) {
            for layer in 1..=layers {
                assert!(names.contains(&format!("relu{block}_{layer}")));
            }
        }
        assert_eq!(names.len(), 16 + 16 + 5 + 9);
        assert_eq!(names.last().unwrap(), LOGITS);
        assert_eq!(taps(Depth::Nineteen, Form::Normalised).last().unwrap(), "pool5");
    }

    #[test]
    fn the_classifier_is_torchvisions() {
        let count = |depth| graph(&Config::classifier(depth)).param_count();
        assert_eq!([count(Depth::Sixteen), count(Depth::Nineteen)], [138_357_544, 143_667_240]);
        let g = graph(&Config { classes: 7, ..Config::classifier(Depth::Sixteen) });
        for size in [32, SIZE] {
            let out = g.shapes(&[[2, 3, size, size]]).unwrap()[g.output().index()];
            assert_eq!(out, [2, 7, 1, 1]);
        }
        let names: Vec<&str> = g.params()[26..].iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names[..3], ["classifier.0.weight", "classifier.0.bias", "classifier.3.weight"]);
    }

    #[test]
    #[should_panic(expected = "Sixteen has no layer \"relu3_4\"")]
    fn an_unknown_tap_is_refused() {
        let _ = cut(Depth::Sixteen, Form::Plain, "relu3_4");
    }
}
