//! From flags to a job: every check is made here.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use pentimento::cpu::Threads;
use pentimento::imaging::{Filter, Fit, Limits, decode_file, resize_tensor};
use pentimento::pipeline::{PipelineError, Style, pull, recognise, shipped};
use pentimento::tensor::Tensor;
use pentimento::train::TrainError;
use pentimento::train::data::{Folder, Photo, Reading};
use pentimento::train::style::{
    Beginning, LossFile, Painting, StyleCheckpoint, StyleJob, StyleRecipe, WarmStart,
};
use pentimento::weights;

use super::flags;
use crate::exit::NotPulled;

/// One photograph in fifty is kept out.
const KEPT_OUT: f64 = 0.02;
/// Previews are no larger.
const PREVIEW: usize = 512;

/// Everything that the run needs.
pub(super) fn job(flags: &flags::Style) -> anyhow::Result<StyleJob> {
    let mut recipe = recipe(flags)?;
    let loss_network = loss_network(flags.loss_network.as_deref(), &mut recipe)?;
    let (photographs, held_out) = Folder::open(&flags.photos)?.split(KEPT_OUT);
    let reading = Reading { cache: flags.cache.clone(), ..Reading::default() };
    Ok(StyleJob {
        beginning: if flags.resume { Beginning::Random } else { beginning(&recipe)? },
        painting: Painting::open(&flags.style_picture)?,
        seed: flags.seed,
        threads: Threads::new(flags.threads.map(Into::into))?,
        recipe,
        loss_network,
        photographs,
        held_out,
        reading,
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
    if StyleCheckpoint::is_told_by(&found.metadata) {
        return Ok(Beginning::from_checkpoint(path)?);
    }
    let read = weights::read(path, &limits).map_err(wrong)?;
    let card = match weights::NetworkCard::from_metadata(&read.metadata) {
        Ok(card) => card,
        Err(e) => recognise(&found).ok_or_else(|| wrong(e))?,
    };
    Ok(Beginning::Warm(Box::new(WarmStart { name: wanted.clone(), card, weights: read.tensors })))
}

/// A picture to be painted now and then.
#[derive(Debug)]
pub(super) struct Preview {
    /// What its file is called, without the ending.
    pub(super) name: String,
    /// `[1, 3, H, W]`, RGB in 0..=1.
    pub(super) rgb: Tensor,
}

/// The pictures that the flags name, or else two of those kept out.
pub(super) fn previews(named: &[PathBuf], held_out: &Folder) -> anyhow::Result<Vec<Preview>> {
    if named.is_empty() {
        let path = |photo: &Photo| held_out.root().join(&photo.path);
        let found = held_out.photos().iter().filter_map(|photo| preview(&path(photo)).ok());
        return Ok(found.take(2).collect());
    }
    named.iter().map(|path| preview(path)).collect()
}

fn preview(path: &Path) -> anyhow::Result<Preview> {
    let picture = decode_file(path, &Limits::default())
        .map_err(|source| TrainError::Picture { path: path.to_owned(), source })?;
    let rgb = picture.to_rgb_tensor();
    let [height, width] = picture.size();
    let size = if height.max(width) > PREVIEW {
        Fit::Long(PREVIEW).size([height, width])
    } else {
        [height, width]
    };
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Preview { name, rgb: resize_tensor(&rgb, size, Filter::Triangle) })
}
