use std::collections::BTreeMap;

use tensor::Tensor;

/// What has to be kept beside the parameters to go on to the same bits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Steps taken so far.
    pub steps: u64,
    /// What is remembered, as `exp_avg.3` for the fourth parameter.
    pub tensors: BTreeMap<String, Tensor>,
}

/// Why a state does not belong to these parameters.
#[derive(Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Some of what should be remembered is not there.
    #[error("the state lacks {name}")]
    Missing {
        /// Its name.
        name: String,
    },
    /// There is more than this rule and these parameters have.
    #[error("the state has {name}, which nothing here remembers")]
    Unused {
        /// Its name.
        name: String,
    },
    /// It is there with another shape.
    #[error("{name}: the parameter has {want:?}, the state has {got:?}")]
    Shape {
        /// Its name.
        name: String,
        /// The parameter's shape.
        want: Vec<usize>,
        /// The state's.
        got: Vec<usize>,
    },
}

/// The name of what `slot` remembers of a parameter.
fn name(slot: &str, index: usize) -> String {
    format!("{slot}.{index}")
}

/// Puts tensors, given with their slot and their parameter's place, under their names.
pub(super) fn gather<'a>(
    steps: u64,
    tensors: impl Iterator<Item = (&'a str, usize, &'a Tensor)>,
) -> State {
    let named = tensors.map(|(slot, index, tensor)| (name(slot, index), tensor.clone()));
    State { steps, tensors: named.collect() }
}

/// Takes tensors out again; nothing is changed where something does not fit.
pub(super) fn scatter<'a>(
    mut state: State,
    tensors: impl Iterator<Item = (&'a str, usize, &'a mut Tensor)>,
) -> Result<u64, StateError> {
    let mut found = Vec::new();
    for (slot, index, into) in tensors {
        let name = name(slot, index);
        let Some(tensor) = state.tensors.remove(&name) else {
            return Err(StateError::Missing { name });
        };
        if tensor.shape() != into.shape() {
            let (want, got) = (into.shape().to_vec(), tensor.shape().to_vec());
            return Err(StateError::Shape { name, want, got });
        }
        found.push((into, tensor));
    }
    if let Some((name, _)) = state.tensors.pop_first() {
        return Err(StateError::Unused { name });
    }
    for (into, tensor) in found {
        *into = tensor;
    }
    Ok(state.steps)
}
