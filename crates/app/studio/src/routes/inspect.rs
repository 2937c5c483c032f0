use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::Studio;
use crate::fault::Fault;
use crate::nets;

pub(super) async fn list(State(studio): State<Studio>) -> Result<Json<Value>, Fault> {
    let networks = studio.computed(0, nets::list).await?;
    Ok(Json(json!({ "networks": networks })))
}

pub(super) async fn about(
    State(studio): State<Studio>,
    Path(id): Path<String>,
) -> Result<Json<nets::About>, Fault> {
    Ok(Json(studio.computed(0, move |studio| nets::about(studio, &id)).await?))
}
