//! Operators that compute nothing: constants, and what exporters do with shapes.

use super::build::{Build, Data, Value, said};
use super::constants::Constant;
use super::file::Node;
use super::unsupported;
use crate::WeightsError;

/// More numbers than any shape has.
const MOST: i64 = 64;

impl<'f> Build<'f, '_> {
    /// The value of an operator on shapes; `None` if it is another, or one on data.
    pub(super) fn shape_op(&mut self, node: &Node<'f>) -> Result<Option<Value<'f>>, WeightsError> {
        match node.op {
            "Constant" => constant(node).map(Some),
            "Identity" | "Cast" => Ok(self.value(node, 0)?.cloned()),
            "Shape" => {
                let data = self.data(node, 0)?;
                // The batch is anybody's guess, and the sides are the picture's.
                let mut dims = vec![None; data.rank];
                dims[1] = self.graph.channels(data.id).and_then(|c| i64::try_from(c).ok());
                Ok(Some(Value::Dims(dims)))
            }
            "Flatten" => {
                let axis = node.int("axis", 1);
                let data = self.data(node, 0)?;
                if axis != 1 && axis != 1 - data.rank.cast_signed() as i64 {
                    return Err(unsupported(format!("{} at axis {axis}", said(node))));
                }
                Ok(Some(self.flat(node, data)))
            }
            "Reshape" => self.reshape(node).map(Some),
            "Squeeze" | "Unsqueeze" | "Gather" | "Concat" => self.of_dims(node),
            "ConstantOfShape" => self.zeros(node).map(Some),
            "Slice" | "Transpose" => self.of_table(node),
            _ => Ok(None),
        }
    }

    fn flat(&mut self, node: &Node<'f>, data: Data) -> Value<'f> {
        if data.rank == 2 || data.is_pixel {
            return Value::Data(Data { rank: 2, ..data });
        }
        let id = self.graph.flatten(data.id);
        let id = self.named(node, id);
        Value::Data(Data { id, rank: 2, is_pixel: true, ..data })
    }

    /// A reshaping that is a flattening, or that only adds or drops sides of 1.
    fn reshape(&mut self, node: &Node<'f>) -> Result<Value<'f>, WeightsError> {
        if let Some(value) = self.reshaped_table(node)? {
            return Ok(value);
        }
        let data = self.data(node, 0)?;
        match self.dims(node, 1)?.as_deref() {
            // The first is the batch, whatever it is said to be.
            Some([_, Some(n)]) if *n == -1 || *n > 1 => Ok(self.flat(node, data)),
            Some([_, None]) => Ok(self.flat(node, data)),
            Some([_, _, Some(1), Some(1)]) if data.is_pixel => {
                Ok(Value::Data(Data { rank: 4, ..data }))
            }
            to => Err(unsupported(format!("{} to {to:?}", said(node)))),
        }
    }

    /// Numbers in pairs, and pairs as numbers again: PyTorch turns its borders into ONNX's
    /// within the model, by `ConstantOfShape`, `Concat`, `Reshape`, `Slice`, `Transpose`.
    fn reshaped_table(&self, node: &Node<'f>) -> Result<Option<Value<'f>>, WeightsError> {
        if let Some(Value::Table(rows)) = self.value(node, 0)? {
            return Ok(Some(Value::Dims(rows.concat())));
        }
        let Some(dims) = self.dims(node, 0)? else { return Ok(None) };
        match self.dims(node, 1)?.as_deref() {
            Some([Some(-1), Some(2)]) if dims.len().is_multiple_of(2) => {
                Ok(Some(Value::Table(dims.chunks(2).map(<[_]>::to_vec).collect())))
            }
            to => Err(unsupported(format!("{} of numbers to {to:?}", said(node)))),
        }
    }

    fn of_table(&self, node: &Node<'f>) -> Result<Option<Value<'f>>, WeightsError> {
        let Some(Value::Table(rows)) = self.value(node, 0)? else { return Ok(None) };
        let rows = match node.op {
            "Slice" => {
                let one = |index| {
                    self.dims(node, index)
                        .map(|dims| dims.and_then(|d| d.first().copied().flatten()))
                };
                let all = [one(1)?, one(3)?, one(4)?];
                let ends = one(2)?.is_some_and(|end| end < -MOST);
                if all != [Some(-1), Some(0), Some(-1)] || !ends {
                    return Err(unsupported(format!("{} of numbers", said(node))));
                }
                rows.iter().rev().cloned().collect()
            }
            _ => (0..2)
                .map(|i| rows.iter().map(|row| row.get(i).copied().flatten()).collect())
                .collect(),
        };
        Ok(Some(Value::Table(rows)))
    }

    /// A few zeros.
    fn zeros(&self, node: &Node<'f>) -> Result<Value<'f>, WeightsError> {
        let fill = node.attribute("value").and_then(|a| a.tensor.as_ref()?.ints());
        match (self.dims(node, 0)?.as_deref(), fill.as_deref()) {
            (Some([Some(n @ 0..=MOST)]), Some([fill])) => {
                Ok(Value::Dims((0..*n).map(|_| Some(*fill)).collect()))
            }
            _ => Err(unsupported(format!("operator {} ({}) of this shape", node.op, said(node)))),
        }
    }

    /// An input as the numbers of a shape.
    pub(super) fn dims(
        &self,
        node: &Node<'f>,
        index: usize,
    ) -> Result<Option<Vec<Option<i64>>>, WeightsError> {
        Ok(match self.value(node, index)? {
            Some(Value::Dims(dims)) => Some(dims.clone()),
            Some(Value::Constant(c)) => c.ints().map(|ints| ints.into_iter().map(Some).collect()),
            _ => None,
        })
    }

    /// `Squeeze`, `Unsqueeze`, `Gather` and `Concat` where they do not compute.
    fn of_dims(&mut self, node: &Node<'f>) -> Result<Option<Value<'f>>, WeightsError> {
        let dims = self.dims(node, 0)?;
        match (node.op, dims) {
            ("Unsqueeze" | "Squeeze", Some(dims)) => Ok(Some(Value::Dims(dims))),
            ("Gather", Some(dims)) => {
                let index = self.constant(node, 1)?.and_then(Constant::ints);
                let found = match index.as_deref() {
                    Some([i]) => usize::try_from(*i).ok().and_then(|i| dims.get(i).copied()),
                    _ => None,
                };
                let wrong = || unsupported(format!("{} of several numbers", said(node)));
                Ok(Some(Value::Dims(vec![found.ok_or_else(wrong)?])))
            }
            ("Concat", Some(_)) => {
                let mut all = vec![];
                for index in 0..node.inputs.len() {
                    let wrong = || unsupported(format!("{} of a shape and data", said(node)));
                    all.extend(self.dims(node, index)?.ok_or_else(wrong)?);
                    if all.len() as u64 > MOST.cast_unsigned() {
                        return Err(unsupported(format!("{} of so many numbers", said(node))));
                    }
                }
                Ok(Some(Value::Dims(all)))
            }
            ("Squeeze" | "Unsqueeze", None) => {
                let data = self.data(node, 0)?;
                let mut axes = self.axes(node)?.unwrap_or_default();
                axes.iter_mut().filter(|axis| **axis < 0).for_each(|axis| *axis += 4);
                let rank = if node.op == "Squeeze" { 2 } else { 4 };
                if data.is_pixel && data.rank != rank && axes == [2, 3] {
                    return Ok(Some(Value::Data(Data { rank, ..data })));
                }
                Err(unsupported(format!("operator {} ({}) at axes {axes:?}", node.op, said(node))))
            }
            _ => Ok(None),
        }
    }

    /// The axes of an operator: an attribute once, an input since opset 13 or 18.
    pub(super) fn axes(&self, node: &Node<'f>) -> Result<Option<Vec<i64>>, WeightsError> {
        if let Some(axes) = node.ints("axes") {
            return Ok(Some(axes.to_vec()));
        }
        Ok(self.constant(node, 1)?.and_then(Constant::ints))
    }
}

/// The value of a `Constant` node.
fn constant<'f>(node: &Node<'f>) -> Result<Value<'f>, WeightsError> {
    if let Some(tensor) = node.attribute("value").and_then(|a| a.tensor.clone()) {
        return Ok(Value::Constant(Constant::new(tensor)));
    }
    if let Some(int) = node.attribute("value_int").and_then(|a| a.int) {
        return Ok(Value::Constant(Constant::of_ints(vec![int])));
    }
    if let Some(ints) = node.ints("value_ints") {
        return Ok(Value::Constant(Constant::of_ints(ints.to_vec())));
    }
    if let Some(float) = node.attribute("value_float").and_then(|a| a.float) {
        return Ok(Value::Constant(Constant::of_float(float)));
    }
    Err(unsupported(format!("a constant of its own kind ({})", said(node))))
}
