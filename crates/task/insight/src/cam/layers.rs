//! Which layers a map can be of.

use graph::{Graph, NodeId, Op, Shape4};

use super::scorer::score_node;
use crate::{InsightError, Model};

/// The layers that a map can be of, in the network's order.
///
/// # Errors
///
/// As [`Model::shapes`].
pub fn layers(model: &Model) -> Result<Vec<NodeId>, InsightError> {
    let shapes = model.shapes(model.usual_size())?;
    let (score, _) = score_node(model.graph());
    let graph = model.graph().up_to(score);
    let shown = |id: &NodeId| {
        let [_, _, h, w] = shapes[id.index()];
        let input = matches!(graph.node(*id).op, Op::Input { .. });
        h * w > 1 && !input && graph.after(*id, &shapes).is_some()
    };
    Ok(graph.ids().filter(shown).collect())
}

/// The layer that [`Explainer::new`](super::Explainer::new) looks at where none is named.
///
/// # Errors
///
/// As [`Model::shapes`].
pub fn default_layer(model: &Model) -> Result<Option<NodeId>, InsightError> {
    let shapes = model.shapes(model.usual_size())?;
    let (score, _) = score_node(model.graph());
    Ok(sensible_layer(&model.graph().up_to(score), &shapes))
}

/// The last layer with space that is not a mere pooling of the one before it.
pub(super) fn sensible_layer(graph: &Graph, shapes: &[Shape4]) -> Option<NodeId> {
    let moves = |op: &Op| {
        matches!(
            op,
            Op::Input { .. }
                | Op::Pool(_)
                | Op::AdaptiveAvgPool { .. }
                | Op::Dropout { .. }
                | Op::Pad { .. }
                | Op::Crop { .. }
                | Op::Resize { .. }
        )
    };
    let mut candidates: Vec<NodeId> = graph.ids().collect();
    candidates.reverse();
    candidates.into_iter().find(|&id| {
        let [_, _, h, w] = shapes[id.index()];
        h * w > 1 && !moves(&graph.node(id).op) && graph.after(id, shapes).is_some()
    })
}

/// A layer that no map can be of.
pub(super) fn wrong(model: &Model, layer: Option<NodeId>) -> InsightError {
    match layer {
        None => InsightError::WrongLayer {
            name: model.layer_name(model.graph().output()).to_owned(),
            what: "is all there is: no layer before the output has a picture to show".to_owned(),
        },
        Some(layer) => InsightError::WrongLayer {
            name: model.layer_name(layer).to_owned(),
            what: "gives no map: it has one pixel, or the output does not depend on it, or is it"
                .to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cam::Explainer;
    use crate::model::tests::tiny;

    #[test]
    fn every_layer_that_is_named_gives_a_map_and_the_default_is_what_is_taken() {
        let model = tiny(3);
        let seen = || testing::Random::new(3).tensor(&[1, 3, 16, 16], 1.0);
        let model = model.with_size([16, 16]);
        let names = |ids: &[NodeId]| -> Vec<String> {
            ids.iter().map(|&id| model.layer_name(id).to_owned()).collect()
        };
        let found = layers(&model).unwrap();
        assert_eq!(names(&found), ["conv1", "relu1", "pool1", "conv2", "relu2", "pool2"]);
        for layer in found {
            Explainer::new(&model, seen(), Some(layer)).unwrap();
        }
        let default = default_layer(&model).unwrap().unwrap();
        assert_eq!(
            model.layer_name(default),
            Explainer::new(&model, seen(), None).unwrap().layer()
        );
    }
}
