//! Operators that become nodes of the graph.

use graph::{
    Activation, Conv, ConvTranspose, Filter, NodeId, PadMode, Padding, Pool, PoolKind,
    TransposePadding,
};
use tensor::Tensor;

use super::build::{Build, Data, Value, said};
use super::constants::Constant;
use super::file::Node;
use super::{corrupt, unsupported};
use crate::WeightsError;

/// No stride, kernel, border or dilation is larger.
const MAX_SIDE: i64 = 4096;

type Made = Result<Option<Data>, WeightsError>;

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

    fn pool(&mut self, node: &Node<'f>) -> Made {
        let (data, _) = self.planes(node, 0)?;
        let kernel = both(node, "kernel_shape", 0)?;
        let stride = both(node, "strides", 1)?;
        let kind = match node.op {
            "MaxPool" => PoolKind::Max,
            _ if node.int("count_include_pad", 0) == 0 => PoolKind::AverageInside,
            _ => PoolKind::Average,
        };
        let is_ceil = node.int("ceil_mode", 0) != 0;
        let pad = match border(node)? {
            Border::Same => Some(Padding::Same),
            // A window of two that hangs over is that of `SAME`.
            Border::Sides([0, 0, 0, 0]) if is_ceil && kernel == 2 && stride == 2 => {
                Some(Padding::Same)
            }
            Border::Sides([t, b, l, r]) if !is_ceil && t == b && t == l && t == r && t < kernel => {
                Some(Padding::Around(PadMode::Zero, t))
            }
            Border::Sides(_) => None,
        };
        let is_plain = both(node, "dilations", 1)? == 1 && node.outputs.len() == 1;
        let Some(pad) = pad.filter(|_| is_plain) else {
            return Err(unsupported(format!(
                "operator {} ({}) with these settings",
                node.op,
                said(node)
            )));
        };
        let name = self.name(node);
        let id = self.graph.pool(&name, data.id, Pool { kind, kernel, stride, pad });
        Ok(Some(Data { id, ..data }))
    }

    fn mean(&mut self, node: &Node<'f>) -> Made {
        let (data, _) = self.planes(node, 0)?;
        let mut rank = 4;
        if node.op == "ReduceMean" {
            let mut axes = self.axes(node)?.unwrap_or_default();
            axes.iter_mut().filter(|axis| **axis < 0).for_each(|axis| *axis += 4);
            axes.sort_unstable();
            if axes != [2, 3] {
                return Err(unsupported(format!(
                    "operator ReduceMean ({}) over {axes:?}",
                    said(node)
                )));
            }
            rank = if node.int("keepdims", 1) == 0 { 2 } else { 4 };
        }
        let id = self.graph.adaptive_avg_pool(data.id, [1, 1]);
        let id = self.named(node, id);
        Ok(Some(Data { id, rank, is_pixel: true, growth: 1 }))
    }

    fn resize(&mut self, node: &Node<'f>) -> Made {
        let (data, _) = self.planes(node, 0)?;
        let refused =
            |what: &str| Err(unsupported(format!("operator {} ({}) {what}", node.op, said(node))));
        let place = if node.op == "Resize" { 2 } else { 1 };
        let scales = self.constant(node, place)?.and_then(Constant::floats);
        let scales = scales.or_else(|| node.attribute("scales").map(|a| a.floats.clone()));
        let Some([n, c, h, w]) = scales.and_then(|s| <[f32; 4]>::try_from(s).ok()) else {
            return refused("by sizes");
        };
        let is_one = |v: f32| v.to_bits() == 1f32.to_bits();
        let is_whole = is_one(n) && is_one(c) && h.to_bits() == w.to_bits() && h.fract() == 0.0;
        if !is_whole || !(1.0..=64.0).contains(&h) {
            return refused(&format!("by {:?}", [n, c, h, w]));
        }
        let corners = node.text(
            "coordinate_transformation_mode",
            match node.op {
                "Resize" => "half_pixel",
                _ => "asymmetric",
            },
        );
        let rounding = node.text("nearest_mode", "round_prefer_floor");
        let is_half = matches!(corners, "half_pixel" | "pytorch_half_pixel");
        let filter = match node.text("mode", "nearest") {
            "nearest" if is_half && rounding.starts_with("round") => Filter::Nearest,
            "nearest"
                if corners == "asymmetric" && (rounding == "floor" || node.op == "Upsample") =>
            {
                Filter::Nearest
            }
            "linear" if is_half => Filter::Bilinear,
            mode => return refused(&format!("in mode {mode} {corners} {rounding}")),
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 64")]
        let factor = h as usize;
        let id = self.graph.resize(data.id, filter, factor);
        let id = self.named(node, id);
        let growth = data.growth.saturating_mul(factor as u64);
        Ok(Some(Data { id, is_pixel: false, growth, ..data }))
    }

    fn pad(&mut self, node: &Node<'f>) -> Made {
        let (data, _) = self.planes(node, 0)?;
        let refused = || unsupported(format!("operator Pad ({}) with these settings", said(node)));
        let pads: Option<Vec<i64>> = self.dims(node, 1)?.and_then(|d| d.into_iter().collect());
        let pads = pads.or_else(|| node.ints("pads").map(<[i64]>::to_vec)).ok_or_else(refused)?;
        let Ok([0, 0, t, l, 0, 0, b, r]) = <[i64; 8]>::try_from(pads) else {
            return Err(refused());
        };
        let sides = |sign: i64| {
            let side = |n: i64| usize::try_from(n.checked_mul(sign)?).ok().filter(|&n| n <= 4096);
            Some([side(t)?, side(b)?, side(l)?, side(r)?])
        };
        let value = match self.constant(node, 2)? {
            Some(value) => value.scalar().ok_or_else(refused)?,
            None => node.float("value", 0.0),
        };
        let mode = match node.text("mode", "constant") {
            "constant" if value == 0.0 => PadMode::Zero,
            "reflect" => PadMode::Reflect,
            "edge" => PadMode::Replicate,
            _ => return Err(refused()),
        };
        let id = match (sides(1), sides(-1)) {
            (Some(sides), _) => self.graph.pad(data.id, mode, sides),
            (_, Some(sides)) => self.graph.crop(data.id, sides),
            _ => return Err(refused()),
        };
        let id = self.named(node, id);
        Ok(Some(Data { id, is_pixel: false, ..data }))
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
    fn planes(&self, node: &Node<'f>, index: usize) -> Result<(Data, usize), WeightsError> {
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

/// The border of a window: at the top, bottom, left and right.
enum Border {
    Same,
    Sides([usize; 4]),
}

fn border(node: &Node<'_>) -> Result<Border, WeightsError> {
    match node.text("auto_pad", "NOTSET") {
        "SAME_UPPER" => return Ok(Border::Same),
        "VALID" => return Ok(Border::Sides([0; 4])),
        "NOTSET" | "" => {}
        other => return Err(unsupported(format!("border {other} of {}", said(node)))),
    }
    let pads = node.ints("pads").unwrap_or(&[0; 4]);
    let side = |n: i64| usize::try_from(n).ok().filter(|_| n <= MAX_SIDE);
    let sides = match *pads {
        [t, l, b, r] => (|| Some([side(t)?, side(b)?, side(l)?, side(r)?]))(),
        _ => None,
    };
    let wrong = || unsupported(format!("border {pads:?} of {}", said(node)));
    sides.map(Border::Sides).ok_or_else(wrong)
}

/// Whether one pixel under a kernel of one stays one.
fn is_borderless(pad: Padding) -> bool {
    matches!(pad, Padding::Same | Padding::Around(_, 0))
}

/// A setting that must be the same down and across, and positive.
fn both(node: &Node<'_>, name: &str, default: i64) -> Result<usize, WeightsError> {
    match *node.ints(name).unwrap_or(&[default, default]) {
        [down, across] if down == across => positive(node, name, down),
        ref other => Err(unsupported(format!("{name} {other:?} of {}", said(node)))),
    }
}

fn positive(node: &Node<'_>, name: &str, n: i64) -> Result<usize, WeightsError> {
    let number = usize::try_from(n).ok().filter(|_| (1..=MAX_SIDE).contains(&n));
    number.ok_or_else(|| unsupported(format!("{name} {n} of {}", said(node))))
}
