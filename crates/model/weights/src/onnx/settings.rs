//! Settings that several operators have.

use graph::Padding;

use super::build::said;
use super::file::Node;
use super::unsupported;
use crate::WeightsError;

/// No stride, kernel, border or dilation is larger.
const MAX_SIDE: i64 = 4096;

/// The border of a window: at the top, bottom, left and right.
pub(super) enum Border {
    Same,
    Sides([usize; 4]),
}

pub(super) fn border(node: &Node<'_>) -> Result<Border, WeightsError> {
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
pub(super) fn is_borderless(pad: Padding) -> bool {
    matches!(pad, Padding::Same | Padding::Around(_, 0))
}

/// A setting that must be the same down and across, and positive.
pub(super) fn both(node: &Node<'_>, name: &str, default: i64) -> Result<usize, WeightsError> {
    match *node.ints(name).unwrap_or(&[default, default]) {
        [down, across] if down == across => positive(node, name, down),
        ref other => Err(unsupported(format!("{name} {other:?} of {}", said(node)))),
    }
}

pub(super) fn positive(node: &Node<'_>, name: &str, n: i64) -> Result<usize, WeightsError> {
    let number = usize::try_from(n).ok().filter(|_| (1..=MAX_SIDE).contains(&n));
    number.ok_or_else(|| unsupported(format!("{name} {n} of {}", said(node))))
}
