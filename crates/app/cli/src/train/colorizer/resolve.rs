//! From flags to a job: every check is made here.

use pentimento::cpu::Threads;
use pentimento::train::colour::{ColorJob, ColorRecipe, Seer, Start};
use pentimento::train::data::Folder;

use super::flags::Colorizer;
use crate::progress::say;
use crate::train::{course, recipe};

const RECIPES: &str = "pentimento, alpha, beta, full or a file";

/// Everything that the run needs.
pub(super) fn job(flags: &Colorizer) -> anyhow::Result<ColorJob> {
    let recipe = recipe(flags)?;
    let (photographs, held_out) = if flags.photos.is_file() {
        let picture = Folder::of_picture(&flags.photos)?;
        // What learns one picture is looked at with that picture.
        (picture.clone(), picture)
    } else {
        Folder::open(&flags.photos)?.split(f64::from(flags.keep_out))
    };
    let seer = match &flags.classifier {
        Some(path) if recipe.needs_classifier() => Some(Seer::of_file(path)?),
        _ => None,
    };
    let start = match (&flags.start, &flags.classifier) {
        _ if flags.run.resume => Start::Random,
        (Some(path), _) => Start::open(path)?,
        (None, Some(path)) if !recipe.needs_classifier() => Start::open(path)?,
        _ => Start::Random,
    };
    if matches!(start, Start::Random) && is_ours(&recipe) && !flags.run.resume && !flags.run.quiet {
        say("begins with random weights: with --classifier it begins with what a classifier has \
             learnt, as the network that ships did");
    }
    Ok(ColorJob {
        recipe,
        seed: flags.run.seed,
        photographs,
        held_out,
        start,
        seer,
        reading: course::reading(&flags.run, flags.previews.cache.clone()),
        threads: Threads::new(flags.run.threads.map(Into::into))?,
    })
}

/// Whether what learns is the network that begins with a classifier's encoder.
fn is_ours(recipe: &ColorRecipe) -> bool {
    recipe.network == ColorRecipe::default().network
}

/// The recipe that is named, with what the flags change of it.
fn recipe(flags: &Colorizer) -> anyhow::Result<ColorRecipe> {
    let mut recipe = recipe::named(&flags.recipe, ColorRecipe::by_name, RECIPES)?;
    recipe.batch = flags.step.batch.map_or(recipe.batch, Into::into);
    if let Some(size) = flags.step.size {
        (recipe.short, recipe.size) = (recipe.short * size / recipe.size, size);
    }
    if let Some(rate) = flags.step.rate {
        recipe = recipe.with_rate(rate);
    }
    Ok(flags.steps.map_or_else(|| recipe.clone(), |steps| recipe.clone().with_steps(steps)))
}
