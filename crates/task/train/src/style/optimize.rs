//! The picture itself, changed until it has one picture's content and another's style.
//!
//! # Source
//!
//! Gatys, Ecker & Bethge, "Image Style Transfer Using Convolutional Neural Networks"
//! (CVPR 2016); coarse to fine as in "Controlling Perceptual Factors in Neural Style
//! Transfer" (CVPR 2017), section 6. It differs in the weights, which are a recipe's, in
//! mean squares for sums, and in holding the result to 0..=1 in the end.

use graph::Encoding;
use imaging::{Filter, Fit, resize_tensor};
use tensor::Tensor;

use super::job::{check_grain, looked_at};
use crate::losses::{LossNetwork, Losses, Objective, Perceptual};
use crate::optim::{Adam, Lbfgs, LbfgsConfig, Optimizer, Search, Stop};
use crate::{Random, TrainError};

/// How a picture is optimised.
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizeOptions {
    /// What is asked of the picture, whose numbers are RGB in 0..=255 there.
    pub objective: Objective,
    /// Iterations at each scale.
    pub iterations: usize,
    /// How the picture is changed.
    pub method: Method,
    /// What it is at first.
    pub from: Canvas,
    /// Longer sides to work at, one after the other, each beginning with the result
    /// before it.
    pub scales: Vec<usize>,
    /// Pixels of a painting's shorter side at the last scale, and in proportion before; as
    /// the content's, if not given.
    pub style_size: Option<usize>,
    /// Levels of 255 of grain that are taken from the paintings, in the size that a scale has them.
    pub style_degrain: f32,
}

/// How a picture is changed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Method {
    /// [`Lbfgs`] with a search along each direction.
    #[default]
    Lbfgs,
    /// [`Adam`] at this rate, in levels of 0..=255.
    Adam {
        /// The learning rate; about 2.
        rate: f64,
    },
}

/// What a picture is at first.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Canvas {
    /// The content.
    #[default]
    Content,
    /// Grey noise of this seed.
    Noise(u64),
    /// `[1, 3, H, W]`, RGB in 0..=1, brought to the first scale's size: what a network
    /// painted, to go on from or to be judged.
    Picture(Tensor),
}

/// A style and how much it counts.
#[derive(Clone, Debug)]
pub struct WeightedPainting {
    /// `[1, 3, H, W]`, RGB in 0..=1.
    pub rgb: Tensor,
    /// Its share, of the sum of all.
    pub weight: f64,
}

/// Where an optimisation is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Iteration {
    /// Which of the scales, from 0.
    pub scale: usize,
    /// Iterations at this scale, from 1.
    pub iteration: usize,
    /// The losses before it.
    pub losses: Losses,
}

/// A picture that was optimised.
#[derive(Clone, Debug)]
pub struct Optimized {
    /// `[1, 3, H, W]`, RGB in 0..=1.
    pub rgb: Tensor,
    /// The losses before each iteration.
    pub iterations: Vec<Iteration>,
    /// The losses of the picture itself, at the last scale it came to.
    pub losses: Losses,
}

/// Whether an optimisation goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Go {
    /// It does.
    On,
    /// It ends, with what it has.
    Stop,
}

