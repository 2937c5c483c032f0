//! Jobs.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::value;
use crate::body;
use crate::fault::Fault;
use crate::jobs::{Job, Order, View, object};
use crate::{Inner, Studio};

pub(super) async fn list(State(studio): State<Studio>) -> Json<Value> {
    Json(json!({ "jobs": studio.jobs.list() }))
}

pub(super) async fn submit(
    State(studio): State<Studio>,
    body::Json(request): body::Json<Value>,
) -> Result<Response, Fault> {
    studio.jobs.check_room()?; // before anything is read for it
    let fields = object(request)?;
    // Networks may have to be read to say what memory they take.
    let order = studio.computed(0, move |studio| Order::read(studio, fields)).await?;
    let view = studio.jobs.submit(order)?;
    let place = value(&format!("/api/jobs/{}", view.id))?;
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, place)], Json(view)).into_response())
}

pub(super) fn find(studio: &Inner, id: &str) -> Result<Arc<Job>, Fault> {
    studio.jobs.find(id).ok_or_else(|| Fault::not_found("job"))
}

pub(super) async fn about(
    State(studio): State<Studio>,
    Path(id): Path<String>,
) -> Result<Json<View>, Fault> {
    Ok(Json(studio.jobs.view(&*find(&studio, &id)?)))
}

pub(super) async fn cancel(
    State(studio): State<Studio>,
    Path(id): Path<String>,
) -> Result<Json<View>, Fault> {
    Ok(Json(studio.jobs.cancel(&find(&studio, &id)?)))
}
