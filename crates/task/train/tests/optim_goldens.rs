//! The optimisers against PyTorch and Keras: `golden/optim/`.

use tensor::Tensor;
use testing::{Golden, Random, Tolerance, check_close, largest};
use train::optim::{
    Adam, Averaging, Decay, Flavour, Lbfgs, LbfgsConfig, Momentum, Muon, Optimizer, RmsProp, Rule,
    Schedule, Search, Sgd, WeightAverage, clip_by_norm,
};

const SEED: u64 = 5;
const SHAPES: [&[usize]; 2] = [&[7, 11], &[13]];
const STEPS: u64 = 100;
const KEPT: [u64; 3] = [1, 10, 100];

/// One rounding of f32, relative.
const ROUNDING: f64 = f32::EPSILON as f64 / 2.0;
/// Two values that would be the same but for a rounding each.
const ROUNDED: Tolerance = Tolerance::OfScale(2.0 * ROUNDING);

fn parameters() -> Vec<Tensor> {
    let one = |(i, shape): (usize, &&[usize])| {
        Random::named(SEED, &format!("parameter {i}")).tensor(shape, 1.0)
    };
    SHAPES.iter().enumerate().map(one).collect()
}

fn gradients(step: u64) -> Vec<Tensor> {
    let one = |(i, shape): (usize, &&[usize])| {
        let mut g = Random::named(SEED, &format!("gradient {i} of {step}")).tensor(shape, 1.0);
        for (i, g) in g.data_mut().iter_mut().enumerate() {
            let place = (i % 12) as i32;
            *g *= if place == 11 { 0.0 } else { 0.125f32.powi(place) };
        }
        g
    };
    SHAPES.iter().enumerate().map(one).collect()
}

fn flat(tensors: &[Tensor]) -> Vec<f32> {
    tensors.iter().flat_map(|t| t.data().to_vec()).collect()
}

/// Everything that can happen around a step.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    rule: Rule,
    schedule: Option<Schedule>,
    clip: Option<f64>,
    average: Option<Averaging>,
}

fn case(name: &'static str, rule: impl Into<Rule>) -> Case {
    Case { name, rule: rule.into(), schedule: None, clip: None, average: None }
}

/// Takes the steps of a case and holds what it gives to the golden.
///
/// What may be off after `n` steps: each step rounds a parameter of size P
/// four times (decay, its factor, the update, the sum), and an update of size U
/// has the errors of what it is made of. The worst is Adam: `m` has three
/// roundings a step and forgets them in 10 steps, `v` has three and keeps them
/// all, halved by the root: 3·10 + 3·100/2 + some ten more, under 200. Muon's five
/// turns each add rounded sums of 7, 11 and 7 products and a few more: 30 independent
/// roundings, as large as 6 in one direction, times coefficients that come to 10 or
/// less; a later turn makes them up to 3.44 times larger, 198 times in all.
fn hold(golden: &Golden, case: Case) {
    let mut parameters = parameters();
    let mut optimizer = Optimizer::new(case.rule, &parameters);
    let mut average = case.average.map(|a| WeightAverage::new(a, &parameters));
    let mut got = vec![];
    let mut update: f64 = 0.0;
    let mut size: f64 = 0.0;
    let want = golden.get(case.name).unwrap_or_else(|| panic!("no golden for {}", case.name));
    for step in 1..=STEPS {
        let mut gradients = gradients(step);
        if let Some(most) = case.clip {
            clip_by_norm(&mut gradients, most);
        }
        if let Some(schedule) = case.schedule {
            optimizer.set_rate(schedule.rate(step - 1));
        }
        let before = flat(&parameters);
        optimizer.step(&mut parameters, &gradients);
        let after = flat(&parameters);
        let change: Vec<f32> = after.iter().zip(&before).map(|(a, b)| a - b).collect();
        update = update.max(largest(&change));
        size = size.max(largest(&after));
        if let Some(average) = &mut average {
            average.update(&parameters);
        }
        if KEPT.contains(&step) {
            got = average.as_ref().map_or(after, |a| flat(a.parameters()));
            let row = want.shape()[1] * KEPT.iter().filter(|&&k| k < step).count();
            let want = &want.data()[row..row + got.len()];
            let roundings = if matches!(case.rule, Rule::Muon(_)) { 198.0 * 60.0 } else { 200.0 };
            let allowed = step as f64 * ROUNDING * (4.0 * size + roundings * update);
            check_close(&got, want, Tolerance::Absolute(allowed))
                .unwrap_or_else(|e| panic!("{}, step {step}: {e}", case.name));
        }
    }
    assert_ne!(got, flat(&self::parameters()), "{}: nothing moved", case.name);
}

