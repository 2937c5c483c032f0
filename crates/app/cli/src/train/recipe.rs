//! Recipes, as they are named.

use std::fs;

use pentimento::pipeline::PipelineError;
use serde::de::DeserializeOwned;

/// The recipe of that name, or in that file; `range` says which there are.
pub(super) fn named<R: DeserializeOwned>(
    name: &str,
    by_name: impl Fn(&str) -> Option<R>,
    range: &'static str,
) -> anyhow::Result<R> {
    if let Some(recipe) = by_name(name) {
        return Ok(recipe);
    }
    let wrong = |why: String| {
        let (option, value) = ("--recipe", format!("{name:?}"));
        anyhow::Error::new(PipelineError::Option { option, value, range }).context(why)
    };
    let text = fs::read_to_string(name).map_err(|e| wrong(e.to_string()))?;
    serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))
}
