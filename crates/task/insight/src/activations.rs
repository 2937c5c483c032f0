//! What a picture makes of each layer.

use cpu::{Plan, Session};
use graph::{NodeId, Op};
use imaging::Picture;
use rayon::prelude::*;
use tensor::Tensor;

use crate::plot::{Colours, rgb_picture};
use crate::{InsightError, Model};

/// Channels side by side in a grid.
const ROW: usize = 16;

/// The output of one layer for one picture.
#[derive(Clone, Debug)]
pub struct Activation {
    /// The layer's name.
    pub layer: String,
    /// The kind of operation.
    pub kind: &'static str,
    /// `[1, C, H, W]`.
    pub values: Tensor,
}

/// Every layer that gives a picture: all but inputs, and those of one pixel.
///
/// # Errors
///
/// If the size does not go with the network.
pub fn pictorial_layers(model: &Model, size: [usize; 2]) -> Result<Vec<NodeId>, InsightError> {
    let shapes = model.shapes(size)?;
    let graph = model.graph();
    let shown = |id: &NodeId| {
        let [_, _, h, w] = shapes[id.index()];
        let idle = matches!(graph.node(*id).op, Op::Input { .. } | Op::Dropout { .. });
        h * w > 1 && !idle
    };
    Ok(graph.ids().filter(shown).collect())
}

/// The outputs of these layers for a picture in the network's numbers
/// ([`Model::see`]).
///
/// # Errors
///
/// If the picture does not go with the network.
pub fn activations(
    model: &Model,
    seen: &Tensor,
    layers: &[NodeId],
) -> Result<Vec<Activation>, InsightError> {
    let Some(&last) = layers.iter().max() else { return Ok(vec![]) };
    let graph = model.graph().up_to(last);
    let network = model.part(&graph)?;
    let mut session = Session::new(Plan::new(&network, &[seen.shape4()], layers)?);
    let taps = session.run(&[seen]).taps;
    let with_name = |(id, values): (&NodeId, Tensor)| {
        let node = graph.node(*id);
        Activation { layer: node.name.clone(), kind: node.op.kind(), values }
    };
    Ok(layers.iter().zip(taps).map(with_name).collect())
}

impl Activation {
    /// The share of channels that are the same everywhere: they say nothing about
    /// this picture. For a layer behind a rectifier these are the ones that it holds
    /// at zero.
    pub fn silent(&self) -> f64 {
        let [_, channels, h, w] = self.values.shape4();
        let planes = self.values.data().chunks_exact(h * w);
        let silent = planes.filter(|p| p.iter().all(|v| v.to_bits() == p[0].to_bits())).count();
        silent as f64 / channels as f64
    }

    /// The grid of the tutorial: 16 channels a row, each brought to mean 128 and
    /// deviation 64, cut to bytes, in viridis.
    ///
    /// # Source
    ///
    /// Chollet, "Deep Learning with Python" (2018), listing 5.31. It leaves out the
    /// channels after the last full row; here they come too, and the rest of the row
    /// is black, as is a silent channel (where it divides by zero).
    pub fn grid(&self, colours: Colours) -> Picture {
        let [_, channels, h, w] = self.values.shape4();
        let across = channels.min(ROW);
        let size = [channels.div_ceil(across) * h, across * w];
        let mut pixels = vec![[0; 3]; size[0] * size[1]];
        pixels.par_chunks_mut(size[1] * h).enumerate().for_each(|(row, pixels)| {
            for column in 0..across.min(channels - row * across) {
                let plane = &self.values.data()[(row * across + column) * h * w..][..h * w];
                let Some(levels) = levels(plane) else { continue };
                for (y, line) in levels.chunks_exact(w).enumerate() {
                    let to = &mut pixels[y * size[1] + column * w..][..w];
                    to.iter_mut().zip(line).for_each(|(p, &l)| *p = colours.of_level(l));
                }
            }
        });
        rgb_picture(size, pixels)
    }
}

/// `(x − mean) / std · 64 + 128`, cut to bytes; nothing for a flat or broken plane.
fn levels(plane: &[f32]) -> Option<Vec<u8>> {
    let n = plane.len() as f64;
    let mean = plane.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let variance = plane.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
    let deviation = variance.sqrt();
    if !deviation.is_normal() {
        return None;
    }
    let level = |&v: &f32| ((f64::from(v) - mean) / deviation * 64.0 + 128.0).clamp(0.0, 255.0);
    Some(plane.iter().map(|v| level(v) as u8).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::tiny;

    #[test]
    fn every_layer_with_space_is_shown() {
        let model = tiny(3);
        let layers = pictorial_layers(&model, [16, 16]).unwrap();
        let names: Vec<&str> = layers.iter().map(|&l| model.layer_name(l)).collect();
        assert_eq!(names, ["conv1", "relu1", "pool1", "conv2", "relu2", "pool2"]);
        let seen = testing::Random::new(3).tensor(&[1, 3, 16, 16], 1.0);
        let found = activations(&model, &seen, &layers[..2]).unwrap();
        let rectified = found[0].values.data().iter().map(|v| v.max(0.0));
        assert!(rectified.eq(found[1].values.data().iter().copied()));
        assert_eq!(found[1].grid(Colours::Viridis).size(), [16, 8 * 16]);
    }

    /// The listing's arithmetic on four values, done by hand: mean 2, deviation √5.
    #[test]
    fn the_grid_is_the_tutorials() {
        let mut values = vec![0.0, 0.0, 3.0, 5.0];
        values.extend([7.0; 4]);
        let shown = Activation {
            layer: "x".into(),
            kind: "relu",
            values: Tensor::new([1, 2, 2, 2], values),
        };
        let levels = levels(&[0.0, 0.0, 3.0, 5.0]).unwrap();
        let by_hand = [0.0, 0.0, 3.0, 5.0f64].map(|v| (v - 2.0) / 4.5f64.sqrt() * 64.0 + 128.0);
        assert_eq!(levels, by_hand.map(|v| v as u8));
        assert!((shown.silent() - 0.5).abs() < 1e-12);
        let grid = shown.grid(Colours::Viridis);
        let pixels = crate::plot::rgb_bytes(&grid);
        assert_eq!(pixels[0], Colours::Viridis.of_level(levels[0]));
        assert_eq!((grid.size(), pixels[2]), ([2, 4], [0; 3]));
    }
}
