//! The benchmarked networks in our engine, at one level.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use cpu::{Network, Plan, Session, Threads};
use graph::{Builder, Conv, Graph, PadMode};
use kernels::Level;
use nets::{colour_tutorial, transformer_net, vgg};
use tensor::{Shape4, Tensor};
use testing::{Random, random_weights};
use weights::Weights;

use crate::colour;
use crate::look;
use crate::made::SEED;
use crate::step::{self, Step};

/// How long one turn measures, as in `bench/peers`.
const BUDGET: Duration = Duration::from_millis(200);
const MOST_RUNS: usize = 20;

/// The engine with the networks that it has been asked for.
pub(crate) struct Engine {
    level: Level,
    threads: Threads,
    loaded: BTreeMap<String, Loaded>,
    steps: BTreeMap<String, Box<dyn Step>>,
}

struct Loaded {
    session: Session,
    inputs: Vec<Tensor>,
}

impl Engine {
    pub(crate) fn new(level: Level, threads: usize) -> Result<Self> {
        Ok(Self {
            level,
            threads: Threads::new(Some(threads))?,
            loaded: BTreeMap::new(),
            steps: BTreeMap::new(),
        })
    }

    /// `run`: milliseconds, the median of the runs that fit a turn after one untimed.
    /// `check`: ten values of the output.
    pub(crate) fn answer(&mut self, what: &str, case: &str) -> Result<String> {
        match case {
            look::CAM => return self.threads.run(|| look::cam(what)),
            look::PATTERNS => return self.threads.run(|| look::filters(what)),
            colour::LAB => return self.threads.run(|| colour::lab(what)),
            _ => {}
        }
        if let Some(make) = step::of_case(case) {
            let step = match self.steps.entry(case.to_owned()) {
                Entry::Occupied(made) => made.into_mut(),
                Entry::Vacant(none) => none.insert(make()?),
            };
            return self.threads.run(|| step::answer(step.as_mut(), what));
        }
        if !self.loaded.contains_key(case) {
            let loaded = load(case, self.level)?;
            self.loaded.insert(case.to_owned(), loaded);
        }
        let loaded = self.loaded.get_mut(case).context("it was just loaded")?;
        let Loaded { session, inputs } = loaded;
        let inputs: Vec<&Tensor> = inputs.iter().collect();
        self.threads.run(|| match what {
            "run" => Ok(timed(|| session.run(&inputs).output)),
            "check" => Ok(ten_values(&session.run(&inputs).output)),
            other => bail!("{other:?} is neither run nor check"),
        })
    }
}

fn load(case: &str, level: Level) -> Result<Loaded> {
    let (graph, shape) = network(case)?;
    let weights = Weights::bind(&graph, random_weights(&graph, SEED))?;
    let network = Network::with_level(&graph, &weights, level)?;
    let classes = graph.find("classes").map(|_| [shape[0], 1000, 1, 1]);
    let shapes: Vec<Shape4> = [shape].into_iter().chain(classes).collect();
    let session = Session::new(Plan::new(&network, &shapes, &[])?);
    let made = |(name, shape): (&str, &Shape4)| Random::named(SEED, name).tensor(shape, 1.0);
    Ok(Loaded {
        session,
        inputs: ["input", "classes"].into_iter().zip(&shapes).map(made).collect(),
    })
}

/// The same as `CASES` in `bench/peers/networks.py`.
fn network(case: &str) -> Result<(Graph, Shape4)> {
    let transformer = || transformer_net::graph(transformer_net::Config::default());
    let vgg_to =
        |tap: &str| vgg::graph(&vgg::Config { up_to: tap.into(), ..vgg::Config::default() });
    let vgg16 = || vgg_to("relu4_3");
    Ok(match case {
        "transformer-256" => (transformer(), [1, 3, 256, 256]),
        "transformer-512" => (transformer(), [1, 3, 512, 512]),
        "transformer-1024" => (transformer(), [1, 3, 1024, 1024]),
        "vgg16-batch1" => (vgg16(), [1, 3, 256, 256]),
        "vgg16-batch4" => (vgg16(), [4, 3, 256, 256]),
        "vgg16-224" => (vgg_to("relu5_3"), [1, 3, 224, 224]),
        "conv3x3" => (one_conv(), [1, 128, 64, 64]),
        "colour-alpha-400" => {
            (colour_tutorial::alpha(colour_tutorial::Config {}), [1, 1, 400, 400])
        }
        "colour-beta-256" => (colour_tutorial::beta(colour_tutorial::Config {}), [1, 1, 256, 256]),
        "colour-full-256" => {
            (colour_tutorial::full(colour_tutorial::FullConfig::default()), [1, 1, 256, 256])
        }
        other => bail!("no case is called {other:?}"),
    })
}

fn one_conv() -> Graph {
    let mut g = Builder::new("one_conv");
    let x = g.input("x", 128);
    let x = g.conv("conv", x, Conv::same(128, 3, PadMode::Zero));
    g.finish(x)
}

pub(crate) fn timed<R>(mut run: impl FnMut() -> R) -> String {
    drop(run());
    let (mut times, start) = (Vec::new(), Instant::now());
    while times.len() < MOST_RUNS && (times.is_empty() || start.elapsed() < BUDGET) {
        let before = Instant::now();
        drop(run());
        times.push(before.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    let half = times.len() / 2;
    let median = if times.len() % 2 == 1 {
        times[half]
    } else {
        f64::midpoint(times[half - 1], times[half])
    };
    format!("{:.4}", median * 1e3)
}

pub(crate) fn ten_values(output: &Tensor) -> String {
    let data = output.data();
    let values = (0..10).map(|i| format!("{:.6e}", data[(2 * i + 1) * data.len() / 20]));
    values.collect::<Vec<_>>().join(" ")
}
