//! What jobs have made.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use pentimento::imaging::{EncodeOptions, Format, encode};
use pentimento::pipeline::Blend;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Lasting, checked_side, image, value};
use crate::body::Params;
use crate::fault::Fault;
use crate::picture::{FORMATS, media_type};
use crate::results::{About, Outcome};
use crate::store::Progress;
use crate::time::now;
use crate::{Inner, Studio};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Look {
    side: Option<usize>,
    strength: Option<f32>,
    colors: Option<ColorsOf>,
    keep: Option<f32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Side {
    side: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Download {
    format: Option<String>,
    quality: Option<u8>,
    strength: Option<f32>,
    colors: Option<ColorsOf>,
    keep: Option<f32>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ColorsOf {
    Style,
    Picture,
}

pub(super) async fn list(State(studio): State<Studio>) -> Json<Value> {
    let (results, bytes) = studio.store.results();
    let about: Vec<_> = results.iter().map(|result| told(&studio, result)).collect();
    Json(json!({ "results": about, "bytes": bytes }))
}

fn told(studio: &Inner, result: &Outcome) -> About {
    let left: Duration = studio.store.left(&result.id);
    result.about(now() + left.as_secs_f64())
}

pub(super) async fn about(
    State(studio): State<Studio>,
    Path(id): Path<String>,
) -> Result<Json<About>, Fault> {
    let result = studio.store.result(&id)?;
    Ok(Json(told(&studio, &result)))
}

pub(super) async fn forget(
    State(studio): State<Studio>,
    Path(id): Path<String>,
) -> Result<StatusCode, Fault> {
    studio.store.forget_result(&id)?;
    studio.tell_gone(&[crate::id::Id::of(&id)]);
    Ok(StatusCode::NO_CONTENT)
}

/// How it is to be blended, if the numbers make sense.
fn blend(
    strength: Option<f32>,
    colors: Option<ColorsOf>,
    keep: Option<f32>,
) -> Result<Blend, Fault> {
    let usual = match colors {
        Some(ColorsOf::Picture) => 1.0,
        Some(ColorsOf::Style) | None => 0.0,
    };
    if colors.is_some() && keep.is_some() {
        let message = "`colors` and `keep` both say whose colours it has.";
        return Err(Fault::option(message, "Leave one of them out."));
    }
    let blend = Blend { strength: strength.unwrap_or(1.0), keep: keep.unwrap_or(usual) };
    for (name, share) in [("strength", blend.strength), ("keep", blend.keep)] {
        if !(0.0..=1.0).contains(&share) {
            let message = format!("`{name}` is {share}.");
            return Err(Fault::option(message, "It may be from 0 to 1."));
        }
    }
    Ok(blend)
}

pub(super) async fn preview(
    State(studio): State<Studio>,
    Path(id): Path<String>,
    Params(Look { side, strength, colors, keep }): Params<Look>,
) -> Result<Response, Fault> {
    let (side, blend) = (checked_side(side)?, blend(strength, colors, keep)?);
    let result = studio.store.result(&id)?;
    let need = result.need(side, blend);
    let (shown, progress) = studio.computed(need, move |_| result.preview(side, blend)).await?;
    Ok(image(Arc::new(shown), lasting(progress)))
}

/// The quick version makes way for the full one.
fn lasting(progress: Progress) -> Lasting {
    match progress {
        Progress::Over => Lasting::Forever,
        Progress::Going => Lasting::ForNow,
    }
}

pub(super) async fn original(
    State(studio): State<Studio>,
    Path(id): Path<String>,
    Params(Side { side }): Params<Side>,
) -> Result<Response, Fault> {
    let side = checked_side(side)?;
    let result = studio.store.result(&id)?;
    let need = result.need(side, Blend::FULL);
    let (shown, progress) = studio.computed(need, move |_| result.original(side)).await?;
    Ok(image(Arc::new(shown), lasting(progress)))
}

pub(super) async fn image_of(
    State(studio): State<Studio>,
    Path((id, index)): Path<(String, String)>,
) -> Result<Response, Fault> {
    let result = studio.store.result(&id)?;
    let shown = index.parse().ok().and_then(|index| result.image(index));
    let shown = shown.ok_or_else(|| Fault::not_found("image"))?;
    Ok(image(shown, Lasting::Forever))
}

pub(super) async fn file(
    State(studio): State<Studio>,
    Path(id): Path<String>,
    Params(Download { format, quality, strength, colors, keep }): Params<Download>,
) -> Result<Response, Fault> {
    let blend = blend(strength, colors, keep)?;
    let result = studio.store.result(&id)?;
    let format = chosen(format.as_deref(), &result)?;
    let quality = quality.unwrap_or(EncodeOptions::default().quality);
    if !(1..=100).contains(&quality) {
        let message = format!("`quality` is {quality}.");
        return Err(Fault::option(message, "It may be from 1 to 100."));
    }
    let name = format!("{}.{}", result.file_stem(), format.extension());
    let need = result.need(usize::MAX, blend);
    let options = EncodeOptions { quality, ..EncodeOptions::default() };
    let bytes =
        studio.computed(need, move |_| Ok(encode(&*result.full(blend)?, format, &options)?));
    let about = [
        (header::CONTENT_TYPE, value(media_type(format))?),
        (header::CONTENT_DISPOSITION, value(&attachment(&name))?),
    ];
    Ok((about, bytes.await?).into_response())
}

/// The format that is asked for, or the source's, if it can be written.
fn chosen(wanted: Option<&str>, result: &Outcome) -> Result<Format, Fault> {
    let Some(wanted) = wanted else {
        let own = result.source().map(|source| source.format);
        return Ok(own.filter(|format| format.can_write()).unwrap_or(Format::Png));
    };
    let known = FORMATS.iter().filter(|(format, ..)| format.can_write());
    let found = known.clone().find(|(_, name, _)| *name == wanted);
    found.map(|(format, ..)| *format).ok_or_else(|| {
        let names: Vec<_> = known.map(|(_, name, _)| *name).collect();
        let message = format!("{wanted:?} is no format that is written here.");
        Fault::option(message, format!("It may be {}.", names.join(", ")))
    })
}

/// What makes a browser save a file under a name: in ASCII for the old, and as it is.
///
/// RFC 6266, RFC 8187.
fn attachment(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_. ".contains(c);
    let ascii: String = name.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                encoded.push(char::from(byte));
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}"); // a string takes everything
            }
        }
    }
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::attachment;

    #[test]
    fn names_of_files_are_quoted_for_every_browser() {
        assert_eq!(
            attachment("Über \"uns\".jpg"),
            "attachment; filename=\"_ber _uns_.jpg\"; filename*=UTF-8''%C3%9Cber%20%22uns%22.jpg"
        );
    }
}
