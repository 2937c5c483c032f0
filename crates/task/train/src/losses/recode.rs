use graph::{ChannelOrder, Encoding};
use rayon::prelude::*;
use tensor::Tensor;

/// From one network's numbers for a picture to another's: `x · scale + shift`
/// for each channel, and the channels in another order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recode {
    /// For each channel of the result, the channel it is made of.
    from: [usize; 3],
    scale: [f32; 3],
    shift: [f32; 3],
}

impl Recode {
    /// From pictures encoded as `from` to `to`.
    pub fn new(from: &Encoding, to: &Encoding) -> Self {
        let turned = from.order != to.order;
        let mut made = Self { from: [0, 1, 2], scale: [0.0; 3], shift: [0.0; 3] };
        for channel in 0..3 {
            let source = if turned { 2 - channel } else { channel };
            // v = (x · std + mean) / scale, then (v · scale − mean) / std.
            let (a, b) = (from.std[source] / from.scale, from.mean[source] / from.scale);
            made.from[channel] = source;
            made.scale[channel] = a * to.scale / to.std[channel];
            made.shift[channel] = (b * to.scale - to.mean[channel]) / to.std[channel];
        }
        made
    }

    /// From RGB in 0..=1.
    pub fn from_unit(to: &Encoding) -> Self {
        debug_assert_eq!(Encoding::UNIT.order, ChannelOrder::Rgb);
        Self::new(&Encoding::UNIT, to)
    }

    /// `[N, 3, H, W]` to the same.
    pub fn apply(&self, x: &Tensor) -> Tensor {
        mapped(x, self.from, |channel| (self.scale[channel], self.shift[channel]))
    }

    /// The gradient by what [`Recode::apply`] reads, from that by what it gives.
    pub fn gradient(&self, grad: &Tensor) -> Tensor {
        // The order is its own inverse.
        mapped(grad, self.from, |channel| (self.scale[self.from[channel]], 0.0))
    }
}

fn mapped(x: &Tensor, from: [usize; 3], pair: impl Fn(usize) -> (f32, f32) + Sync) -> Tensor {
    let [_, _, h, w] = x.shape4();
    let mut out = Tensor::zeros(x.shape());
    out.data_mut().par_chunks_exact_mut(h * w).enumerate().for_each(|(plane, out)| {
        let (image, channel) = (plane / 3, plane % 3);
        let (scale, shift) = pair(channel);
        // As exact as if fused, and vectors everywhere: without the instruction, `mul_add` is
        // a call for each value.
        let (scale, shift) = (f64::from(scale), f64::from(shift));
        let source = &x.data()[(image * 3 + from[channel]) * h * w..][..h * w];
        for (out, &x) in out.iter_mut().zip(source) {
            *out = (f64::from(x) * scale + shift) as f32;
        }
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_from_bytes_to_normalised_and_to_caffes_order() {
        let x = Tensor::new([1, 3, 1, 1], vec![255.0, 127.5, 0.0]);
        let y = Recode::new(&Encoding::BYTES, &Encoding::IMAGENET).apply(&x);
        let want = [(1.0 - 0.485) / 0.229, (0.5 - 0.456) / 0.224, -0.406 / 0.225];
        assert!(y.data().iter().zip(want).all(|(y, w): (_, f32)| (y - w).abs() < 1e-5));
        let caffe =
            Encoding { order: ChannelOrder::Bgr, mean: [104.0, 117.0, 124.0], ..Encoding::BYTES };
        let recode = Recode::new(&Encoding::UNIT, &caffe);
        let y = recode.apply(&Tensor::new([1, 3, 1, 1], vec![1.0, 0.5, 0.0]));
        assert_eq!(y.data(), [-104.0, 10.5, 131.0]);
        let g = recode.gradient(&Tensor::new([1, 3, 1, 1], vec![1.0, 2.0, 3.0]));
        assert_eq!(g.data(), [3.0 * 255.0, 2.0 * 255.0, 255.0]);
    }
}
