//! The order in which Keras has a model's layers.

use std::cmp::Reverse;

use super::Layer;

/// The layers that `last` depends on: those first that are farthest from it, and of those as far
/// the one that is met first from `last` on.
///
/// # Source
///
/// `map_graph` and `_build_map` of `keras/src/ops/function.py`, Keras 3.15. Weights are found by
/// a layer's place among those of its class in this order.
pub(super) fn of_layers(layers: &[Layer], last: usize) -> Vec<usize> {
    let mut walk = Walk { layers, met: vec![None; layers.len()], left: vec![], count: 0 };
    walk.visit(last);
    let Walk { met, left, .. } = walk;
    let mut depth = vec![0usize; layers.len()];
    for &layer in left.iter().rev() {
        for &from in &layers[layer].from {
            depth[from] = depth[from].max(depth[layer] + 1);
        }
    }
    let mut order = left;
    order.sort_by_key(|&layer| (Reverse(depth[layer]), met[layer]));
    order
}

/// A walk from the output, depth first.
struct Walk<'l> {
    layers: &'l [Layer],
    /// As which each was met.
    met: Vec<Option<usize>>,
    /// Layers, after all that they depend on.
    left: Vec<usize>,
    count: usize,
}

impl Walk<'_> {
    fn visit(&mut self, layer: usize) {
        if self.met[layer].is_some() {
            return;
        }
        self.met[layer] = Some(self.count);
        self.count += 1;
        for &from in &self.layers[layer].from {
            self.visit(from);
        }
        self.left.push(layer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_come_by_their_distance_from_the_output() {
        let layer = |from: &[usize]| Layer {
            name: String::new(),
            class: "Add",
            settings: serde_json::Map::new(),
            from: from.to_vec(),
        };
        // 0 → 1 → 2 → 5, 0 → 3 → 5, 4 is not read: 3 is nearer to the output than 1.
        let layers = [&[][..], &[0], &[1], &[0], &[0], &[3, 2]].map(layer);
        assert_eq!(of_layers(&layers, 5), [0, 1, 3, 2, 5]);
    }
}
