//! Every operation against its definition in `f64`, and its gradients against
//! central differences of that definition.
#![allow(clippy::unwrap_used, reason = "in a test, failing is what it is for")]

#[path = "ops/cases.rs"]
#[allow(dead_code, reason = "another test uses the rest")]
mod cases;
mod definition;

use cases::Case;
use cpu::{Level, Plan, Session, Tape, Wanted};
use definition::Array;
use graph::Graph;
use tensor::Tensor;
use testing::{REORDERED, Random, Tolerance, check_close, random_weights};

/// Entries of each input and parameter that are moved.
const ENTRIES: usize = 12;
/// How far, as a share of the largest value beside it.
const STEP: f64 = 1e-5;
/// The seed of `golden/ops/record.py`, for the parameters, and of the entries.
const SEED: u64 = 3;
/// As in `ops.rs`: roundings before a mean is taken off.
const ROUNDINGS: f64 = 2.0;
/// The slope of what saturates is made from its result (`1 − y²`, `y · (1 − y)`)
/// and off by an ulp of one, however small it is. The loss weights results with
/// up to one.
const SATURATED: f64 = f32::EPSILON as f64;

/// A case as a function of its inputs and parameters.
struct Function<'a> {
    graph: &'a Graph,
    inputs: Vec<Array>,
    params: Vec<Vec<f64>>,
    /// The loss is the sum of the output times this.
    factors: Vec<f64>,
}

/// A slope between two points, or none where a corner lies between them.
struct Slope {
    value: f64,
    /// How far the slope over twice the distance is from it: more than the
    /// truncation and the rounding of this one.
    unsure: f64,
}

impl<'a> Function<'a> {
    fn new(case: &Case, graph: &'a Graph) -> Self {
        let inputs: Vec<Array> =
            (0..case.inputs.len()).map(|i| Array::from_tensor(&case.input(i))).collect();
        let weights = random_weights(graph, Random::seed(SEED, &case.name));
        let exact = |t: &Tensor| t.data().iter().map(|&v| f64::from(v)).collect();
        let params = graph.params().iter().map(|p| exact(&weights[&p.name])).collect();
        let shapes = graph.shapes(&case.inputs).unwrap();
        let factors = exact(&case.seed_gradient(&shapes[graph.output().index()]));
        Self { graph, inputs, params, factors }
    }

    fn run(&self) -> definition::Run {
        definition::run(self.graph, &self.inputs, &self.params)
    }

    /// An input's or, after those, a parameter's values.
    fn leaf(&mut self, leaf: usize) -> &mut Vec<f64> {
        let inputs = self.inputs.len();
        if leaf < inputs { &mut self.inputs[leaf].data } else { &mut self.params[leaf - inputs] }
    }

    /// The loss, and the branches taken, with one value moved by `step`.
    fn moved(&mut self, [leaf, entry]: [usize; 2], step: f64) -> (f64, Vec<usize>) {
        let was = self.leaf(leaf)[entry];
        self.leaf(leaf)[entry] = was + step;
        let run = self.run();
        self.leaf(leaf)[entry] = was;
        let products = run.output.data.iter().zip(&self.factors).map(|(a, b)| a * b);
        (products.sum(), run.branches)
    }

    /// `here` are the branches taken where nothing is moved.
    fn slope(&mut self, at: [usize; 2], here: &[usize]) -> Option<Slope> {
        let scale = self.leaf(at[0]).iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let step = STEP * scale;
        let [one, two] = [step, 2.0 * step].map(|step| {
            let [before, after] = [-step, step].map(|step| self.moved(at, step));
            let smooth = before.1 == here && after.1 == here;
            smooth.then_some((after.0 - before.0) / (2.0 * step))
        });
        let (value, other) = (one?, two?);
        Some(Slope { value, unsure: (value - other).abs() })
    }
}

/// A gradient's name, the place of an entry, its value and what it should be.
type Entry = (String, usize, [usize; 2], Slope);

impl Case {
    fn allowed(&self, scale: f64) -> f64 {
        let mean = ROUNDINGS * f64::from(f32::EPSILON / 2.0) * self.condition;
        let share = if self.condition > 0.0 { Tolerance::OfScale(mean) } else { REORDERED };
        share.allowed(scale)
    }

