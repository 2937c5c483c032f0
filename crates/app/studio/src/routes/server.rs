//! What is told of the server itself.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use pentimento::imaging::Format;
use pentimento::pipeline::shipped;
use serde::{Deserialize, Serialize};

use crate::Studio;
use crate::body;
use crate::fault::Fault;
use crate::guard::{cookie, equal, wrong_token};
use crate::picture::FORMATS;

/// What the page and scripts use.
pub(crate) const OPENAPI: &str = include_str!("../../api/openapi.json");

pub(super) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

#[derive(Serialize)]
pub(super) struct About {
    version: &'static str,
    threads: usize,
    limits: Limits,
    features: Features,
    reads: Vec<AboutFormat>,
    writes: Vec<AboutFormat>,
}

#[derive(Serialize)]
struct Limits {
    upload_bytes: u64,
    pixels: u64,
    queue: usize,
    memory_bytes: u64,
    result_seconds: u64,
    stored_bytes: u64,
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "a list of what is there")]
struct Features {
    stylize: bool,
    colorize: bool,
    inspect: bool,
    train: bool,
}

#[derive(Serialize)]
struct AboutFormat {
    format: &'static str,
    media_type: &'static str,
    extension: &'static str,
}

pub(super) async fn about(State(studio): State<Studio>) -> Json<About> {
    let limits = &studio.settings.limits;
    let about = |&(format, name, media_type): &(Format, _, _)| AboutFormat {
        format: name,
        media_type,
        extension: format.extension(),
    };
    Json(About {
        version: env!("CARGO_PKG_VERSION"),
        threads: studio.long.count(),
        limits: Limits {
            upload_bytes: limits.upload,
            pixels: limits.pixels,
            queue: limits.queue,
            memory_bytes: limits.memory,
            result_seconds: limits.age.as_secs(),
            stored_bytes: limits.stored(),
        },
        features: Features {
            stylize: shipped().len() > 0,
            colorize: pentimento::pipeline::ColorModel::ships(),
            inspect: true,
            train: crate::training::is_available(&studio),
        },
        reads: FORMATS.iter().map(about).collect(),
        writes: FORMATS.iter().filter(|(format, ..)| format.can_write()).map(about).collect(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Session {
    token: String,
}

pub(super) async fn session(
    State(studio): State<Studio>,
    body::Json(session): body::Json<Session>,
) -> Result<Response, Fault> {
    let Some(token) = &studio.settings.token else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    if !equal(&session.token, token) {
        return Err(wrong_token());
    }
    let cookie = super::value(&cookie(token, studio.hosts.port()))?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}
