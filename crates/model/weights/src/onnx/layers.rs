//! Operators that become nodes of the graph.

use graph::{Activation, Conv, ConvTranspose, NodeId, PadMode, Padding, TransposePadding};
use tensor::Tensor;

use super::build::{Build, Data, Value, said};
use super::constants::Constant;
use super::file::Node;
use super::settings::{Border, border, both, is_borderless, positive};
use super::{corrupt, unsupported};
use crate::WeightsError;

pub(super) type Made = Result<Option<Data>, WeightsError>;

impl<'f> Build<'f, '_> {
    /// What an operator on data yields; `None` if there is no such operator here.
    pub(super) fn layer(&mut self, node: &Node<'f>) -> Made {
        let activation = |a| Some(a);
        let simple = match node.op {
            "Relu" => activation(Activation::Relu),
            "LeakyRelu" => activation(Activation::LeakyRelu(node.float("alpha", 0.01))),
            "Tanh" => activation(Activation::Tanh),
            "Sigmoid" => activation(Activation::Sigmoid),
            _ => None,
        };
        if let Some(activation) = simple {
            return self.unary(node, |this, x| this.graph.activation(x, activation));
        }
        match node.op {
            "Conv" => self.conv(node),
            "ConvTranspose" => self.conv_transpose(node),
            "Gemm" => self.gemm(node),
            "MatMul" => self.matmul(node),
            "BatchNormalization" | "InstanceNormalization" => self.norm(node),
            "Clip" => self.clip(node),
            "Softmax" => self.softmax(node),
            "MaxPool" | "AveragePool" => self.pool(node),
            "GlobalAveragePool" | "ReduceMean" => self.mean(node),
            "Resize" | "Upsample" => self.resize(node),
            "Pad" => self.pad(node),
            "Add" | "Sub" | "Mul" | "Div" => self.arithmetic(node),
            "Neg" => self.unary(node, |this, x| this.graph.scale(x, -1.0, 0.0)),
            "Concat" => self.concat(node),
            "Dropout" => {
                let share = self.constant(node, 1)?.and_then(Constant::scalar);
                let share = share.unwrap_or_else(|| node.float("ratio", 0.5));
                self.unary(node, |this, x| this.graph.dropout(x, share))
            }
            _ => Ok(None),
        }
    }

    fn unary(&mut self, node: &Node<'f>, make: impl FnOnce(&mut Self, NodeId) -> NodeId) -> Made {
        let data = self.data(node, 0)?;
        let id = make(self, data.id);
        let id = self.named(node, id);
        Ok(Some(Data { id, ..data }))
    }

    fn conv(&mut self, node: &Node<'f>) -> Made {
        let (data, channels) = self.planes(node, 0)?;
        let weight = self.tensor(node, 1, 4)?.ok_or_else(|| corrupt(said(node)))?;
        let &[out, per_group, kh, kw] = weight.shape() else { unreachable!() };
        let groups = positive(node, "group", node.int("group", 1))?;
        let fits = out.is_multiple_of(groups) && per_group.checked_mul(groups) == Some(channels);
        if !fits {
            let what =
                format!("{} of {groups} groups does not fit its {channels} channels", said(node));
            return Err(corrupt(what));
        }
        let name = self.name(node);
        let (x, pad) = match border(node)? {
            Border::Same => (data.id, Padding::Same),
            Border::Sides([t, b, l, r]) if t == b && t == l && t == r => {
                (data.id, Padding::Around(PadMode::Zero, t))
            }
            Border::Sides(sides) => {
                let x = self.graph.pad(data.id, PadMode::Zero, sides);
                let name = self.free_name(&format!("{name}.pad"));
                (self.graph.tap(x, &name), Padding::Around(PadMode::Zero, 0))
            }
        };
        let bias = self.tensor(node, 2, 1)?;
        let conv = Conv {
            out,
            kernel: [kh, kw],
            stride: both(node, "strides", 1)?,
            dilation: both(node, "dilations", 1)?,
            groups,
            pad,
            bias: bias.is_some(),
        };
        let id = self.graph.conv(&name, x, conv);
        self.finish(node, (&name, weight, bias), out)?;
        let keeps = x == data.id && conv.kernel == [1, 1] && is_borderless(pad);
        Ok(Some(Data { id, is_pixel: data.is_pixel && keeps, ..data }))
    }

    /// Puts a layer's weights beside it; a bias has one value for each of `out`.
    fn finish(
        &mut self,
        node: &Node<'f>,
        (name, weight, bias): (&str, Tensor, Option<Tensor>),
        out: usize,
    ) -> Result<(), WeightsError> {
        self.put(name, "weight", weight);
        if let Some(bias) = bias {
            if bias.data().len() != out {
                return Err(corrupt(format!(
                    "the bias of {} has shape {:?}",
                    said(node),
                    bias.shape()
                )));
            }
            self.put(name, "bias", bias.reshaped([out]));
        }
        Ok(())
    }

    fn conv_transpose(&mut self, node: &Node<'f>) -> Made {
        let (data, channels) = self.planes(node, 0)?;
        let weight = self.tensor(node, 1, 4)?.ok_or_else(|| corrupt(said(node)))?;
        let &[inputs, out, kh, kw] = weight.shape() else { unreachable!() };
        let stride = both(node, "strides", 1)?;
        let extra = node.ints("output_padding").unwrap_or(&[0]).to_vec();
        let output = usize::try_from(extra[0])
            .ok()
            .filter(|&o| o < stride && extra.iter().all(|e| *e == extra[0]));
        let is_plain = kh == kw
            && inputs == channels
            && node.int("group", 1) == 1
            && both(node, "dilations", 1)? == 1
            && node.ints("output_shape").is_none();
        let pad = match (border(node)?, output) {
            (Border::Same, Some(0)) if kh >= stride => Some(TransposePadding::Same),
            (Border::Sides([t, b, l, r]), Some(output)) if t == b && t == l && t == r && t < kh => {
                Some(TransposePadding::Torch { padding: t, output })
            }
            _ => None,
        };
        let Some(pad) = pad.filter(|_| is_plain) else {
            return Err(unsupported(format!(
                "operator {} ({}) with these settings",
                node.op,
                said(node)
            )));
        };
        let bias = self.tensor(node, 2, 1)?;
        let name = self.name(node);
        let settings = ConvTranspose { out, kernel: kh, stride, pad, bias: bias.is_some() };
        let id = self.graph.conv_transpose(&name, data.id, settings);
        self.finish(node, (&name, weight, bias), out)?;
        let growth = data.growth.saturating_mul(stride as u64);
        Ok(Some(Data { id, is_pixel: false, growth, ..data }))
    }

    fn gemm(&mut self, node: &Node<'f>) -> Made {
        let is_plain = node.int("transA", 0) == 0
            && node.float("alpha", 1.0).to_bits() == 1f32.to_bits()
            && node.float("beta", 1.0).to_bits() == 1f32.to_bits();
        if !is_plain {
            return Err(unsupported(format!("operator Gemm ({}) with these settings", said(node))));
        }
        let weight = self.tensor(node, 1, 2)?.ok_or_else(|| corrupt(said(node)))?;
        let weight = if node.int("transB", 0) == 0 { weight.permuted(&[1, 0]) } else { weight };
        let rank = self.constant(node, 2)?.map_or(1, |bias| bias.proto.shape.len());
        let bias = self.tensor(node, 2, rank)?;
        self.linear(node, weight, bias).map(|(data, _)| Some(data))
    }

    fn matmul(&mut self, node: &Node<'f>) -> Made {
        let weight = self.tensor(node, 1, 2)?.ok_or_else(|| corrupt(said(node)))?;
        let (data, name) = self.linear(node, weight.permuted(&[1, 0]), None)?;
        self.bare.insert(data.id, name);
        Ok(Some(data))
    }

    /// A linear layer with this weight, `[out, features]`; without a bias, with zeros.
    fn linear(
        &mut self,
        node: &Node<'f>,
        weight: Tensor,
        bias: Option<Tensor>,
    ) -> Result<(Data, String), WeightsError> {
        let data = self.data(node, 0)?;
        let &[out, features] = weight.shape() else { unreachable!() };
        let reach = self.graph.channels(data.id);
        if data.rank != 2 || reach.is_some_and(|reach| reach != features) {
            let what = format!("{} takes {features} features, and other data reach it", said(node));
            return Err(unsupported(what));
        }
        let name = self.name(node);
        let id = self.graph.linear(&name, data.id, features, out);
        let bias = bias.unwrap_or_else(|| Tensor::zeros([out]));
        self.finish(node, (&name, weight, Some(bias)), out)?;
        Ok((Data { id, is_pixel: true, ..data }, name))
    }

    fn norm(&mut self, node: &Node<'f>) -> Made {
        let data = self.data(node, 0)?;
        let channels = self.known_channels(node, data)?;
        let is_batch = node.op == "BatchNormalization";
        if is_batch && node.int("training_mode", 0) != 0 {
            return Err(unsupported(format!("operator {} ({}) in training", node.op, said(node))));
        }
        let parts = ["weight", "bias", "running_mean", "running_var"];
        let name = self.name(node);
        for (index, part) in (1..).zip(&parts[..if is_batch { 4 } else { 2 }]) {
            let values = self.tensor(node, index, 1)?.ok_or_else(|| corrupt(said(node)))?;
            if values.shape() != [channels] {
                let what = format!(
                    "{} has {channels} channels and {:?} of {part}",
                    said(node),
                    values.shape()
                );
                return Err(corrupt(what));
            }
            self.put(&name, part, values);
        }
        let eps = node.float("epsilon", 1e-5);
        let id = if is_batch {
            self.graph.batch_norm(&name, data.id, eps)
        } else {
            self.graph.instance_norm(&name, data.id, eps)
        };
        Ok(Some(Data { id, ..data }))
    }

    fn clip(&mut self, node: &Node<'f>) -> Made {
        let bound = |this: &Self, index, name| -> Result<Option<f32>, WeightsError> {
            let input = this.constant(node, index)?.and_then(Constant::scalar);
            Ok(input.or_else(|| node.attribute(name).and_then(|a| a.float)))
        };
        match (bound(self, 1, "min")?, bound(self, 2, "max")?) {
            (Some(0.0), Some(6.0)) => {
                self.unary(node, |this, x| this.graph.activation(x, Activation::Relu6))
            }
            (Some(0.0), None) => self.unary(node, |this, x| this.graph.relu(x)),
            (min, max) => {
                Err(unsupported(format!("operator Clip ({}) to {min:?}..{max:?}", said(node))))
            }
        }
    }

    fn softmax(&mut self, node: &Node<'f>) -> Made {
        let data = self.data(node, 0)?;
        let axis = node.int("axis", -1);
        let axis = if axis < 0 { axis + if data.rank == 2 { 2 } else { 4 } } else { axis };
        if axis != 1 {
            return Err(unsupported(format!("operator Softmax ({}) over axis {axis}", said(node))));
        }
        self.unary(node, |this, x| this.graph.softmax(x))
    }

    fn concat(&mut self, node: &Node<'f>) -> Made {
        let mut parts = vec![];
        let mut growth = 1;
        let mut channels = 0usize;
        let mut last = None;
        for index in 0..node.inputs.len() {
            let data = self.data(node, index)?;
            channels = channels.saturating_add(self.known_channels(node, data)?);
            growth = growth.max(data.growth);
            parts.push(data.id);
            last = Some(data);
        }
        let last = last.ok_or_else(|| corrupt(said(node)))?;
        let axis = node.int("axis", 1);
        if axis != 1 && axis != if last.rank == 2 { -1 } else { -3 } {
            return Err(unsupported(format!("operator Concat ({}) of axis {axis}", said(node))));
        }
        if channels > 1 << 24 {
            return Err(unsupported(format!("so many channels of {}", said(node))));
        }
        let id = self.graph.concat(&parts);
        let id = self.named(node, id);
        Ok(Some(Data { id, growth, ..last }))
    }

    /// `[N, C, H, W]` whose channels are known, and how many they are.
    pub(super) fn planes(
        &self,
        node: &Node<'f>,
        index: usize,
    ) -> Result<(Data, usize), WeightsError> {
        let data = self.data(node, index)?;
        if data.rank != 4 {
            return Err(unsupported(format!("{} behind a flattening", said(node))));
        }
        Ok((data, self.known_channels(node, data)?))
    }

    pub(super) fn known_channels(
        &self,
        node: &Node<'f>,
        data: Data,
    ) -> Result<usize, WeightsError> {
        let known = self.graph.channels(data.id);
        known.ok_or_else(|| unsupported(format!("{} behind a flattening", said(node))))
    }

    /// Whether an input of an operator on two is constant.
    pub(super) fn is_constant(&self, node: &Node<'f>, index: usize) -> Result<bool, WeightsError> {
        Ok(matches!(self.value(node, index)?, Some(Value::Constant(_))))
    }
}
