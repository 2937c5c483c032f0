//! Convolutions. All read a [`Source`](crate::Source), which folds what comes
//! before the convolution into reading, and end in an
//! [`Epilogue`](crate::Epilogue), which folds in what comes after.

mod columns;
mod depthwise;
mod direct;
mod few;
mod narrow;
mod shallow;
mod transposed;
mod weight_gradient;
mod winograd;

use tensor::Plane;

use crate::bands::Collect;
use crate::source::{Axis, Border, Grid, Source};
use crate::{Epilogue, Level, Moments};

pub use depthwise::Depthwise;
pub use direct::Direct;
pub(crate) use direct::Finish;
pub use few::Few;
pub use narrow::Narrow;
pub use shallow::Shallow;
pub use transposed::Transposed;
pub use weight_gradient::{Side, WeightGradient};
pub use winograd::Winograd;

/// A border: pixels before and after, down and across.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Padding {
    /// At the top and bottom.
    pub down: [usize; 2],
    /// At the left and right.
    pub across: [usize; 2],
    /// What it is made of.
    pub border: Border,
}

impl Padding {
    pub(crate) fn grid(&self, source: &Source) -> Grid {
        let [h, w] = source.size();
        Grid {
            rows: Axis::new([h, source.enlarge], self.down, self.border),
            columns: Axis::new([w, source.enlarge], self.across, self.border),
        }
    }
}

/// A convolution's parameters as PyTorch has them.
#[derive(Clone, Copy, Debug)]
pub struct ConvSpec<'a> {
    /// `[out, in, kh, kw]`.
    pub weight: &'a [f32],
    /// `[out]`, or empty.
    pub bias: &'a [f32],
    /// `[out, in, kh, kw]`.
    pub shape: [usize; 4],
    /// Channels of the source with its padding.
    pub in_stride: usize,
    /// Pixels from one output to the next, both ways.
    pub stride: usize,
    /// Pixels from one tap to the next, both ways.
    pub dilation: usize,
}

impl ConvSpec<'_> {
    /// With this stride.
    #[must_use]
    pub fn strided(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    pub(crate) fn at(&self, o: usize, i: usize, y: usize, x: usize) -> f32 {
        let [_, ci, kh, kw] = self.shape;
        self.weight[((o * ci + i) * kh + y) * kw + x]
    }

    /// The bias for each of `stride` padded channels; zeros if there is none.
    fn padded_bias(&self, stride: usize) -> Vec<f32> {
        let mut bias = self.bias.to_vec();
        bias.resize(stride, 0.0);
        bias
    }
}

/// Where a convolution writes, and what it does on the way.
#[derive(Debug)]
pub struct Output<'a> {
    /// Of the convolution's output shape.
    pub plane: &'a mut Plane,
    /// Applied to each sum.
    pub epilogue: Epilogue<'a>,
    /// Whether the moments of the output are wanted.
    pub moments: bool,
}

impl Output<'_> {
    fn collect(&self) -> Collect {
        if self.moments { Collect::Moments } else { Collect::Nothing }
    }
}

/// Any convolution, packed for one level.
#[derive(Clone, Debug)]
pub enum Conv {
    /// 3×3, stride 1, by Winograd's minimal filtering.
    Winograd(Winograd),
    /// Few channels in to a tall kernel.
    Shallow(Shallow),
    /// Anything, straight from the definition.
    Direct(Direct),
    /// Few channels out of a large kernel.
    Narrow(Narrow),
    /// One filter per channel.
    Depthwise(Depthwise),
    /// The adjoint of a strided convolution.
    Transposed(Transposed),
}

impl Conv {
    /// Convolves `source` into `output`; the moments of each image, if asked for.
    ///
    /// # Panics
    ///
    /// If the shapes do not belong together.
    pub fn run(
        &self,
        level: Level,
        source: &Source,
        padding: &Padding,
        output: &mut Output,
    ) -> Option<Vec<Moments>> {
        match self {
            Self::Winograd(c) => c.run(level, source, padding, output),
            Self::Shallow(c) => c.run(level, source, padding, output),
            Self::Direct(c) => c.run(level, source, padding, output),
            Self::Narrow(c) => c.run(level, source, padding, output),
            Self::Depthwise(c) => c.run(level, source, padding, output),
            Self::Transposed(c) => c.run(level, source, output),
        }
    }

    /// Bytes the packed weights take.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Winograd(c) => c.bytes(),
            Self::Shallow(c) => c.bytes(),
            Self::Direct(c) => c.bytes(),
            Self::Narrow(c) => c.bytes(),
            Self::Depthwise(c) => c.bytes(),
            Self::Transposed(c) => c.bytes(),
        }
    }
}

impl Conv {
    /// Bytes of memory taken while writing an output of `shape`, beyond a
    /// little scratch memory for each thread.
    pub fn working_bytes(&self, shape: tensor::Shape4) -> usize {
        match self {
            Self::Winograd(c) => c.working_bytes(shape),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod definition;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod weight_gradient_tests;
