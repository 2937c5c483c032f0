//! Whose losses a picture or a network is held to, and what flags change of them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueHint};
use pentimento::pipeline::pull;
use pentimento::train::style::{LossFile, StyleRecipe};

use crate::exit::NotPulled;
use crate::quantity;
use crate::train::recipe;

/// What everything takes that is held to the losses of a style.
#[derive(Args, Debug)]
pub(crate) struct LossFlags {
    /// Weights of the network that judges: a file, or a name that `pentimento weights
    /// pull` knows. Without it, the recipe's network, if it was pulled.
    #[arg(long, value_name = "FILE|NAME", value_hint = ValueHint::FilePath)]
    pub(crate) loss_network: Option<OsString>,

    /// pentimento, pytorch-tutorial, tensorflow-tutorial, pytorch-examples, or a file
    /// of JSON with the fields that a style's note `recipe` has.
    #[arg(long, value_name = "NAME|FILE", default_value = "pentimento")]
    recipe: String,

    /// Pixels of the painting's shorter side: the smaller, the finer the strokes.
    #[arg(long, value_name = "PIXELS", value_parser = quantity::side)]
    pub(crate) style_size: Option<usize>,

    /// Take so many levels of 255 of grain from the painting before its style is learnt: of
    /// paper, canvas or film, which a network paints as dots in plain areas. 8 is right for
    /// ink on paper.
    #[arg(long, value_name = "0..64", value_parser = quantity::levels)]
    style_degrain: Option<f32>,

    /// How much the style counts.
    #[arg(long, value_name = "X", value_parser = quantity::weight)]
    style_weight: Option<f64>,

    /// How much the photograph's content counts.
    #[arg(long, value_name = "X", value_parser = quantity::weight)]
    content_weight: Option<f64>,

    /// How much smoothness (total variation) of a picture counts; 0 leaves it out.
    #[arg(long, value_name = "X", value_parser = quantity::weight)]
    tv: Option<f64>,
}

const RECIPES: &str =
    "pentimento, pytorch-tutorial, tensorflow-tutorial, pytorch-examples or a file";

impl LossFlags {
    /// The recipe that is named, with its losses weighed as the flags say.
    pub(crate) fn recipe(&self) -> anyhow::Result<StyleRecipe> {
        let mut recipe = recipe::named(&self.recipe, StyleRecipe::by_name, RECIPES)?;
        recipe.style_degrain = self.style_degrain.unwrap_or(recipe.style_degrain);
        if let Some(weight) = self.style_weight {
            recipe = recipe.with_style_weight(weight);
        }
        if let Some(weight) = self.content_weight {
            recipe = recipe.with_content_weight(weight);
        }
        if let Some(weight) = self.tv {
            recipe = recipe.with_variation(weight);
        }
        Ok(recipe)
    }

    /// The loss network in a file, or the one that was pulled under a name.
    pub(crate) fn network(&self, recipe: &mut StyleRecipe) -> anyhow::Result<LossFile> {
        let of_recipe = || OsString::from(&recipe.loss_network);
        let wanted = self.loss_network.clone().unwrap_or_else(of_recipe);
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
}
