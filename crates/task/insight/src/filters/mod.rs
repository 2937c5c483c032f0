//! Pictures that a channel of a layer answers to most.

mod basis;
mod measure;
mod tutorial;
mod vary;
mod vivid;

use cpu::{Tape, Wanted};
use graph::{Activation, NodeId, Op};
use imaging::Picture;
use tensor::Tensor;

use crate::plot::{rgb_bytes, rgb_picture};
use crate::{InsightError, Model};
use measure::Measure;

/// How a picture is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ascent {
    /// From the Fourier basis in decorrelated colours, through small turns, shifts and
    /// changes of scale, by Adam.
    #[default]
    Vivid,
    /// The tutorial's: from grey noise, by steps along the normalised gradient.
    Tutorial,
}

/// What of a channel is to be large.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Aim {
    /// Its mean over the picture: a texture comes of it.
    #[default]
    Channel,
    /// Its value in the middle: what one unit looks for.
    Unit,
    /// Its mean, turned round: what speaks against it. Where one output tells two
    /// classes apart, that is what speaks for the first.
    Away,
}

impl Aim {
    fn sign(self) -> f32 {
        if self == Self::Away { -1.0 } else { 1.0 }
    }
}

/// Settings of [`patterns`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PatternOptions {
    /// How.
    pub ascent: Ascent,
    /// What is to be large.
    pub aim: Aim,
    /// Side of the pictures in pixels.
    pub size: usize,
    /// Steps uphill.
    pub steps: usize,
    /// Of the noise that it starts from, and of the small changes.
    pub seed: u64,
}

impl PatternOptions {
    /// The tutorial's: 64 pixels, 40 steps.
    pub const TUTORIAL: Self =
        Self { ascent: Ascent::Tutorial, aim: Aim::Channel, size: 64, steps: 40, seed: 1 };
    /// 64 pixels, 80 steps.
    pub const VIVID: Self = Self { ascent: Ascent::Vivid, steps: 80, ..Self::TUTORIAL };
}

/// A picture that a channel answers to.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// The channel.
    pub channel: usize,
    /// The picture, ready to be looked at.
    pub picture: Picture,
    /// What the channel answers at the last step.
    pub answer: f32,
}

/// Pictures climbed at once.
const BATCH: usize = 16;

/// For each channel of a layer, a picture that it answers to strongly.
/// `done` is told after each step how many of all steps are done; if it gives
/// `false`, there is nothing more and what was begun is lost.
///
/// A rectifier passes no gradient where it is shut; the vivid way looks at what goes
/// into it instead, the tutorial's stays where it is. Of a first layer, whose mean knows
/// but the mean colour, the vivid way makes the contrast large.
///
/// # Errors
///
/// If a channel is not there, pictures of this size do not go with the layers up to
/// this one, or an option makes no sense.
pub fn patterns(
    model: &Model,
    (layer, channels): (NodeId, &[usize]),
    options: &PatternOptions,
    mut done: impl FnMut(usize, usize) -> bool,
) -> Result<Vec<Pattern>, InsightError> {
    check(options)?;
    let layer = match (options.ascent, &model.graph().node(layer)) {
        (Ascent::Vivid, node)
            if matches!(node.op, Op::Activation(Activation::Relu | Activation::Relu6)) =>
        {
            node.inputs[0]
        }
        _ => layer,
    };
    let graph = model.graph().up_to(layer);
    let network = model.part(&graph)?;
    let mut found = vec![];
    let total = channels.len() * options.steps;
    for batch in channels.chunks(BATCH) {
        let shape = [batch.len(), 3, options.size, options.size];
        let tape = Tape::new(&network, &[shape], &[layer], Wanted::Inputs)
            .map_err(|error| fitting(model, &graph, (options.size, error)))?;
        let measure = Measure::of(options, &graph);
        let mut climb = Climb { model, tape, channels: batch, options, measure };
        climb.check_channels(layer)?;
        let before = found.len() * options.steps;
        let mut step = |steps: usize| done(before + steps * batch.len(), total);
        let patterns = match options.ascent {
            Ascent::Vivid => vivid::climb(&mut climb, &mut step),
            Ascent::Tutorial => tutorial::climb(&mut climb, &mut step),
        };
        match patterns {
            Some(patterns) => found.extend(patterns),
            None => return Ok(vec![]),
        }
    }
    Ok(found)
}

fn check(options: &PatternOptions) -> Result<(), InsightError> {
    let bounds = [("size", options.size, 8, 1024), ("steps", options.steps, 1, 10_000)];
    for (option, got, least, most) in bounds {
        if !(least..=most).contains(&got) {
            let (got, want) = (got.to_string(), format!("{least} to {most}"));
            return Err(InsightError::Option { option, got, want });
        }
    }
    Ok(())
}

/// Where the layers up to one want larger pictures, how large.
fn fitting(
    model: &Model,
    graph: &graph::Graph,
    (size, error): (usize, cpu::EngineError),
) -> InsightError {
    let fits = |side: &usize| graph.shapes(&[[1, 3, *side, *side]]).is_ok();
    match ((size..=1024).find(fits), &error) {
        (Some(least), cpu::EngineError::Shape(_)) => InsightError::TooSmall {
            network: model.graph().name().to_owned(),
            height: size,
            width: size,
            least,
        },
        _ => InsightError::Engine(error),
    }
}

