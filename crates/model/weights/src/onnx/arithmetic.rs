//! Sums, differences, products and quotients.

use graph::Conv;
use tensor::Tensor;

use super::build::{Build, Data, said};
use super::file::Node;
use super::{corrupt, unsupported};
use crate::WeightsError;

type Made = Result<Option<Data>, WeightsError>;

impl<'f> Build<'f, '_> {
    /// `Add`, `Sub`, `Mul` and `Div`.
    pub(super) fn arithmetic(&mut self, node: &Node<'f>) -> Made {
        match [self.is_constant(node, 0)?, self.is_constant(node, 1)?] {
            [false, false] => self.of_two(node),
            [false, true] => self.with_constant(node, 0, 1),
            [true, false] => self.with_constant(node, 1, 0),
            [true, true] => Err(unsupported(format!("{} of two constants", said(node)))),
        }
    }

    fn of_two(&mut self, node: &Node<'f>) -> Made {
        let (a, b) = (self.data(node, 0)?, self.data(node, 1)?);
        let growth = a.growth.max(b.growth);
        if a.rank != b.rank {
            return Err(unsupported(format!("{} of planes and a list", said(node))));
        }
        let id = match node.op {
            "Add" => self.graph.add(a.id, b.id),
            "Sub" => {
                let minus = self.graph.scale(b.id, -1.0, 0.0);
                let name = self.free_name(&format!("{}.minus", node.outputs[0]));
                let minus = self.graph.tap(minus, &name);
                self.graph.add(a.id, minus)
            }
            // One value for each channel comes second.
            "Mul" if a.is_pixel && !b.is_pixel => self.graph.mul(b.id, a.id),
            "Mul" => self.graph.mul(a.id, b.id),
            _ => return Err(unsupported(format!("operator Div ({}) by data", said(node)))),
        };
        let id = self.named(node, id);
        Ok(Some(Data { id, is_pixel: a.is_pixel && b.is_pixel, growth, ..a }))
    }

    /// Data at one place and a constant at the other.
    fn with_constant(&mut self, node: &Node<'f>, data: usize, constant: usize) -> Made {
        let x = self.data(node, data)?;
        let proto = self.constant(node, constant)?.map(|c| (c.scalar(), c.proto.clone()));
        let (scalar, proto) = proto.ok_or_else(|| corrupt(said(node)))?;
        if let Some(value) = scalar {
            let (scale, shift) = affine(node, value, data)?;
            let id = self.graph.scale(x.id, scale, shift);
            let id = self.named(node, id);
            return Ok(Some(Data { id, ..x }));
        }
        let channels = self.known_channels(node, x)?;
        // One value for each channel: [1, C, 1, 1], [C, 1, 1], or [C] of a list.
        let mut sides = proto.shape.clone();
        while sides.first() == Some(&1) {
            sides.remove(0);
        }
        let is_per_channel =
            if x.rank == 4 { sides == [channels, 1, 1] } else { sides == [channels] };
        if !is_per_channel {
            let what = format!("{} with a constant of shape {:?}", said(node), proto.shape);
            return Err(unsupported(what));
        }
        let values = self.values_of(&proto)?;
        if let Some(layer) = self.bare.remove(&x.id)
            && node.op == "Add"
            && self.is_read_once(node, data)
        {
            self.put(&layer, "bias", Tensor::new([channels], values));
            return Ok(Some(x));
        }
        self.per_channel(node, x, &values, data)
    }

    /// A convolution with one tap for each channel.
    fn per_channel(&mut self, node: &Node<'f>, x: Data, values: &[f32], data: usize) -> Made {
        let pairs = values.iter().map(|&value| affine(node, value, data));
        let (scales, shifts): (Vec<f32>, Vec<f32>) =
            pairs.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
        let channels = values.len();
        let name = self.name(node);
        let id = self.graph.conv(&name, x.id, Conv::new(channels, 1).groups(channels));
        self.put(&name, "weight", Tensor::new([channels, 1, 1, 1], scales));
        self.put(&name, "bias", Tensor::new([channels], shifts));
        Ok(Some(Data { id, ..x }))
    }
}

/// Scale and shift of an operator with a constant; `data` is the place of what is computed.
fn affine(node: &Node<'_>, value: f32, data: usize) -> Result<(f32, f32), WeightsError> {
    Ok(match (node.op, data) {
        ("Add", _) => (1.0, value),
        ("Sub", 0) => (1.0, -value),
        ("Sub", _) => (-1.0, value),
        ("Mul", _) => (value, 0.0),
        ("Div", 0) => (1.0 / value, 0.0),
        _ => return Err(unsupported(format!("operator Div ({}) by data", said(node)))),
    })
}
