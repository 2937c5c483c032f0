use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::Studio;
use crate::fault::Fault;
use crate::styles::Entry;

pub(super) async fn list(State(studio): State<Studio>) -> Result<Json<Value>, Fault> {
    let (styles, problems) = studio.computed(0, |studio| studio.styles.list()).await?;
    let about: Vec<_> = styles.iter().map(Entry::about).collect();
    Ok(Json(json!({ "styles": about, "problems": problems })))
}
