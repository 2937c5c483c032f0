//! Gradients of single convolutions against their definition in `f64`, at sizes
//! that fill bands, parts, tiles and panels more than once.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

#[allow(dead_code, reason = "another test uses the rest")]
mod definition;

use cpu::{Level, Network, Tape, Wanted};
use definition::Array;
use definition::array::border;
use graph::{Builder, Conv, ConvTranspose, Filter, Graph, PadMode, Padding, TransposePadding};
use tensor::Tensor;
use testing::{REORDERED, Random, Tolerance, check_close, largest, random_weights};
use weights::Weights;

const SEED: u64 = 11;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Conv(Conv),
    Transposed(ConvTranspose),
}

/// A convolution of an input that is enlarged first.
#[derive(Debug)]
struct Case {
    kind: Kind,
    input: [usize; 4],
    enlarge: usize,
}

/// Which input pixel an output pixel sees through which tap.
struct Link {
    from: usize,
    to: usize,
    tap: usize,
}

impl Case {
    fn graph(&self) -> Graph {
        let mut g = Builder::new("one");
        let x = g.input("x", self.input[1]);
        let x = if self.enlarge > 1 { g.resize(x, Filter::Nearest, self.enlarge) } else { x };
        let x = match self.kind {
            Kind::Conv(conv) => g.conv("c", x, conv),
            Kind::Transposed(conv) => g.conv_transpose("c", x, conv),
        };
        g.finish(x)
    }

    /// Taps down and across, and groups.
    fn taps(&self) -> ([usize; 2], usize) {
        match self.kind {
            Kind::Conv(c) => (c.kernel, c.groups),
            Kind::Transposed(t) => ([t.kernel; 2], 1),
        }
    }

    /// Along one axis: for each tap and output position, the input pixel that is seen.
    fn seen(&self, axis: usize, out: usize) -> Vec<Vec<Option<usize>>> {
        let size = self.input[2 + axis] * self.enlarge;
        let (kernel, _) = self.taps();
        let position = |tap: usize, at: usize| match self.kind {
            Kind::Conv(c) => {
                let margins = c.pad.margins(size, c.dilation * (kernel[axis] - 1) + 1, c.stride);
                border([at * c.stride + tap * c.dilation, margins.before], size, margins.mode)
            }
            Kind::Transposed(t) => {
                let reached = (at + t.extent(size).1).checked_sub(tap)?;
                let from = reached / t.stride;
                (reached.is_multiple_of(t.stride) && from < size).then_some(from)
            }
        };
        let shown = |tap, at| position(tap, at).map(|p| p / self.enlarge);
        (0..kernel[axis]).map(|tap| (0..out).map(|at| shown(tap, at)).collect()).collect()
    }

    fn links(&self, [.., oh, ow]: [usize; 4]) -> Vec<Link> {
        let [_, _, _, w] = self.input;
        let ([_, kw], _) = self.taps();
        let (rows, columns) = (self.seen(0, oh), self.seen(1, ow));
        let mut links = vec![];
        for (ky, row) in rows.iter().enumerate() {
            for (kx, column) in columns.iter().enumerate() {
                for (y, z) in (0..oh * ow).map(|i| (i / ow, i % ow)) {
                    if let (Some(iy), Some(ix)) = (row[y], column[z]) {
                        let (from, to) = (iy * w + ix, y * ow + z);
                        links.push(Link { from, to, tap: ky * kw + kx });
                    }
                }
            }
        }
        links
    }

    /// The gradients of the input, the weight and the bias: each link gives
    /// `dx[c] += g[o] · w[o, c]` and `dw[o, c] += g[o] · x[c]`.
    fn definition(&self, x: &Array, weight: &[f64], grad: &Array) -> [Vec<f64>; 3] {
        let ([kh, kw], groups) = self.taps();
        let (taps, images) = (kh * kw, self.input[0]);
        let (channels, outs) = (self.input[1], grad.shape[1]);
        let (inside, outside) = (channels / groups, outs / groups);
        let weight_at = |o: usize, c: usize, tap: usize| match self.kind {
            Kind::Conv(_) => (o * inside + c) * taps + tap,
            Kind::Transposed(_) => (c * outs + o) * taps + tap,
        };
        let (pixels, positions) = (x.shape[2] * x.shape[3], grad.shape[2] * grad.shape[3]);
        let mut made = [vec![0.0; x.data.len()], vec![0.0; weight.len()], vec![0.0; outs]];
        let links = self.links(grad.shape);
        for n in 0..images {
            for o in 0..outs {
                let g = &grad.data[(n * outs + o) * positions..][..positions];
                made[2][o] += g.iter().sum::<f64>();
                for c in 0..inside {
                    let plane = (n * channels + o / outside * inside + c) * pixels;
                    for Link { from, to, tap } in &links {
                        made[0][plane + from] += g[*to] * weight[weight_at(o, c, *tap)];
                        made[1][weight_at(o, c, *tap)] += g[*to] * x.data[plane + from];
                    }
                }
            }
        }
        made
    }

