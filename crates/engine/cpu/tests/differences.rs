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
use graph::{Graph, NodeId};
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

/// A case as a function of its inputs and parameters: the sum over some nodes
/// of their outputs times random factors.
struct Loss<'a> {
    graph: &'a Graph,
    inputs: Vec<Array>,
    params: Vec<Vec<f64>>,
    taps: &'a [NodeId],
    factors: Vec<Vec<f64>>,
}

/// A slope between two points, or none where a corner lies between them.
struct Slope {
    value: f64,
    /// How far the slope over twice the distance is from it: more than the
    /// truncation and the rounding of this one.
    unsure: f64,
}

fn exact(tensor: &Tensor) -> Vec<f64> {
    tensor.data().iter().map(|&v| f64::from(v)).collect()
}

impl<'a> Loss<'a> {
    fn new(case: &Case, graph: &'a Graph, taps: &'a [NodeId]) -> Self {
        let inputs: Vec<Array> =
            (0..case.inputs.len()).map(|i| Array::from_tensor(&case.input(i))).collect();
        let weights = random_weights(graph, Random::seed(SEED, &case.name));
        let params = graph.params().iter().map(|p| exact(&weights[&p.name])).collect();
        let shapes = graph.shapes(&case.inputs).unwrap();
        let factors =
            taps.iter().map(|t| exact(&case.factors(t.index(), &shapes[t.index()]))).collect();
        Self { graph, inputs, params, taps, factors }
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
        let taps = self.taps.iter().zip(&self.factors);
        let sum = |(tap, factors): (&NodeId, &Vec<f64>)| -> f64 {
            run.values[tap.index()].data.iter().zip(factors).map(|(a, b)| a * b).sum()
        };
        (taps.map(sum).sum(), run.branches)
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

    /// Some entries of every input and trainable parameter. Corners are left out.
    fn entries(&mut self, case: &Case) -> Vec<Entry> {
        let leaves = case.leaves(self.graph);
        let here = self.run().branches;
        let mut entries = vec![];
        for (leaf, name) in leaves {
            let mut random = Random::named(SEED, &format!("{}/{name}/entries", case.name));
            for _ in 0..ENTRIES {
                let place = random.below(self.leaf(leaf).len());
                if let Some(slope) = self.slope([leaf, place], &here) {
                    entries.push(Entry { name: name.clone(), leaf, place, slope });
                }
            }
        }
        entries
    }
}

/// One value of an input or parameter, and the slope along it.
struct Entry {
    name: String,
    leaf: usize,
    place: usize,
    slope: Slope,
}

impl Case {
    fn allowed(&self, scale: f64) -> f64 {
        let mean = ROUNDINGS * f64::from(f32::EPSILON / 2.0) * self.condition;
        let share = if self.condition > 0.0 { Tolerance::OfScale(mean) } else { REORDERED };
        share.allowed(scale)
    }

    /// What a node's output is multiplied with in the loss.
    fn factors(&self, node: usize, shape: &[usize]) -> Tensor {
        Random::named(SEED, &format!("{}/{node}/factors", self.name)).tensor(shape, 1.0)
    }

    /// Places and names of the inputs and, after those, of the trainable parameters.
    fn leaves(&self, graph: &Graph) -> Vec<(usize, String)> {
        let inputs = (0..self.inputs.len()).map(|i| (format!("x{i}"), true));
        let params = graph.params().iter().map(|p| (p.name.clone(), p.trainable));
        let all = inputs.chain(params).enumerate();
        all.filter_map(|(leaf, (name, wanted))| wanted.then_some((leaf, name))).collect()
    }

    /// Every gradient of the engine; none for what is not wanted.
    fn gradients(&self, level: Level, taps: &[NodeId], wanted: Wanted) -> Vec<Option<Tensor>> {
        let mut run = Tape::new(&self.network(level), &self.inputs, taps, wanted).unwrap();
        let inputs: Vec<Tensor> = (0..self.inputs.len()).map(|i| self.input(i)).collect();
        run.forward(&inputs.iter().collect::<Vec<_>>());
        run.backward(|tap, value, gradient| {
            gradient.fill_from(&self.factors(taps[tap].index(), &value.shape()));
        });
        let of_input = |i| (wanted != Wanted::Parameters).then(|| run.input_gradient(i));
        let of_params = run.parameter_gradients().iter();
        let of_params = of_params.map(|g| (!g.data().is_empty()).then(|| g.clone()));
        (0..self.inputs.len()).map(of_input).chain(of_params).collect()
    }

