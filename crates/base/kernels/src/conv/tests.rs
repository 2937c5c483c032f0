use super::definition::Case;
use super::*;
use crate::reference::{assert_close, noise};
use crate::source::Front;
use crate::{Affine, Gate};
use tensor::Tensor;

/// Which kernel to hold to the definition.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kernel {
    Winograd,
    Shallow,
    Direct,
    Narrow,
    Depthwise,
}

fn case(shape: [usize; 4], size: [usize; 2]) -> Case {
    let pad = [[shape[2] / 2; 2], [shape[3] / 2; 2]];
    Case { images: 1, shape, size, enlarge: 1, stride: 1, dilation: 1, pad, border: Border::Zero }
}

fn pack(kernel: Kernel, level: Level, spec: &ConvSpec, size: [usize; 2]) -> Conv {
    match kernel {
        Kernel::Winograd => Conv::Winograd(Winograd::new(level, spec, size)),
        Kernel::Shallow => Conv::Shallow(Shallow::new(level, spec)),
        Kernel::Direct => Conv::Direct(Direct::new(level, spec)),
        Kernel::Narrow => Conv::Narrow(Narrow::new(level, spec)),
        Kernel::Depthwise => Conv::Depthwise(Depthwise::new(spec)),
    }
}

/// Runs `case` plain, then with everything folded in: an affine map and a gate
/// before, a residual and a gate after, and the moments.
fn check(kernel: Kernel, case: &Case) {
    let [o, ci, kh, kw] = case.shape;
    let groups = if kernel == Kernel::Depthwise { o } else { 1 };
    let channels = ci * groups;
    let [h, w] = case.size;
    let shape_in = [case.images, channels, h, w];
    let input = noise(shape_in.iter().product());
    let (weight, bias) = (noise(o * ci * kh * kw), noise(o));
    let mut plane = if channels < 4 { Plane::packed(shape_in) } else { Plane::zeros(shape_in) };
    plane.fill_from(&Tensor::new(shape_in, input.clone()));
    let [oh, ow] = case.out_size();
    let shape_out = [case.images, o, oh, ow];
    let residual_values = noise(shape_out.iter().product());
    let make_out = || {
        if kernel == Kernel::Narrow { Plane::packed(shape_out) } else { Plane::zeros(shape_out) }
    };
    let mut residual = make_out();
    residual.fill_from(&Tensor::new(shape_out, residual_values.clone()));
    let padding = Padding { down: case.pad[0], across: case.pad[1], border: case.border };
    let spec = ConvSpec {
        weight: &weight,
        bias: &bias,
        shape: case.shape,
        in_stride: plane.stride(),
        stride: case.stride,
        dilation: case.dilation,
    };
    let affine = Affine::constant(case.images, plane.stride(), [0.5, 0.25]);
    for level in Level::available() {
        let conv = pack(kernel, level, &spec, [oh, ow]);
        for folded in [false, true] {
            let source = Source {
                plane: &plane,
                affine: folded.then_some(&affine),
                gate: if folded { Gate::Relu } else { Gate::Linear },
                enlarge: case.enlarge,
                front: None,
            };
            let mut out = make_out();
            let epilogue = Epilogue {
                residual: folded.then_some(&residual),
                gate: if folded { Gate::Leaky(0.5) } else { Gate::Linear },
                ..Epilogue::default()
            };
            let mut output = Output { plane: &mut out, epilogue, moments: folded };
            let moments = conv.run(level, &source, &padding, &mut output);
            let seen: Vec<f64> = input
                .iter()
                .map(|&x| f64::from(x))
                .map(|x| if folded { (0.5 * x + 0.25).max(0.0) } else { x })
                .collect();
            let want = |i: usize| {
                let [n, c, y, x] = [i / (o * oh * ow), i / (oh * ow) % o, i / ow % oh, i % ow];
                let sum = if kernel == Kernel::Depthwise {
                    depthwise_output(case, &seen, &weight, [n, c, y, x])
                } else {
                    case.output(&seen, &weight, [n, c, y, x])
                };
                let total = sum + f64::from(bias[c]);
                if !folded {
                    return total;
                }
                let total = total + f64::from(residual_values[i]);
                if total < 0.0 { 0.5 * total } else { total }
            };
            // F(4×4)'s transforms multiply rounding errors by up to 10² of their size.
            let filtered = kernel == Kernel::Narrow && kh == 9;
            let transformed = [Kernel::Winograd, Kernel::Shallow].contains(&kernel) || filtered;
            let terms = ci * kh * kw * if transformed { 8 } else { 1 } + 2;
            let values = out.to_tensor();
            assert_close(values.data(), want, terms, level);
            if let Some(moments) = moments {
                assert_eq!(moments.len(), case.images);
                let of_first: Vec<f64> =
                    values.data()[..oh * ow].iter().map(|&v| f64::from(v)).collect();
                let mean = of_first.iter().sum::<f64>() / (oh * ow) as f64;
                assert!((moments[0].mean(0) - mean).abs() <= 1e-5 * (1.0 + mean.abs()));
            }
        }
    }
}

