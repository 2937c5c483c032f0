//! What is answered when something is wrong.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use pentimento::imaging::ImagingError;
use pentimento::insight::InsightError;
use pentimento::pipeline::PipelineError;
use pentimento::train::TrainError;
use serde::Serialize;

/// What is wrong, for machines and for people.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Fault {
    #[serde(skip)]
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) remedy: String,
    /// Seconds after which it may go.
    #[serde(skip)]
    pub(crate) retry: Option<u64>,
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a Fault,
}

impl Fault {
    pub(crate) fn new(
        (status, code): (StatusCode, &'static str),
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { status, code, message: message.into(), remedy: remedy.into(), retry: None }
    }

    #[must_use]
    pub(crate) fn after(self, seconds: u64) -> Self {
        Self { retry: Some(seconds), ..self }
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(NOT_FOUND, format!("There is no such {what}."), "Fetch the list again.")
    }

    pub(crate) fn gone(what: &str) -> Self {
        let message = format!("This {what} has expired or was deleted.");
        Self::new(GONE, message, "Upload the picture or make the result again.")
    }

    pub(crate) fn option(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(INVALID_OPTION, message, remedy)
    }

    pub(crate) fn conflict(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(CONFLICT, message, remedy)
    }

    pub(crate) fn internal(what: impl Into<String>) -> Self {
        Self::new(INTERNAL, what, "This is a bug: please report it, with what you did.")
    }

    pub(crate) fn busy() -> Self {
        let message = "There is not enough memory free for this now.";
        Self::new(OUT_OF_MEMORY, message, "Try again in a moment, or with a smaller picture.")
            .after(2)
    }
}

type Kind = (StatusCode, &'static str);

pub(crate) const BAD_REQUEST: Kind = (StatusCode::BAD_REQUEST, "bad_request");
pub(crate) const INVALID_OPTION: Kind = (StatusCode::UNPROCESSABLE_ENTITY, "invalid_option");
pub(crate) const MEDIA_TYPE: Kind = (StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong_media_type");
pub(crate) const TOO_LARGE: Kind = (StatusCode::PAYLOAD_TOO_LARGE, "too_large");
pub(crate) const TOO_MANY_PIXELS: Kind = (StatusCode::PAYLOAD_TOO_LARGE, "too_many_pixels");
pub(crate) const NOT_A_PICTURE: Kind = (StatusCode::UNPROCESSABLE_ENTITY, "not_a_picture");
pub(crate) const NOT_FOUND: Kind = (StatusCode::NOT_FOUND, "not_found");
pub(crate) const GONE: Kind = (StatusCode::GONE, "gone");
pub(crate) const METHOD: Kind = (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
pub(crate) const WRONG_HOST: Kind = (StatusCode::MISDIRECTED_REQUEST, "wrong_host");
pub(crate) const CROSS_SITE: Kind = (StatusCode::FORBIDDEN, "cross_site");
pub(crate) const UNAUTHORIZED: Kind = (StatusCode::UNAUTHORIZED, "unauthorized");
pub(crate) const QUEUE_FULL: Kind = (StatusCode::TOO_MANY_REQUESTS, "queue_full");
pub(crate) const OUT_OF_MEMORY: Kind = (StatusCode::SERVICE_UNAVAILABLE, "out_of_memory");
/// It will never fit, so that it is no use to try again.
pub(crate) const NEVER_FITS: Kind = (StatusCode::UNPROCESSABLE_ENTITY, "out_of_memory");
pub(crate) const TOO_SLOW: Kind = (StatusCode::REQUEST_TIMEOUT, "too_slow");
pub(crate) const CONFLICT: Kind = (StatusCode::CONFLICT, "conflict");
pub(crate) const UNAVAILABLE: Kind = (StatusCode::SERVICE_UNAVAILABLE, "unavailable");
pub(crate) const INTERNAL: Kind = (StatusCode::INTERNAL_SERVER_ERROR, "internal");

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(Body { error: &self })).into_response();
        if let Some(seconds) = self.retry {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<ImagingError> for Fault {
    fn from(error: ImagingError) -> Self {
        let words = sentence(&error);
        match error {
            ImagingError::TooLarge { .. } | ImagingError::TooManyBytes { .. } => {
                Self::new(TOO_MANY_PIXELS, words, "Make the picture smaller.")
            }
            ImagingError::DoesNotFit { .. } | ImagingError::UnknownExtension { .. } => {
                Self::option(words, "Choose another format.")
            }
            ImagingError::Io(_) => Self::internal(words),
            _ => Self::new(
                NOT_A_PICTURE,
                words,
                "Send a JPEG, PNG, WebP, TIFF, BMP or GIF file that other programs open.",
            ),
        }
    }
}

impl From<PipelineError> for Fault {
    fn from(error: PipelineError) -> Self {
        let words = sentence(&error);
        match error {
            PipelineError::Imaging(error) => error.into(),
            PipelineError::Option { range, .. } => {
                Self::option(words, format!("It may be {range}."))
            }
            PipelineError::Hint { .. } => Self::option(words, "Move or remove the hint."),
            PipelineError::InColor => Self::option(
                "The picture is in colour already.",
                "Set `recolor` to give it new colours.",
            ),
            PipelineError::Memory { size, .. } => never_fits(size, words),
            PipelineError::NoColorizer => {
                Self::new(UNAVAILABLE, words, "Train one, or use a version that ships one.")
            }
            PipelineError::Shape(_) => Self::option(words, "Choose another size."),
            PipelineError::UnknownStyle { .. }
            | PipelineError::Weights { .. }
            | PipelineError::NotAStyle { .. }
            | PipelineError::NotAColorizer { .. }
            | PipelineError::NotFinite => Self::new(UNAVAILABLE, words, "Choose another network."),
            _ => Self::internal(words),
        }
    }
}

fn never_fits(size: Option<usize>, words: String) -> Fault {
    let remedy = size.map_or_else(
        || "Start the studio with more --memory.".to_owned(),
        |size| {
            format!(
                "Choose a size of at most {size} pixels, or start the studio with more --memory."
            )
        },
    );
    Fault::new(NEVER_FITS, words, remedy)
}

impl From<InsightError> for Fault {
    fn from(error: InsightError) -> Self {
        let words = sentence(&error);
        match error {
            InsightError::Engine(_)
            | InsightError::Bind(_)
            | InsightError::Weights(_)
            | InsightError::Net(_) => Self::new(UNAVAILABLE, words, "Choose another network."),
            _ => Self::option(words, "Choose another layer, class or setting."),
        }
    }
}

impl From<TrainError> for Fault {
    fn from(error: TrainError) -> Self {
        Self::conflict(sentence(&error), "Choose another painting, folder or setting.")
    }
}

/// An error and its causes as one sentence.
pub(crate) fn sentence(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let text = first + letters.as_str();
    if text.ends_with(['.', '!', '?']) { text } else { text + "." }
}
