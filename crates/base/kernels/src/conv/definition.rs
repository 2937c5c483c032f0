//! What a convolution is: nested sums in `f64`.

use crate::Border;

/// A convolution and the data it is applied to.
pub(super) struct Case {
    pub(super) images: usize,
    /// `[out, in, kh, kw]`.
    pub(super) shape: [usize; 4],
    /// The plane, before enlargement.
    pub(super) size: [usize; 2],
    pub(super) enlarge: usize,
    pub(super) stride: usize,
    pub(super) dilation: usize,
    pub(super) pad: [[usize; 2]; 2],
    pub(super) border: Border,
}

impl Case {
    pub(super) fn out_size(&self) -> [usize; 2] {
        [0, 1].map(|a| {
            let padded = self.size[a] * self.enlarge + self.pad[a][0] + self.pad[a][1];
            (padded - self.dilation * (self.shape[2 + a] - 1) - 1) / self.stride + 1
        })
    }

    /// Output `[n, o, y, x]`, for inputs `[n, c, h, w]` that already went through affine and gate.
    pub(super) fn output(&self, input: &[f64], weight: &[f32], [n, o, y, x]: [usize; 4]) -> f64 {
        let [_, ci, kh, kw] = self.shape;
        let mut sum = 0.0;
        for c in 0..ci {
            for (ky, kx) in (0..kh * kw).map(|k| (k / kw, k % kw)) {
                let place = [y, x].map(|p| p * self.stride);
                let at = [place[0] + ky * self.dilation, place[1] + kx * self.dilation];
                let pixel = self.pixel(input, [n, c], at);
                sum += pixel * f64::from(weight[((o * ci + c) * kh + ky) * kw + kx]);
            }
        }
        sum
    }

    /// The value at a position of the padded, enlarged plane.
    pub(super) fn pixel(&self, input: &[f64], [n, c]: [usize; 2], at: [usize; 2]) -> f64 {
        let mut place = [0; 2];
        for a in 0..2 {
            let size = (self.size[a] * self.enlarge) as isize;
            let p = at[a] as isize - self.pad[a][0] as isize;
            let inside = match self.border {
                Border::Zero if p < 0 || p >= size => return 0.0,
                Border::Replicate => p.clamp(0, size - 1),
                Border::Reflect if p < 0 => -p,
                Border::Reflect if p >= size => 2 * size - 2 - p,
                Border::Zero | Border::Reflect => p,
            };
            place[a] = inside as usize / self.enlarge;
        }
        input[((n * self.shape[1] + c) * self.size[0] + place[0]) * self.size[1] + place[1]]
    }
}
