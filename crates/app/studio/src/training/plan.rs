//! What a run is made of: from a request, or from what an earlier one left.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pentimento::cpu::Memory;
use pentimento::imaging::{EncodeOptions, Format, atomic_write, encode};
use pentimento::pipeline::{pull, shipped};
use pentimento::train::data::{Folder, Reading};
use pentimento::train::style::{Beginning, LossFile, Painting, StyleJob, StyleRecipe};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::locked;
use crate::Inner;
use crate::fault::{Fault, UNAVAILABLE, sentence};
use crate::id::Id;
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

/// What a run is made of, as it is kept in the run's folder.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) title: String,
    /// What the painting is called.
    pub(super) painting: String,
    photographs: PathBuf,
    recipe: StyleRecipe,
    seed: u64,
    pub(super) preview_every: u64,
    pub(super) checkpoint_every: u64,
    /// Only until it is written beside this.
    #[serde(skip)]
    source: Option<Arc<Original>>,
}

/// The recipes that can be asked for, the usual one first.
const RECIPES: [&str; 4] =
    ["pentimento", "pytorch-tutorial", "tensorflow-tutorial", "pytorch-examples"];

/// The word for no style to begin with.
const RANDOM: &str = "random";

/// One photograph in fifty is kept out.
const KEPT_OUT: f64 = 0.02;

/// Where a run's folder keeps the plan and the painting.
const PLAN: &str = "studio.json";
const PAINTING: &str = "painting.png";

impl Plan {
    pub(super) fn resolve(studio: &Inner, request: &Request) -> Result<Self, Fault> {
        let title = checked_name(&request.name)?;
        let source = studio.store.picture(&request.painting)?;
        let photographs = folder(studio, &request.folder)?;
        let recipe = recipe(request)?;
        loss_network(&recipe)?;
        let within = |name, value: u64, [least, most]: [u64; 2]| {
            if (least..=most).contains(&value) {
                return Ok(value);
            }
            let remedy = format!("It may be from {least} to {most}.");
            Err(Fault::option(format!("`{name}` is {value}."), remedy))
        };
        let preview_every = within("preview_every", request.preview_every, [1, u64::MAX])?;
        let checkpoint_every = within("checkpoint_every", request.checkpoint_every, [1, u64::MAX])?;
        within("batch", recipe.batch as u64, [1, 64])?;
        within("size", recipe.size as u64, [32, 1024])?;
        within("style_size", recipe.style_size.unwrap_or(32) as u64, [32, 4096])?;
        within("steps", recipe.steps.unwrap_or(1), [1, 10_000_000])?;
        Ok(Self {
            title,
            painting: source.name.clone(),
            photographs,
            recipe,
            seed: request.seed,
            preview_every,
            checkpoint_every,
            source: Some(source),
        })
    }

    /// The plan in a run's folder.
    pub(super) fn read(studio: &Inner, run: &Path) -> Result<Self, Fault> {
        let text = fs::read_to_string(run.join(PLAN)).map_err(|_no_plan| {
            let message = "This training was begun on the command line.";
            Fault::conflict(message, "Go on with it there: pentimento train style … --resume.")
        })?;
        let plan: Self = serde_json::from_str(&text).map_err(|error| {
            Fault::conflict(
                format!("The training's plan cannot be read: {error}."),
                "Begin a new one.",
            )
        })?;
        let roots = &studio.settings.photos;
        if !roots.iter().any(|root| plan.photographs.starts_with(root)) {
            let message = "The training's photographs are not in the folders given at the start.";
            return Err(Fault::conflict(message, "Start the studio with their folder: --photos."));
        }
        loss_network(&plan.recipe)?;
        Ok(plan)
    }

    /// Whether a run's folder has a plan.
    pub(super) fn is_in(run: &Path) -> bool {
        run.join(PLAN).is_file()
    }

    /// Writes the plan and the painting into the run's folder.
    pub(super) fn write(&self, run: &Path) -> Result<(), Fault> {
        let Some(source) = &self.source else { return Ok(()) };
        let png = encode(&source.picture, Format::Png, &EncodeOptions::default())?;
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        let written = atomic_write(&run.join(PAINTING), &png)
            .and_then(|()| atomic_write(&run.join(PLAN), text.as_bytes()));
        written.map_err(|error| {
            Fault::conflict(sentence(&error), "Start the studio with another folder: --styles.")
        })
    }

    /// Everything the run needs; the painting is read from the run's folder.
    pub(super) fn job(&self, studio: &Inner, run: &Path) -> Result<StyleJob, Fault> {
        let (photographs, held_out) = Folder::open(&self.photographs)?.split(KEPT_OUT);
        Ok(StyleJob {
            recipe: self.recipe.clone(),
            seed: self.seed,
            painting: Painting::open(&run.join(PAINTING))?,
            loss_network: loss_network(&self.recipe)?.open(&self.recipe)?,
            photographs,
            held_out,
            beginning: beginning(&self.recipe)?,
            memory: Memory::Kept,
            reading: Reading::default(),
            threads: studio.long.clone(),
        })
    }

