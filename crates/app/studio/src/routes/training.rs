//! Runs of training.

use std::fs;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use pentimento::train::run::{Numbers, shown};
use pentimento::train::style;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Lasting, image, value};
use crate::Studio;
use crate::body::{self, Params};
use crate::fault::Fault;
use crate::picture::Shown;
use crate::training::{self, Request, View};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rows {
    #[serde(default)]
    after: u64,
    most: Option<usize>,
}

pub(super) async fn options(State(studio): State<Studio>) -> Result<Json<Value>, Fault> {
    Ok(Json(studio.computed(0, |studio| Ok(training::options(studio))).await?))
}

pub(super) async fn list(State(studio): State<Studio>) -> Result<Json<Value>, Fault> {
    let views = studio.computed(0, |studio| Ok(View::all(studio)));
    Ok(Json(json!({ "trainings": views.await? })))
}

pub(super) async fn start(
    State(studio): State<Studio>,
    body::Json(fields): body::Json<Value>,
) -> Result<Response, Fault> {
    let request: Request = crate::jobs::fields(Value::Object(crate::jobs::object(fields)?))?;
    let inner = studio.inner();
    let view = studio.computed(0, move |studio| {
        let run = studio.trainings.start(&inner, &request)?;
        Ok((run.id.clone(), View::of(studio, &run)))
    });
    let (id, view) = view.await?;
    let place = value(&format!("/api/trainings/{id}"))?;
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(view)).into_response())
}

pub(super) async fn about(
    State(studio): State<Studio>,
    Path(id): Path<String>,
) -> Result<Json<View>, Fault> {
    let view =
        studio.computed(0, move |studio| Ok(View::of(studio, &*studio.trainings.find(&id)?)));
    Ok(Json(view.await?))
}

pub(super) async fn losses(
    studio: State<Studio>,
    id: Path<String>,
    rows: Params<Rows>,
) -> Result<Json<Value>, Fault> {
    table(studio, id, rows, 0).await
}

pub(super) async fn validation(
    studio: State<Studio>,
    id: Path<String>,
    rows: Params<Rows>,
) -> Result<Json<Value>, Fault> {
    table(studio, id, rows, 1).await
}

/// Rows that are given where nothing is asked for, and at most.
const ROWS: usize = 1000;
const MOST: usize = 10_000;

async fn table(
    State(studio): State<Studio>,
    Path(id): Path<String>,
    Params(Rows { after, most }): Params<Rows>,
    which: usize,
) -> Result<Json<Value>, Fault> {
    let most = most.unwrap_or(ROWS);
    if !(2..=MOST).contains(&most) {
        let remedy = format!("It may be from 2 to {MOST}.");
        return Err(Fault::option(format!("`most` is {most}."), remedy));
    }
    let numbers = studio.computed(0, move |studio| {
        let run = studio.trainings.find(&id)?;
        let (name, columns) = style::TABLES[which];
        let mut numbers = Numbers::read(run.path(), name);
        if numbers.rows.is_empty() {
            numbers.columns = columns.iter().map(|&name| name.to_owned()).collect();
        }
        numbers.rows.retain(|row| row[0] > after as f64);
        numbers
            .rows
            .iter_mut()
            .flatten()
            .for_each(|v| *v = if v.is_finite() { *v } else { f64::MAX });
        Ok((numbers.columns, thinned(numbers.rows, most)))
    });
    let (columns, rows) = numbers.await?;
    Ok(Json(json!({ "columns": columns, "rows": rows })))
}

/// At most so many, evenly picked, with the last.
fn thinned(rows: Vec<Vec<f64>>, most: usize) -> Vec<Vec<f64>> {
    let count = rows.len();
    if count <= most {
        return rows;
    }
    let at = |i: usize| (i * (count - 1) + (most - 1) / 2) / (most - 1);
    (0..most).map(|i| rows[at(i)].clone()).collect()
}

pub(super) async fn preview(
    State(studio): State<Studio>,
    Path((id, index)): Path<(String, String)>,
) -> Result<Response, Fault> {
    let found = studio.computed(0, move |studio| {
        let run = studio.trainings.find(&id)?;
        let all = shown(run.path());
        let index = index.parse::<usize>().ok();
        let path = index.and_then(|index| all.get(index)).map(|shown| &shown.path);
        let bytes = path.and_then(|path| fs::read(path).ok());
        bytes.ok_or_else(|| Fault::not_found("preview"))
    });
    let shown = Shown { bytes: found.await?, media_type: "image/png", size: [0, 0] };
    Ok(image(Arc::new(shown), Lasting::ForNow))
}

pub(super) async fn stop(
    State(studio): State<Studio>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<View>), Fault> {
    let view = studio.computed(0, move |studio| {
        let run = studio.trainings.find(&id)?;
        run.stop()?;
        Ok(View::of(studio, &run))
    });
    Ok((StatusCode::ACCEPTED, Json(view.await?)))
}

pub(super) async fn resume(
    State(studio): State<Studio>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<View>), Fault> {
    let inner = studio.inner();
    let view = studio.computed(0, move |studio| {
        let run = studio.trainings.find(&id)?;
        studio.trainings.resume(&inner, &run)?;
        Ok(View::of(studio, &run))
    });
    Ok((StatusCode::ACCEPTED, Json(view.await?)))
}

#[cfg(test)]
mod tests {
    use super::thinned;

    #[test]
    fn rows_are_picked_evenly_with_the_first_and_the_last() {
        let rows = |n: usize| (0..n).map(|i| vec![i as f64]).collect::<Vec<_>>();
        assert_eq!(thinned(rows(5), 5), rows(5));
        assert_eq!(thinned(rows(101), 3), [[0.0], [50.0], [100.0]]);
        assert_eq!(thinned(rows(1000), 2), [[0.0], [999.0]]);
    }
}
