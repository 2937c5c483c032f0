//! The border a picture is given so that a network can take it at any size.

use graph::{ChannelOrder, Encoding, Graph, Op, PadMode, Padding, Shape4};
use tensor::Tensor;

/// Which sizes a network takes, and how much border it needs to be right up to the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fit {
    /// Sides must be multiples of this.
    multiple: usize,
    /// The shortest side that reaches the end of the network.
    least: usize,
    /// Pixels added on every side, because the network pads with something that is not picture.
    margin: usize,
}

/// The mirrored picture that hides a network's zero padding: as far as zeros
/// reach through ten 3×3 convolutions at a quarter of the size. They are felt a
/// little further in, but no longer seen.
const MARGIN: usize = 40;

/// Beyond this shortest side a network is not meant for pictures of any size.
const LARGEST_LEAST: usize = 1024;

impl Fit {
    /// What `graph` takes; `None` if it does not map pictures to pictures of their own size.
    pub(crate) fn of(graph: &Graph) -> Option<Self> {
        let multiple = graph.multiple_of();
        let maps = |side: usize| {
            let shape = [1, 3, side, side];
            let shapes = graph.shapes(&[shape]).ok()?;
            Some(shapes[graph.output().index()] == shape)
        };
        let mut sides = (multiple..=LARGEST_LEAST).step_by(multiple);
        let (least, same) = sides.find_map(|s| Some((s, maps(s)?)))?;
        same.then_some(Self { multiple, least, margin: margin(graph) })
    }

    /// The border for a picture of this height and width, of at least `margin` pixels.
    pub(crate) fn frame(self, size: [usize; 2], margin: usize) -> Frame {
        let padded = size.map(|s| {
            (s + 2 * self.margin.max(margin)).max(self.least).next_multiple_of(self.multiple.max(1))
        });
        let before = [0, 1].map(|a| (padded[a] - size[a]) / 2);
        Frame { size, padded, before }
    }
}

/// Zeros around a picture darken its edge; mirrored pixels do not.
fn margin(graph: &Graph) -> usize {
    let zeros = |pad: Padding| match pad {
        Padding::Around(mode, width) => mode == PadMode::Zero && width > 0,
        Padding::Same => true,
    };
    let seen = graph.nodes().iter().any(|node| match &node.op {
        Op::Conv(conv) => zeros(conv.pad),
        Op::Pool(pool) => zeros(pool.pad),
        Op::Pad { mode, .. } => *mode == PadMode::Zero,
        Op::ConvTranspose(_) => true,
        _ => false,
    });
    if seen { MARGIN } else { 0 }
}

/// A picture's place inside the larger one that a network is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Height and width of the picture.
    size: [usize; 2],
    /// Height and width of what the network sees.
    padded: [usize; 2],
    /// Pixels above and to the left of the picture.
    before: [usize; 2],
}

impl Frame {
    /// What the network is given.
    pub(crate) fn shape(&self) -> Shape4 {
        [1, 3, self.padded[0], self.padded[1]]
    }

    /// Mirrors `rgb` (`[1, 3, H, W]` in `0..=1`) outwards and turns it into the network's units.
    pub(crate) fn fill(&self, rgb: &Tensor, encoding: &Encoding) -> Tensor {
        let [height, width] = self.size;
        let rows = mirrored(height, self.padded[0], self.before[0]);
        let columns = mirrored(width, self.padded[1], self.before[1]);
        let mut out = Tensor::zeros(self.shape());
        let planes = out.data_mut().chunks_exact_mut(self.padded[0] * self.padded[1]);
        for (channel, plane) in planes.enumerate() {
            let (scale, shift) = to_network(encoding, channel);
            let from = &rgb.data()[source(encoding, channel) * height * width..][..height * width];
            for (row, &y) in plane.chunks_exact_mut(self.padded[1]).zip(&rows) {
                let from = &from[y * width..][..width];
                for (to, &x) in row.iter_mut().zip(&columns) {
                    *to = from[x] * scale + shift;
                }
            }
        }
        out
    }

    /// Cuts the picture out of what the network gave, as `[1, 3, H, W]` in `0..=1`.
    ///
    /// `None` if a value is not a number.
    pub(crate) fn cut(&self, out: &Tensor, encoding: &Encoding) -> Option<Tensor> {
        let [height, width] = self.size;
        let [padded_height, padded_width] = self.padded;
        let mut rgb = Tensor::zeros([1, 3, height, width]);
        let mut numbers = true;
        for channel in 0..3 {
            let (scale, shift) = to_network(encoding, channel);
            let from = &out.data()[channel * padded_height * padded_width..];
            let plane =
                &mut rgb.data_mut()[source(encoding, channel) * height * width..][..height * width];
            for (y, row) in plane.chunks_exact_mut(width).enumerate() {
                let start = (y + self.before[0]) * padded_width + self.before[1];
                for (to, &v) in row.iter_mut().zip(&from[start..][..width]) {
                    numbers &= !v.is_nan();
                    *to = ((v - shift) / scale).clamp(0.0, 1.0);
                }
            }
        }
        numbers.then_some(rgb)
    }
}

