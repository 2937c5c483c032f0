//! Our network for colouring photographs, with hints and without.
//!
//! # Source
//!
//! Ours. Classification over the 313 colours of Zhang, Isola and Efros,
//! "Colorful Image Colorization" (ECCV 2016); hints as channels beside the
//! lightness, as Zhang et al., "Real-Time User-Guided Image Colorization with
//! Learned Deep Priors" (SIGGRAPH 2017); the encoder of `EfficientNet-Lite0`
//! with its batch norms multiplied in; a decoder with skips (Ronneberger et
//! al., U-Net, MICCAI 2015).

use graph::{Builder, Conv, Filter, Graph, NodeId, PadMode};

use crate::efficientnet_lite0::{Norm, encoder};

/// Colours told apart.
pub const BINS: usize = 313;

/// Channels of the input: lightness, hints a and b, where there is a hint.
pub const INPUTS: usize = 4;

/// An output pixel stands for this many input pixels a side.
pub const CELL: usize = 4;

/// Width of the decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Channels at a quarter of the size; more below. 64.
    pub width: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { width: 64 }
    }
}

/// `[N, 4, H, W]` to `[N, 313, H/4, W/4]`; `H` and `W` multiples of 32.
///
/// The input is `(L − 50) / 50`, `a / 110`, `b / 110` of the hints and 1 where
/// there is one; all three are 0 elsewhere. The output are logits over the
/// colours, in the order of `imaging`'s bins. Taps: the encoder's, `hints`,
/// `decoder.32` … `decoder.4`.
pub fn graph(Config { width: w }: Config) -> Graph {
    let mut g = Builder::new("colorizer");
    g.multiple_of(32);
    let input = g.input("lab_hints", INPUTS);
    let [_, at4, at8, at16, at32] = encoder(&mut g, input, Norm::Folded);
    let x = conv_relu(&mut g, at32, "decoder.32", 4 * w); // [4w, H/32]
    let x = join(&mut g, x, at16);
    let x = conv_relu(&mut g, x, "decoder.16", 5 * w / 2); // [2.5w, H/16]
    let x = join(&mut g, x, at8);
    let x = conv_relu(&mut g, x, "decoder.8a", 3 * w / 2);
    let x = conv_relu(&mut g, x, "decoder.8", 3 * w / 2); // [1.5w, H/8]
    let x = g.resize(x, Filter::Bilinear, 2);
    let hints = g.conv("hints", input, Conv::new(16, CELL).stride(CELL)); // [16, H/4]
    let x = g.concat(&[x, at4, hints]);
    let x = conv_relu(&mut g, x, "decoder.4a", w);
    let x = conv_relu(&mut g, x, "decoder.4", w); // [w, H/4]
    let x = g.conv("colours", x, Conv::new(BINS, 1));
    g.finish(x)
}

/// Twice as large, with what the encoder saw at that size.
fn join(g: &mut Builder, x: NodeId, skip: NodeId) -> NodeId {
    let x = g.resize(x, Filter::Bilinear, 2);
    g.concat(&[x, skip])
}

fn conv_relu(g: &mut Builder, x: NodeId, name: &str, out: usize) -> NodeId {
    let x = g.conv(&format!("{name}.conv"), x, Conv::same(out, 3, PadMode::Replicate));
    let x = g.relu(x);
    g.tap(x, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_can_ship() {
        let g = graph(Config::default());
        let bytes = 2 * g.param_count();
        assert!(bytes < 12_000_000, "{bytes} bytes in float16");
        assert!(g.params().iter().all(|p| p.trainable));
        let out = g.shapes(&[[2, 4, 64, 96]]).unwrap()[g.output().index()];
        assert_eq!(out, [2, BINS, 16, 24]);
    }
}
