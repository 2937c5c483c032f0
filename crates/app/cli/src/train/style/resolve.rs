//! From flags to a job: every check is made here.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use pentimento::cpu::{Memory, Threads};
use pentimento::pipeline::{PipelineError, Style, pull, recognise, shipped};
use pentimento::train::data::Folder;
use pentimento::train::run::Checkpoint;
use pentimento::train::style::{Beginning, LossFile, Painting, StyleJob, StyleRecipe, WarmStart};
use pentimento::weights;

use super::flags;
use crate::exit::NotPulled;
use crate::train::course;

/// One photograph in fifty is kept out.
const KEPT_OUT: f64 = 0.02;

/// Everything that the run needs.
pub(super) fn job(flags: &flags::Style) -> anyhow::Result<StyleJob> {
    let mut recipe = recipe(flags)?;
    let loss_network = loss_network(flags.loss_network.as_deref(), &mut recipe)?;
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
    let mut recipe = named_recipe(&flags.recipe)?;
    recipe.batch = flags.batch.map_or(recipe.batch, Into::into);
    recipe.size = flags.size.unwrap_or(recipe.size);
    recipe.style_size = flags.style_size.or(recipe.style_size);
    if let Some(start) = &flags.start {
        recipe.start = Some(start.to_string_lossy().into_owned()).filter(|s| s != RANDOM);
    }
    recipe.objective.lpips = flags.lpips_weight.unwrap_or(recipe.objective.lpips);
    weigh(&mut recipe, [flags.style_weight, flags.content_weight, flags.tv]);
    if let Some(rate) = flags.rate {
        recipe = recipe.with_rate(rate);
    }
    Ok(flags.steps.map_or_else(|| recipe.clone(), |steps| recipe.clone().with_steps(steps)))
}

/// Weighs style, content and total variation, where a flag says how.
pub(crate) fn weigh(recipe: &mut StyleRecipe, [style, content, variation]: [Option<f64>; 3]) {
    let mut changed = recipe.clone();
    if let Some(weight) = style {
        changed = changed.with_style_weight(weight);
    }
    if let Some(weight) = content {
        changed = changed.with_content_weight(weight);
    }
    if let Some(weight) = variation {
        changed = changed.with_variation(weight);
    }
    *recipe = changed;
}

/// The recipe of that name, or in that file.
pub(crate) fn named_recipe(name: &str) -> anyhow::Result<StyleRecipe> {
    if let Some(recipe) = StyleRecipe::by_name(name) {
        return Ok(recipe);
    }
    let wrong = |why: String| {
        let (option, value) = ("--recipe", format!("{name:?}"));
        anyhow::Error::new(PipelineError::Option { option, value, range: RECIPES }).context(why)
    };
    let text = fs::read_to_string(name).map_err(|e| wrong(e.to_string()))?;
    serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))
}

const RECIPES: &str =
    "pentimento, pytorch-tutorial, tensorflow-tutorial, pytorch-examples or a file";

/// The word for no style to begin with.
const RANDOM: &str = "random";

/// The loss network in a file, or the one that was pulled under a name.
pub(crate) fn loss_network(
    wanted: Option<&OsStr>,
    recipe: &mut StyleRecipe,
) -> anyhow::Result<LossFile> {
    let of_recipe = || OsString::from(&recipe.loss_network);
    let wanted = wanted.map_or_else(of_recipe, OsStr::to_owned);
    let path = if Path::new(&wanted).exists() {
        PathBuf::from(&wanted)
    } else {
        let name = wanted.to_string_lossy();
        let known = pull::named(&name).with_context(|| format!("{name}: no such file"))?;
        known.name.clone_into(&mut recipe.loss_network);
        pull::find(known.name).ok_or(NotPulled(known.name))?
    };
    Ok(LossFile::open(&path, &recipe.loss_network, &recipe.objective)?)
}

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
