//! `pentimento colorize`: flags, then a job with every check made, then the run.

pub(crate) mod flags;

use std::ffi::OsStr;
use std::path::Path;

use pentimento::imaging::{Limits, beside};
use pentimento::pipeline::{
    ColorModel, ColorizeOptions, Colorizer, Hints, InColor, Job, Maker, PipelineError,
};

use crate::batch::Pictures;
use crate::exit::Outcome;

/// Colours what the flags say.
pub(crate) fn run(flags: &flags::Colorize) -> anyhow::Result<Outcome> {
    let pictures = Pictures::new(&flags.places, &flags.handling)?;
    let hints = hints(&flags.hints, &pictures.job, &pictures.files.limits)?;
    let model = model(flags.model.as_deref(), flags.classifier.as_deref())?;
    pictures.job.prepare()?;
    let defaults = ColorizeOptions::default();
    let options = ColorizeOptions {
        saturation: flags.saturation,
        temperature: flags.temperature.unwrap_or(defaults.temperature),
        hints,
        in_color: if flags.recolor { InColor::Recolor } else { InColor::Refuse },
        memory: flags.handling.memory(),
        ..defaults
    };
    let maker = Maker::Model(model.name().to_owned());
    let mut colorizer = Colorizer::new(model);
    pictures.run(maker, |picture, _progress| {
        let coloured = colorizer.colorize(picture, &options)?;
        Ok(if flags.compare { beside(picture, &coloured) } else { coloured })
    })
}

/// The network that is asked for, or that ships.
pub(crate) fn model(
    named: Option<&OsStr>,
    classifier: Option<&Path>,
) -> Result<ColorModel, PipelineError> {
    let model = named.map_or_else(ColorModel::shipped, ColorModel::open)?;
    match classifier {
        Some(path) => model.with_classifier(path),
        None => Ok(model),
    }
}

fn hints(words: &[String], job: &Job, limits: &Limits) -> Result<Hints, PipelineError> {
    let mut hints = Hints::default();
    words.iter().try_for_each(|word| hints.add(word, limits))?;
    let pictures = job.tasks.len() + job.done.len();
    if !hints.is_empty() && pictures > 1 {
        return Err(PipelineError::Option {
            option: "--hints",
            value: format!("for {pictures} pictures"),
            range: "hints are places in one picture",
        });
    }
    Ok(hints)
}