#[test]
fn pytorchs_rules_are_pytorchs() {
    let golden = Golden::open("optim/pytorch.safetensors").unwrap();
    let sgd = Sgd { rate: 0.01, ..Sgd::default() };
    let heavy = Sgd { momentum: Momentum::Classic(0.9), ..sgd };
    let rms = RmsProp { rate: 1e-3, rho: 0.9, momentum: 0.9, ..RmsProp::default() };
    let fast = Adam { rate: 0.01, betas: [0.5, 0.9], ..Adam::default() };
    let strong = Decay::Decoupled(0.5);
    let slow = Adam::default();
    let steps = Schedule::Steps { rate: 0.01, every: 30, factor: 0.5 };
    let averaged = |name, average| Case { average: Some(average), ..case(name, sgd) };
    for case in [
        case("adam", Adam::default()),
        case("adam fast", fast),
        case("adam l2", Adam { decay: Decay::L2(0.1), ..Adam::default() }),
        case("adamw", Adam::decoupled(Flavour::Pytorch)),
        case("adamw strong", Adam { rate: 0.01, decay: strong, ..Adam::default() }),
        case("muon", Muon::default()),
        case("muon fast", Muon { rate: 0.01, momentum: 0.8, decay: 0.5, others: slow }),
        case("rmsprop", RmsProp::default()),
        case("rmsprop momentum", RmsProp { decay: Decay::L2(0.01), ..rms }),
        case("sgd", Sgd::default()),
        case("sgd momentum", Sgd { decay: Decay::L2(0.1), ..heavy }),
        case("sgd nesterov", Sgd { momentum: Momentum::Nesterov(0.9), ..sgd }),
        Case { schedule: Some(steps), ..case("sgd momentum staircase", heavy) },
        Case { clip: Some(1.0), ..case("sgd clipped", sgd) },
        averaged("average mean", Averaging::Mean),
        averaged("average exponential", Averaging::Exponential { decay: 0.9 }),
    ] {
        hold(&golden, case);
    }
}

#[test]
fn kerass_rules_are_kerass() {
    let golden = Golden::open("optim/keras.safetensors").unwrap();
    let heavy = Sgd { momentum: Momentum::Classic(0.9), ..Sgd::keras() };
    let steps = Schedule::Steps { rate: 0.01, every: 30, factor: 0.5 };
    let rms = RmsProp { momentum: 0.9, decay: Decay::Decoupled(0.01), ..RmsProp::keras() };
    let strong = Decay::Decoupled(0.5);
    for case in [
        case("adam", Adam::keras()),
        case("adam fast", Adam { rate: 0.01, betas: [0.5, 0.9], ..Adam::keras() }),
        case("adamw", Adam::decoupled(Flavour::Keras)),
        case("adamw strong", Adam { rate: 0.01, decay: strong, ..Adam::keras() }),
        case("rmsprop", RmsProp::keras()),
        case("rmsprop momentum", rms),
        case("sgd", Sgd::keras()),
        case("sgd momentum", Sgd { decay: Decay::Decoupled(0.1), ..heavy }),
        case("sgd nesterov", Sgd { momentum: Momentum::Nesterov(0.9), ..Sgd::keras() }),
        Case { schedule: Some(steps), ..case("sgd momentum staircase", heavy) },
    ] {
        hold(&golden, case);
    }
}

