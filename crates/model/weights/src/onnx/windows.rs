//! Operators on windows of planes, and those that change the planes' size.

use graph::{Filter, PadMode, Padding, Pool, PoolKind};

use super::build::{Build, Data, said};
use super::constants::Constant;
use super::file::Node;
use super::layers::Made;
use super::settings::{Border, border, both};
use super::unsupported;

impl<'f> Build<'f, '_> {
    pub(super) fn pool(&mut self, node: &Node<'f>) -> Made {
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

    pub(super) fn mean(&mut self, node: &Node<'f>) -> Made {
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

    pub(super) fn resize(&mut self, node: &Node<'f>) -> Made {
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
        let filter = match filter(node) {
            Ok(filter) => filter,
            Err(mode) => return refused(&format!("in mode {mode}")),
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 64")]
        let factor = h as usize;
        let id = self.graph.resize(data.id, filter, factor);
        let id = self.named(node, id);
        let growth = data.growth.saturating_mul(factor as u64);
        Ok(Some(Data { id, is_pixel: false, growth, ..data }))
    }

    pub(super) fn pad(&mut self, node: &Node<'f>) -> Made {
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
}

/// How a resize's values come about, or in words how it would have them.
fn filter(node: &Node) -> Result<Filter, String> {
    let usual = if node.op == "Resize" { "half_pixel" } else { "asymmetric" };
    let corners = node.text("coordinate_transformation_mode", usual);
    let rounding = node.text("nearest_mode", "round_prefer_floor");
    let is_half = matches!(corners, "half_pixel" | "pytorch_half_pixel");
    let rounds = if is_half {
        rounding.starts_with("round")
    } else {
        corners == "asymmetric" && (rounding == "floor" || node.op == "Upsample")
    };
    match node.text("mode", "nearest") {
        "nearest" if rounds => Ok(Filter::Nearest),
        "linear" if is_half => Ok(Filter::Bilinear),
        mode => Err(format!("{mode} {corners} {rounding}")),
    }
}
