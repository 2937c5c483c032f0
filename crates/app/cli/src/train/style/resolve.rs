//! From flags to a job: every check is made here.

use std::path::Path;

use pentimento::cpu::{Memory, Threads};
use pentimento::pipeline::{PipelineError, Style, recognise, shipped};
use pentimento::train::data::Folder;
use pentimento::train::run::Checkpoint;
use pentimento::train::style::{Beginning, Painting, StyleJob, StyleRecipe, WarmStart};
use pentimento::weights;

use super::flags;
use crate::train::course;

/// One photograph in fifty is kept out.
const KEPT_OUT: f64 = 0.02;

/// Everything that the run needs.
pub(super) fn job(flags: &flags::Style) -> anyhow::Result<StyleJob> {
    let mut recipe = recipe(flags)?;
    let loss_network = flags.losses.network(&mut recipe)?;
    let loss_network = match &flags.lpips_heads {
        Some(path) => loss_network.with_heads(path)?,
        None => loss_network,
    };
    let (photographs, held_out) = Folder::open(&flags.photos)?.split(KEPT_OUT);
    let memory = if flags.recompute { Memory::Recomputed } else { Memory::Kept };
    Ok(StyleJob {
        memory,
        beginning: if flags.run.resume { Beginning::Random } else { beginning(&recipe)? },
        painting: Painting::open(&flags.style_picture)?,
        seed: flags.run.seed,
        threads: Threads::new(flags.run.threads.map(Into::into))?,
        recipe,
        loss_network,
        photographs,
        held_out,
        reading: course::reading(&flags.run, flags.previews.cache.clone()),
    })
}

/// The recipe that is named, with what the flags change of it.
fn recipe(flags: &flags::Style) -> anyhow::Result<StyleRecipe> {
    let mut recipe = flags.losses.recipe()?;
    recipe.batch = flags.step.batch.map_or(recipe.batch, Into::into);
    recipe.size = flags.step.size.unwrap_or(recipe.size);
    recipe.style_size = flags.losses.style_size.or(recipe.style_size);
    if let Some(start) = &flags.start {
        recipe.start = Some(start.to_string_lossy().into_owned()).filter(|s| s != RANDOM);
    }
    recipe.objective.lpips = flags.lpips_weight.unwrap_or(recipe.objective.lpips);
    if let Some(rate) = flags.step.rate {
        recipe = recipe.with_rate(rate);
    }
    Ok(flags.steps.map_or_else(|| recipe.clone(), |steps| recipe.clone().with_steps(steps)))
}

/// The word for no style to begin with.
const RANDOM: &str = "random";

fn beginning(recipe: &StyleRecipe) -> anyhow::Result<Beginning> {
    let Some(wanted) = &recipe.start else { return Ok(Beginning::Random) };
    if let Some(style) = shipped().find(|s| s.name == wanted) {
        return Ok(Beginning::from_bytes(style.name, style.bytes)?);
    }
    let path = Path::new(wanted);
    let wrong = |source| PipelineError::Weights { path: path.to_owned(), source };
    if !path.exists() {
        // With the names that look most like it.
        let near = Style::open(wanted).map(|_| Beginning::Random);
        return Ok(near?);
    }
    let limits = weights::Limits::default();
    let found = weights::inspect(path, &limits).map_err(wrong)?;
    if Checkpoint::is_told_by(&found.metadata) {
        return Ok(Beginning::from_checkpoint(path)?);
    }
    let read = weights::read(path, &limits).map_err(wrong)?;
    let card = match weights::NetworkCard::from_metadata(&read.metadata) {
        Ok(card) => card,
        Err(e) => recognise(&found).ok_or_else(|| wrong(e))?,
    };
    Ok(Beginning::Warm(Box::new(WarmStart { name: wanted.clone(), card, weights: read.tensors })))
}