/// Optimises a picture for the content of one and the style of others.
///
/// `watch` is told of every iteration and may end it. The Gram matrices of several
/// styles are mixed by their weights. Call it in [`cpu::Threads::run`] for bits that
/// do not depend on where it is called.
///
/// # Shapes
///
/// `content`: `[1, 3, H, W]`, RGB in 0..=1; the result has the size of the last scale.
///
/// # Errors
///
/// - [`TrainError::Option`] without scales or styles, with weights that sum to nothing, or with
///   grain that is not from 0 to 64.
/// - [`TrainError::NotANumber`] if the loss is none.
/// - If the loss network lacks a layer, or a picture is too small for it.
pub fn optimize(
    loss_network: &LossNetwork,
    (content, paintings): (&Tensor, &[WeightedPainting]),
    options: &OptimizeOptions,
    mut watch: impl FnMut(&Iteration) -> Go + Send,
) -> Result<Optimized, TrainError> {
    check(paintings, options)?;
    let [_, _, h, w] = content.shape4();
    let last = options.scales.iter().copied().max().unwrap_or(h.max(w));
    let mut iterations = Vec::new();
    let mut picture: Option<Tensor> = None;
    let (mut go, mut losses) = (Go::On, Losses::default());
    for (scale, &side) in options.scales.iter().enumerate() {
        let size = Fit::Long(side).size([h, w]);
        let content = resize_tensor(content, size, Filter::Triangle);
        let mut perceptual = losses_at(loss_network, (&content, paintings), options, [side, last])?;
        let start = begun_from(picture.as_ref(), &options.from, content);
        let mut tell = |iteration: usize, losses: Losses| {
            let told = Iteration { scale, iteration, losses };
            iterations.push(told);
            watch(&told)
        };
        let (done, stopped) = descend(&mut perceptual, bytes(&start), options, &mut tell)?;
        let done = unit(&done);
        (losses, _) = perceptual.evaluate(&bytes(&done));
        picture = Some(done);
        go = stopped;
        if go == Go::Stop {
            break;
        }
    }
    let picture = picture.unwrap_or_else(|| unreachable!("there is a scale"));
    let size = Fit::Long(last).size([h, w]);
    let rgb =
        if go == Go::Stop { resize_tensor(&picture, size, Filter::Triangle) } else { picture };
    Ok(Optimized { rgb, iterations, losses })
}

/// What a scale is begun from, in `content`'s size: what the scale before made, if there was one.
fn begun_from(before: Option<&Tensor>, canvas: &Canvas, content: Tensor) -> Tensor {
    let shape @ [_, _, h, w] = content.shape4();
    match (before, canvas) {
        (Some(before), _) | (None, Canvas::Picture(before)) => {
            resize_tensor(before, [h, w], Filter::Triangle)
        }
        (None, Canvas::Content) => content,
        (None, Canvas::Noise(seed)) => noise(shape, *seed),
    }
}

/// The losses of pictures of `content`'s size, which is a scale of `side` where the last has `last`.
fn losses_at(
    loss_network: &LossNetwork,
    (content, paintings): (&Tensor, &[WeightedPainting]),
    options: &OptimizeOptions,
    [side, last]: [usize; 2],
) -> Result<Perceptual, TrainError> {
    let shape @ [_, _, h, w] = content.shape4();
    let short = options.style_size.map_or(h.min(w), |s| (s * side / last).max(1));
    let targets = mixed(loss_network, paintings, (short, options))?;
    let held_to = (&options.objective, targets);
    let mut perceptual = Perceptual::new(loss_network, held_to, (shape, &Encoding::BYTES))?;
    perceptual.set_photographs(&bytes(content));
    Ok(perceptual)
}

fn check(paintings: &[WeightedPainting], options: &OptimizeOptions) -> Result<(), TrainError> {
    if options.scales.is_empty() || options.scales.contains(&0) {
        return Err(TrainError::option("scales", &options.scales, "at least one, of pixels"));
    }
    let weights: Vec<f64> = paintings.iter().map(|p| p.weight).collect();
    let sum: f64 = weights.iter().sum();
    if weights.iter().any(|w| !w.is_finite() || *w < 0.0) || sum.is_nan() || sum <= 0.0 {
        return Err(TrainError::option("styles' weights", weights, "not negative, and not all 0"));
    }
    check_grain(options.style_degrain)
}

