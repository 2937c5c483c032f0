//! `inspect filters`.

use std::sync::atomic::Ordering;

use pentimento::graph::{NodeId, Op};
use pentimento::insight::filters::{Aim, Ascent, PatternOptions, patterns, sheet};
use pentimento::insight::{InsightError, Model};

use super::{flags, model, write};
use crate::exit::Outcome;
use crate::interrupt::stop_on_signal;
use crate::progress::{Progress, Voice, say};

/// Patterns side by side, as in the tutorial.
const COLUMNS: usize = 8;

/// Draws what channels answer to.
pub(super) fn run(flags: &flags::Filters) -> anyhow::Result<Outcome> {
    let model = model(&flags.network)?;
    let (layer, climbs) = chosen(&model, flags)?;
    let options = options(flags);
    let stop = stop_on_signal("stopping");
    let voice = if flags.quiet { Voice::Quiet } else { Voice::Normal };
    let count: usize = climbs.iter().map(|climb| climb.channels.len()).sum();
    let progress = Progress::of_steps((count * options.steps) as u64, 0, voice);
    let mut found = vec![];
    for Climb { channels, aim } in climbs {
        let options = PatternOptions { aim: aim.unwrap_or(options.aim), ..options };
        let before = found.len() * options.steps;
        found.extend(patterns(&model, (layer, &channels), &options, |done, _| {
            progress.step((before + done) as u64, "steps".to_owned());
            !stop.load(Ordering::Relaxed)
        })?);
    }
    progress.finish();
    if stop.load(Ordering::Relaxed) {
        return Ok(Outcome::Interrupted);
    }
    write(&sheet(&found, COLUMNS), &flags.output)?;
    let mute = found.iter().filter(|p| p.answer <= 0.0).count();
    if !flags.quiet {
        let (file, layer) = (flags.output.display(), model.layer_name(layer));
        say(&format!("{file}: {} patterns of {layer}", found.len()));
        if mute > 0 {
            say(&format!("{mute} of them found nothing that their channel answers to"));
        }
    }
    Ok(Outcome::Done)
}

/// Channels that are climbed alike.
struct Climb {
    channels: Vec<usize>,
    /// Where it is not what the flags say.
    aim: Option<Aim>,
}

fn options(flags: &flags::Filters) -> PatternOptions {
    let basis = match flags.method {
        flags::Ascent::Vivid => PatternOptions::VIVID,
        flags::Ascent::Tutorial => PatternOptions::TUTORIAL,
    };
    let aim = match flags.aim {
        flags::Aim::Channel => Aim::Channel,
        flags::Aim::Unit => Aim::Unit,
    };
    let ascent =
        if flags.method == flags::Ascent::Vivid { Ascent::Vivid } else { Ascent::Tutorial };
    let steps = flags.steps.unwrap_or(basis.steps);
    PatternOptions { ascent, aim, size: flags.side, steps, seed: flags.seed }
}

/// The layer and its channels: those that are named, or those of classes.
fn chosen(model: &Model, flags: &flags::Filters) -> Result<(NodeId, Vec<Climb>), InsightError> {
    let output = scores(model);
    if !flags.classes.is_empty() {
        let classes = flags.classes.iter().map(|class| model.class(class));
        let classes = classes.collect::<Result<_, _>>()?;
        return Ok((output, of_classes(classes, channels(model, output))));
    }
    let layer = flags.layer.as_deref().map_or(Ok(output), |name| model.layer(name))?;
    let count = channels(model, layer);
    let wrong = || InsightError::Option {
        option: "--channels",
        got: flags.channels.clone(),
        want: format!("channels of {}, from 0 to {}", model.layer_name(layer), count - 1),
    };
    let mut chosen = vec![];
    for part in flags.channels.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| text.trim().parse::<usize>().map_err(|_not_one| wrong());
        let (first, last) = (number(first)?, number(last)?);
        chosen.extend(first..=last.min(count.saturating_sub(1)));
    }
    if chosen.is_empty() {
        return Err(wrong());
    }
    Ok((layer, vec![Climb { channels: chosen, aim: None }]))
}

/// A channel for each class; or, where one output stands for the second of two, a climb
/// up or down it.
fn of_classes(classes: Vec<usize>, outputs: usize) -> Vec<Climb> {
    if outputs > 1 {
        return vec![Climb { channels: classes, aim: None }];
    }
    let climb = |class| Climb { channels: vec![0], aim: (class == 0).then_some(Aim::Away) };
    classes.into_iter().map(climb).collect()
}

/// The output, before a closing softmax or sigmoid, which flattens what climbs it.
fn scores(model: &Model) -> NodeId {
    let output = model.graph().output();
    let node = model.graph().node(output);
    match node.op {
        Op::Softmax | Op::Activation(_) => node.inputs[0],
        _ => output,
    }
}

fn channels(model: &Model, layer: NodeId) -> usize {
    model.shapes(model.usual_size()).map_or(usize::MAX, |shapes| shapes[layer.index()][1])
}
