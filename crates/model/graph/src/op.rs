/// What a node computes. Shapes are `[N, C, H, W]`; the parameters that a node
/// holds are listed with each variant, in their order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// Data from outside, with this many channels.
    Input {
        /// Channels.
        channels: usize,
    },
    /// Convolution. Parameters: weight `[out, in/groups, kh, kw]`, then bias `[out]` if it has one.
    Conv(Conv),
    /// Transposed convolution. Parameters: weight `[in, out, kh, kw]`, then bias `[out]` if it has one.
    ConvTranspose(ConvTranspose),
    /// `y = W·x + b` on `[N, F, 1, 1]`. Parameters: weight `[out, F]`, bias `[out]`.
    Linear {
        /// Features out.
        out: usize,
    },
    /// Each channel of each image to mean 0 and variance 1 over its pixels
    /// (biased variance). Parameters, if affine: weight `[C]`, bias `[C]`.
    InstanceNorm {
        /// Added to the variance.
        eps: f32,
        /// Whether a gain and a shift follow.
        affine: bool,
    },
    /// Normalisation by stored statistics. Parameters: weight, bias,
    /// `running_mean` and `running_var`, each `[C]`; or without the weight, which
    /// is then 1. [`Node::param`](crate::Node::param) finds each in either case.
    BatchNorm {
        /// Added to the variance.
        eps: f32,
    },
    /// A function of each value alone.
    Activation(Activation),
    /// Softmax over the channels.
    Softmax,
    /// Largest or mean value of a window.
    Pool(Pool),
    /// Mean over windows that divide the plane into `height` × `width` parts,
    /// as PyTorch's `AdaptiveAvgPool2d`. `[1, 1]` is global pooling.
    AdaptiveAvgPool {
        /// Rows out.
        height: usize,
        /// Columns out.
        width: usize,
    },
    /// Enlargement by a whole factor.
    Resize {
        /// How values between the pixels are made.
        filter: Filter,
        /// Both sides are multiplied by this.
        factor: usize,
    },
    /// A border around the picture.
    Pad {
        /// What it is made of.
        mode: PadMode,
        /// Pixels at the top, bottom, left and right.
        sides: [usize; 4],
    },
    /// A border taken off: pixels at the top, bottom, left and right.
    Crop {
        /// Pixels at the top, bottom, left and right.
        sides: [usize; 4],
    },
    /// Sum of two inputs of one shape.
    Add,
    /// Product of two inputs of one shape, or of the first with one value per
    /// channel (`[N, C, 1, 1]`), as in squeeze-and-excitation.
    Mul,
    /// `x · scale + shift`, constants.
    Scale {
        /// Factor.
        scale: f32,
        /// Added after.
        shift: f32,
    },
    /// Channels of all inputs, one after the other.
    Concat,
    /// `[N, C, 1, 1]` repeated over the height and width of the second input.
    BroadcastSpace,
    /// `[N, C, H, W]` to `[N, C·H·W, 1, 1]`, channel slowest, as PyTorch's.
    Flatten,
    /// Sets values to zero while training; the identity otherwise.
    Dropout {
        /// The share that is set to zero.
        share: f32,
    },
}

/// What surrounds a picture where a kernel reaches over its border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PadMode {
    /// Zeros.
    Zero,
    /// The picture mirrored at its outermost pixels, which are not repeated.
    Reflect,
    /// The outermost pixels repeated.
    Replicate,
}

/// The border of a convolution or pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// The same number of pixels on all four sides.
    Around(PadMode, usize),
    /// TensorFlow's `SAME`: zeros so that the output has `⌈size / stride⌉`
    /// pixels, the odd one at the bottom or right.
    Same,
}

/// Settings of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv {
    /// Channels out.
    pub out: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Pixels from one output to the next, both ways.
    pub stride: usize,
    /// Pixels from one tap to the next, both ways.
    pub dilation: usize,
    /// Channels are split into this many independent groups.
    pub groups: usize,
    /// The border.
    pub pad: Padding,
    /// Whether a bias is added.
    pub bias: bool,
}

impl Conv {
    /// Square kernel, stride 1, no border, with bias: PyTorch's defaults.
    pub const fn new(out: usize, kernel: usize) -> Self {
        Self {
            out,
            kernel: [kernel, kernel],
            stride: 1,
            dilation: 1,
            groups: 1,
            pad: Padding::Around(PadMode::Zero, 0),
            bias: true,
        }
    }

    /// Odd kernel with a border that keeps the size at stride 1.
    pub const fn same(out: usize, kernel: usize, mode: PadMode) -> Self {
        Self::new(out, kernel).pad(Padding::Around(mode, kernel / 2))
    }

    /// With this stride.
    #[must_use]
    pub const fn stride(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    /// With this dilation.
    #[must_use]
    pub const fn dilation(self, dilation: usize) -> Self {
        Self { dilation, ..self }
    }

    /// With this many groups.
    #[must_use]
    pub const fn groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// With this border.
    #[must_use]
    pub const fn pad(self, pad: Padding) -> Self {
        Self { pad, ..self }
    }

    /// Without a bias.
    #[must_use]
    pub const fn without_bias(self) -> Self {
        Self { bias: false, ..self }
    }
}

/// How a transposed convolution's output is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransposePadding {
    /// PyTorch's `padding` and `output_padding`:
    /// `(size − 1) · stride − 2 · padding + kernel + output` pixels.
    Torch {
        /// Pixels taken off each side.
        padding: usize,
        /// Pixels added at the bottom and right.
        output: usize,
    },
    /// TensorFlow's `SAME`: exactly `size · stride` pixels.
    Same,
}

/// Settings of a transposed convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvTranspose {
    /// Channels out.
    pub out: usize,
    /// Height and width of the square kernel.
    pub kernel: usize,
    /// How much larger the output is.
    pub stride: usize,
    /// How the output is cut.
    pub pad: TransposePadding,
    /// Whether a bias is added.
    pub bias: bool,
}

/// A function of each value alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `max(x, 0)`; NaN stays NaN.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `x` where positive, `slope · x` elsewhere.
    LeakyRelu(f32),
    /// Hyperbolic tangent.
    Tanh,
    /// `1 / (1 + e⁻ˣ)`.
    Sigmoid,
    /// `x · sigmoid(x)`.
    Silu,
}

/// What a pooling window yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// The largest value.
    Max,
    /// The mean of the whole window, borders counted as zeros (PyTorch's default).
    Average,
    /// The mean of the part of the window that lies on the picture (TensorFlow's).
    AverageInside,
}

/// Settings of a pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// What the window yields.
    pub kind: PoolKind,
    /// Height and width of the window.
    pub kernel: usize,
    /// Pixels from one window to the next.
    pub stride: usize,
    /// The border; for a maximum it never wins.
    pub pad: Padding,
}

impl Pool {
    /// Windows side by side, no border.
    pub const fn new(kind: PoolKind, size: usize) -> Self {
        Self { kind, kernel: size, stride: size, pad: Padding::Around(PadMode::Zero, 0) }
    }
}

/// How a picture is enlarged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Each pixel repeated.
    Nearest,
    /// Linear between pixel centres (`align_corners=False`), edges repeated.
    Bilinear,
}
