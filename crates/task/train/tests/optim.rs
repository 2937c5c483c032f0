//! What the optimisers promise beyond their formulas.

use std::time::{Duration, Instant};

use rayon::ThreadPoolBuilder;
use tensor::Tensor;
use testing::Random;
use train::optim::{
    Adam, Averaging, Decay, Lbfgs, LbfgsConfig, Momentum, Muon, Optimizer, RmsProp, Rule, Search,
    Sgd, StateError, Stop, WeightAverage, clip_by_norm, global_norm,
};

fn random(shapes: &[&[usize]], seed: u64) -> Vec<Tensor> {
    let one =
        |(i, shape): (usize, &&[usize])| Random::named(seed, &i.to_string()).tensor(shape, 1.0);
    shapes.iter().enumerate().map(one).collect()
}

fn rules() -> Vec<Rule> {
    vec![
        Adam::default().into(),
        Adam { decay: Decay::L2(0.1), ..Adam::keras() }.into(),
        RmsProp::keras().into(),
        RmsProp { momentum: 0.5, ..RmsProp::default() }.into(),
        Sgd::default().into(),
        Sgd { momentum: Momentum::Nesterov(0.5), ..Sgd::keras() }.into(),
        Muon::default().into(),
    ]
}

/// More than a piece, exactly a piece, and tails.
/// Matrices that lie and stand, and what is none.
const SHAPES: [&[usize]; 6] = [&[3, 20_001], &[40, 9], &[16, 6, 3, 3], &[1 << 14], &[1], &[]];

#[test]
fn the_bits_do_not_depend_on_the_threads() {
    let run = |rule: Rule, threads: usize| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut parameters = random(&SHAPES, 1);
            let mut optimizer = Optimizer::new(rule, &parameters);
            let mut average = WeightAverage::new(Averaging::Mean, &parameters);
            for step in 0..3 {
                let mut gradients = random(&SHAPES, 2 + step);
                clip_by_norm(&mut gradients, 10.0);
                optimizer.step(&mut parameters, &gradients);
                average.update(&parameters);
            }
            (parameters, optimizer.state(), average.state())
        })
    };
    for rule in rules() {
        let alone = run(rule, 1);
        for threads in [2, 3, 5] {
            assert_eq!(run(rule, threads), alone, "{rule:?}, {threads} threads");
        }
    }
}

#[test]
fn a_restored_optimizer_goes_on_to_the_same_bits() {
    for rule in rules() {
        let mut through = random(&SHAPES, 1);
        let mut one = Optimizer::new(rule, &through);
        let steps = |optimizer: &mut Optimizer, parameters: &mut [Tensor], which: [u64; 2]| {
            for step in which[0]..which[1] {
                optimizer.step(parameters, &random(&SHAPES, 2 + step));
            }
        };
        steps(&mut one, &mut through, [0, 4]);
        let (saved, mut resumed) = (one.state(), through.clone());
        steps(&mut one, &mut through, [4, 8]);
        let mut other = Optimizer::new(rule, &resumed);
        other.restore(saved).unwrap();
        assert_eq!(other.steps(), 4);
        steps(&mut other, &mut resumed, [4, 8]);
        assert_eq!((resumed, other.state()), (through, one.state()), "{rule:?}");
    }
}

#[test]
fn a_foreign_state_is_refused_and_changes_nothing() {
    let parameters = random(&[&[2, 3], &[4]], 1);
    let adam = |p: &[Tensor]| Optimizer::new(Adam::default(), p);
    let mut optimizer = adam(&parameters);
    let other = random(&[&[2, 3], &[5]], 1);
    let name = |n: &str| n.to_owned();
    let cases = [
        (
            Optimizer::new(Sgd::default(), &parameters).state(),
            StateError::Missing { name: name("exp_avg.0") },
        ),
        (adam(&parameters[..1]).state(), StateError::Missing { name: name("exp_avg.1") }),
        (
            adam(&other).state(),
            StateError::Shape { name: name("exp_avg.1"), want: vec![4], got: vec![5] },
        ),
        (
            adam(&random(&[&[2, 3], &[4], &[1]], 1)).state(),
            StateError::Unused { name: name("exp_avg.2") },
        ),
    ];
    let before = optimizer.state();
    for (state, why) in cases {
        assert_eq!(optimizer.restore(state), Err(why));
        assert_eq!(optimizer.state(), before);
    }
}

