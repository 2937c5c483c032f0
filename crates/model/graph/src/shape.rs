use crate::{Conv, ConvTranspose, Graph, Node, NodeId, Op, PadMode, Padding, TransposePadding};

/// `[N, C, H, W]`.
pub type Shape4 = [usize; 4];

/// Why a network cannot run on inputs of some size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// Another number of inputs than the network has.
    #[error("the network has {want} inputs, {got} were given")]
    Inputs {
        /// Inputs of the network.
        want: usize,
        /// Inputs given.
        got: usize,
    },
    /// An input's channel count differs.
    #[error("input {input:?} has {want} channels, {got} were given")]
    Channels {
        /// The input's name.
        input: String,
        /// Channels of the network.
        want: usize,
        /// Channels given.
        got: usize,
    },
    /// A layer does not fit into what reaches it.
    #[error("layer {layer:?} needs at least {need} pixels {axis}, {got} reach it")]
    TooSmall {
        /// The layer's name.
        layer: String,
        /// `"down"` or `"across"`.
        axis: &'static str,
        /// The least number of pixels.
        need: usize,
        /// What there is.
        got: usize,
    },
    /// A fully connected layer has weights for another number of features: the
    /// network goes with pictures of one size, and this is another.
    #[error(
        "layer {layer:?} has weights for {want} features, {got} reach it: the network wants its pictures in another size"
    )]
    Features {
        /// The layer's name.
        layer: String,
        /// Features it has weights for.
        want: usize,
        /// Features that these inputs give.
        got: usize,
    },
    /// Two inputs of a layer do not go together.
    #[error("layer {layer:?} cannot combine {a:?} and {b:?}")]
    Mismatch {
        /// The layer's name.
        layer: String,
        /// The first input's shape.
        a: Shape4,
        /// The other's.
        b: Shape4,
    },
}

/// Pixels added before and after along one axis, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margins {
    /// At the top or left.
    pub before: usize,
    /// At the bottom or right.
    pub after: usize,
    /// What they are made of.
    pub mode: PadMode,
}

impl Padding {
    /// The border along one axis of `size` pixels for a window that spans
    /// `reach` of them (`dilation · (kernel − 1) + 1`).
    pub fn margins(self, size: usize, reach: usize, stride: usize) -> Margins {
        match self {
            Self::Around(mode, p) => Margins { before: p, after: p, mode },
            Self::Same => {
                let total =
                    (size.div_ceil(stride).saturating_sub(1) * stride + reach).saturating_sub(size);
                Margins { before: total / 2, after: total - total / 2, mode: PadMode::Zero }
            }
        }
    }
}

impl Conv {
    /// Border down and across for a picture of this size.
    pub fn margins(&self, height: usize, width: usize) -> [Margins; 2] {
        let reach = |k: usize| self.dilation * (k - 1) + 1;
        [
            self.pad.margins(height, reach(self.kernel[0]), self.stride),
            self.pad.margins(width, reach(self.kernel[1]), self.stride),
        ]
    }
}

impl ConvTranspose {
    /// Output pixels along an axis, and how many of the full result are cut before them.
    pub fn extent(&self, size: usize) -> (usize, usize) {
        match self.pad {
            TransposePadding::Torch { padding, output } => (
                ((size - 1) * self.stride + self.kernel + output).saturating_sub(2 * padding),
                padding,
            ),
            TransposePadding::Same => {
                (size * self.stride, self.kernel.saturating_sub(self.stride) / 2)
            }
        }
    }
}

impl Graph {
    /// The shapes of all inputs for `n` pictures of this height and width: an input
    /// that is only ever repeated over a plane has no height and width of its own.
    pub fn input_shapes(&self, n: usize, [height, width]: [usize; 2]) -> Vec<Shape4> {
        let is_repeated = |id: &NodeId| {
            let mut readers = self.nodes.iter().filter(|node| node.inputs.contains(id)).peekable();
            readers.peek().is_some()
                && readers.all(|node| node.op == Op::BroadcastSpace && node.inputs[1] != *id)
        };
        let shape = |id: &NodeId| {
            let Op::Input { channels } = self.nodes[id.index()].op else { unreachable!() };
            let [h, w] = if is_repeated(id) { [1, 1] } else { [height, width] };
            [n, channels, h, w]
        };
        self.inputs.iter().map(shape).collect()
    }