fn depthwise_output(case: &Case, input: &[f64], weight: &[f32], [n, c, y, x]: [usize; 4]) -> f64 {
    let [o, _, kh, kw] = case.shape;
    let pixels = case.size[0] * case.size[1];
    let one = Case { shape: [1, 1, kh, kw], images: 1, ..*case };
    one.output(&input[(n * o + c) * pixels..][..pixels], &weight[c * kh * kw..], [0, 0, y, x])
}

#[test]
fn winograd_matches_the_definition() {
    check(Kernel::Winograd, &case([16, 16, 3, 3], [1, 1]));
    check(Kernel::Winograd, &case([20, 33, 3, 3], [7, 10]));
    check(Kernel::Winograd, &Case { pad: [[0; 2]; 2], ..case([32, 16, 3, 3], [9, 6]) });
    check(
        Kernel::Winograd,
        &Case { images: 2, border: Border::Reflect, ..case([48, 16, 3, 3], [8, 13]) },
    );
    check(Kernel::Winograd, &Case { border: Border::Replicate, ..case([16, 20, 3, 3], [6, 6]) });
}

/// A convolution `first` of few values, with a gate, read by `case`.
fn check_front(first: &Case, gate: Gate, case: &Case) {
    let [h, w] = first.size;
    let [inner, channels, ..] = first.shape;
    let shape_in = [first.images, channels, h, w];
    let input = noise(shape_in.iter().product());
    let filters = [first, case].map(|c| noise(c.shape.iter().product()));
    let biases = [first, case].map(|c| noise(c.shape[0]));
    // The definition, one after the other.
    let value = |[_, o, h, w]: [usize; 4], i| [i / (o * h * w), i / (h * w) % o, i / w % h, i % w];
    let seen: Vec<f64> = input.iter().map(|&x| f64::from(x)).collect();
    let between = |i| {
        let at = value([first.images, inner, h, w], i);
        let sum = first.output(&seen, &filters[0], at) + f64::from(biases[0][at[1]]);
        f64::from(gate.apply_scalar(sum as f32))
    };
    let between: Vec<f64> = (0..first.images * inner * h * w).map(between).collect();
    let [oh, ow] = case.out_size();
    let shape_out = [case.images, case.shape[0], oh, ow];
    let want = |i: usize| {
        let at = value(shape_out, i);
        case.output(&between, &filters[1], at) + f64::from(biases[1][at[1]])
    };

    let mut plane = Plane::packed(shape_in);
    plane.fill_from(&Tensor::new(shape_in, input.clone()));
    let mut bordered = Plane::packed([first.images, channels, h + 2, w + 2]);
    let [down, across] = first.pad;
    let axes = [Axis::new([h, 1], down, first.border), Axis::new([w, 1], across, first.border)];
    let spec = |i: usize, case: &Case, in_stride| {
        let (weight, bias) = (&filters[i][..], &biases[i][..]);
        ConvSpec { weight, bias, shape: case.shape, in_stride, stride: case.stride, dilation: 1 }
    };
    for level in Level::available() {
        crate::gather(level, &plane, [&axes[0], &axes[1]], &mut bordered);
        let few = Few::new(level, &spec(0, first, channels));
        let source = Source { front: Some(Front { conv: &few, gate }), ..Source::plain(&bordered) };
        let spec = spec(1, case, tensor::padded_channels(inner));
        let padding = Padding { down: case.pad[0], across: case.pad[1], border: case.border };
        let mut plane = Plane::zeros(shape_out);
        let mut output =
            Output { plane: &mut plane, epilogue: Epilogue::default(), moments: false };
        Winograd::new(level, &spec, [oh, ow]).run(level, &source, &padding, &mut output);
        // Rounding of the first is a few of the second's own; eight for its transforms.
        assert_close(plane.to_tensor().data(), want, inner * 9 * 8 + 9, level);
    }
}

