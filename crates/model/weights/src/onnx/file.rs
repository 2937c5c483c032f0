//! ONNX's messages, as far as they are read.
//!
//! # Source
//!
//! `onnx/onnx.proto`, IR version 10; the numbers are its fields'.

use std::collections::BTreeMap;

use super::tensor_proto::TensorProto;
use super::{corrupt, unsupported};
use crate::Limits;
use crate::WeightsError;
use crate::checkpoint::MAX_RANK;
use crate::proto::{Field, fields, packed};

/// More than any operator lists, or any writer writes one by one.
pub(super) const MAX_LIST: usize = 1 << 16;

/// A `ModelProto`: what is left of it after reading.
#[derive(Debug, Default)]
pub(super) struct Model<'f> {
    pub(super) producer: String,
    pub(super) opset: u64,
    pub(super) nodes: Vec<Node<'f>>,
    pub(super) tensors: Vec<TensorProto<'f>>,
    pub(super) inputs: Vec<Input<'f>>,
    pub(super) outputs: Vec<&'f str>,
    pub(super) name: &'f str,
    pub(super) metadata: BTreeMap<String, String>,
}

/// A `NodeProto`.
#[derive(Debug, Default)]
pub(super) struct Node<'f> {
    pub(super) inputs: Vec<&'f str>,
    pub(super) outputs: Vec<&'f str>,
    pub(super) name: &'f str,
    pub(super) op: &'f str,
    pub(super) domain: &'f str,
    pub(super) attributes: Vec<(&'f str, Attribute<'f>)>,
}

/// An `AttributeProto`'s value.
#[derive(Debug, Default)]
pub(super) struct Attribute<'f> {
    pub(super) float: Option<f32>,
    pub(super) int: Option<i64>,
    pub(super) text: &'f [u8],
    pub(super) tensor: Option<TensorProto<'f>>,
    pub(super) floats: Vec<f32>,
    pub(super) ints: Vec<i64>,
}

/// A graph's input: its name and its shape, where that is given.
#[derive(Debug, Default)]
pub(super) struct Input<'f> {
    pub(super) name: &'f str,
    pub(super) shape: Vec<Option<usize>>,
}

impl<'f> Model<'f> {
    pub(super) fn parse(bytes: &'f [u8], limits: &Limits) -> Result<Self, WeightsError> {
        let mut model = Self::default();
        let damaged = || corrupt("a message is damaged");
        let mut graph = None;
        for field in fields(bytes) {
            match field.ok_or_else(damaged)? {
                (2, Field::Bytes(b)) => text(b)?.clone_into(&mut model.producer),
                (7, Field::Bytes(b)) => graph = Some(b),
                (8, Field::Bytes(b)) => model.opset(b).ok_or_else(damaged)?,
                (14, Field::Bytes(b)) => {
                    let (key, value) = entry(b).ok_or_else(damaged)?;
                    model.metadata.insert(key.to_owned(), value.to_owned());
                }
                (25, _) => return Err(unsupported("functions of its own")),
                _ => {}
            }
        }
        let graph = graph.ok_or_else(|| corrupt("there is no graph"))?;
        if model.opset == 0 {
            return Err(corrupt("it does not say which operators it means"));
        }
        for field in fields(graph) {
            match field.ok_or_else(damaged)? {
                (1, Field::Bytes(b)) => model.nodes.push(Node::parse(b)?),
                (2, Field::Bytes(b)) => model.name = text(b)?,
                (5, Field::Bytes(b)) => model.tensors.push(TensorProto::parse(b)?),
                (15, _) => return Err(unsupported("sparse tensors")),
                (11, Field::Bytes(b)) => model.inputs.push(Input::parse(b)?),
                (12, Field::Bytes(b)) => model.outputs.push(Input::parse(b)?.name),
                _ => {}
            }
            let most = model.nodes.len().max(model.tensors.len());
            limits.check_entries(most.max(model.inputs.len()).max(model.outputs.len()))?;
        }
        limits.check_entries(model.metadata.len())?;
        Ok(model)
    }

    /// The version of ONNX's own operators.
    fn opset(&mut self, bytes: &[u8]) -> Option<()> {
        let (mut domain, mut version) = (&b""[..], 0);
        for field in fields(bytes) {
            match field? {
                (1, Field::Bytes(b)) => domain = b,
                (2, Field::Number(n)) => version = n,
                _ => {}
            }
        }
        if domain.is_empty() || domain == b"ai.onnx" {
            self.opset = version;
        }
        Some(())
    }
}

