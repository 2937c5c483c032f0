//! From a request to work, with every check made.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::desk::Desk;
use super::queue::{Lane, Presence};
use super::{colorize, gallery, inspect, stylize};
use crate::Inner;
use crate::fault::{BAD_REQUEST, Fault};
use crate::id::Id;
use crate::picture::Original;

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) kind: &'static str,
    /// As it came, without what is about the page.
    pub(crate) request: Value,
    pub(crate) client: Option<Id>,
    pub(crate) presence: Presence,
    pub(super) lane: Lane,
    /// Bytes of memory it takes.
    pub(super) need: u64,
}

/// Something to be done, every check made.
pub(crate) trait Work: fmt::Debug + Send {
    /// Bytes of memory it takes.
    fn need(&self) -> u64;

    /// How long it takes.
    fn lane(&self) -> Lane;

    /// What it is, in a few words; before the first comma, what a file made of it is called by.
    fn title(&self) -> String;

    /// The picture it is done to.
    fn source(&self) -> Option<Arc<Original>>;

    /// Does it.
    fn run(&self, desk: &Desk<'_>) -> Result<(), Fault>;
}

type Resolve = fn(&Inner, Value) -> Result<Box<dyn Work>, Fault>;

const KINDS: [(&str, Resolve); 7] = [
    ("stylize", stylize::resolve),
    ("gallery", gallery::resolve),
    ("colorize", colorize::resolve),
    ("proposals", colorize::resolve_proposals),
    ("activations", inspect::resolve_activations),
    ("filters", inspect::resolve_filters),
    ("cam", inspect::resolve_cam),
];

impl Order {
    /// Reads a request, and holds it to what there is and to the memory allowed.
    ///
    /// # Errors
    ///
    /// For the first thing that is wrong.
    pub(crate) fn read(
        studio: &Inner,
        mut fields: Map<String, Value>,
    ) -> Result<(Self, Box<dyn Work>), Fault> {
        let kind = fields.remove("kind").unwrap_or_default();
        let Some((kind, resolve)) = KINDS.into_iter().find(|(name, _)| kind == *name) else {
            let names = KINDS.map(|(name, _)| name).join(", ");
            return Err(Fault::option(
                format!("`kind` is {kind}, which is no kind of job."),
                format!("It may be one of {names}."),
            ));
        };
        let (client, presence) = page(studio, &mut fields)?;
        let work = resolve(studio, Value::Object(fields.clone()))?;
        let (need, limit) = (work.need(), studio.budget.limit());
        if need > limit {
            return Err(too_much(need, limit));
        }
        fields.insert("kind".to_owned(), kind.into());
        let (request, lane) = (Value::Object(fields), work.lane());
        Ok((Self { kind, request, client, presence, lane, need }, work))
    }
}

/// What a request says about the page it comes from.
fn page(studio: &Inner, fields: &mut Map<String, Value>) -> Result<(Option<Id>, Presence), Fault> {
    let presence = match fields.remove("keep") {
        None | Some(Value::Bool(false)) => Presence::Needed,
        Some(Value::Bool(true)) => Presence::NotNeeded,
        Some(_) => return Err(Fault::option("`keep` is not true or false.", "")),
    };
    let client = match fields.remove("client") {
        None => None,
        Some(Value::String(text)) => Some(Id::of(&text)),
        Some(_) => return Err(Fault::option("`client` is no text.", "")),
    };
    if client.as_ref().is_some_and(|client| !studio.hub.knows(client)) {
        let message = "The event stream of this `client` is closed.";
        return Err(Fault::conflict(message, "Open /api/events again, and use its new `client`."));
    }
    Ok((client, presence))
}

/// A kind's own fields.
pub(crate) fn fields<T: DeserializeOwned>(request: Value) -> Result<T, Fault> {
    serde_json::from_value(request).map_err(|error| {
        let remedy = "/api/openapi.json says what may be asked for.";
        Fault::option(format!("The request cannot be followed: {error}."), remedy)
    })
}

/// The fields of a JSON object.
pub(crate) fn object(value: Value) -> Result<Map<String, Value>, Fault> {
    let Value::Object(fields) = value else {
        let remedy = "/api/openapi.json says what may be asked for.";
        return Err(Fault::new(BAD_REQUEST, "The body is no JSON object.", remedy));
    };
    Ok(fields)
}

fn too_much(need: u64, limit: u64) -> Fault {
    let [need, limit] = [need, limit].map(|bytes| bytes.div_ceil(1_000_000));
    let message = format!("This takes {need} MB of memory, and the limit is {limit} MB.");
    let remedy = "Choose a smaller picture or size, or start the studio with more --memory.";
    Fault::new(crate::fault::NEVER_FITS, message, remedy)
}

/// Holds a number to its range.
pub(super) fn within<T: PartialOrd + fmt::Display + Copy>(
    name: &str,
    value: T,
    [least, most]: [T; 2],
) -> Result<T, Fault> {
    if value >= least && value <= most {
        return Ok(value);
    }
    Err(Fault::option(
        format!("`{name}` is {value}."),
        format!("It may be from {least} to {most}."),
    ))
}