#[test]
fn a_convolution_read_through_another_matches_the_definition() {
    let square = case([64, 1, 3, 3], [21, 30]);
    check_front(&square, Gate::Relu, &case([32, 64, 3, 3], [21, 30]));
    let strided = Case { stride: 2, ..case([32, 64, 3, 3], [24, 70]) };
    check_front(&case([64, 1, 3, 3], [24, 70]), Gate::Leaky(0.5), &strided);
    let mirrored = |c: Case| Case { border: Border::Reflect, images: 2, ..c };
    let small = case([16, 1, 3, 3], [9, 14]);
    check_front(&mirrored(small), Gate::Linear, &mirrored(case([20, 16, 3, 3], [9, 14])));
    check_front(&case([20, 1, 3, 3], [5, 6]), Gate::Relu, &case([16, 20, 3, 3], [5, 6]));
}

#[test]
fn winograd_matches_the_definition_when_tiles_are_taken_in_chunks() {
    check(Kernel::Winograd, &Case { border: Border::Reflect, ..case([5, 6, 3, 3], [84, 83]) });
    check(Kernel::Winograd, &Case { images: 2, ..case([4, 5, 3, 3], [19, 210]) });
}

#[test]
fn winograd_matches_the_definition_at_stride_2() {
    let case = |shape, size| Case { stride: 2, ..case(shape, size) };
    check(Kernel::Winograd, &case([16, 16, 3, 3], [1, 1]));
    check(Kernel::Winograd, &case([20, 33, 3, 3], [7, 10]));
    check(Kernel::Winograd, &Case { pad: [[0; 2]; 2], ..case([32, 16, 3, 3], [9, 6]) });
    check(Kernel::Winograd, &Case { pad: [[0, 1]; 2], ..case([16, 16, 3, 3], [8, 17]) });
    let reflected = Case { images: 2, border: Border::Reflect, ..case([48, 16, 3, 3], [8, 13]) };
    check(Kernel::Winograd, &reflected);
    check(Kernel::Winograd, &Case { border: Border::Reflect, ..case([5, 6, 3, 3], [164, 163]) });
    check(Kernel::Winograd, &Case { enlarge: 2, ..case([16, 17, 3, 3], [5, 6]) });
}

#[test]
fn shallow_matches_the_definition() {
    check(Kernel::Shallow, &Case { border: Border::Reflect, ..case([16, 3, 9, 9], [9, 14]) });
    check(Kernel::Shallow, &Case { images: 2, ..case([20, 1, 9, 9], [5, 6]) });
    check(Kernel::Shallow, &Case { border: Border::Reflect, ..case([16, 3, 9, 9], [40, 170]) });
    check(Kernel::Shallow, &Case { enlarge: 2, ..case([33, 17, 9, 9], [3, 5]) });
    check(Kernel::Shallow, &case([32, 2, 3, 5], [7, 131]));
    check(Kernel::Shallow, &case([16, 3, 9, 9], [1, 1]));
}

