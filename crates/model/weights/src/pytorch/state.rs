//! Finds the state dictionary in what a pickle built.

use super::object::{Heap, Object, Ref, View};
use crate::checkpoint::{Entry, Listing};
use crate::{Format, Limits, WeightsError};

/// Under which key training checkpoints keep the state dictionary, most telling first.
const STATE_KEYS: [&str; 8] = [
    "state_dict",
    "model_state_dict",
    "params_ema",
    "params",
    "model",
    "net",
    "network",
    "generator",
];

/// What `DataParallel` puts before every name.
const MODULE: &str = "module.";

/// Containers inside containers; deeper than any model.
const MAX_DEPTH: usize = 64;

/// Collects tensors by name, and the plain values beside them as texts.
///
/// Nested dictionaries give names with dots. If the root holds no tensor itself
/// but a state dictionary under one of [`STATE_KEYS`], only that is taken, and
/// the root's numbers and texts describe it.
pub(super) fn collect(
    heap: &Heap,
    root: Ref,
    (format, limits): (Format, &Limits),
) -> Result<(Listing, Vec<View>), WeightsError> {
    let mut walk =
        Walk { heap, format, limits, visits: 0, listing: Listing::default(), views: vec![] };
    let state = state_of(heap, root);
    if state != root {
        walk.describe(root)?;
    }
    walk.visit(state, "", 0)?;
    let Walk { mut listing, views, .. } = walk;
    if listing.entries.iter().all(|e| e.name.starts_with(MODULE)) {
        for entry in &mut listing.entries {
            entry.name.drain(..MODULE.len());
        }
    }
    Ok((listing, views))
}

fn state_of(heap: &Heap, root: Ref) -> Ref {
    let Object::Dict(items) = &heap[root] else { return root };
    if items.iter().any(|&(_, value)| matches!(heap[value], Object::Tensor(_))) {
        return root;
    }
    let under = |key: &str| {
        let is_state = |value| matches!(&heap[value], Object::Dict(items) if !items.is_empty());
        items.iter().find(|&&(k, v)| heap.text(k) == Some(key) && is_state(v)).map(|&(_, v)| v)
    };
    STATE_KEYS.into_iter().find_map(under).unwrap_or(root)
}

/// Longer than any name, however nested.
const MAX_NAME: usize = 4096;

struct Walk<'w> {
    heap: &'w Heap,
    format: Format,
    limits: &'w Limits,
    visits: usize,
    listing: Listing,
    views: Vec<View>,
}

impl Walk<'_> {
    fn visit(&mut self, r: Ref, name: &str, depth: usize) -> Result<(), WeightsError> {
        // Containers can hold each other: a short pickle can be an endless, or a huge, tree.
        self.visits += 1;
        if self.visits > self.limits.entries.saturating_mul(16) {
            return Err(WeightsError::TooMany { limit: self.limits.entries });
        }
        if depth > MAX_DEPTH || name.len() > MAX_NAME {
            return Err(WeightsError::corrupt(self.format, 0, "containers nested without end"));
        }
        let heap = self.heap;
        match &heap[r] {
            Object::Tensor(view) => self.add(view, name),
            Object::Dict(items) => {
                items.iter().try_for_each(|&(key, value)| match key_text(heap, key) {
                    Some(key) => self.visit(value, &joined(name, &key), depth + 1),
                    None => Ok(()),
                })
            }
            Object::Sequence(items) => items.iter().enumerate().try_for_each(|(i, &value)| {
                self.visit(value, &joined(name, &i.to_string()), depth + 1)
            }),
            _ => Ok(()),
        }
    }

    fn add(&mut self, view: &View, name: &str) -> Result<(), WeightsError> {
        let name = if name.is_empty() { "tensor" } else { name }.to_owned();
        let entry = Entry { name, shape: view.shape.clone(), dtype: view.dtype };
        self.listing.add(entry, self.limits)?;
        self.views.push(view.clone());
        Ok(())
    }

    fn describe(&mut self, root: Ref) -> Result<(), WeightsError> {
        let Object::Dict(items) = &self.heap[root] else { return Ok(()) };
        for &(key, value) in items {
            let text = match &self.heap[value] {
                Object::Bool(value) => value.to_string(),
                Object::Int(value) => value.to_string(),
                Object::Float(value) => value.to_string(),
                Object::Text(value) => value.clone(),
                _ => continue,
            };
            if let Some(key) = self.heap.text(key) {
                self.listing.describe(key, text, self.limits)?;
            }
        }
        Ok(())
    }
}

fn key_text(heap: &Heap, key: Ref) -> Option<String> {
    match &heap[key] {
        Object::Text(text) => Some(text.clone()),
        Object::Int(n) => Some(n.to_string()),
        _ => None,
    }
}

fn joined(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}
