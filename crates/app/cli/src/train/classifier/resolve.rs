//! From flags to a job: every check is made here.

use pentimento::cpu::Threads;
use pentimento::pipeline::PipelineError;
use pentimento::train::classifier::{
    Beginning, ClassifierJob, ClassifierRecipe, Examiner, open_classes,
};
use pentimento::train::data::{Folder, Reading};
use pentimento::{graph, nets};

use super::flags::Classifier;
use super::survey;
use crate::train::{course, recipe};

const RECIPES: &str = "pentimento, tutorial, transfer or a file";

/// Everything that the run needs, and what it is held to in the end.
pub(super) fn job(flags: &Classifier) -> anyhow::Result<(ClassifierJob, Option<Examiner>)> {
    let mut recipe = recipe(flags)?;
    let (pictures, held_out) = pictures(flags)?;
    let beginning = match &flags.weights {
        Some(path) if !flags.run.resume => Beginning::open(path)?,
        _ => Beginning::Random,
    };
    if let Some(freeze) = &flags.freeze {
        recipe.frozen = Some(layer(&recipe, freeze)?);
    }
    let shown = (recipe.used_at(), recipe.batch);
    let test = flags.test.as_deref().map(open_classes).transpose()?;
    let test = test.map(|folder| Examiner::new(folder, shown, Reading::default()));
    let job = ClassifierJob {
        recipe,
        seed: flags.run.seed,
        pictures,
        held_out,
        beginning,
        reading: course::reading(&flags.run, None),
        threads: Threads::new(flags.run.threads.map(Into::into))?,
    };
    let test_folder = test.as_ref().map(Examiner::folder);
    job.check_classes(test_folder)?;
    let folders = [&job.pictures, &job.held_out].into_iter().chain(test_folder);
    survey::check(folders, &job.reading.limits, flags)?;
    Ok((job, test))
}

/// What is learnt from, and what is kept out of it.
fn pictures(flags: &Classifier) -> anyhow::Result<(Folder, Folder)> {
    let all = open_classes(&flags.pictures)?;
    if let Some(validation) = &flags.validation {
        return Ok((all, open_classes(validation)?));
    }
    if !(flags.keep_out > 0.0 && flags.keep_out < 1.0) {
        let (option, value) = ("--keep-out", flags.keep_out.to_string());
        return Err(PipelineError::Option { option, value, range: "between 0 and 1" }.into());
    }
    Ok(all.split_by_seed(flags.keep_out, flags.run.seed))
}

/// The recipe that is named, with what the flags change of it.
fn recipe(flags: &Classifier) -> anyhow::Result<ClassifierRecipe> {
    let usual = if flags.weights.is_some() { "transfer" } else { "pentimento" };
    let name = flags.recipe.as_deref().unwrap_or(usual);
    let mut recipe = recipe::named(name, ClassifierRecipe::by_name, RECIPES)?;
    if let Some(network) = &flags.network {
        recipe.network.clone_from(network);
        recipe.config = serde_json::json!({});
    }
    recipe.epochs = flags.epochs.map_or(recipe.epochs, Into::into);
    recipe.batch = flags.step.batch.map_or(recipe.batch, Into::into);
    if let Some(size) = flags.step.size {
        (recipe.size, recipe.size_in_use) = (size, None);
    }
    Ok(flags.step.rate.map_or_else(|| recipe.clone(), |rate| recipe.clone().with_rate(rate)))
}

/// The word for all layers but the last.
const ALL: &str = "all";

/// The last layer that `--freeze` means: the N-th of those with parameters, a name, or the
/// one before the last.
fn layer(recipe: &ClassifierRecipe, freeze: &str) -> anyhow::Result<String> {
    let net = nets::by_name(&recipe.network, &recipe.config.to_string())?;
    let number = freeze.parse::<usize>().ok();
    if number.is_none() && freeze != ALL {
        return Ok(freeze.to_owned());
    }
    let mut with: Vec<&graph::Node> =
        net.graph.nodes().iter().filter(|node| !node.params.is_empty()).collect();
    with.pop(); // the last begins anew: it has to learn
    let count = number.unwrap_or(with.len());
    let found = count.checked_sub(1).and_then(|i| with.get(i)).map(|node| node.name.clone());
    found.ok_or_else(|| {
        let (option, value) = ("--freeze", freeze.to_owned());
        let range = "a number of layers with parameters, a layer's name, or all";
        // The option's error is the inner one: the exit status is read from it.
        anyhow::Error::new(PipelineError::Option { option, value, range }).context(format!(
            "{} has {} such layers",
            recipe.network,
            with.len()
        ))
    })
}