    fn value_fault(&self, level: Level, want: &Array) -> Option<String> {
        let inputs: Vec<Tensor> = (0..self.inputs.len()).map(|i| self.input(i)).collect();
        let plan = Plan::new(&self.network(level), &self.inputs, &[]).unwrap();
        let got = Session::new(plan).run(&inputs.iter().collect::<Vec<_>>()).output;
        let single: Vec<f32> = want.data.iter().map(|&v| v as f32).collect();
        let scale = want.data.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let tolerance = Tolerance::Absolute(self.allowed(scale));
        let fault = check_close(got.data(), &single, tolerance).err()?;
        Some(format!("{} {level:?} {fault}", self.name))
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
        let run = Loss::new(&case, &graph, &[]).run();
        let want = &run.values[graph.output().index()];
        let levels = Level::available().into_iter();
        faults.extend(levels.filter_map(|level| case.value_fault(level, want)));
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// Entries that were compared, and those left out beside corners.
#[derive(Default)]
struct Report {
    faults: Vec<String>,
    kept: usize,
    all: usize,
}

impl Report {
    fn hold(&mut self, case: &Case, taps: &[NodeId], wanted: &[Wanted]) {
        let graph = case.graph();
        let entries = Loss::new(case, &graph, taps).entries(case);
        self.kept += entries.len();
        self.all += case.leaves(&graph).len() * ENTRIES;
        // A bias before a norm has the gradient zero, a sum of large ones: what counts is their scale.
        let scale = entries.iter().fold(0.0f64, |m, e| m.max(e.slope.value.abs()));
        let allowed = case.allowed(scale) + SATURATED;
        for level in Level::available() {
            for &wanted in wanted {
                let got = case.gradients(level, taps, wanted);
                for Entry { name, leaf, place, slope: Slope { value, unsure } } in &entries {
                    let Some(got) = &got[*leaf] else { continue };
                    let got = f64::from(got.data()[*place]);
                    // The differences must say more than the engine is allowed to be off.
                    if (got - value).abs() > allowed + unsure || *unsure > allowed {
                        let name = format!("{}/{name}[{place}] {level:?} {wanted:?}", case.name);
                        let want = format!("{value} ± {unsure:.1e}, allowed {allowed:.1e}");
                        self.faults.push(format!("{name}: {got}, want {want}"));
                    }
                }
            }
        }
    }

    fn check(&self) {
        let Self { faults, kept, all } = self;
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
        assert!(kept * 10 > all * 9, "only {kept} of {all} entries are away from corners");
    }
}

/// Dropout is the identity in the definition and not on a tape.
fn every_smooth_case() -> impl Iterator<Item = Case> {
    every_case().filter(|case| case.name != "dropout")
}

#[test]
fn gradients_are_central_differences() {
    let mut report = Report::default();
    let wanted = [Wanted::Both, Wanted::Inputs, Wanted::Parameters];
    for case in every_smooth_case() {
        report.hold(&case, &[case.graph().output()], &wanted);
    }
    report.check();
}

/// A loss of everything at once, the inputs too: gradients that begin in the middle.
#[test]
fn gradients_of_every_node_are_central_differences() {
    let mut report = Report::default();
    for case in every_smooth_case().filter(|case| case.layers.len() > 1) {
        let taps: Vec<NodeId> = case.graph().ids().collect();
        report.hold(&case, &taps, &[Wanted::Both, Wanted::Inputs]);
    }
    report.check();
}

/// Two losses of one node, as a layer for both style and content has.
#[test]
fn gradients_of_a_node_given_twice_add_up() {
    let mut report = Report::default();
    for case in every_smooth_case().filter(|case| case.layers.len() > 2) {
        let output = case.graph().output();
        let middle = case.graph().ids().nth(case.inputs.len() + 1).unwrap();
        report.hold(&case, &[middle, output, middle, output], &[Wanted::Both]);
    }
    report.check();
}
