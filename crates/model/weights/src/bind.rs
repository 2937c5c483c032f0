use std::collections::BTreeMap;

use graph::Graph;
use tensor::Tensor;

/// Tensors by name, as a checkpoint holds them.
pub type StateDict = BTreeMap<String, Tensor>;

/// One tensor for each of a graph's parameters, in the graph's order.
#[derive(Clone, Debug)]
pub struct Weights(Vec<Tensor>);

/// Why a checkpoint does not fit a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Some of the network's parameters have no tensor.
    #[error("{} of {network}'s parameters have no tensor: {}", names.len(), listed(names))]
    Missing {
        /// The network.
        network: String,
        /// Its parameters without a tensor.
        names: Vec<String>,
    },
    /// Some tensors are no parameter of the network.
    #[error("{} tensors are no parameter of {network}: {}", names.len(), listed(names))]
    Unused {
        /// The network.
        network: String,
        /// The tensors without a parameter.
        names: Vec<String>,
    },
    /// A tensor is there under the right name with the wrong shape.
    #[error("{name}: {network} has {want:?}, the checkpoint has {got:?}")]
    Shape {
        /// The network.
        network: String,
        /// The parameter.
        name: String,
        /// Its shape in the network.
        want: Vec<usize>,
        /// Its shape in the checkpoint.
        got: Vec<usize>,
    },
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 6;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown} …") } else { shown }
}

impl Weights {
    /// Gives each parameter of `graph` its tensor.
    ///
    /// # Errors
    ///
    /// If a parameter has none, a tensor is left over, or a shape differs.
    pub fn bind(graph: &Graph, mut dict: StateDict) -> Result<Self, BindError> {
        let network = || graph.name().to_owned();
        let missing: Vec<String> = graph
            .params()
            .iter()
            .filter(|p| !dict.contains_key(&p.name))
            .map(|p| p.name.clone())
            .collect();
        if !missing.is_empty() {
            return Err(BindError::Missing { network: network(), names: missing });
        }
        let mut tensors = Vec::with_capacity(graph.params().len());
        for param in graph.params() {
            let Some(tensor) = dict.remove(&param.name) else { unreachable!() };
            if tensor.shape() != param.shape {
                let (want, got) = (param.shape.clone(), tensor.shape().to_vec());
                return Err(BindError::Shape {
                    network: network(),
                    name: param.name.clone(),
                    want,
                    got,
                });
            }
            tensors.push(tensor);
        }
        if !dict.is_empty() {
            let names = dict.into_keys().collect();
            return Err(BindError::Unused { network: network(), names });
        }
        Ok(Self(tensors))
    }

    /// The tensor of the graph's parameter `index`.
    pub fn get(&self, index: usize) -> &Tensor {
        &self.0[index]
    }

    /// All tensors, in the graph's order.
    pub fn tensors(&self) -> &[Tensor] {
        &self.0
    }

    /// The tensors under the names of the graph that they were bound to.
    ///
    /// # Panics
    ///
    /// If `graph` has another number of parameters.
    pub fn into_dict(self, graph: &Graph) -> StateDict {
        assert_eq!(self.0.len(), graph.params().len(), "another graph's weights");
        graph.params().iter().map(|param| param.name.clone()).zip(self.0).collect()
    }

    /// All tensors, to change their values: an optimiser's step.
    pub fn tensors_mut(&mut self) -> &mut [Tensor] {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::{Builder, Conv};

    fn tiny() -> Graph {
        let mut g = Builder::new("tiny");
        let x = g.input("x", 2);
        let x = g.conv("c", x, Conv::new(4, 3));
        g.finish(x)
    }

    fn fitting() -> StateDict {
        [("c.weight", vec![4, 2, 3, 3]), ("c.bias", vec![4])]
            .map(|(n, s)| (n.to_owned(), Tensor::zeros(s)))
            .into()
    }

    #[test]
    fn binds_in_the_graphs_order() {
        let w = Weights::bind(&tiny(), fitting()).unwrap();
        assert_eq!(w.get(1).shape(), [4]);
    }

    #[test]
    fn says_what_is_missing_left_over_or_misshapen() {
        let mut d = fitting();
        d.remove("c.bias");
        let message = Weights::bind(&tiny(), d).unwrap_err().to_string();
        assert_eq!(message, "1 of tiny's parameters have no tensor: c.bias");
        let mut d = fitting();
        d.insert("d.weight".into(), Tensor::zeros([1]));
        let message = Weights::bind(&tiny(), d).unwrap_err().to_string();
        assert_eq!(message, "1 tensors are no parameter of tiny: d.weight");
        let mut d = fitting();
        d.insert("c.bias".into(), Tensor::zeros([5]));
        let message = Weights::bind(&tiny(), d).unwrap_err().to_string();
        assert_eq!(message, "c.bias: tiny has [4], the checkpoint has [5]");
    }
}
