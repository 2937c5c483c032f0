//! What a run is made of: from a request, or from what an earlier one left.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pentimento::imaging::{EncodeOptions, Format, encode};
use pentimento::pipeline::shipped;
use pentimento::train::TrainError;
use pentimento::train::data::{Folder, Reading};
use pentimento::train::run::{Preview, RunFolder, previews};
use pentimento::train::style::{
    Beginning, LossFile, Origin, Painting, Settings, StyleJob, StyleRecipe,
};
use serde::Deserialize;

use super::locked;
use crate::Inner;
use crate::fault::{Fault, UNAVAILABLE, sentence};
use crate::picture::Original;

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    name: String,
    painting: String,
    folder: String,
    recipe: Option<String>,
    steps: Option<u64>,
    batch: Option<usize>,
    size: Option<usize>,
    style_size: Option<usize>,
    style_degrain: Option<f32>,
    style_weight: Option<f64>,
    content_weight: Option<f64>,
    variation_weight: Option<f64>,
    rate: Option<f64>,
    #[serde(default)]
    seed: u64,
    start: Option<String>,
    #[serde(default = "fifty")]
    preview_every: u64,
    #[serde(default = "fifty")]
    checkpoint_every: u64,
}

fn fifty() -> u64 {
    50
}

/// What a run is made of, every check made.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) settings: Settings,
    /// Only until it is written into the run's folder.
    source: Option<Arc<Original>>,
}

/// The recipes that can be asked for, the usual one first.
pub(super) const RECIPES: [&str; 4] =
    ["pentimento", "pytorch-tutorial", "tensorflow-tutorial", "pytorch-examples"];

/// The word for no style to begin with.
pub(super) const RANDOM: &str = "random";

/// One photograph in fifty is kept out.
const KEPT_OUT: f64 = 0.02;

/// Where a run's folder keeps the painting.
const PAINTING: &str = "painting.png";

impl Plan {
    /// The plan of a new run.
    pub(super) fn resolve(studio: &Inner, request: &Request) -> Result<Self, Fault> {
        let title = checked_name(&request.name)?;
        let source = studio.store.picture(&request.painting)?;
        let photographs = folder(studio, &request.folder)?;
        let recipe = recipe(request)?;
        loss_network(studio, &recipe)?;
        check(request, &recipe)?;
        let notes = [("title", &title), ("painting", &source.name)];
        let settings = Settings {
            origin: Origin::Studio,
            output: studio.settings.styles.join(format!("{title}.safetensors")),
            painting: PAINTING.into(),
            photographs,
            loss_network: None,
            lpips_heads: None,
            previews: vec![],
            recipe,
            seed: request.seed,
            recompute: false,
            preview_every: request.preview_every,
            checkpoint_every: request.checkpoint_every,
            notes: notes.map(|(key, text)| (key.to_owned(), text.clone())).into(),
        };
        Ok(Self { settings, source: Some(source) })
    }

    /// The plan of a run that goes on with `settings`, those in its folder, to `output`.
    pub(super) fn of(
        studio: &Inner,
        settings: Result<Option<Settings>, TrainError>,
        output: &Path,
    ) -> Result<Self, Fault> {
        let damaged = |error| Fault::conflict(sentence(&error), "Begin a new one.");
        let settings = settings.map_err(damaged)?.ok_or_else(|| {
            let message = "Its settings are not in its folder: an earlier version began it.";
            Fault::conflict(message, "Go on with it by `pentimento train style … --resume`.")
        })?;
        if settings.output.file_name() != output.file_name() {
            let message = format!("It is the run of {}.", settings.output.display());
            return Err(Fault::conflict(message, "Go on with it on the command line."));
        }
        let whole = |path: &PathBuf| path.canonicalize().ok();
        let photographs = whole(&settings.photographs);
        let roots: Vec<_> = studio.settings.photos.iter().filter_map(whole).collect();
        if !photographs.is_some_and(|folder| roots.iter().any(|root| folder.starts_with(root))) {
            let message = "Its photographs are not in the folders given at the start.";
            return Err(Fault::conflict(message, "Start the studio with their folder: --photos."));
        }
        if settings.loss_network.is_none() {
            loss_network(studio, &settings.recipe)?;
        }
        Ok(Self { settings, source: None })
    }

    /// Writes a new run's settings and painting into its folder.
    pub(super) fn write(&self, run: &RunFolder) -> Result<(), Fault> {
        let Some(source) = &self.source else { return Ok(()) };
        let png = encode(&source.picture, Format::Png, &EncodeOptions::default())?;
        self.settings.write(run, &png).map_err(|error| {
            Fault::conflict(sentence(&error), "Start the studio with another folder: --styles.")
        })
    }

    /// Everything the run needs; the painting is read from the run's folder.
    pub(super) fn job(&self, studio: &Inner, run: &RunFolder) -> Result<StyleJob, Fault> {
        let settings = &self.settings;
        let recipe = settings.recipe.clone();
        let (photographs, held_out) = Folder::open(&settings.photographs)?.split(KEPT_OUT);
        Ok(StyleJob {
            seed: settings.seed,
            painting: Painting::open(&run.path().join(&settings.painting))?,
            loss_network: self.loss_network(studio)?,
            photographs,
            held_out,
            // What is resumed has its weights, whatever it began with.
            beginning: match self.source {
                Some(_) => beginning(&recipe)?,
                None => Beginning::Random,
            },
            memory: settings.memory(),
            reading: Reading::default(),
            threads: studio.long.clone(),
            recipe,
        })
    }

