//! Addresses, and what is there.

mod events;
mod inspect;
mod jobs;
mod pictures;
mod results;
mod server;
mod styles;
mod training;

use axum::Router;
use axum::http::{HeaderValue, Method, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post};

use crate::fault::{Fault, METHOD};
use crate::picture::Shown;
use crate::{Session, Studio};
use crate::{guard, page};

/// Everything that can be asked of a studio.
pub fn app(Session(studio): Session) -> Router {
    let mut router = Router::new().route("/", get(page::index));
    for (path, methods, _) in api() {
        router = router.route(path, methods);
    }
    router
        .fallback(page::asset)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(studio.clone(), guard::guard))
        .with_state(studio)
}

/// An address, what answers there, and by which methods, as the description has them.
type Route = (&'static str, MethodRouter<Studio>, &'static [Method]);

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const GET_POST: &[Method] = &[Method::GET, Method::POST];
const GET_DELETE: &[Method] = &[Method::GET, Method::DELETE];

pub(crate) fn api() -> Vec<Route> {
    vec![
        ("/api/openapi.json", get(server::openapi), GET),
        ("/api/about", get(server::about), GET),
        (guard::SESSION, post(server::session), POST),
        ("/api/events", get(events::all), GET),
        ("/api/pictures", get(pictures::list).post(pictures::upload), GET_POST),
        ("/api/pictures/{id}", get(pictures::about).delete(pictures::forget), GET_DELETE),
        ("/api/pictures/{id}/preview", get(pictures::preview), GET),
        ("/api/samples", get(pictures::samples), GET),
        ("/api/samples/{name}", post(pictures::open_sample), POST),
        ("/api/samples/{name}/preview", get(pictures::sample_preview), GET),
        ("/api/styles", get(styles::list), GET),
        ("/api/jobs", get(jobs::list).post(jobs::submit), GET_POST),
        ("/api/jobs/{id}", get(jobs::about).delete(jobs::cancel), GET_DELETE),
        ("/api/jobs/{id}/events", get(events::of_job), GET),
        ("/api/results", get(results::list), GET),
        ("/api/results/{id}", delete(results::forget).get(results::about), GET_DELETE),
        ("/api/results/{id}/preview", get(results::preview), GET),
        ("/api/results/{id}/original", get(results::original), GET),
        ("/api/results/{id}/images/{index}", get(results::image_of), GET),
        ("/api/results/{id}/file", get(results::file), GET),
        ("/api/networks", get(inspect::list), GET),
        ("/api/networks/{id}", get(inspect::about), GET),
        ("/api/training", get(training::options), GET),
        ("/api/trainings", get(training::list).post(training::start), GET_POST),
        ("/api/trainings/{id}", get(training::about), GET),
        ("/api/trainings/{id}/losses", get(training::losses), GET),
        ("/api/trainings/{id}/validation", get(training::validation), GET),
        ("/api/trainings/{id}/previews/{index}", get(training::preview), GET),
        ("/api/trainings/{id}/stop", post(training::stop), POST),
        ("/api/trainings/{id}/resume", post(training::resume), POST),
    ]
}

async fn wrong_method(method: Method) -> Fault {
    let message = format!("{method} is not for this address.");
    Fault::new(METHOD, message, "/api/openapi.json says which methods are.")
}

/// Whether an image under an address stays what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lasting {
    Forever,
    ForNow,
}

/// An image as an answer.
fn image(shown: impl AsRef<Shown>, lasting: Lasting) -> Response {
    let Shown { bytes, media_type, .. } = shown.as_ref();
    let cache = match lasting {
        Lasting::Forever => "private, max-age=31536000, immutable",
        Lasting::ForNow => "no-store",
    };
    let about = [(header::CONTENT_TYPE, *media_type), (header::CACHE_CONTROL, cache)];
    (about, bytes.clone()).into_response()
}

/// The sides of what is looked at.
const SIDES: [usize; 2] = [16, 65_535];

/// The side of what is looked at, where none is asked for.
const SIDE: usize = 1024;

fn checked_side(side: Option<usize>) -> Result<usize, Fault> {
    let [least, most] = SIDES;
    match side.unwrap_or(SIDE) {
        side if (least..=most).contains(&side) => Ok(side),
        side => {
            let remedy = format!("It may be from {least} to {most}.");
            Err(Fault::option(format!("`side` is {side}."), remedy))
        }
    }
}

/// A header's value that is known to be fine.
fn value(text: &str) -> Result<HeaderValue, Fault> {
    HeaderValue::from_str(text).map_err(|error| Fault::internal(error.to_string()))
}

#[cfg(test)]
mod tests;