#[test]
fn winograd_leaves_out_what_is_zero_on_enlarged_inputs() {
    for border in [Border::Zero, Border::Reflect, Border::Replicate] {
        for size in [[1, 2], [3, 5], [4, 8]] {
            if border == Border::Reflect || size[0] > 1 {
                check(Kernel::Winograd, &Case { enlarge: 2, border, ..case([16, 17, 3, 3], size) });
            }
        }
    }
    check(Kernel::Winograd, &Case { enlarge: 2, pad: [[0; 2]; 2], ..case([16, 16, 3, 3], [4, 5]) });
    check(Kernel::Winograd, &Case { enlarge: 2, pad: [[2; 2]; 2], ..case([16, 16, 3, 3], [4, 5]) });
    check(Kernel::Winograd, &Case { enlarge: 3, ..case([16, 16, 3, 3], [4, 5]) });
}

#[test]
fn direct_matches_the_definition() {
    check(Kernel::Direct, &case([7, 3, 9, 9], [6, 11]));
    check(Kernel::Direct, &Case { border: Border::Reflect, ..case([32, 3, 9, 9], [5, 40]) });
    check(
        Kernel::Direct,
        &Case { stride: 2, border: Border::Reflect, ..case([40, 20, 3, 3], [9, 14]) },
    );
    check(
        Kernel::Direct,
        &Case { stride: 2, pad: [[0, 1], [0, 1]], ..case([16, 16, 3, 3], [8, 9]) },
    );
    check(
        Kernel::Direct,
        &Case { dilation: 2, pad: [[2; 2]; 2], images: 2, ..case([17, 18, 3, 3], [5, 6]) },
    );
    check(Kernel::Direct, &case([16, 16, 1, 1], [1, 1]));
    check(Kernel::Direct, &case([16, 5, 1, 7], [3, 9]));
    check(Kernel::Direct, &Case { stride: 3, ..case([16, 2, 7, 7], [23, 400]) });
    check(Kernel::Direct, &Case { enlarge: 2, ..case([16, 16, 3, 3], [4, 5]) });
}

#[test]
fn narrow_matches_the_definition() {
    check(Kernel::Narrow, &Case { border: Border::Reflect, ..case([3, 32, 9, 9], [11, 70]) });
    check(Kernel::Narrow, &case([3, 20, 9, 9], [1, 3]));
    check(Kernel::Narrow, &case([3, 16, 9, 9], [37, 5])); // bands of several groups
    check(Kernel::Narrow, &case([2, 16, 3, 5], [21, 4]));
    check(Kernel::Narrow, &Case { images: 2, ..case([2, 16, 9, 5], [6, 131]) });
    check(Kernel::Narrow, &case([3, 3, 9, 9], [5, 6]));
    check(Kernel::Narrow, &case([1, 16, 3, 3], [1, 1]));
    check(Kernel::Narrow, &Case { images: 2, ..case([4, 5, 5, 3], [6, 7]) });
    check(Kernel::Narrow, &case([2, 3, 3, 3], [6, 7]));
}

#[test]
fn depthwise_matches_the_definition() {
    check(Kernel::Depthwise, &case([16, 1, 3, 3], [5, 6]));
    check(
        Kernel::Depthwise,
        &Case { stride: 2, pad: [[0, 1], [1, 1]], ..case([20, 1, 3, 3], [8, 7]) },
    );
    check(Kernel::Depthwise, &Case { dilation: 2, images: 2, ..case([33, 1, 5, 5], [9, 9]) });
}