/// Several pictures on their way uphill, each for a channel of its own.
struct Climb<'a> {
    model: &'a Model,
    tape: Tape,
    channels: &'a [usize],
    options: &'a PatternOptions,
    measure: Measure,
}

impl Climb<'_> {
    fn check_channels(&mut self, layer: NodeId) -> Result<(), InsightError> {
        let [_, _, size, _] = self.shape();
        let shapes = self.tape.network().graph().shapes(&[[1, 3, size, size]])?;
        let count = shapes[layer.index()][1];
        match self.channels.iter().find(|&&channel| channel >= count) {
            None => Ok(()),
            Some(channel) => Err(InsightError::WrongLayer {
                name: self.model.layer_name(layer).to_owned(),
                what: format!("has channels 0 to {}, not {channel}", count - 1),
            }),
        }
    }

    fn shape(&self) -> [usize; 4] {
        [self.channels.len(), 3, self.options.size, self.options.size]
    }

    /// The answers to pictures in the network's numbers, and their gradients by the
    /// pictures' values.
    fn slope(&mut self, seen: &Tensor) -> (Vec<f32>, Tensor) {
        let (channels, measure) = (self.channels, self.measure);
        self.tape.forward(&[seen]);
        let mut answers = vec![];
        self.tape.backward(|_, value, gradient| {
            answers = measure.answers(value, channels);
            measure.seed(value, gradient, channels);
        });
        (answers, self.tape.input_gradient(0))
    }
}

/// Pictures of one size in rows, five black pixels between them.
///
/// # Source
///
/// Chollet, "Deep Learning with Python" (2018), listing 5.39: eight a row.
pub fn sheet(patterns: &[Pattern], columns: usize) -> Picture {
    const MARGIN: usize = 5;
    let side = patterns.first().map_or(1, |p| p.picture.width());
    let columns = columns.clamp(1, patterns.len().max(1));
    let rows = patterns.len().div_ceil(columns).max(1);
    let [height, width] = [rows, columns].map(|n| n * side + (n - 1) * MARGIN);
    let mut pixels = vec![[0; 3]; height * width];
    for (index, pattern) in patterns.iter().enumerate() {
        let (top, left) = (index / columns * (side + MARGIN), index % columns * (side + MARGIN));
        for (y, row) in rgb_bytes(&pattern.picture).chunks_exact(side).enumerate() {
            pixels[(top + y) * width + left..][..side].copy_from_slice(row);
        }
    }
    rgb_picture([height, width], pixels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::tiny;

    fn run(layer: &str, channels: &[usize], options: PatternOptions) -> Vec<Pattern> {
        let model = tiny(4);
        let layer = model.layer(layer).unwrap();
        patterns(&model, (layer, channels), &options, |_, _| true).unwrap()
    }

    #[test]
    fn the_answer_grows_with_every_method_and_aim() {
        for options in [PatternOptions::TUTORIAL, PatternOptions::VIVID] {
            for aim in [Aim::Channel, Aim::Unit, Aim::Away] {
                let with = |steps| {
                    let options = PatternOptions { steps, size: 16, aim, ..options };
                    run("conv2", &[1, 3], options)
                };
                for (early, late) in with(1).iter().zip(with(30)) {
                    assert!(late.answer > early.answer + 0.1, "{options:?} {aim:?}");
                }
            }
        }
    }

    #[test]
    fn a_pattern_does_not_depend_on_its_company() {
        for options in [PatternOptions::TUTORIAL, PatternOptions::VIVID] {
            let options = PatternOptions { steps: 3, size: 16, ..options };
            let many: Vec<usize> = (0..6).chain(0..6).chain(0..6).collect();
            let found = run("conv2", &many, options);
            assert_eq!(found.len(), 18);
            assert_eq!(found[4], run("conv2", &[4], options)[0]);
            assert_eq!(found[4], found[16]);
        }
    }

    #[test]
    fn bad_channels_and_sizes_are_told() {
        let model = tiny(4);
        let conv2 = model.layer("conv2").unwrap();
        let message = |channel: usize, size: usize| {
            let options = PatternOptions { size, ..PatternOptions::TUTORIAL };
            patterns(&model, (conv2, &[channel]), &options, |_, _| true).unwrap_err().to_string()
        };
        assert_eq!(message(6, 16), "layer \"conv2\" has channels 0 to 5, not 6");
        assert_eq!(message(1, 2), "size is 2, not 8 to 1024");
        let dense = model.layer("dense").unwrap();
        let wrong = patterns(&model, (dense, &[0]), &PatternOptions::TUTORIAL, |_, _| true);
        assert!(wrong.is_err());
    }

    #[test]
    fn a_sheet_has_margins() {
        let one = |v: u8| Pattern {
            channel: 0,
            picture: rgb_picture([4, 4], vec![[v; 3]; 16]),
            answer: 0.0,
        };
        let sheet = sheet(&[one(10), one(20), one(30)], 2);
        assert_eq!(sheet.size(), [13, 13]);
        let pixels = rgb_bytes(&sheet);
        assert_eq!([pixels[3][0], pixels[4][0], pixels[9][0], pixels[9 * 13][0]], [10, 0, 20, 30]);
    }
}
