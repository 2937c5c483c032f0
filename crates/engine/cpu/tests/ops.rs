//! Every operation against PyTorch or TensorFlow, at odd shapes and every CPU
//! level, forwards and backwards.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

#[path = "ops/cases.rs"]
mod cases;

use cases::Case;
use cpu::{Level, Plan, Session, Tape, Wanted};
use tensor::Tensor;
use testing::{Golden, REORDERED, Tolerance, check_close, largest};

/// How often a value is rounded before its mean is taken off: when it is read,
/// and when it is scaled. What comes after works on the difference.
const ROUNDINGS: f64 = 2.0;

impl Case {
    fn run(&self, level: Level) -> Tensor {
        let inputs: Vec<Tensor> = (0..self.inputs.len()).map(|i| self.input(i)).collect();
        let plan = Plan::new(&self.network(level), &self.inputs, &[]).unwrap();
        Session::new(plan).run(&inputs.iter().collect::<Vec<_>>()).output
    }

    fn tolerance(&self) -> Tolerance {
        if self.condition > 0.0 {
            Tolerance::OfScale(ROUNDINGS * f64::from(f32::EPSILON / 2.0) * self.condition)
        } else {
            REORDERED
        }
    }

    fn fault(&self, level: Level, want: &Tensor) -> Option<String> {
        let mut got = self.run(level);
        if got.shape() != want.shape() {
            return Some(format!(
                "{}: shape {:?}, want {:?}",
                self.name,
                got.shape(),
                want.shape()
            ));
        }
        if self.nan && self.layers.iter().any(|l| l.spec.mixes()) {
            let first = want.data().len() / want.shape()[0];
            for (g, w) in got.data_mut()[..first].iter_mut().zip(want.data()) {
                if g.is_nan() {
                    *g = *w; // equal if it should be NaN, forgiven if not
                }
            }
        }
        let fault = check_close(got.data(), want.data(), self.tolerance()).err()?;
        let shape = want.shape();
        Some(format!("{} {shape:?} {level:?} {fault}", self.name))
    }
}

impl Case {
    /// What is wrong with the gradients of each input and parameter.
    fn gradient_faults(&self, level: Level, golden: &Golden) -> Vec<String> {
        let network = self.network(level);
        let graph = network.graph();
        let mut tape = Tape::new(&network, &self.inputs, &[graph.output()], Wanted::Both).unwrap();
        let inputs: Vec<Tensor> = (0..self.inputs.len()).map(|i| self.input(i)).collect();
        tape.forward(&inputs.iter().collect::<Vec<_>>());
        tape.backward(|_, value, gradient| {
            gradient.fill_from(&self.seed_gradient(&value.shape()));
        });
        let params = graph.params().iter().zip(tape.parameter_gradients());
        let params = params.map(|(p, gradient)| (p.name.clone(), gradient.clone()));
        let inputs = (0..self.inputs.len()).map(|i| (format!("x{i}"), tape.input_gradient(i)));
        // Running statistics, and inputs that only lend their size, have none.
        let want = |name: &str| golden.get(&format!("{}/{name}", self.name));
        let all: Vec<(String, Tensor)> = params.chain(inputs).collect();
        // A bias before a norm has the gradient zero, a sum of large ones: what counts is their scale.
        let scales = all.iter().filter_map(|(name, _)| want(name)).map(|t| largest(t.data()));
        let scale = scales.fold(0.0, f64::max);
        let tolerance = Tolerance::Absolute(self.tolerance().allowed(scale));
        let fault = |(name, got): (String, Tensor)| {
            let want = want(&name)?;
            assert_eq!(got.shape(), want.shape(), "{}/{name}", self.name);
            let fault = check_close(got.data(), want.data(), tolerance).err()?;
            Some(format!("{}/{name} {:?} {level:?} {fault}", self.name, want.shape()))
        };
        all.into_iter().filter_map(fault).collect()
    }
}

fn hold(framework: &str) {
    let cases = Case::all(framework);
    let golden = Golden::open(&format!("ops/{framework}.safetensors")).unwrap();
    assert_eq!(golden.names().count(), cases.len());
    let mut faults = vec![];
    for case in &cases {
        let want = golden.get(&case.name).unwrap();
        faults.extend(Level::available().into_iter().filter_map(|level| case.fault(level, want)));
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn operations_are_pytorchs() {
    hold("pytorch");
}

#[test]
fn same_padding_is_tensorflows() {
    hold("tensorflow");
}

#[test]
fn gradients_are_pytorchs() {
    let golden = Golden::open("ops/pytorch_gradients.safetensors").unwrap();
    // Dropout is the identity there and not here.
    let cases = Case::all("pytorch").into_iter().filter(|c| !c.nan && c.name != "dropout");
    let mut faults = vec![];
    for case in cases {
        let levels = Level::available().into_iter();
        faults.extend(levels.flat_map(|level| case.gradient_faults(level, &golden)));
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