    fn loss_network(&self, studio: &Inner) -> Result<LossFile, Fault> {
        let Settings { loss_network: own, lpips_heads, recipe, .. } = &self.settings;
        let path = own.clone().map_or_else(|| loss_network(studio, recipe), Ok)?;
        let file = LossFile::open(&path, &recipe.loss_network, &recipe.objective)?;
        Ok(match lpips_heads {
            Some(heads) => file.with_heads(heads)?,
            None => file,
        })
    }

    /// Pictures that are painted on the way.
    pub(super) fn previews(&self, job: &StyleJob) -> Result<Vec<Preview>, Fault> {
        if self.settings.previews.is_empty() {
            return Ok(previews(&job.held_out, &job.photographs));
        }
        let named = self.settings.previews.iter().map(|path| Preview::open(path));
        Ok(named.collect::<Result<_, _>>()?)
    }
}

/// Holds numbers to what makes sense.
fn check(request: &Request, recipe: &StyleRecipe) -> Result<(), Fault> {
    let numbers = [
        ("preview_every", request.preview_every, [1, u64::MAX]),
        ("checkpoint_every", request.checkpoint_every, [1, u64::MAX]),
        ("batch", recipe.batch as u64, [1, 64]),
        ("size", recipe.size as u64, [32, 1024]),
        ("style_size", recipe.style_size.unwrap_or(32) as u64, [32, 4096]),
        ("steps", recipe.steps.unwrap_or(1), [1, 10_000_000]),
    ];
    for (name, value, [least, most]) in numbers {
        if !(least..=most).contains(&value) {
            let remedy = format!("It may be from {least} to {most}.");
            return Err(Fault::option(format!("`{name}` is {value}."), remedy));
        }
    }
    Ok(())
}

/// A name that is a file's on every system.
fn checked_name(name: &str) -> Result<String, Fault> {
    let plain = |c: char| c.is_ascii_alphanumeric() || " _-".contains(c);
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    if first && name.len() <= 64 && name.chars().all(plain) && !name.ends_with(' ') {
        return Ok(name.to_owned());
    }
    let message = format!("{name:?} is no name for a style.");
    Err(Fault::option(message, "Use up to 64 letters, digits, spaces, - and _."))
}

/// The recipe that is named, with what is asked of it.
fn recipe(request: &Request) -> Result<StyleRecipe, Fault> {
    let name = request.recipe.as_deref().unwrap_or(RECIPES[0]);
    let mut recipe = StyleRecipe::by_name(name).ok_or_else(|| {
        let remedy = format!("It may be {}.", RECIPES.join(", "));
        Fault::option(format!("There is no recipe {name:?}."), remedy)
    })?;
    recipe.batch = request.batch.unwrap_or(recipe.batch);
    recipe.size = request.size.unwrap_or(recipe.size);
    recipe.style_size = request.style_size.or(recipe.style_size);
    if let Some(grain) = request.style_degrain {
        recipe.style_degrain = levels("style_degrain", grain)?;
    }
    if let Some(start) = &request.start {
        recipe.start = Some(start.clone()).filter(|start| start != RANDOM);
    }
    let weights = [request.style_weight, request.content_weight, request.variation_weight];
    let with: [fn(StyleRecipe, f64) -> StyleRecipe; 3] = [
        StyleRecipe::with_style_weight,
        StyleRecipe::with_content_weight,
        StyleRecipe::with_variation,
    ];
    for (weight, with) in weights.into_iter().zip(with) {
        if let Some(weight) = weight {
            recipe = with(recipe, positive("weight", weight)?);
        }
    }
    if let Some(rate) = request.rate {
        recipe = recipe.with_rate(positive("rate", rate)?);
    }
    if let Some(steps) = request.steps {
        recipe = recipe.with_steps(steps);
    }
    beginning(&recipe)?;
    Ok(recipe)
}

fn positive(name: &str, value: f64) -> Result<f64, Fault> {
    if value >= 0.0 && value.is_finite() {
        return Ok(value);
    }
    Err(Fault::option(format!("`{name}` is {value}."), "It may not be negative."))
}

fn levels(name: &str, value: f32) -> Result<f32, Fault> {
    if (0.0..=64.0).contains(&value) {
        return Ok(value);
    }
    Err(Fault::option(format!("`{name}` is {value}."), "It may be from 0 to 64."))
}

fn beginning(recipe: &StyleRecipe) -> Result<Beginning, Fault> {
    let Some(wanted) = &recipe.start else { return Ok(Beginning::Random) };
    let Some(style) = shipped().find(|style| style.name == wanted) else {
        let message = format!("No style {wanted:?} ships that a training could begin with.");
        return Err(Fault::option(message, "`starts` of /api/training are there."));
    };
    Ok(Beginning::from_bytes(style.name, style.bytes)?)
}

/// The file of the recipe's loss network, which was fetched.
pub(super) fn loss_network(studio: &Inner, recipe: &StyleRecipe) -> Result<PathBuf, Fault> {
    let name = &recipe.loss_network;
    studio.settings.pulled(name).ok_or_else(|| {
        Fault::new(UNAVAILABLE, format!("The loss network {name} is not here."), pull_it(name))
    })
}

pub(super) fn pull_it(name: &str) -> String {
    format!("`pentimento weights pull {name}` fetches it.")
}

/// The folder of that name among those that the page was told.
fn folder(studio: &Inner, id: &str) -> Result<PathBuf, Fault> {
    let told = locked(&studio.trainings.photos);
    let found = told.iter().find(|(_, known)| known.as_str() == id);
    found.map(|(path, _)| path.clone()).ok_or_else(|| Fault::not_found("folder"))
}