    fn check(&self) {
        let graph = self.graph();
        let name = format!("{self:?}");
        let x = Random::named(SEED, &name).tensor(&self.input, 1.0);
        let shape = graph.shapes(&[self.input]).unwrap()[graph.output().index()];
        let grad = Random::named(SEED, &format!("{name}/gradient")).tensor(&shape, 1.0);
        let held = random_weights(&graph, SEED);
        let weight: Vec<f64> = held["c.weight"].data().iter().map(|&v| f64::from(v)).collect();
        let want = self.definition(&Array::from_tensor(&x), &weight, &Array::from_tensor(&grad));
        let weights = Weights::bind(&graph, held).unwrap();
        for level in Level::available() {
            let network = Network::with_level(&graph, &weights, level).unwrap();
            let output = network.graph().output();
            let mut tape = Tape::new(&network, &[self.input], &[output], Wanted::Both).unwrap();
            tape.forward(&[&x]);
            tape.backward(|_, _, gradient| gradient.fill_from(&grad));
            let of_input = tape.input_gradient(0);
            let got = [&of_input].into_iter().chain(tape.parameter_gradients());
            for (i, (got, want)) in got.map(Tensor::data).zip(&want).enumerate() {
                let want: Vec<f32> = want.iter().map(|&v| v as f32).collect();
                let tolerance = Tolerance::Absolute(REORDERED.allowed(largest(&want)));
                let fault = check_close(got, &want, tolerance).err();
                let what = ["input", "weight", "bias"][i];
                assert!(fault.is_none(), "{name}, {what}, {level:?}: {}", fault.unwrap());
            }
        }
    }
}

fn conv(conv: Conv, input: [usize; 4]) -> Case {
    Case { kind: Kind::Conv(conv), input, enlarge: 1 }
}

const REFLECT: PadMode = PadMode::Reflect;
const ZERO: PadMode = PadMode::Zero;

/// Winograd's both ways: tiles of 4 × 4 and 2 × 2, whole and cut, of several chunks.
#[test]
fn three_by_three() {
    for mode in [ZERO, REFLECT, PadMode::Replicate] {
        conv(Conv::same(32, 3, mode), [1, 16, 37, 50]).check();
    }
    conv(Conv::same(48, 3, ZERO), [2, 32, 21, 19]).check();
    conv(Conv::same(16, 3, ZERO), [1, 64, 90, 22]).check();
    conv(Conv::same(64, 3, ZERO), [3, 48, 9, 10]).check();
    conv(Conv::new(20, 3), [2, 33, 18, 27]).check();
    conv(Conv::same(24, 3, ZERO), [1, 3, 33, 130]).check();
}

/// As deep in VGG, where there are more weights than pixels.
#[test]
fn many_channels() {
    conv(Conv::same(512, 3, ZERO), [2, 128, 3, 4]).check();
    conv(Conv::same(256, 3, REFLECT), [1, 512, 4, 3]).check();
    conv(Conv::new(512, 1), [1, 130, 7, 6]).check();
}

#[test]
fn steps_and_distant_taps() {
    conv(Conv::same(64, 3, REFLECT).stride(2), [2, 32, 37, 44]).check();
    conv(Conv::same(48, 3, ZERO).stride(2), [1, 20, 40, 31]).check();
    conv(Conv::new(32, 3).stride(2).pad(Padding::Same), [1, 16, 36, 50]).check();
    conv(Conv::new(16, 5).stride(3).pad(Padding::Same), [1, 18, 41, 33]).check();
    conv(Conv::new(48, 1).stride(2), [2, 32, 25, 34]).check();
    conv(Conv::new(32, 3).dilation(4).pad(Padding::Around(ZERO, 4)), [1, 16, 40, 37]).check();
    conv(Conv::new(96, 11).stride(4).pad(Padding::Around(ZERO, 2)), [1, 3, 67, 83]).check();
}

#[test]
fn wide_kernels_of_few_channels() {
    conv(Conv::same(32, 9, REFLECT), [2, 3, 20, 45]).check();
    conv(Conv::same(3, 9, REFLECT), [2, 32, 20, 45]).check();
    conv(Conv::same(3, 9, ZERO), [1, 17, 43, 70]).check();
    conv(Conv::new(16, 9).pad(Padding::Same), [1, 1, 30, 31]).check();
    conv(Conv { kernel: [1, 7], ..Conv::new(48, 1) }, [1, 16, 20, 60]).check();
    conv(Conv::same(3, 3, ZERO), [2, 64, 30, 41]).check();
    conv(Conv::same(4, 1, ZERO), [2, 64, 30, 41]).check();
}

#[test]
fn groups() {
    conv(Conv::same(64, 3, ZERO).groups(4), [2, 32, 22, 33]).check();
    conv(Conv::same(48, 3, REFLECT).groups(48), [2, 48, 39, 26]).check();
    conv(Conv::same(33, 5, ZERO).groups(33).stride(2), [2, 33, 45, 38]).check();
    conv(Conv::same(40, 3, ZERO).groups(20), [1, 20, 25, 24]).check();
}

#[test]
fn enlarged_inputs() {
    for (out, input, enlarge) in [(32, [1, 64, 19, 22], 2), (16, [2, 18, 7, 9], 3)] {
        let kind = Kind::Conv(Conv::same(out, 3, REFLECT));
        Case { kind, input, enlarge }.check();
    }
    let kind = Kind::Conv(Conv::same(3, 9, REFLECT));
    Case { kind, input: [1, 16, 13, 17], enlarge: 2 }.check();
}

#[test]
fn transposed() {
    let torch = |padding, output| TransposePadding::Torch { padding, output };
    for (out, kernel, stride, pad, input) in [
        (64, 3, 2, torch(1, 1), [2, 128, 9, 11]),
        (32, 3, 2, TransposePadding::Same, [1, 64, 20, 35]),
        (3, 9, 1, torch(4, 0), [2, 32, 24, 33]),
        (48, 4, 2, torch(1, 0), [1, 20, 30, 17]),
        (16, 2, 3, torch(0, 0), [1, 16, 18, 25]),
        (32, 3, 1, torch(1, 0), [1, 16, 37, 29]),
    ] {
        let kind = Kind::Transposed(ConvTranspose { out, kernel, stride, pad, bias: true });
        Case { kind, input, enlarge: 1 }.check();
    }
}
