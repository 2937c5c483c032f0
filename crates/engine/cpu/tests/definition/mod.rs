//! What every operation is: nested loops in `f64`, with no thought for speed.

pub(crate) mod array;
mod values;
mod windows;

use graph::{Graph, Op, Shape4};

pub(crate) use array::Array;

/// What a run gives.
pub(crate) struct Run {
    /// The output of every node.
    pub(crate) values: Vec<Array>,
    /// On which side of each corner the run went, and which pixel was a
    /// window's largest: where two runs differ in this, the function between
    /// them has no derivative.
    pub(crate) branches: Vec<usize>,
}

/// Runs a graph on inputs of these shapes. `params` are in the graph's order.
pub(crate) fn run(graph: &Graph, inputs: &[Array], params: &[Vec<f64>]) -> Run {
    let given: Vec<Shape4> = inputs.iter().map(|x| x.shape).collect();
    let shapes = graph.shapes(&given).unwrap();
    let mut inputs = inputs.iter();
    let mut branches = vec![];
    let mut values: Vec<Array> = vec![];
    for (node, &shape) in graph.nodes().iter().zip(&shapes) {
        let xs: Vec<&Array> = node.inputs.iter().map(|i| &values[i.index()]).collect();
        let held: Vec<&[f64]> = node.params.iter().map(|&p| &params[p][..]).collect();
        values.push(match node.op {
            Op::Input { .. } => inputs.next().unwrap().clone(),
            ref op => compute(op, shape, (&xs, &held), &mut branches),
        });
    }
    Run { values, branches }
}

fn compute(
    op: &Op,
    shape: Shape4,
    (xs, params): (&[&Array], &[&[f64]]),
    branches: &mut Vec<usize>,
) -> Array {
    let x = xs[0];
    match op {
        Op::Conv(c) => windows::conv(c, shape, x, params),
        Op::ConvTranspose(t) => windows::conv_transpose(t, shape, x, params),
        Op::Pool(p) => windows::pool(*p, shape, x, branches),
        Op::AdaptiveAvgPool { .. } => windows::adaptive_average(shape, x),
        Op::Resize { filter, factor } => windows::resize(*filter, *factor, shape, x),
        Op::Pad { mode, sides } => {
            Array::of(shape, |[n, c, y, z]| x.beyond([n, c], [y, z], [sides[0], sides[2]], *mode))
        }
        Op::Crop { sides } => {
            Array::of(shape, |[n, c, y, z]| x.at([n, c, y + sides[0], z + sides[2]]))
        }
        Op::Linear { .. } => values::linear(shape, x, params),
        Op::InstanceNorm { eps, .. } => values::instance_norm(f64::from(*eps), x, params),
        Op::BatchNorm { eps } => values::batch_norm(f64::from(*eps), x, params),
        Op::Activation(a) => values::activation(*a, x, branches),
        Op::Softmax => values::softmax(x),
        Op::Add => Array::of(shape, |at| x.at(at) + xs[1].at(at)),
        Op::Mul => Array::of(shape, |at| x.at(at) * xs[1].repeated(at)),
        Op::Scale { scale, shift } => {
            Array::of(shape, |at| x.at(at) * f64::from(*scale) + f64::from(*shift))
        }
        Op::Concat => values::concat(shape, xs),
        Op::BroadcastSpace => Array::of(shape, |at| x.repeated(at)),
        Op::Flatten => Array { shape, data: x.data.clone() },
        Op::Dropout { .. } => x.clone(),
        other => unreachable!("{} is not defined here", other.kind()),
    }
}
