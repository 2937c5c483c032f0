use super::*;
use crate::conv::{ConvSpec, Padding, Side};
use crate::{Border, DepthwiseGradient};

/// Channels, kernel, stride and dilation.
#[derive(Clone, Copy)]
struct Case {
    channels: usize,
    kernel: [usize; 2],
    stride: usize,
    dilation: usize,
}

/// Pixels of border on every side.
const BORDER: usize = 2;

impl Case {
    fn out(&self, size: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|a| {
            let reach = self.dilation * (self.kernel[a] - 1) + 1;
            (size[a] + 2 * BORDER - reach) / self.stride + 1
        })
    }

    /// The gradients of the input with its border, and of the weights.
    fn definition(&self, weight: &[f32], [x, grad]: [&Values; 2]) -> [Vec<f64>; 2] {
        let Self { channels, kernel: [kh, kw], stride, dilation } = *self;
        let [images, _, h, w] = x.plane.shape();
        let [high, wide] = [h, w].map(|size| size + 2 * BORDER);
        let mut made = [vec![0.0; images * channels * high * wide], vec![0.0; weight.len()]];
        for [n, c, y, z] in places(grad.plane.shape()) {
            let g = grad.at([n, c, y, z]);
            for tap in 0..kh * kw {
                let [row, column] =
                    [y * stride + tap / kw * dilation, z * stride + tap % kw * dilation];
                let at = c * kh * kw + tap;
                made[0][((n * channels + c) * high + row) * wide + column] +=
                    g * f64::from(weight[at]);
                let inside = |p: usize, size: usize| p.checked_sub(BORDER).filter(|&p| p < size);
                if let (Some(row), Some(column)) = (inside(row, h), inside(column, w)) {
                    made[1][at] += g * through(x.at([n, c, row, column]))[0];
                }
            }
        }
        made
    }
}

fn hold(case: Case, [images, h, w]: [usize; 3]) {
    let Case { channels, kernel: [kh, kw], stride, dilation } = case;
    let [oh, ow] = case.out([h, w]);
    let x = Values::noise([images, channels, h, w], Channels::Padded, 1);
    let grad = Values::noise([images, channels, oh, ow], Channels::Padded, 2);
    let weight = noise(channels * kh * kw);
    let [of_input, of_weights] = case.definition(&weight, [&x, &grad]);
    let (shape, in_stride) = ([channels, 1, kh, kw], x.plane.stride());
    let spec = ConvSpec { weight: &weight, bias: &[], shape, in_stride, stride, dilation };
    let gradient = DepthwiseGradient::new(&spec);
    let affine = affine_of(&x.plane);
    let padding = Padding { down: [BORDER; 2], across: [BORDER; 2], border: Border::Zero };
    for level in Level::available() {
        let padded = [images, channels, h + 2 * BORDER, w + 2 * BORDER];
        let mut padded = empty(padded, Channels::Padded);
        padded.data_mut().fill(f32::NAN);
        gradient.input(level, &grad.plane, &mut padded);
        assert_near(padded.to_tensor().data(), |i| of_input[i], rounded(kh * kw), level);
        let windows = Side { source: &seen(&x.plane, &affine), padding: &padding };
        let got = gradient.weights(level, windows, &grad.plane);
        assert_near(&got, |i| of_weights[i], rounded(images * oh * ow), level);
    }
}

#[test]
fn both_gradients_are_those_of_the_definition() {
    for channels in [1, 16, 20, 48] {
        for (stride, dilation) in [(1, 1), (2, 1), (1, 2), (3, 2)] {
            hold(Case { channels, kernel: [3, 3], stride, dilation }, [2, 37, 22]);
        }
    }
    hold(Case { channels: 33, kernel: [5, 3], stride: 2, dilation: 1 }, [1, 40, 9]);
    hold(Case { channels: 512, kernel: [3, 3], stride: 1, dilation: 1 }, [1, 4, 5]);
    hold(Case { channels: 16, kernel: [1, 1], stride: 1, dilation: 1 }, [1, 1, 1]);
}