    /// Steps, if the recipe says how many.
    pub(super) fn steps(run: &Path) -> Option<u64> {
        let plan: Self = serde_json::from_str(&fs::read_to_string(run.join(PLAN)).ok()?).ok()?;
        plan.recipe.steps
    }
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

fn beginning(recipe: &StyleRecipe) -> Result<Beginning, Fault> {
    let Some(wanted) = &recipe.start else { return Ok(Beginning::Random) };
    let Some(style) = shipped().find(|style| style.name == wanted) else {
        let message = format!("No style {wanted:?} ships that a training could begin with.");
        return Err(Fault::option(message, "`starts` of /api/training are there."));
    };
    Ok(Beginning::from_bytes(style.name, style.bytes)?)
}

/// A loss network that is there.
struct Pulled(PathBuf);

impl Pulled {
    fn open(&self, recipe: &StyleRecipe) -> Result<LossFile, Fault> {
        Ok(LossFile::open(&self.0, &recipe.loss_network, &recipe.objective)?)
    }
}

fn loss_network(recipe: &StyleRecipe) -> Result<Pulled, Fault> {
    let name = &recipe.loss_network;
    pull::find(name).map(Pulled).ok_or_else(|| {
        Fault::new(UNAVAILABLE, format!("The loss network {name} is not here."), pull_it(name))
    })
}

fn pull_it(name: &str) -> String {
    format!("`pentimento weights pull {name}` fetches it.")
}

/// The folder of that name among those that the page was told.
fn folder(studio: &Inner, id: &str) -> Result<PathBuf, Fault> {
    let told = locked(&studio.trainings.photos);
    let found = told.iter().find(|(_, known)| known.as_str() == id);
    found.map(|(path, _)| path.clone()).ok_or_else(|| Fault::not_found("folder"))
}

/// Folders of a root that are told.
const FOLDERS: usize = 100;

/// What a training can be started from.
pub(crate) fn options(studio: &Inner) -> Value {
    let folders = folders(studio);
    let recipes: Vec<_> = RECIPES.iter().filter_map(|name| StyleRecipe::by_name(name)).collect();
    let mut names: Vec<_> = recipes.iter().map(|recipe| recipe.loss_network.clone()).collect();
    names.sort();
    names.dedup();
    let networks = names.iter().map(|name| {
        let here = pull::find(name).is_some();
        json!({ "name": name, "available": here, "remedy": (!here).then(|| pull_it(name)) })
    });
    let missing = remedy(studio, folders.is_empty(), names.iter().any(|n| pull::find(n).is_some()));
    let told = recipes.iter().map(|recipe| {
        json!({
            "name": recipe.name, "network": recipe.network, "loss_network": recipe.loss_network,
            "batch": recipe.batch, "size": recipe.size, "style_size": recipe.style_size,
            "steps": recipe.steps, "epochs": recipe.epochs, "start": recipe.start,
        })
    });
    let starts = [RANDOM].into_iter().chain(shipped().map(|style| style.name));
    json!({
        "available": missing.is_none(), "remedy": missing, "folders": folders,
        "recipes": told.collect::<Vec<_>>(), "loss_networks": networks.collect::<Vec<_>>(),
        "starts": starts.collect::<Vec<_>>(),
    })
}

/// What is missing before anything can be trained.
fn remedy(studio: &Inner, no_folder: bool, has_network: bool) -> Option<String> {
    if studio.settings.photos.is_empty() {
        return Some("Start the studio with a folder of photographs: --photos FOLDER.".to_owned());
    }
    if no_folder {
        return Some("There is no photograph in the folders given with --photos.".to_owned());
    }
    (!has_network).then(|| pull_it("vgg16"))
}

/// Whether anything can be trained, as far as is known without looking into folders.
pub(crate) fn is_available(studio: &Inner) -> bool {
    let pulled = |name: &str| StyleRecipe::by_name(name).is_some_and(|r| loss_network(&r).is_ok());
    !studio.settings.photos.is_empty() && RECIPES.into_iter().any(pulled)
}

/// The roots, and the folders in them, that have photographs.
fn folders(studio: &Inner) -> Vec<Value> {
    let mut found = vec![];
    for root in &studio.settings.photos {
        let name =
            |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let top = root.canonicalize().map_or_else(|_| name(root), |root| name(&root));
        let mut inner: Vec<_> = fs::read_dir(root).into_iter().flatten().flatten().collect();
        inner.sort_by_key(fs::DirEntry::file_name);
        let inner = inner.iter().map(fs::DirEntry::path).filter(|path| path.is_dir());
        let inner = inner.map(|path| (format!("{top}/{}", name(&path)), path)).take(FOLDERS);
        for (name, path) in [(top.clone(), root.clone())].into_iter().chain(inner) {
            let Ok(photographs) = Folder::open(&path) else { continue };
            let mut told = locked(&studio.trainings.photos);
            let id = told.entry(path).or_insert_with(Id::new).clone();
            found
                .push(json!({ "id": id, "name": name, "photographs": photographs.photos().len() }));
        }
    }
    found
}