    /// Some entries of every input and trainable parameter. Corners are left out.
    fn entries(&self, graph: &Graph) -> Vec<Entry> {
        let mut function = Function::new(self, graph);
        let inputs = (0..self.inputs.len()).map(|i| (format!("x{i}"), true));
        let params = graph.params().iter().map(|p| (p.name.clone(), p.trainable));
        let leaves: Vec<(String, bool)> = inputs.chain(params).collect();
        let mut entries = vec![];
        let here = function.run().branches;
        for (leaf, (name, _)) in leaves.into_iter().enumerate().filter(|(_, (_, wanted))| *wanted) {
            let mut random = Random::named(SEED, &format!("{}/{name}/entries", self.name));
            for _ in 0..ENTRIES {
                let entry = random.below(function.leaf(leaf).len());
                if let Some(slope) = function.slope([leaf, entry], &here) {
                    entries.push((name.clone(), leaf, [leaf, entry], slope));
                }
            }
        }
        entries
    }

    /// Every gradient of the engine, and its output.
    fn gradients(&self, level: Level) -> (Vec<Tensor>, Tensor) {
        let network = self.network(level);
        let output = network.graph().output();
        let mut tape = Tape::new(&network, &self.inputs, &[output], Wanted::Both).unwrap();
        let inputs: Vec<Tensor> = (0..self.inputs.len()).map(|i| self.input(i)).collect();
        tape.forward(&inputs.iter().collect::<Vec<_>>());
        tape.backward(|_, value, gradient| {
            gradient.fill_from(&self.seed_gradient(&value.shape()));
        });
        let mut all: Vec<Tensor> = (0..self.inputs.len()).map(|i| tape.input_gradient(i)).collect();
        all.extend_from_slice(tape.parameter_gradients());
        (all, tape.value(0).to_tensor())
    }

    fn value_fault(&self, level: Level, want: &Array) -> Option<String> {
        let inputs: Vec<Tensor> = (0..self.inputs.len()).map(|i| self.input(i)).collect();
        let plan = Plan::new(&self.network(level), &self.inputs, &[]).unwrap();
        let got = Session::new(plan).run(&inputs.iter().collect::<Vec<_>>()).output;
        self.compare("run", level, (&got, want))
    }

    fn compare(&self, what: &str, level: Level, (got, want): (&Tensor, &Array)) -> Option<String> {
        let single: Vec<f32> = want.data.iter().map(|&v| v as f32).collect();
        let scale = want.data.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let tolerance = Tolerance::Absolute(self.allowed(scale));
        let fault = check_close(got.data(), &single, tolerance).err()?;
        Some(format!("{} {what} {level:?} {fault}", self.name))
    }
}

fn every_case() -> impl Iterator<Item = Case> {
    let all = ["pytorch", "tensorflow"].into_iter().flat_map(Case::all);
    // What NaN does is held to the frameworks alone.
    all.filter(|case| !case.nan)
}

#[test]
fn values_are_those_of_the_definition() {
    let mut faults = vec![];
    for case in every_case() {
        let graph = case.graph();
        let want = Function::new(&case, &graph).run().output;
        let levels = Level::available().into_iter();
        faults.extend(levels.filter_map(|level| case.value_fault(level, &want)));
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn gradients_are_central_differences() {
    let (mut faults, mut kept, mut all) = (vec![], 0, 0);
    // Dropout is the identity in the definition and not on a tape.
    for case in every_case().filter(|c| c.name != "dropout") {
        let graph = case.graph();
        let entries = case.entries(&graph);
        let wanted = graph.params().iter().filter(|p| p.trainable).count() + case.inputs.len();
        kept += entries.len();
        all += wanted * ENTRIES;
        // A bias before a norm has the gradient zero, a sum of large ones: what counts is their scale.
        let scale = entries.iter().fold(0.0f64, |m, (.., slope)| m.max(slope.value.abs()));
        let allowed = case.allowed(scale) + SATURATED;
        let want = Function::new(&case, &graph).run().output;
        for level in Level::available() {
            let (got, output) = case.gradients(level);
            faults.extend(case.compare("tape", level, (&output, &want)));
            for (name, leaf, [_, entry], slope) in &entries {
                let got = f64::from(got[*leaf].data()[*entry]);
                let off = (got - slope.value).abs();
                // The differences must say more than the engine is allowed to be off.
                if off > allowed + slope.unsure || slope.unsure > allowed {
                    let Slope { value, unsure } = slope;
                    faults.push(format!(
                        "{}/{name}[{entry}] {level:?}: {got}, want {value} ± {unsure:.1e}, allowed {allowed:.1e}",
                        case.name
                    ));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    assert!(kept * 10 > all * 9, "only {kept} of {all} entries are away from corners");
}
