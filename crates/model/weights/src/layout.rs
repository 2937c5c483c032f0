//! What other people's checkpoints call things, one table for each of them.

use graph::Graph;

use crate::{StateDict, Weights, WeightsError, keras};

/// A source of checkpoints whose names or axes are not the graph's.
///
/// Checkpoints of pytorch/examples and of torchvision need none: the graphs bear
/// their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layout {
    /// lengstrom/fast-style-transfer: `Variable` … `Variable_47`.
    Lengstrom,
}

/// The convolutions of lengstrom's `transform.py`, in the order of their making.
/// Each makes three variables: the kernel, and the shift and the scale of its norm.
const LENGSTROM: [&str; 16] = [
    "conv1",
    "conv2",
    "conv3",
    "resid1.conv1",
    "resid1.conv2",
    "resid2.conv1",
    "resid2.conv2",
    "resid3.conv1",
    "resid3.conv2",
    "resid4.conv1",
    "resid4.conv2",
    "resid5.conv1",
    "resid5.conv2",
    "conv_t1",
    "conv_t2",
    "conv_t3",
];

/// What each convolution's variables become.
const LENGSTROM_PARTS: [&str; 3] = ["weight", "norm.bias", "norm.weight"];

impl Layout {
    /// Every layout there is.
    pub const ALL: [Self; 1] = [Self::Lengstrom];

    /// The layout that a checkpoint's names give away, if any.
    pub fn detect(dict: &StateDict) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| match layout {
            Self::Lengstrom => dict.contains_key("Variable") && dict.contains_key("Variable_47"),
        })
    }

    /// What it is called in messages and on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lengstrom => "lengstrom",
        }
    }

    /// Gives the tensors the graph's names and axes, and leaves out what an optimiser kept.
    ///
    /// A kernel's axes `[height, width, in, out]` become `[out, in, height, width]`;
    /// a transposed one's `[height, width, out, in]` become `[in, out, height, width]`.
    /// Both are the same turn.
    ///
    /// # Errors
    ///
    /// If a tensor is missing, is of the wrong rank, or is left over.
    pub fn apply(self, mut dict: StateDict) -> Result<StateDict, WeightsError> {
        let wrong = |what: String| WeightsError::Layout { layout: self.name(), what };
        let mut renamed = StateDict::new();
        let targets = LENGSTROM.iter().flat_map(|conv| LENGSTROM_PARTS.map(|part| (conv, part)));
        for (i, (conv, part)) in targets.enumerate() {
            let from = if i == 0 { "Variable".to_owned() } else { format!("Variable_{i}") };
            let tensor = dict.remove(&from).ok_or_else(|| wrong(format!("{from} is missing")))?;
            let (is_kernel, rank) = (part == "weight", tensor.shape().len());
            let want = if is_kernel { 4 } else { 1 };
            if rank != want {
                return Err(wrong(format!("{from} has {rank} axes, not {want}")));
            }
            let tensor = if is_kernel { tensor.permuted(&[3, 2, 0, 1]) } else { tensor };
            renamed.insert(format!("{conv}.{part}"), tensor);
        }
        dict.retain(|name, _| !is_adams(name));
        match dict.into_keys().next() {
            None => Ok(renamed),
            Some(name) => Err(wrong(format!("{name} is left over"))),
        }
    }
}

/// Whether a variable is Adam's: two moments for each variable, and two powers.
fn is_adams(name: &str) -> bool {
    matches!(name, "beta1_power" | "beta2_power" | "global_step")
        || name.ends_with("/Adam")
        || name.ends_with("/Adam_1")
}

/// Binds a checkpoint of any known source to its graph: strictly, after
/// [`Layout::apply`] or [`keras::Table::to_graph`] where the names are of that source,
/// and [`forget_running_statistics`].
///
/// # Errors
///
/// If the layout does not hold what it should, or the tensors do not fit the graph.
pub fn fit(graph: &Graph, dict: StateDict) -> Result<Weights, WeightsError> {
    let mut dict = if keras::is_keras(&dict) {
        keras::Table::of(graph).to_graph(dict)?
    } else {
        renamed(dict)?
    };
    forget_running_statistics(graph, &mut dict);
    Ok(Weights::bind(graph, dict)?)
}

fn renamed(dict: StateDict) -> Result<StateDict, WeightsError> {
    match Layout::detect(&dict) {
        Some(layout) => layout.apply(dict),
        None => Ok(dict),
    }
}

/// Drops the `running_mean`, `running_var` and `num_batches_tracked` that the graph has
/// no parameter for, and returns how many.
///
/// PyTorch before 0.4 kept running statistics for instance norms, and never used them.
/// Those of a graph's batch norms stay; the number of batches means nothing to anybody.
pub fn forget_running_statistics(graph: &Graph, dict: &mut StateDict) -> usize {
    const STATISTICS: [&str; 3] = [".running_mean", ".running_var", ".num_batches_tracked"];
    let before = dict.len();
    dict.retain(|name, _| {
        !STATISTICS.iter().any(|end| name.ends_with(end))
            || graph.params().iter().any(|param| param.name == *name)
    });
    before - dict.len()
}