/// Which of red, green and blue stands in the network's channel.
fn source(encoding: &Encoding, channel: usize) -> usize {
    match encoding.order {
        ChannelOrder::Rgb => channel,
        ChannelOrder::Bgr => 2 - channel,
    }
}

/// `(v · scale − mean) / std` as one factor and one summand.
fn to_network(encoding: &Encoding, channel: usize) -> (f32, f32) {
    let std = encoding.std[channel];
    (encoding.scale / std, -encoding.mean[channel] / std)
}

/// For each of `padded` places, the place in `size` that it shows, mirrored at
/// the outermost pixels as often as it takes.
fn mirrored(size: usize, padded: usize, before: usize) -> Vec<usize> {
    let period = (2 * (size - 1)).max(1);
    let first = (period - before % period) % period;
    (0..padded)
        .map(|i| {
            let place = (first + i) % period;
            place.min(period - place).min(size - 1)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::{Builder, Conv};

    fn net(pad: PadMode, multiple: usize) -> Graph {
        let mut g = Builder::new("net");
        g.multiple_of(multiple);
        let x = g.input("rgb", 3);
        let x = g.conv("c", x, Conv::same(3, 9, pad));
        g.finish(x)
    }

    #[test]
    fn mirrors_as_numpy_reflect_does() {
        assert_eq!(mirrored(4, 10, 3), [3, 2, 1, 0, 1, 2, 3, 2, 1, 0]);
        assert_eq!(mirrored(2, 7, 3), [1, 0, 1, 0, 1, 0, 1]);
        assert_eq!(mirrored(1, 3, 1), [0, 0, 0]);
        assert_eq!(mirrored(3, 3, 0), [0, 1, 2]);
    }

    #[test]
    fn sizes_are_rounded_up_and_never_below_the_least() {
        let fit = Fit::of(&net(PadMode::Reflect, 4)).unwrap();
        assert_eq!(fit, Fit { multiple: 4, least: 8, margin: 0 });
        assert_eq!(fit.frame([1, 1], 0).shape(), [1, 3, 8, 8]);
        assert_eq!(fit.frame([677, 1024], 0).shape(), [1, 3, 680, 1024]);
        let zeros = Fit::of(&net(PadMode::Zero, 4)).unwrap();
        assert_eq!(zeros.frame([12, 13], 0).shape()[2..], [12 + 80, 96]);
    }

    #[test]
    fn a_network_that_changes_the_size_is_not_for_pictures() {
        let mut g = Builder::new("valid");
        let x = g.input("rgb", 3);
        let x = g.conv("c", x, Conv::new(3, 3));
        assert_eq!(Fit::of(&g.finish(x)), None);
    }

    #[test]
    fn what_is_filled_in_is_cut_out_again_at_every_size() {
        let bgr =
            Encoding { order: ChannelOrder::Bgr, mean: [3.0, 2.0, 1.0], ..Encoding::IMAGENET };
        for encoding in [Encoding::BYTES, Encoding::IMAGENET, bgr] {
            for size in [[1, 1], [1, 9], [7, 5], [33, 64]] {
                let fit = Fit { multiple: 4, least: 12, margin: 5 };
                let n = 3 * size[0] * size[1];
                let values = (0..n).map(|i| i as f32 / n as f32).collect();
                let rgb = Tensor::new([1, 3, size[0], size[1]], values);
                let frame = fit.frame(size, 0);
                let back = frame.cut(&frame.fill(&rgb, &encoding), &encoding).unwrap();
                for (a, b) in back.data().iter().zip(rgb.data()) {
                    assert!((a - b).abs() < 1e-5, "{size:?}: {a} for {b}");
                }
            }
        }
    }

    #[test]
    fn units_are_the_networks() {
        let rgb = Tensor::new([1, 3, 1, 1], vec![1.0, 0.5, 0.0]);
        let frame = Fit { multiple: 1, least: 1, margin: 0 }.frame([1, 1], 0);
        assert_eq!(frame.fill(&rgb, &Encoding::BYTES).data(), [255.0, 127.5, 0.0]);
        let want = [(1.0 - 0.485) / 0.229, (0.5 - 0.456) / 0.224, -0.406 / 0.225];
        for (got, want) in frame.fill(&rgb, &Encoding::IMAGENET).data().iter().zip(want) {
            assert!((got - want).abs() < 1e-6);
        }
        let bgr = Encoding { order: ChannelOrder::Bgr, ..Encoding::BYTES };
        assert_eq!(frame.fill(&rgb, &bgr).data(), [0.0, 127.5, 255.0]);
    }

    #[test]
    fn not_a_number_is_noticed_only_inside_the_picture() {
        let frame = Fit { multiple: 4, least: 4, margin: 0 }.frame([2, 2], 0);
        let mut out = Tensor::zeros(frame.shape());
        out.data_mut()[0] = f32::NAN;
        assert!(frame.cut(&out, &Encoding::UNIT).is_some());
        out.data_mut()[5] = f32::NAN;
        assert!(frame.cut(&out, &Encoding::UNIT).is_none());
    }
}
