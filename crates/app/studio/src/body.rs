//! What a request brings: held to its media type, its size and its time.

use std::time::Instant;

use axum::body::{Body, BodyDataStream};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use tokio_stream::StreamExt;

use crate::fault::{BAD_REQUEST, Fault, MEDIA_TYPE, TOO_LARGE, TOO_SLOW};
use crate::{Limits, Studio};

/// A JSON body.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

/// Bytes of JSON: a thousand hints and some.
const JSON: u64 = 128 << 10;

impl<T: DeserializeOwned> FromRequest<Studio> for Json<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, studio: &Studio) -> Result<Self, Fault> {
        let (parts, body) = request.into_parts();
        if media_type(&parts.headers) != "application/json" {
            let remedy = "Say `Content-Type: application/json`, and send JSON.";
            return Err(Fault::new(MEDIA_TYPE, "The body is not said to be JSON.", remedy));
        }
        check_length(&parts.headers, JSON)?;
        let bytes = read(body, JSON, &studio.settings.limits).await?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            let message = format!("The body is not the JSON that is wanted: {error}.");
            Fault::new(BAD_REQUEST, message, "/api/openapi.json says what may be asked for.")
        })
    }
}

/// What stands behind the question mark.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        Query::try_from_uri(&parts.uri).map(|Query(values)| Self(values)).map_err(|error| {
            let message = format!("A parameter of the address is wrong: {}.", error.body_text());
            Fault::option(message, "/api/openapi.json says what may be asked for.")
        })
    }
}

/// The media type of a body, without its parameters, in lower case.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = text.and_then(|text| text.split(';').next()).unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// Refuses a body that says itself to be too long; gives how long it says to be.
pub(crate) fn check_length(headers: &HeaderMap, limit: u64) -> Result<Option<u64>, Fault> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let length: Option<u64> = length.and_then(|text| text.parse().ok());
    match length {
        Some(length) if length > limit => Err(too_large(limit)),
        length => Ok(length),
    }
}

/// Reads a body to its end.
///
/// # Errors
///
/// If it is too long, pauses for too long, takes too long in all, or breaks off.
pub(crate) async fn read(body: Body, limit: u64, limits: &Limits) -> Result<Vec<u8>, Fault> {
    let begin = Instant::now();
    let mut bytes = vec![];
    let mut stream: BodyDataStream = body.into_data_stream();
    loop {
        let left = limits.whole.saturating_sub(begin.elapsed());
        let next = timeout(limits.pause.min(left), stream.next());
        let chunk = match next.await {
            Err(_) => return Err(too_slow()),
            Ok(None) => return Ok(bytes),
            Ok(Some(Err(error))) => return Err(broken(&error)),
            Ok(Some(Ok(chunk))) => chunk,
        };
        if (bytes.len() + chunk.len()) as u64 > limit {
            return Err(too_large(limit));
        }
        bytes.extend_from_slice(&chunk);
    }
}

fn too_large(limit: u64) -> Fault {
    let message = match limit {
        0..2_000_000 => format!("The body is larger than {} kB.", limit / 1000),
        _ => format!("The file is larger than {} MB.", limit / 1_000_000),
    };
    Fault::new(TOO_LARGE, message, "Send a smaller one, or start the studio with other limits.")
}

fn too_slow() -> Fault {
    Fault::new(TOO_SLOW, "The body came too slowly.", "Try again over a better connection.")
}

fn broken(error: &axum::Error) -> Fault {
    let message = format!("The body broke off: {error}.");
    Fault::new(BAD_REQUEST, message, "Try again.")
}