/// Binds the part of a checkpoint that a graph has, and ignores the rest: a whole
/// classifier's file for a graph that ends at one of its layers. Otherwise as [`fit`].
///
/// # Errors
///
/// If the layout does not hold what it should, or one of the graph's parameters has no
/// tensor, or one of another shape.
pub fn fit_part(graph: &Graph, mut dict: StateDict) -> Result<Weights, WeightsError> {
    if keras::is_keras(&dict) {
        let dict = keras::Table::of(graph).part_to_graph(&mut dict)?;
        return Ok(Weights::bind(graph, dict)?);
    }
    let mut dict = renamed(dict)?;
    dict.retain(|name, _| graph.params().iter().any(|param| param.name == *name));
    Ok(Weights::bind(graph, dict)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BindError;
    use graph::{Builder, Conv};
    use tensor::Tensor;

    fn lengstrom() -> StateDict {
        let mut dict = StateDict::new();
        for i in 0..48 {
            let name = if i == 0 { "Variable".to_owned() } else { format!("Variable_{i}") };
            let shape = if i % 3 == 0 { vec![1, 1, 2, 3] } else { vec![3] };
            let data = (0..shape.iter().product()).map(|v: usize| (100 * i + v) as f32).collect();
            dict.insert(format!("{name}/Adam"), Tensor::new(shape.clone(), Vec::clone(&data)));
            dict.insert(name, Tensor::new(shape, data));
        }
        dict.insert("beta1_power".to_owned(), Tensor::zeros([]));
        dict
    }

    #[test]
    fn lengstroms_variables_are_kernel_shift_scale() {
        let dict = lengstrom();
        assert_eq!(Layout::detect(&dict), Some(Layout::Lengstrom));
        let dict = Layout::Lengstrom.apply(dict).unwrap();
        assert_eq!(dict.len(), 48);
        let kernel = &dict["conv1.weight"];
        assert_eq!(kernel.shape(), [3, 2, 1, 1]);
        assert_eq!(kernel.data(), [0., 3., 1., 4., 2., 5.]);
        assert_eq!(dict["conv1.norm.bias"].data(), [100., 101., 102.]);
        assert_eq!(dict["conv1.norm.weight"].data(), [200., 201., 202.]);
        assert_eq!(dict["resid5.conv2.norm.bias"].data(), [3700., 3701., 3702.]);
        assert_eq!(dict["conv_t3.norm.weight"].data(), [4700., 4701., 4702.]);
    }

    #[test]
    fn lengstroms_table_names_what_differs() {
        let mut dict = lengstrom();
        dict.insert("other".to_owned(), Tensor::zeros([1]));
        let message = Layout::Lengstrom.apply(dict.clone()).unwrap_err().to_string();
        assert_eq!(message, "not lengstrom's layout: other is left over");
        dict.remove("Variable_46");
        let message = Layout::Lengstrom.apply(dict).unwrap_err().to_string();
        assert_eq!(message, "not lengstrom's layout: Variable_46 is missing");
    }

    #[test]
    fn only_an_instance_norms_statistics_are_forgotten() {
        let mut g = Builder::new("norms");
        let x = g.input("x", 2);
        let x = g.instance_norm("in", x, 1e-5);
        let x = g.batch_norm("bn", x, 1e-5);
        let graph = g.finish(x);
        let names = ["weight", "bias", "running_mean", "running_var"];
        let mut dict: StateDict = ["in", "bn"]
            .into_iter()
            .flat_map(|norm| names.map(|part| (format!("{norm}.{part}"), Tensor::zeros([2]))))
            .collect();
        dict.insert("bn.num_batches_tracked".to_owned(), Tensor::zeros([]));
        assert!(Weights::bind(&graph, dict.clone()).is_err());
        assert!(fit(&graph, dict.clone()).is_ok());
        assert_eq!(forget_running_statistics(&graph, &mut dict), 3);
        assert!(dict.contains_key("bn.running_var"));
    }

    #[test]
    fn a_part_must_be_whole() {
        let mut g = Builder::new("half");
        let x = g.input("x", 1);
        let x = g.conv("a", x, Conv::new(1, 1));
        let graph = g.finish(x);
        let mut dict: StateDict =
            [("a.weight", vec![1, 1, 1, 1]), ("a.bias", vec![1]), ("b", vec![])]
                .map(|(name, shape)| (name.to_owned(), Tensor::zeros(shape)))
                .into();
        assert!(fit_part(&graph, dict.clone()).is_ok());
        dict.remove("a.bias");
        assert!(matches!(
            fit_part(&graph, dict),
            Err(WeightsError::Bind(BindError::Missing { .. }))
        ));
    }
}
