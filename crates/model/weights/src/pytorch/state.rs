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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pytorch::machine::Machine;
    use crate::source::Source;

    fn names(pickle: &[u8]) -> Result<Vec<String>, WeightsError> {
        let limits = Limits { entries: 1000, ..Limits::default() };
        let mut source = Source::bytes(pickle);
        let mut machine = Machine::new(&mut source, Format::PytorchZip, &limits);
        let root = machine.run()?;
        let (listing, _) = collect(&machine.heap, root, (Format::PytorchZip, &limits))?;
        Ok(listing.entries.into_iter().map(|e| e.name).collect())
    }

    /// A scalar in storage "0".
    const TENSOR: &str = "ctorch._utils\n_rebuild_tensor_v2\n(\
        (U\u{7}storagectorch\nFloatStorage\nU\u{1}0U\u{3}cpuK\u{1}tQK\0))tR";

    #[test]
    fn nested_dictionaries_give_names_with_dots() {
        let root = format!("}}(U\u{1}a}}(U\u{1}b{TENSOR}K\u{7}{TENSOR}uU\u{1}c]{TENSOR}au.");
        assert_eq!(names(root.as_bytes()).unwrap(), ["a.b", "a.7", "c.0"]);
        assert_eq!(names(format!("{TENSOR}.").as_bytes()).unwrap(), ["tensor"]);
    }

    #[test]
    fn a_view_outside_its_storage_is_refused() {
        let outside = TENSOR.replace("tQK\0", "tQK\u{1}");
        assert_ne!(outside, TENSOR);
        assert!(matches!(
            names(format!("{outside}.").as_bytes()),
            Err(WeightsError::Corrupt { .. })
        ));
    }

    #[test]
    fn a_state_dictionary_under_a_usual_key_is_all_that_counts() {
        let inside = format!("}}(U\u{8}module.a{TENSOR}u");
        let root = format!("}}(U\u{5}modelK\u{1}U\u{5}other{inside}U\u{3}net{inside}u.");
        assert_eq!(names(root.as_bytes()).unwrap(), ["a"]);
    }

    #[test]
    fn a_tree_without_end_is_refused() {
        // A list that holds itself.
        assert!(matches!(names(b"]q\0h\0a."), Err(WeightsError::Corrupt { .. })));
        // 40 lists, each of which holds the one before it twice: 2^40 leaves.
        let mut pickle = b"]".to_vec();
        for _ in 0..40 {
            pickle.extend(b"2\x86");
        }
        pickle.push(b'.');
        assert!(matches!(names(&pickle), Err(WeightsError::TooMany { .. })));
        // One long name, used again and again.
        let mut pickle = b"}(X\xff\xff\0\0".to_vec();
        pickle.extend(vec![b'n'; 0xffff]);
        pickle.extend(TENSOR.as_bytes());
        pickle.extend(b"u.");
        assert!(matches!(names(&pickle), Err(WeightsError::Corrupt { .. })));
    }
}