#[test]
#[should_panic(expected = "tensor 1 has its parameter's shape")]
fn a_misshapen_gradient_is_a_bug() {
    let mut parameters = random(&[&[2], &[3, 4]], 1);
    let mut optimizer = Optimizer::new(Sgd::default(), &parameters);
    optimizer.step(&mut parameters, &random(&[&[2], &[4, 3]], 1));
}

#[test]
fn nothing_to_train_is_no_failure() {
    let mut optimizer = Optimizer::new(Adam::default(), &[]);
    optimizer.step(&mut [], &[]);
    assert_eq!((optimizer.steps(), global_norm(&[])), (1, 0.0));
}

/// A bowl a thousand times steeper one way than the other, in f32 and wide
/// enough for several pieces. The minimum is found to the last places of f32.
#[test]
fn lbfgs_finds_the_bottom_of_a_long_bowl() {
    let n = 40_000;
    let at = |i: usize| (i % 17) as f32 / 4.0 - 2.0;
    let mut x = vec![0.5f32; n];
    let config = LbfgsConfig {
        history: 10,
        iterations: 200,
        search: Search::StrongWolfe,
        ..LbfgsConfig::default()
    };
    let report = Lbfgs::new(config).step(&mut x, |x, gradient| {
        let mut loss = 0.0;
        for (i, (&x, g)) in x.iter().zip(gradient).enumerate() {
            let steep = 1.0 + (i % 100) as f64 * 10.0;
            let off = f64::from(x) - f64::from(at(i));
            *g = (steep * off) as f32;
            loss += 0.5 * steep * off * off;
        }
        loss
    });
    assert!(report.last < 1e-6 * report.first, "{report:?}");
    let off = x.iter().enumerate().map(|(i, x)| (x - at(i)).abs()).fold(0.0, f32::max);
    assert!(off < 1e-3, "{off} off, {report:?}");
}

#[test]
fn lbfgs_says_why_it_ends() {
    let searching = LbfgsConfig { search: Search::StrongWolfe, ..LbfgsConfig::default() };
    let bowl = |x: &[f64], g: &mut [f64]| {
        g[0] = 2.0 * x[0];
        x[0] * x[0]
    };
    for config in [searching, LbfgsConfig::default()] {
        assert_eq!(Lbfgs::new(config).step(&mut [0.0], bowl).stop, Stop::Flat);
        assert_eq!(Lbfgs::new(config).step(&mut [3.0], bowl).stop, Stop::Flat);
        let one = LbfgsConfig { iterations: 1, ..config };
        assert_eq!(Lbfgs::new(one).step(&mut [3.0], bowl).stop, Stop::Spent);
        let report = Lbfgs::new(config).step(&mut [3.0], |_, _| f64::NAN);
        assert_eq!((report.stop, report.evaluations), (Stop::NotFinite, 1));
        let plane = |_: &[f64], g: &mut [f64]| {
            g[0] = 1e-6;
            1.0
        };
        assert_eq!(Lbfgs::new(config).step(&mut [3.0], plane).stop, Stop::Still);
    }
}

/// Beyond 2 the function is no number; the minimum is just before.
#[test]
fn lbfgs_backs_away_from_what_is_no_number() {
    let config = LbfgsConfig { search: Search::StrongWolfe, rate: 100.0, ..LbfgsConfig::default() };
    let mut x = [0.0];
    let report = Lbfgs::new(config).step(&mut x, |x, g| {
        g[0] = 2.0 * (x[0] - 1.75);
        if x[0] > 2.0 { f64::NAN } else { (x[0] - 1.75) * (x[0] - 1.75) }
    });
    assert!((x[0] - 1.75).abs() < 1e-6, "{x:?} {report:?}");
}

/// Johnson's network has 1.7 million parameters.
#[test]
#[ignore = "a measurement: cargo test --release -p pentimento-train --test optim -- --ignored"]
fn a_step_of_a_whole_network_takes_milliseconds() {
    let shapes: Vec<&[usize]> =
        [&[128, 128, 3, 3][..]; 11].into_iter().chain([&[78_000][..]]).collect();
    for rule in rules() {
        let (mut parameters, gradients) = (random(&shapes, 1), random(&shapes, 2));
        let mut optimizer = Optimizer::new(rule, &parameters);
        let mut best = Duration::MAX;
        for _ in 0..200 {
            let start = Instant::now();
            optimizer.step(&mut parameters, &gradients);
            best = best.min(start.elapsed());
        }
        let most = Duration::from_millis(if matches!(rule, Rule::Muon(_)) { 20 } else { 2 });
        assert!(best < most, "{rule:?}: {best:?}");
        eprintln!("{best:?} {rule:?}");
    }
}
