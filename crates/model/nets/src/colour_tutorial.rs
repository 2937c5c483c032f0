//! The three networks of a widely read colouring tutorial: alpha, beta and full.
//!
//! # Source
//!
//! Wallner, "How to colorize black & white photos with just 100 lines of neural
//! network code" (2017), `alpha_version`, `beta_version` and `full_version` of
//! its Keras code; the last after Baldassarre, González Morín and Rodés-Guirao,
//! "Deep Koalarization" (2017). Layer names are those that Keras gives them.
//! Differences:
//!
//! - Keras fuses a layer with its activation. Here `conv2d.linear` is before it
//!   and `conv2d`, after it, is what Keras gives.
//! - All take pictures of any size; the tutorial's full version repeats the
//!   classes over 32×32 alone, the grid of 256 pixels.
//! - Parameters lie as PyTorch's do.
//! - The tutorial trains its full version on classes of a picture in 0..=1 put
//!   through the preprocessing for 0..=255, which turns it nearly black, and runs
//!   it on classes of one in 0..=255. Here a classifier gets what it was made for.
//!
//! # Shapes and units
//!
//! The first input of each is lightness, `[N, 1, H, W]`, CIELAB's L in 0..=100 and
//! undivided: all three versions are trained and run on `rgb2lab(…)[..., 0]` as it is.
//! The output is `[N, 2, H', W']`, CIELAB's a and b divided by 128, as the
//! tutorial has its targets. `H'` and `W'` are `H` and `W` where those are
//! multiples of 8, and the next ones otherwise.

use graph::{Activation, Builder, Conv, Filter, Graph, NodeId, Padding};

/// A row of the tutorial's table.
enum Row {
    /// A 3×3 convolution with `ReLU`: channels.
    Conv(usize),
    /// The same at stride 2.
    Down(usize),
    /// A 3×3 convolution with tanh: channels.
    Tanh(usize),
    /// Each pixel twice, both ways.
    Up,
}
use Row::{Conv as C, Down as D, Tanh as T, Up as U};

const ALPHA: [Row; 12] = [D(8), C(8), C(16), D(16), C(32), D(32), U, C(32), U, C(16), U, T(2)];

const BETA: [Row; 15] = [
    C(64),
    D(64),
    C(128),
    D(128),
    C(256),
    D(256),
    C(512),
    C(256),
    C(128),
    U,
    C(64),
    U,
    C(32),
    T(2),
    U,
];

const ENCODER: [Row; 8] = [D(64), C(128), D(128), C(256), D(256), C(512), C(512), C(256)];
const DECODER: [Row; 8] = [C(128), U, C(64), U, C(32), C(16), T(2), U];

/// A colour is this many units of a tanh's range: ab / 128.
pub const AB_SCALE: f32 = 128.0;

/// Alpha and beta have no settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {}

/// What the full version is told beside the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FullConfig {
    /// Outputs of the classifier that it is fed: `ImageNet`'s 1000.
    pub classes: usize,
}

impl Default for FullConfig {
    fn default() -> Self {
        Self { classes: 1000 }
    }
}

/// Learns one picture: 8, 16 and 32 channels down to an eighth, and up again.
pub fn alpha(_: Config) -> Graph {
    sequential("colour_alpha", &ALPHA)
}

/// Generalises: 64 to 512 channels; colours at half the size, enlarged.
pub fn beta(_: Config) -> Graph {
    sequential("colour_beta", &BETA)
}

/// Knows what it sees: the second input is `[N, classes, 1, 1]`, the
/// probabilities that a classifier gives for the grey picture, repeated over
/// the encoder's grid.
pub fn full(FullConfig { classes }: FullConfig) -> Graph {
    let mut g = Builder::new("colour_full");
    g.multiple_of(8);
    let lightness = g.input("lightness", 1);
    let seen = g.input("classes", classes);
    let mut names = Names::default();
    let encoded = stack(&mut g, lightness, &mut names, &ENCODER); // [256, H/8]
    let seen = g.broadcast_space(seen, encoded); // [classes, H/8]
    let seen = g.tap(seen, "reshape");
    let both = g.concat(&[encoded, seen]);
    let both = g.tap(both, "concatenate");
    let fused = conv(&mut g, both, &mut names, (Conv::new(256, 1), Activation::Relu));
    let colours = stack(&mut g, fused, &mut names, &DECODER); // [2, H]
    g.finish(colours)
}

fn sequential(name: &str, rows: &[Row]) -> Graph {
    let mut g = Builder::new(name);
    g.multiple_of(8);
    let lightness = g.input("lightness", 1);
    let colours = stack(&mut g, lightness, &mut Names::default(), rows);
    g.finish(colours)
}

fn stack(g: &mut Builder, x: NodeId, names: &mut Names, rows: &[Row]) -> NodeId {
    let same = |out| Conv::new(out, 3).pad(Padding::Same);
    rows.iter().fold(x, |x, row| match *row {
        Row::Conv(out) => conv(g, x, names, (same(out), Activation::Relu)),
        Row::Down(out) => conv(g, x, names, (same(out).stride(2), Activation::Relu)),
        Row::Tanh(out) => conv(g, x, names, (same(out), Activation::Tanh)),
        Row::Up => {
            let x = g.resize(x, Filter::Nearest, 2);
            g.tap(x, &names.next_up())
        }
    })
}

fn conv(
    g: &mut Builder,
    x: NodeId,
    names: &mut Names,
    (conv, activation): (Conv, Activation),
) -> NodeId {
    let name = names.next_conv();
    let x = g.conv(&name, x, conv);
    let x = g.tap(x, &format!("{name}.linear"));
    let x = g.activation(x, activation);
    g.tap(x, &name)
}

/// How many layers of each kind there are so far.
#[derive(Default)]
struct Names {
    convs: usize,
    ups: usize,
}

impl Names {
    fn next_conv(&mut self) -> String {
        self.convs += 1;
        numbered("conv2d", self.convs - 1)
    }

    fn next_up(&mut self) -> String {
        self.ups += 1;
        numbered("up_sampling2d", self.ups - 1)
    }
}

/// `conv2d`, `conv2d_1`, …: how Keras numbers layers of a kind.
pub(crate) fn numbered(kind: &str, index: usize) -> String {
    if index == 0 { kind.to_owned() } else { format!("{kind}_{index}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_kerass() {
        assert_eq!(alpha(Config {}).param_count(), 32_202);
        assert_eq!(beta(Config {}).param_count(), 3_892_194);
        assert_eq!(full(FullConfig::default()).param_count(), 6_541_202);
    }

    #[test]
    fn colours_come_at_the_lightnesss_size() {
        for graph in [alpha(Config {}), beta(Config {}), full(FullConfig { classes: 5 })] {
            let out = |h, w| {
                let inputs = [[2, 1, h, w], [2, 5, 1, 1]];
                graph.shapes(&inputs[..graph.inputs().len()]).unwrap()[graph.output().index()]
            };
            assert_eq!(out(32, 40), [2, 2, 32, 40], "{}", graph.name());
            assert_eq!(out(33, 41), [2, 2, 40, 48], "{}", graph.name());
        }
    }

    #[test]
    fn names_are_kerass() {
        let g = full(FullConfig::default());
        for name in ["conv2d", "conv2d_8.linear", "conv2d_13", "up_sampling2d_2", "concatenate"] {
            assert!(g.find(name).is_some(), "no {name}");
        }
        assert_eq!(g.node(g.output()).name, "up_sampling2d_2");
    }
}
