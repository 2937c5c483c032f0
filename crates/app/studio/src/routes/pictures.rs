//! Pictures that come, and those that ship.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use pentimento::imaging::{self, Format, decode, identify};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Lasting, checked_side, image, value};
use crate::body::{Params, check_length, media_type, read};
use crate::budget::Budget;
use crate::fault::{Fault, MEDIA_TYPE, TOO_MANY_PIXELS};
use crate::picture::{self, FORMATS, Original, show, shown_size};
use crate::{Inner, Studio, samples};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Name {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Side {
    side: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct Samples {
    samples: Vec<samples::About>,
}

pub(super) async fn list(State(studio): State<Studio>) -> Json<Value> {
    let pictures = studio.store.pictures();
    let about: Vec<_> = pictures.iter().map(|picture| picture.about()).collect();
    Json(json!({ "pictures": about }))
}

/// Bytes a pixel while a picture is decoded: 16 bits of four channels, twice.
const DECODING: u64 = 16;

pub(super) async fn upload(
    State(studio): State<Studio>,
    Params(Name { name }): Params<Name>,
    request: Request,
) -> Result<Response, Fault> {
    let (parts, body) = request.into_parts();
    let format = said(&media_type(&parts.headers))?;
    let limits = &studio.settings.limits;
    let length = check_length(&parts.headers, limits.upload)?.unwrap_or(limits.upload);
    let lease = studio.budget.take(length).ok_or_else(Fault::busy)?;
    let bytes = read(body, limits.upload, limits).await?;
    if Format::of(&bytes) != Some(format) {
        return Err(other(Format::of(&bytes), format));
    }
    let found = identify(&bytes)?;
    let pixels = u64::from(found.width) * u64::from(found.height);
    if pixels > limits.pixels {
        return Err(too_many(pixels, limits.pixels));
    }
    let need = fitting(pixels * DECODING, &studio.budget)?;
    let original = studio.computed(need, move |studio| {
        let _bytes_are_leased = lease;
        let limits = &studio.settings.limits;
        let limits = imaging::Limits { pixels: limits.pixels, bytes: studio.budget.limit() };
        let picture = decode(&bytes, &limits)?;
        Ok(Original::new(&name, picture, format, bytes.len() as u64))
    });
    created(&studio, original.await?)
}

/// Keeps a picture, and tells of it.
fn created(studio: &Inner, original: Original) -> Result<Response, Fault> {
    let original = Arc::new(original);
    let gone = studio.store.put_picture(Arc::clone(&original))?;
    studio.tell_gone(&gone);
    let place = value(&format!("/api/pictures/{}", original.id))?;
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(original.about())).into_response())
}

/// The format that a media type names.
fn said(media: &str) -> Result<Format, Fault> {
    let found = FORMATS.iter().find(|(.., known)| *known == media);
    found.map(|(format, ..)| *format).ok_or_else(|| {
        let known = FORMATS.map(|(.., known)| known).join(", ");
        let message = format!("{media:?} is no media type of a picture that is read here.");
        Fault::new(MEDIA_TYPE, message, format!("Say which of {known} it is."))
    })
}

/// The bytes are not what the request says.
fn other(found: Option<Format>, said: Format) -> Fault {
    match found {
        None => imaging::ImagingError::NotAPicture.into(),
        Some(found) => {
            let message = format!("The bytes are {found}, not {said} as they are said to be.");
            let remedy = format!("Say `Content-Type: {}`.", picture::media_type(found));
            Fault::new(MEDIA_TYPE, message, remedy)
        }
    }
}

fn too_many(pixels: u64, limit: u64) -> Fault {
    let [pixels, limit] = [pixels, limit].map(|n| n as f64 / 1e6);
    let message = format!("The picture has {pixels:.1} million pixels; {limit:.1} is the limit.");
    Fault::new(TOO_MANY_PIXELS, message, "Make the picture smaller.")
}

/// What is more than there is in all cannot be waited for.
fn fitting(need: u64, budget: &Budget) -> Result<u64, Fault> {
    if need <= budget.limit() {
        return Ok(need);
    }
    let message = "The picture takes more memory than the studio may.";
    let remedy = "Make the picture smaller, or start the studio with more --memory.";
    Err(Fault::new(TOO_MANY_PIXELS, message, remedy))
}

pub(super) async fn about(
    State(studio): State<Studio>,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    Ok(Json(studio.store.picture(&id)?.about()).into_response())
}

pub(super) async fn forget(
    State(studio): State<Studio>,
    Path(id): Path<String>,
) -> Result<StatusCode, Fault> {
    studio.store.forget_picture(&id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Bytes a pixel of what is shown: a tensor, the picture and its file.
const SHOWING: u64 = 12 + 8;

pub(super) async fn preview(
    State(studio): State<Studio>,
    Path(id): Path<String>,
    Params(Side { side }): Params<Side>,
) -> Result<Response, Fault> {
    let side = checked_side(side)?;
    let original = studio.store.picture(&id)?;
    let [height, width] = shown_size(original.picture.size(), side);
    let need = fitting(SHOWING * (height * width) as u64, &studio.budget)?;
    let shown = studio.computed(need, move |_| Ok(show(&original.picture, [height, width])?));
    Ok(image(Arc::new(shown.await?), Lasting::Forever))
}

pub(super) async fn samples() -> Result<Json<Samples>, Fault> {
    Ok(Json(Samples { samples: samples::all()? }))
}

/// Bytes that a sample takes while it is decoded: they are small.
const SAMPLE: u64 = 32_000_000;

pub(super) async fn open_sample(
    State(studio): State<Studio>,
    Path(name): Path<String>,
) -> Result<Response, Fault> {
    let sample = samples::find(&name)?;
    let original = studio.computed(SAMPLE, |_| sample.open());
    created(&studio, original.await?)
}

pub(super) async fn sample_preview(
    State(studio): State<Studio>,
    Path(name): Path<String>,
    Params(Side { side }): Params<Side>,
) -> Result<Response, Fault> {
    let side = checked_side(side)?;
    let sample = samples::find(&name)?;
    let shown = studio.computed(SAMPLE, move |_| {
        let picture = &sample.look()?.picture;
        Ok(show(picture, shown_size(picture.size(), side))?)
    });
    Ok(image(Arc::new(shown.await?), Lasting::Forever))
}