impl<'f> Node<'f> {
    fn parse(bytes: &'f [u8]) -> Result<Self, WeightsError> {
        let mut node = Self::default();
        for field in fields(bytes) {
            match field.ok_or_else(|| corrupt("a node is damaged"))? {
                (1, Field::Bytes(b)) => node.inputs.push(text(b)?),
                (2, Field::Bytes(b)) => node.outputs.push(text(b)?),
                (3, Field::Bytes(b)) => node.name = text(b)?,
                (4, Field::Bytes(b)) => node.op = text(b)?,
                (5, Field::Bytes(b)) => node.attributes.push(Attribute::parse(b)?),
                (7, Field::Bytes(b)) => node.domain = text(b)?,
                _ => {}
            }
            if node.attributes.len() > MAX_LIST {
                return Err(corrupt("a node has more attributes than any operator"));
            }
        }
        Ok(node)
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute<'f>> {
        self.attributes.iter().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    pub(super) fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).and_then(|a| a.int).unwrap_or(default)
    }

    pub(super) fn float(&self, name: &str, default: f32) -> f32 {
        self.attribute(name).and_then(|a| a.float).unwrap_or(default)
    }

    pub(super) fn ints(&self, name: &str) -> Option<&[i64]> {
        self.attribute(name).map(|a| &a.ints[..])
    }

    pub(super) fn text<'s>(&'s self, name: &str, default: &'s str) -> &'s str {
        let found = self.attribute(name).and_then(|a| std::str::from_utf8(a.text).ok());
        found.unwrap_or(default)
    }
}

impl<'f> Attribute<'f> {
    fn parse(bytes: &'f [u8]) -> Result<(&'f str, Self), WeightsError> {
        let damaged = || corrupt("an attribute is damaged");
        let (mut name, mut value) = ("", Self::default());
        for field in fields(bytes) {
            match field.ok_or_else(damaged)? {
                (1, Field::Bytes(b)) => name = text(b)?,
                (2, Field::Fixed32(b)) => value.float = Some(f32::from_le_bytes(b)),
                (3, Field::Number(n)) => value.int = Some(n.cast_signed()),
                (4, Field::Bytes(b)) => value.text = b,
                (5, Field::Bytes(b)) => value.tensor = Some(TensorProto::parse(b)?),
                (7, Field::Fixed32(b)) => value.floats.push(f32::from_le_bytes(b)),
                (7, Field::Bytes(b)) => {
                    let (floats, _) = b.as_chunks::<4>();
                    value.floats.extend(floats.iter().map(|&b| f32::from_le_bytes(b)));
                }
                (8, Field::Number(n)) => value.ints.push(n.cast_signed()),
                (8, Field::Bytes(b)) => {
                    for n in packed(b) {
                        value.ints.push(n.ok_or_else(damaged)?.cast_signed());
                    }
                }
                _ => {}
            }
            if value.ints.len().max(value.floats.len()) > MAX_LIST {
                return Err(unsupported("a list of numbers longer than any operator's"));
            }
        }
        Ok((name, value))
    }
}

impl<'f> Input<'f> {
    /// A `ValueInfoProto`.
    fn parse(bytes: &'f [u8]) -> Result<Self, WeightsError> {
        let mut input = Self::default();
        for field in fields(bytes) {
            match field.ok_or_else(|| corrupt("an input is damaged"))? {
                (1, Field::Bytes(b)) => input.name = text(b)?,
                (2, Field::Bytes(b)) => {
                    input.shape = shape(b).ok_or_else(|| corrupt("an input is damaged"))?;
                }
                _ => {}
            }
        }
        Ok(input)
    }
}

/// A `TypeProto`'s shape: type 1, shape 2, dimension 1, its size 1.
fn shape(bytes: &[u8]) -> Option<Vec<Option<usize>>> {
    let mut sides = vec![];
    let kind = inner(bytes, 1)?;
    let shape = inner(kind?, 2)?;
    for field in fields(shape.unwrap_or(&[])) {
        if let (1, Field::Bytes(side)) = field? {
            let mut size = None;
            for field in fields(side) {
                if let (1, Field::Number(n)) = field? {
                    size = usize::try_from(n).ok().filter(|&n| n > 0);
                }
            }
            sides.push(size);
        }
        if sides.len() > MAX_RANK {
            return None;
        }
    }
    Some(sides)
}

/// The last message of a number in a message, if it has one; `None` if it is damaged.
#[expect(clippy::option_option, reason = "damaged, not there, there")]
fn inner(bytes: &[u8], number: u64) -> Option<Option<&[u8]>> {
    let mut found = None;
    for field in fields(bytes) {
        match field? {
            (n, Field::Bytes(b)) if n == number => found = Some(b),
            _ => {}
        }
    }
    Some(found)
}

/// A `StringStringEntryProto`.
pub(super) fn entry(bytes: &[u8]) -> Option<(&str, &str)> {
    let (mut key, mut value) = ("", "");
    for field in fields(bytes) {
        match field? {
            (1, Field::Bytes(b)) => key = std::str::from_utf8(b).ok()?,
            (2, Field::Bytes(b)) => value = std::str::from_utf8(b).ok()?,
            _ => {}
        }
    }
    Some((key, value))
}

pub(super) fn text(bytes: &[u8]) -> Result<&str, WeightsError> {
    std::str::from_utf8(bytes).map_err(|_not_utf8| corrupt("a name is not UTF-8"))
}