#[test]
fn transposed_matches_the_definition() {
    // [in, out, k], stride, pixels cut, output size of an input of 3 × 5.
    for ([ci, o, k], stride, cut, [oh, ow]) in [
        ([20, 7, 3], 2, 1, [6, 10]),
        ([16, 16, 3], 2, 0, [6, 10]),
        ([5, 3, 9], 1, 4, [3, 5]),
        ([16, 33, 4], 2, 1, [6, 10]),
        ([16, 16, 2], 3, 0, [8, 14]),
        ([4, 4, 5], 3, 1, [9, 15]),
    ] {
        let ([h, w], images) = ([3, 5], 2);
        let (input, weight, bias) = (noise(images * ci * h * w), noise(ci * o * k * k), noise(o));
        let mut plane = Plane::zeros([images, ci, h, w]);
        plane.fill_from(&Tensor::new([images, ci, h, w], input.clone()));
        let spec = ConvSpec {
            weight: &weight,
            bias: &bias,
            shape: [ci, o, k, k],
            in_stride: plane.stride(),
            stride,
            dilation: 1,
        };
        for level in Level::available() {
            let mut out = Plane::zeros([images, o, oh, ow]);
            let conv = Transposed::new(level, &spec, cut);
            let mut output =
                Output { plane: &mut out, epilogue: Epilogue::default(), moments: false };
            conv.run(level, &Source::plain(&plane), &mut output);
            let want = |i: usize| {
                let [n, c, y, x] = [i / (o * oh * ow), i / (oh * ow) % o, i / ow % oh, i % ow];
                let mut sum = f64::from(bias[c]);
                for (iy, ix) in (0..h * w).map(|p| (p / w, p % w)) {
                    let (Some(ky), Some(kx)) =
                        ((y + cut).checked_sub(iy * stride), (x + cut).checked_sub(ix * stride))
                    else {
                        continue;
                    };
                    if ky < k && kx < k {
                        for d in 0..ci {
                            let value = f64::from(input[((n * ci + d) * h + iy) * w + ix]);
                            sum += value * f64::from(weight[((d * o + c) * k + ky) * k + kx]);
                        }
                    }
                }
                sum
            };
            assert_close(out.to_tensor().data(), want, ci * k * k + 1, level);
        }
    }
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (weight, shape) = (noise(16 * 16 * 9), [16, 16, 3, 3]);
            let mut plane = Plane::zeros([1, 16, 90, 90]);
            plane.fill_from(&Tensor::new([1, 16, 90, 90], noise(16 * 8100)));
            let spec = ConvSpec {
                weight: &weight,
                bias: &[],
                shape,
                in_stride: 16,
                stride: 1,
                dilation: 1,
            };
            let conv = Winograd::new(Level::best(), &spec, [90, 90]);
            let padding = Padding { down: [1, 1], across: [1, 1], border: Border::Zero };
            let mut out = Plane::zeros([1, 16, 90, 90]);
            let mut output =
                Output { plane: &mut out, epilogue: Epilogue::default(), moments: true };
            let moments = conv.run(Level::best(), &Source::plain(&plane), &padding, &mut output);
            (out.to_tensor(), moments)
        })
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn nan_reaches_every_output_that_sees_it() {
    for kernel in [Kernel::Direct, Kernel::Winograd] {
        let (weight, shape) = (noise(16 * 16 * 9), [16, 16, 3, 3]);
        let mut plane = Plane::zeros([1, 16, 5, 5]);
        plane.data_mut()[(2 * 5 + 2) * 16] = f32::NAN;
        let spec =
            ConvSpec { weight: &weight, bias: &[], shape, in_stride: 16, stride: 1, dilation: 1 };
        for level in Level::available() {
            let conv = pack(kernel, level, &spec, [5, 5]);
            let padding = Padding { down: [1, 1], across: [1, 1], border: Border::Zero };
            let mut out = Plane::zeros([1, 16, 5, 5]);
            let mut output = Output {
                plane: &mut out,
                epilogue: Epilogue { gate: Gate::Relu, ..Epilogue::default() },
                moments: false,
            };
            conv.run(level, &Source::plain(&plane), &padding, &mut output);
            let values = out.to_tensor();
            for (y, x) in (0..9).map(|i| (1 + i / 3, 1 + i % 3)) {
                assert!(values.data()[y * 5 + x].is_nan(), "{kernel:?} {} {y} {x}", level.name());
            }
        }
    }
}
