//! The page, compiled in.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::Studio;
use crate::body::Params;
use crate::fault::Fault;
use crate::guard::{cookie, equal, wrong_token};

/// Files of `page/dist`: names and bytes.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The page; with `?token=…`, its cookie first.
pub(crate) async fn index(
    State(studio): State<Studio>,
    Params(query): Params<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let (Some(token), Some(given)) = (&studio.settings.token, query.get("token")) else {
        return file("index.html", &headers).unwrap_or_else(missing);
    };
    if !equal(given, token) {
        return wrong_token().into_response();
    }
    // The token goes out of the address, lest it stay in the history.
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, HeaderValue::from_static("/"));
    if let Ok(value) = HeaderValue::from_str(&cookie(token, studio.hosts.port())) {
        headers.insert(header::SET_COOKIE, value);
    }
    response
}

/// Any other file of the page; there are no others.
pub(crate) async fn asset(request: Request) -> Response {
    let name = request.uri().path().trim_start_matches('/');
    file(name, request.headers()).unwrap_or_else(missing)
}

fn missing() -> Response {
    Fault::not_found("page").into_response()
}

fn file(name: &str, headers: &HeaderMap) -> Option<Response> {
    let (name, bytes) = FILES.iter().find(|(file, _)| *file == name)?;
    let mut hasher = DefaultHasher::new();
    (env!("CARGO_PKG_VERSION"), bytes).hash(&mut hasher);
    let tag = format!("\"{:016x}\"", hasher.finish());
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == tag.as_str());
    let about = [
        (header::CONTENT_TYPE, media_type(name)),
        (header::ETAG, &tag),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Some(if known {
        (StatusCode::NOT_MODIFIED, about).into_response()
    } else {
        (about, *bytes).into_response()
    })
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("webp") => "image/webp",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("json" | "map" | "webmanifest") => "application/json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_there_and_every_file_has_a_type() {
        assert!(FILES.iter().any(|(name, bytes)| *name == "index.html" && !bytes.is_empty()));
        for (name, _) in FILES {
            assert_ne!(media_type(name), "application/octet-stream", "{name}");
        }
    }
}
