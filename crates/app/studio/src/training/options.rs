//! What a training can be started from.

use std::fs;
use std::path::Path;

use pentimento::pipeline::shipped;
use pentimento::train::data::Folder;
use pentimento::train::style::StyleRecipe;
use serde_json::{Value, json};

use super::locked;
use super::plan::{RANDOM, RECIPES, loss_network, pull_it};
use crate::Inner;
use crate::id::Id;

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
        let here = studio.settings.pulled(name).is_some();
        json!({ "name": name, "available": here, "remedy": (!here).then(|| pull_it(name)) })
    });
    let missing = remedy(studio, &folders, &names);
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
fn remedy(studio: &Inner, folders: &[Value], networks: &[String]) -> Option<String> {
    if studio.settings.photos.is_empty() {
        return Some("Start the studio with a folder of photographs: --photos FOLDER.".to_owned());
    }
    if folders.is_empty() {
        return Some("There is no photograph in the folders given with --photos.".to_owned());
    }
    let here = |name: &String| studio.settings.pulled(name).is_some();
    (!networks.iter().any(here)).then(|| pull_it("vgg16"))
}

/// Whether anything can be trained, as far as is known without looking into folders.
pub(crate) fn is_available(studio: &Inner) -> bool {
    let pulled = |name: &str| {
        StyleRecipe::by_name(name).is_some_and(|recipe| loss_network(studio, &recipe).is_ok())
    };
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