    /// The shape of every node's output, for inputs of these shapes.
    ///
    /// # Errors
    ///
    /// If an input's channels differ from the network's, or a layer does not fit.
    pub fn shapes(&self, inputs: &[Shape4]) -> Result<Vec<Shape4>, ShapeError> {
        if inputs.len() != self.inputs.len() {
            return Err(ShapeError::Inputs { want: self.inputs.len(), got: inputs.len() });
        }
        let mut next_input = inputs.iter();
        let mut shapes: Vec<Shape4> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let shape = if let Op::Input { channels } = node.op {
                let given = *next_input.next().unwrap_or_else(|| unreachable!());
                if given[1] != channels {
                    let (want, got) = (channels, given[1]);
                    return Err(ShapeError::Channels { input: node.name.clone(), want, got });
                }
                given
            } else {
                let reads: Vec<Shape4> = node.inputs.iter().map(|i| shapes[i.0]).collect();
                self.features(node, reads[0])?;
                infer(node, &reads)?
            };
            if shape.contains(&0) {
                return Err(too_small(node, 0, 1, 0));
            }
            shapes.push(shape);
        }
        Ok(shapes)
    }

    /// A fully connected layer must get the features that it has weights for.
    fn features(&self, node: &Node, [_, c, h, w]: Shape4) -> Result<(), ShapeError> {
        let Op::Linear { .. } = node.op else { return Ok(()) };
        let (want, got) = (self.params[node.params[0]].shape[1], c * h * w);
        if want == got {
            return Ok(());
        }
        Err(ShapeError::Features { layer: node.name.clone(), want, got })
    }
}

fn too_small(node: &Node, axis: usize, need: usize, got: usize) -> ShapeError {
    let axis = ["down", "across"][axis];
    ShapeError::TooSmall { layer: node.name.clone(), axis, need, got }
}

fn infer(node: &Node, reads: &[Shape4]) -> Result<Shape4, ShapeError> {
    let [n, c, h, w] = reads[0];
    let mismatch = |b| ShapeError::Mismatch { layer: node.name.clone(), a: reads[0], b };
    Ok(match &node.op {
        Op::Conv(conv) => {
            let reach = conv.kernel.map(|k| conv.dilation * (k - 1) + 1);
            let [h, w] = slid(node, [h, w], conv.margins(h, w), (reach, conv.stride))?;
            [n, conv.out, h, w]
        }
        Op::ConvTranspose(t) => [n, t.out, t.extent(h).0, t.extent(w).0],
        Op::Linear { out } => [n, *out, 1, 1],
        Op::Pool(pool) => {
            let margins = [h, w].map(|size| pool.pad.margins(size, pool.kernel, pool.stride));
            let [h, w] = slid(node, [h, w], margins, ([pool.kernel; 2], pool.stride))?;
            [n, c, h, w]
        }
        Op::AdaptiveAvgPool { height, width } => [n, c, *height, *width],
        Op::Resize { factor, .. } => [n, c, h * factor, w * factor],
        Op::Pad { mode, sides } => padded(node, reads[0], *mode, *sides)?,
        Op::Crop { sides } => cropped(node, reads[0], *sides)?,
        Op::Add if reads[1] != reads[0] => return Err(mismatch(reads[1])),
        Op::Mul if reads[1] != reads[0] && reads[1] != [n, c, 1, 1] => {
            return Err(mismatch(reads[1]));
        }
        Op::Concat => {
            let other = reads.iter().find(|r| [r[0], r[2], r[3]] != [n, h, w]);
            if let Some(&other) = other {
                return Err(mismatch(other));
            }
            [n, reads.iter().map(|r| r[1]).sum(), h, w]
        }
        Op::BroadcastSpace if [h, w] != [1, 1] || reads[1][0] != n => {
            return Err(mismatch(reads[1]));
        }
        Op::BroadcastSpace => [n, c, reads[1][2], reads[1][3]],
        Op::Flatten => [n, c * h * w, 1, 1],
        _ => reads[0],
    })
}

fn padded(
    node: &Node,
    [n, c, h, w]: Shape4,
    mode: PadMode,
    [t, b, l, r]: [usize; 4],
) -> Result<Shape4, ShapeError> {
    for (axis, size, sides) in [(0, h, [t, b]), (1, w, [l, r])] {
        for before in sides {
            fits(node, axis, size, Margins { before, after: 0, mode })?;
        }
    }
    Ok([n, c, h + t + b, w + l + r])
}

fn cropped(
    node: &Node,
    [n, c, h, w]: Shape4,
    [t, b, l, r]: [usize; 4],
) -> Result<Shape4, ShapeError> {
    for (axis, size, cut) in [(0, h, t + b), (1, w, l + r)] {
        if size <= cut {
            return Err(too_small(node, axis, cut + 1, size));
        }
    }
    Ok([n, c, h - t - b, w - l - r])
}

/// How many [`windows`] there are down and across.
fn slid(
    node: &Node,
    [h, w]: [usize; 2],
    [down, across]: [Margins; 2],
    ([tall, wide], stride): ([usize; 2], usize),
) -> Result<[usize; 2], ShapeError> {
    let down = windows(node, 0, (h, down), (tall, stride))?;
    Ok([down, windows(node, 1, (w, across), (wide, stride))?])
}

