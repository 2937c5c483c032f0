use rayon::prelude::*;

use crate::{Buffer, Shape4, Tensor};

/// How many channels are computed side by side: the widest SIMD vector of `f32`.
pub const LANES: usize = 16;

/// `channels` rounded up to whole vectors of [`LANES`].
pub const fn padded_channels(channels: usize) -> usize {
    channels.next_multiple_of(LANES)
}

/// Values that fit into the nearest cache beside others.
const NEAR: usize = 4096;

/// Feature maps as the engine holds them: `[N, H, W, C']`, where `C'` is the
/// channel count rounded up to [`LANES`], or exactly the channel count for a
/// *packed* plane (a picture's few channels, which would be mostly padding).
///
/// Why channels last: a band of output rows is one contiguous slice, so bands
/// can be handed to threads without unsafe code, and the taps of one kernel row
/// lie side by side, so every convolution is a matrix product over contiguous
/// memory.
#[derive(Clone, Debug, Default)]
pub struct Plane {
    shape: Shape4,
    stride: usize,
    values: Buffer,
}

impl Plane {
    /// Zeros with padded channels.
    pub fn zeros(shape: Shape4) -> Self {
        Self::with_stride(shape, padded_channels(shape[1]))
    }

    /// Zeros without channel padding.
    pub fn packed(shape: Shape4) -> Self {
        Self::with_stride(shape, shape[1])
    }

    fn with_stride(shape: Shape4, stride: usize) -> Self {
        let [n, _, h, w] = shape;
        Self { shape, stride, values: Buffer::zeros(n * h * w * stride) }
    }

    /// Takes on another shape, keeping the memory. The values are left as they
    /// fall: whoever writes the plane must write the channel padding too.
    ///
    /// # Panics
    ///
    /// If `stride` is less than the channel count.
    pub fn reshape(&mut self, shape: Shape4, stride: usize) {
        let [n, c, h, w] = shape;
        assert!(stride >= c, "a stride of {stride} cannot hold {c} channels");
        self.shape = shape;
        self.stride = stride;
        self.values.at_least(n * h * w * stride);
    }

    /// `[N, C, H, W]`.
    pub fn shape(&self) -> Shape4 {
        self.shape
    }

    /// Values from one pixel to the next: the channel count with its padding.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Values from one row of pixels to the next.
    pub fn row_len(&self) -> usize {
        self.shape[3] * self.stride
    }

    /// Values of one image of the batch.
    pub fn image_len(&self) -> usize {
        self.shape[2] * self.row_len()
    }

    /// All values.
    pub fn data(&self) -> &[f32] {
        &self.values.as_slice()[..self.shape[0] * self.image_len()]
    }

    /// All values, to write.
    pub fn data_mut(&mut self) -> &mut [f32] {
        let len = self.shape[0] * self.image_len();
        &mut self.values.as_mut_slice()[..len]
    }

    /// The values of image `n`.
    pub fn image(&self, n: usize) -> &[f32] {
        &self.data()[n * self.image_len()..][..self.image_len()]
    }

    /// Copies `[N, C, H, W]` values in, with zeros in the channel padding.
    ///
    /// # Panics
    ///
    /// If the shapes differ.
    pub fn fill_from(&mut self, source: &Tensor) {
        assert_eq!(source.shape(), self.shape, "plane and tensor differ");
        let [_, c, h, w] = self.shape;
        let stride = self.stride;
        let rows = self.data_mut().par_chunks_exact_mut(w * stride).enumerate();
        rows.for_each(|(index, row)| {
            let (image, y) = (index / h, index % h);
            // Some pixels of all channels at a time: they stay in the nearest cache.
            let block = (NEAR / stride).max(1);
            for (i, pixels) in row.chunks_mut(block * stride).enumerate() {
                for pixel in pixels.chunks_exact_mut(stride) {
                    pixel[c..].fill(0.0);
                }
                for channel in 0..c {
                    let from = &source.data()[((image * c + channel) * h + y) * w..][..w];
                    let from = &from[i * block..];
                    for (pixel, &value) in pixels.chunks_exact_mut(stride).zip(from) {
                        pixel[channel] = value;
                    }
                }
            }
        });
    }

    /// The values as `[N, C, H, W]`, without padding.
    pub fn to_tensor(&self) -> Tensor {
        let [_, c, h, w] = self.shape;
        let mut out = Tensor::zeros(self.shape);
        // A cache line of each pixel belongs to one group of channels.
        let group_len = if c < LANES { 1 } else { LANES };
        let image = |(n, planes): (usize, &mut [f32])| {
            planes.par_chunks_mut(group_len * h * w).enumerate().for_each(|(group, planes)| {
                for from in (0..h * w).step_by(NEAR / LANES) {
                    let pixels = &self.image(n)[from * self.stride..];
                    for (i, plane) in planes.chunks_exact_mut(h * w).enumerate() {
                        let to = plane[from..].iter_mut().take(NEAR / LANES);
                        for (value, pixel) in to.zip(pixels.chunks_exact(self.stride)) {
                            *value = pixel[group * group_len + i];
                        }
                    }
                }
            });
        };
        out.data_mut().par_chunks_exact_mut(c * h * w).enumerate().for_each(image);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tensor_survives_the_way_in_and_out() {
        let shape = [2, 17, 3, 5];
        let values = (0..2 * 17 * 15u16).map(f32::from).collect();
        let t = Tensor::new(shape, values);
        for mut p in [Plane::zeros(shape), Plane::packed(shape)] {
            p.fill_from(&t);
            assert_eq!(p.to_tensor(), t);
        }
        assert_eq!(Plane::zeros(shape).stride(), 32);
    }

    #[test]
    fn reshaping_keeps_the_memory() {
        let mut p = Plane::zeros([1, 16, 8, 8]);
        let before = p.data().as_ptr();
        p.reshape([1, 32, 4, 4], 32);
        assert_eq!(p.data().as_ptr(), before);
        assert_eq!(p.data().len(), 512);
    }
}
