//! What of a channel is to be large, as a number with its gradient.

use graph::{Graph, Op};
use tensor::Plane;

use super::{Aim, Ascent, PatternOptions};

/// A number for each channel of a layer's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// As the aim says.
    Aimed(Aim),
    /// How much it varies, as a deviation: all that a linear function of the picture can
    /// say of texture. Its mean knows the mean colour alone, and what it makes of the
    /// border. Hence the border is left out.
    Contrast,
}

impl Measure {
    /// What the options mean for a network that ends in the layer.
    pub(super) fn of(options: &PatternOptions, graph: &Graph) -> Self {
        let wanted = (options.ascent, options.aim) == (Ascent::Vivid, Aim::Channel);
        if wanted && is_linear(graph) { Self::Contrast } else { Self::Aimed(options.aim) }
    }

    /// The number for one channel of each image.
    pub(super) fn answers(self, value: &Plane, channels: &[usize]) -> Vec<f32> {
        let answer = |(image, &channel): (usize, &usize)| {
            let values = self.values(value, (image, channel));
            let mean = mean(values.iter().copied());
            (match self {
                Self::Aimed(aim) => mean * f64::from(aim.sign()),
                Self::Contrast => deviation(&values, mean),
            }) as f32
        };
        channels.iter().enumerate().map(answer).collect()
    }

    /// Writes the gradient of the answers by the layer's output.
    pub(super) fn seed(self, value: &Plane, gradient: &mut Plane, channels: &[usize]) {
        let [_, _, h, w] = gradient.shape();
        let (places, stride, len) = (self.places([h, w]), gradient.stride(), gradient.image_len());
        gradient.data_mut().fill(0.0);
        let images = gradient.data_mut().chunks_exact_mut(len).zip(channels).enumerate();
        for (image, (to, &channel)) in images {
            let values = self.values(value, (image, channel));
            let mean = mean(values.iter().copied());
            let deviation = deviation(&values, mean).max(1e-12);
            for (&place, &v) in places.iter().zip(&values) {
                let slope = match self {
                    Self::Aimed(aim) => f64::from(aim.sign()),
                    Self::Contrast => (f64::from(v) - mean) / deviation,
                };
                to[place * stride + channel] = (slope / places.len() as f64) as f32;
            }
        }
    }

    fn values(self, value: &Plane, (image, channel): (usize, usize)) -> Vec<f32> {
        let [_, _, h, w] = value.shape();
        let pixels = value.image(image);
        self.places([h, w]).iter().map(|place| pixels[place * value.stride() + channel]).collect()
    }

    /// The places that are looked at.
    fn places(self, [h, w]: [usize; 2]) -> Vec<usize> {
        match self {
            Self::Aimed(Aim::Unit) => vec![h / 2 * w + w / 2],
            Self::Contrast if h > 2 && w > 2 => {
                (1..h - 1).flat_map(|y| (1..w - 1).map(move |x| y * w + x)).collect()
            }
            _ => (0..h * w).collect(),
        }
    }
}

fn mean(values: impl ExactSizeIterator<Item = f32>) -> f64 {
    let count = values.len() as f64;
    values.map(f64::from).sum::<f64>() / count
}

fn deviation(values: &[f32], mean: f64) -> f64 {
    let squares = values.iter().map(|&v| (f64::from(v) - mean).powi(2));
    (squares.sum::<f64>() / values.len() as f64).sqrt()
}

/// Whether the output is a linear function of the picture, and a constant.
fn is_linear(graph: &Graph) -> bool {
    graph.nodes().iter().all(|node| {
        matches!(
            node.op,
            Op::Input { .. }
                | Op::Conv(_)
                | Op::BatchNorm { .. }
                | Op::Pad { .. }
                | Op::Scale { .. }
                | Op::Dropout { .. }
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::tiny;

    #[test]
    fn a_first_layer_is_told_by_its_contrast_and_no_other() {
        let model = tiny(4);
        let of = |layer: &str, options| {
            let layer = model.layer(layer).unwrap();
            Measure::of(&options, &model.graph().up_to(layer))
        };
        let tutorial = PatternOptions::TUTORIAL;
        assert_eq!(of("conv1", PatternOptions::VIVID), Measure::Contrast);
        assert_eq!(of("conv1", tutorial), Measure::Aimed(Aim::Channel));
        assert_eq!(of("conv2", PatternOptions::VIVID), Measure::Aimed(Aim::Channel));
        let unit = PatternOptions { aim: Aim::Unit, ..PatternOptions::VIVID };
        assert_eq!(of("conv1", unit), Measure::Aimed(Aim::Unit));
    }

    /// Central differences, at every place of one channel.
    #[test]
    fn seeds_are_the_slopes_of_answers() {
        let values = testing::Random::new(4).tensor(&[1, 2, 5, 6], 1.0);
        let mut plane = Plane::zeros([1, 2, 5, 6]);
        plane.fill_from(&values);
        for measure in [Measure::Contrast, Measure::Aimed(Aim::Channel), Measure::Aimed(Aim::Away)]
        {
            let mut gradient = plane.clone();
            measure.seed(&plane, &mut gradient, &[1]);
            for place in 0..30 {
                let at = place * plane.stride() + 1;
                let answer = |by: f32| {
                    let mut moved = plane.clone();
                    moved.data_mut()[at] += by;
                    f64::from(measure.answers(&moved, &[1])[0])
                };
                let slope = (answer(0.05) - answer(-0.05)) / 0.1;
                let got = f64::from(gradient.data()[at]);
                assert!((got - slope).abs() < 1e-4, "{measure:?} at {place}: {got} {slope}");
            }
            assert!(gradient.data().iter().step_by(plane.stride()).all(|g| *g == 0.0));
        }
    }
}