/// How many windows of `reach` pixels, `stride` apart, fit on `size` pixels with their border.
fn windows(
    node: &Node,
    axis: usize,
    (size, margins): (usize, Margins),
    (reach, stride): (usize, usize),
) -> Result<usize, ShapeError> {
    fits(node, axis, size, margins)?;
    let padded = size + margins.before + margins.after;
    if padded < reach {
        let need = reach - margins.before - margins.after;
        return Err(too_small(node, axis, need, size));
    }
    Ok((padded - reach) / stride + 1)
}

/// A mirrored border must be narrower than the picture.
fn fits(node: &Node, axis: usize, size: usize, margins: Margins) -> Result<(), ShapeError> {
    let widest = margins.before.max(margins.after);
    if margins.mode == PadMode::Reflect && widest >= size {
        return Err(too_small(node, axis, widest + 1, size));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Builder, Pool, PoolKind};

    fn out(
        build: impl FnOnce(&mut Builder, NodeId) -> NodeId,
        hw: [usize; 2],
    ) -> Result<Shape4, ShapeError> {
        let mut g = Builder::new("test");
        let x = g.input("x", 4);
        let y = build(&mut g, x);
        let g = g.finish(y);
        Ok(g.shapes(&[[2, 4, hw[0], hw[1]]])?[g.output().index()])
    }

    #[test]
    fn sizes_follow_pytorch_and_tensorflow() {
        let conv = |c: Conv, hw| out(|g, x| g.conv("c", x, c), hw).unwrap();
        assert_eq!(conv(Conv::new(8, 3), [5, 7]), [2, 8, 3, 5]);
        assert_eq!(conv(Conv::same(8, 3, PadMode::Reflect).stride(2), [5, 8]), [2, 8, 3, 4]);
        assert_eq!(conv(Conv::new(8, 3).dilation(2), [5, 9]), [2, 8, 1, 5]);
        assert_eq!(conv(Conv::new(8, 3).stride(2).pad(Padding::Same), [5, 8]), [2, 8, 3, 4]);
        let t = |pad| ConvTranspose { out: 3, kernel: 3, stride: 2, pad, bias: true };
        let torch = TransposePadding::Torch { padding: 1, output: 1 };
        let up = |pad| out(|g, x| g.conv_transpose("t", x, t(pad)), [5, 7]).unwrap();
        assert_eq!(up(torch), [2, 3, 10, 14]);
        assert_eq!(up(TransposePadding::Same), [2, 3, 10, 14]);
        let pool = out(|g, x| g.pool("p", x, Pool::new(PoolKind::Max, 2)), [5, 7]).unwrap();
        assert_eq!(pool, [2, 4, 2, 3]);
    }

    #[test]
    fn an_input_without_a_plane_is_told_from_a_picture() {
        let mut g = Builder::new("test");
        let (x, classes) = (g.input("x", 4), g.input("classes", 7));
        let seen = g.broadcast_space(classes, x);
        let y = g.concat(&[x, seen]);
        assert_eq!(g.finish(y).input_shapes(2, [5, 6]), [[2, 4, 5, 6], [2, 7, 1, 1]]);
    }

    #[test]
    fn a_dense_layer_wants_its_own_number_of_features() {
        let dense = |hw| {
            out(
                |g, x| {
                    let x = g.flatten(x);
                    g.linear("dense", x, 4 * 6, 5)
                },
                hw,
            )
        };
        assert_eq!(dense([2, 3]), Ok([2, 5, 1, 1]));
        let message = dense([3, 3]).unwrap_err().to_string();
        assert!(message.starts_with("layer \"dense\" has weights for 24 features, 36 reach it"));
    }

    #[test]
    fn same_padding_puts_the_odd_pixel_last() {
        let m = Padding::Same.margins(8, 3, 2);
        assert_eq!((m.before, m.after), (0, 1));
        let m = Padding::Same.margins(7, 3, 2);
        assert_eq!((m.before, m.after), (1, 1));
    }

    #[test]
    fn a_picture_too_small_is_told_the_layer_and_the_size() {
        let reflect = out(|g, x| g.conv("conv1", x, Conv::same(8, 9, PadMode::Reflect)), [4, 40]);
        let message = reflect.unwrap_err().to_string();
        assert_eq!(message, "layer \"conv1\" needs at least 5 pixels down, 4 reach it");
        let valid = out(|g, x| g.conv("conv1", x, Conv::new(8, 9)), [40, 4]);
        assert!(valid.unwrap_err().to_string().contains("at least 9 pixels across"));
    }
}
