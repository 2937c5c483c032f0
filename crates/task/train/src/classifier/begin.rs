//! Weights to begin with.

use std::path::Path;

use graph::{Graph, NodeId};
use nets::Net;
use weights::{Limits, NetworkCard, StateDict, Weights};

use super::{ClassifierRecipe, Head};
use crate::TrainError;
use crate::run::net_of;

/// What a network begins to learn with.
#[derive(Clone, Debug)]
pub enum Beginning {
    /// Random weights, as the recipe draws them.
    Random,
    /// Those of a network that has learnt something else; its last layer begins anew.
    Learnt {
        /// What they are called.
        name: String,
        /// The weights, which may be more than the network has.
        weights: StateDict,
    },
}

impl Beginning {
    /// The weights in a file of any kind that can be read.
    ///
    /// # Errors
    ///
    /// [`TrainError::Weights`] if it cannot.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let read = weights::read(path, &Limits::default()).map_err(TrainError::weights(path))?;
        Ok(Self::Learnt { name: path.display().to_string(), weights: read.tensors })
    }

    /// What it is called in a card.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Random => "random weights",
            Self::Learnt { name, .. } => name,
        }
    }

    /// The card, the network and its weights, for these classes.
    pub(super) fn resolve(
        self,
        recipe: &ClassifierRecipe,
        (classes, seed): (&[String], u64),
    ) -> Result<(NetworkCard, Net, Weights), TrainError> {
        let mut card = NetworkCard::new(&recipe.network, graph::Encoding::UNIT, None);
        card.config = with_classes(recipe, classes.len())?;
        card.classes = classes.to_vec();
        card.size = Some([recipe.used_at(); 2]);
        let net = nets::by_name(&card.network, &card.config.to_string())?;
        card.input = net.input;
        let net = Net { output: None, ..net_of(&card)? };
        let mut dict = recipe.initial.draw(&net.graph, seed);
        if let Self::Learnt { name, weights } = self {
            let body = body(&net.graph).ok_or(TrainError::NothingToLearn)?;
            let learnt = weights::fit_part(&body, weights).map_err(TrainError::weights(name))?;
            let names = body.params().iter().map(|param| param.name.clone());
            dict.extend(names.zip(learnt.tensors().iter().cloned()));
        }
        let weights = Weights::bind(&net.graph, dict)?;
        Ok((card, net, weights))
    }
}

/// The recipe's settings, with the number of classes.
fn with_classes(
    recipe: &ClassifierRecipe,
    classes: usize,
) -> Result<serde_json::Value, TrainError> {
    let outputs = if classes == 2 && recipe.head == Head::Sigmoid { 1 } else { classes };
    let mut config = recipe.config.clone();
    let Some(settings) = config.as_object_mut() else {
        return Err(TrainError::option("config", &recipe.config, "a JSON object"));
    };
    settings.insert("classes".to_owned(), outputs.into());
    Ok(config)
}

/// The network without its last layer of parameters and what follows.
fn body(graph: &Graph) -> Option<Graph> {
    let has_parameters = |id: &NodeId| !graph.node(*id).params.is_empty();
    let ids: Vec<NodeId> = graph.ids().collect();
    let head = ids.into_iter().rev().find(has_parameters)?;
    Some(graph.up_to(graph.node(head).inputs[0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(count: usize) -> Vec<String> {
        (0..count).map(|c| format!("class {c}")).collect()
    }

    #[test]
    fn two_classes_are_one_probability_or_two_as_the_recipe_says() {
        for (recipe, count, want) in [
            (ClassifierRecipe::tutorial(), 2, 1),
            (ClassifierRecipe::default(), 2, 2),
            (ClassifierRecipe::tutorial(), 5, 5),
        ] {
            let (card, net, _) = Beginning::Random.resolve(&recipe, (&classes(count), 0)).unwrap();
            let out = net.graph.shapes(&[[1, 3, recipe.size, recipe.size]]).unwrap();
            assert_eq!(out[net.graph.output().index()], [1, want, 1, 1]);
            assert_eq!((card.classes.len(), card.output), (count, None));
        }
    }

    #[test]
    fn all_but_the_last_layer_is_taken_over() {
        let recipe = ClassifierRecipe::default();
        let of = |seed| Beginning::Random.resolve(&recipe, (&classes(7), seed)).unwrap();
        let (_, net, learnt) = of(1);
        let names = net.graph.params().iter().map(|param| param.name.clone());
        let weights: StateDict = names.zip(learnt.tensors().iter().cloned()).collect();
        let begin = Beginning::Learnt { name: "other".into(), weights: weights.clone() };
        let (_, net, got) = begin.resolve(&recipe, (&classes(3), 2)).unwrap();
        for (param, tensor) in net.graph.params().iter().zip(got.tensors()) {
            assert_eq!(
                weights[&param.name] == *tensor,
                !param.name.starts_with("fc"),
                "{}",
                param.name
            );
        }
        let begin = Beginning::Learnt { name: "other".into(), weights: StateDict::new() };
        let error = begin.resolve(&recipe, (&classes(3), 2)).unwrap_err().to_string();
        assert!(error.starts_with("other: "), "{error}");
    }
}