/// The mean of the paintings' Gram matrices.
fn mixed(
    loss_network: &LossNetwork,
    paintings: &[WeightedPainting],
    (short, options): (usize, &OptimizeOptions),
) -> Result<Vec<Vec<f32>>, TrainError> {
    let sum: f64 = paintings.iter().map(|p| p.weight).sum();
    let mut mean: Vec<Vec<f32>> = vec![];
    for painting in paintings {
        let rgb = looked_at(&painting.rgb, Some(short), options.style_degrain);
        let share = (painting.weight / sum) as f32;
        let matrices = loss_network.grams(&options.objective.style, &rgb)?;
        mean.resize(matrices.len(), vec![]);
        for (mean, matrix) in mean.iter_mut().zip(matrices) {
            mean.resize(matrix.len(), 0.0);
            mean.iter_mut().zip(matrix).for_each(|(m, g)| *m += share * g);
        }
    }
    Ok(mean)
}

/// Told of an iteration's number and the losses before it.
type Tell<'a> = &'a mut (dyn FnMut(usize, Losses) -> Go + Send);

/// Takes the iterations of one scale.
fn descend(
    perceptual: &mut Perceptual,
    start: Tensor,
    options: &OptimizeOptions,
    tell: Tell<'_>,
) -> Result<(Tensor, Go), TrainError> {
    match options.method {
        Method::Adam { rate } => by_adam(perceptual, start, (options.iterations, rate), tell),
        Method::Lbfgs => by_lbfgs(perceptual, start, options.iterations, tell),
    }
}

fn by_adam(
    perceptual: &mut Perceptual,
    start: Tensor,
    (iterations, rate): (usize, f64),
    tell: Tell<'_>,
) -> Result<(Tensor, Go), TrainError> {
    let mut picture = [start];
    let mut optimizer = Optimizer::new(Adam { rate, ..Adam::default() }, &picture);
    for iteration in 1..=iterations {
        let (losses, gradient) = perceptual.evaluate(&picture[0]);
        if !losses.total().is_finite() {
            return Err(TrainError::NotANumber { step: iteration as u64 - 1 });
        }
        if tell(iteration, losses) == Go::Stop {
            let [picture] = picture;
            return Ok((picture, Go::Stop));
        }
        optimizer.step(&mut picture, &[gradient]);
    }
    let [picture] = picture;
    Ok((picture, Go::On))
}

fn by_lbfgs(
    perceptual: &mut Perceptual,
    mut picture: Tensor,
    iterations: usize,
    tell: Tell<'_>,
) -> Result<(Tensor, Go), TrainError> {
    let shape = picture.shape4();
    let one = LbfgsConfig {
        iterations: 1,
        evaluations: Some(25),
        search: Search::StrongWolfe,
        ..LbfgsConfig::default()
    };
    let mut lbfgs = Lbfgs::new(one);
    // Where it looked last: most iterations begin there.
    let mut last = Tensor::zeros([0]);
    let mut seen = (Losses::default(), Tensor::zeros([0]));
    for iteration in 1..=iterations {
        let mut first = None;
        let report = lbfgs.step(picture.data_mut(), |x, gradient| {
            if x != last.data() {
                last = Tensor::new(shape, x.to_vec());
                seen = perceptual.evaluate(&last);
            }
            first.get_or_insert(seen.0);
            gradient.copy_from_slice(seen.1.data());
            seen.0.total()
        });
        if report.stop == Stop::NotFinite {
            return Err(TrainError::NotANumber { step: iteration as u64 - 1 });
        }
        if tell(iteration, first.unwrap_or_default()) == Go::Stop {
            return Ok((picture, Go::Stop));
        }
        if matches!(report.stop, Stop::Flat | Stop::Still) {
            break;
        }
    }
    Ok((picture, Go::On))
}

/// Mid grey, with the spread of an ordinary photograph.
fn noise(shape: [usize; 4], seed: u64) -> Tensor {
    let mut random = Random::new(seed);
    let count = shape.iter().product();
    Tensor::new(shape, (0..count).map(|_| random.between(0.25, 0.75) as f32).collect())
}

fn bytes(unit: &Tensor) -> Tensor {
    Tensor::new(unit.shape(), unit.data().iter().map(|v| v * 255.0).collect())
}

fn unit(bytes: &Tensor) -> Tensor {
    Tensor::new(bytes.shape(), bytes.data().iter().map(|v| (v / 255.0).clamp(0.0, 1.0)).collect())
}