#[test]
fn schedules_are_both_frameworks() {
    let pytorch = Golden::open("optim/pytorch.safetensors").unwrap();
    let keras = Golden::open("optim/keras.safetensors").unwrap();
    let steps = Schedule::Steps { rate: 0.1, every: 10, factor: 0.5 };
    let exponential = Schedule::Exponential { rate: 0.1, factor: 0.95 };
    let cosine = Schedule::Cosine { from: 0.0, peak: 0.1, last: 0.01, warmup: 0, steps: 69 };
    let warm = Schedule::Cosine { from: 0.01, peak: 0.2, last: 0.02, warmup: 20, steps: 40 };
    for (golden, name, schedule) in [
        (&pytorch, "schedule steps", steps),
        (&keras, "schedule staircase", steps),
        (&pytorch, "schedule exponential", exponential),
        (&pytorch, "schedule cosine", cosine),
        (&keras, "schedule cosine", warm),
    ] {
        let got: Vec<f32> = (0..70).map(|step| schedule.rate(step) as f32).collect();
        check_close(&got, golden.get(name).unwrap().data(), ROUNDED)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}

#[test]
fn norms_are_pytorchs() {
    let golden = Golden::open("optim/pytorch.safetensors").unwrap();
    let got: Vec<f32> = (1..5).map(|s| clip_by_norm(&mut gradients(s), 1.0) as f32).collect();
    check_close(&got, golden.get("norms").unwrap().data(), ROUNDED).unwrap();
}

/// `Σ 100(xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)²`
fn rosenbrock(x: &[f64], gradient: &mut [f64]) -> f64 {
    gradient.fill(0.0);
    let mut loss = 0.0;
    for i in 0..x.len() - 1 {
        let (off, short) = (x[i + 1] - x[i] * x[i], 1.0 - x[i]);
        loss += 100.0 * off * off + short * short;
        gradient[i] += -400.0 * off * x[i] - 2.0 * short;
        gradient[i + 1] += 200.0 * off;
    }
    loss
}

/// `½ Σ (1+i)(xᵢ − i/16)²`
fn quadratic(x: &[f64], gradient: &mut [f64]) -> f64 {
    let mut loss = 0.0;
    for (i, (&x, g)) in x.iter().zip(gradient).enumerate() {
        let i = i as f64;
        *g = (1.0 + i) * (x - i / 16.0);
        loss += 0.5 * *g * (x - i / 16.0);
    }
    loss
}

/// The goldens' script made sure that no two right trajectories are more than
/// a rounding of f32 apart; storing them is another.
#[test]
fn lbfgs_asks_where_pytorch_asks() {
    type Function = fn(&[f64], &mut [f64]) -> f64;
    let golden = Golden::open("optim/pytorch.safetensors").unwrap();
    let hill = |n| (0..n).map(|i| if i % 2 == 0 { -1.25 } else { 1.0 }).collect::<Vec<f64>>();
    let plain = LbfgsConfig::default();
    let searching = LbfgsConfig { search: Search::StrongWolfe, ..plain };
    let twelve = LbfgsConfig { iterations: 8, history: 5, ..searching };
    let few = LbfgsConfig { iterations: 4, evaluations: Some(4), history: 10, ..searching };
    let (iterations, evaluations) = (14, Some(60));
    let far = LbfgsConfig { rate: 100.0, iterations, evaluations, history: 5, ..searching };
    let short = LbfgsConfig { rate: 0.5, iterations: 10, history: 4, ..plain };
    let cases: [(&str, Function, Vec<f64>, usize, LbfgsConfig); 6] = [
        ("rosenbrock", rosenbrock, hill(2), 1, LbfgsConfig { iterations: 100, ..searching }),
        ("rosenbrock 12", rosenbrock, hill(12), 3, twelve),
        ("short of looks", rosenbrock, hill(4), 6, few),
        ("far too far", rosenbrock, hill(12), 1, far),
        ("quadratic", quadratic, vec![2.0; 30], 1, LbfgsConfig { iterations: 40, ..plain }),
        ("quadratic history 4", quadratic, vec![2.0; 30], 4, short),
    ];
    for (name, f, mut x, calls, config) in cases {
        let (mut lbfgs, mut asked) = (Lbfgs::new(config), vec![]);
        let mut evaluations = 0;
        for _ in 0..calls {
            let report = lbfgs.step(&mut x, |x, gradient| {
                asked.extend(x.iter().map(|&v| v as f32));
                f(x, gradient)
            });
            evaluations += report.evaluations;
        }
        asked.extend(x.iter().map(|&v| v as f32));
        let want = golden.get(&format!("lbfgs {name}")).unwrap();
        assert_eq!(asked.len(), want.data().len(), "{name}");
        assert_eq!(evaluations + 1, want.shape()[0], "{name}");
        check_close(&asked, want.data(), ROUNDED).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}
