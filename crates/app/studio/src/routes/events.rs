//! What changes, as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, broadcast, mpsc};
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use tokio_stream::wrappers::{BroadcastStream, ReceiverStream};
use tokio_stream::{Stream, StreamExt, iter};

use super::jobs::find;
use crate::Studio;
use crate::fault::{Fault, QUEUE_FULL};
use crate::hub::{Message, json as text};
use crate::id::Id;
use crate::jobs::Job;
use crate::training::View;

/// A page that listens. When it goes, so do its jobs.
struct Page {
    studio: Studio,
    client: Id,
    _slot: OwnedSemaphorePermit,
}

impl Drop for Page {
    fn drop(&mut self) {
        self.studio.hub.leave(&self.client);
        self.studio.jobs.abandon(&self.client);
    }
}

/// Somebody who listens to one job. When the last goes, so does the job.
struct Listener {
    studio: Studio,
    job: Arc<Job>,
    _slot: OwnedSemaphorePermit,
}

impl Drop for Listener {
    fn drop(&mut self) {
        if self.job.unwatch() {
            self.studio.jobs.cancel(&self.job);
        }
    }
}

fn slot(studio: &Studio) -> Result<OwnedSemaphorePermit, Fault> {
    Arc::clone(&studio.streams).try_acquire_owned().map_err(|_full| {
        let message = "Too many event streams are open.";
        Fault::new(QUEUE_FULL, message, "Close a page of the studio.").after(5)
    })
}

pub(super) async fn all(State(studio): State<Studio>) -> Result<Response, Fault> {
    let slot = slot(&studio)?;
    let messages = studio.hub.listen();
    let client = studio.hub.enter();
    let page = Page { studio: studio.clone(), client: client.clone(), _slot: slot };
    let mut first = vec![event("hello", &json!({ "client": client }))];
    first.extend(studio.jobs.list().iter().rev().map(|view| event("job", view)));
    let trainings = studio.computed(0, |studio| Ok(View::all(studio))).await.unwrap_or_default();
    first.extend(trainings.iter().map(|view| event("training", view)));
    let later = BroadcastStream::new(messages).map(move |message| {
        let _listens = &page;
        of_message(message)
    });
    Ok(stream(iter(first).chain(later)))
}

pub(super) async fn of_job(
    State(studio): State<Studio>,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let job = find(&studio, &id)?;
    let slot = slot(&studio)?;
    let messages = studio.hub.listen();
    job.watch();
    let listener = Listener { studio: studio.clone(), job: Arc::clone(&job), _slot: slot };
    let first = event("job", &studio.jobs.view(&job));
    let (sender, receiver) = mpsc::channel(16);
    if !job.is_over() {
        tokio::spawn(forward(messages, job.id.clone(), sender));
    }
    let later = ReceiverStream::new(receiver).map(move |event| {
        let _listens = &listener;
        event
    });
    Ok(stream(iter([first]).chain(later)))
}

/// Passes on what is about a job, until it ends or nobody listens.
async fn forward(
    mut messages: broadcast::Receiver<Arc<Message>>,
    job: Id,
    sender: mpsc::Sender<Event>,
) {
    loop {
        let message = tokio::select! {
            message = messages.recv() => message,
            () = sender.closed() => return,
        };
        let (event, last) = match message {
            Ok(message) if message.job.as_ref() == Some(&job) => {
                (Event::default().event(message.event).data(&message.data), message.last)
            }
            Ok(_) => continue,
            Err(broadcast::error::RecvError::Lagged(_)) => (lagged(), false),
            Err(broadcast::error::RecvError::Closed) => return,
        };
        if sender.send(event).await.is_err() || last {
            return;
        }
    }
}

fn event(name: &str, data: &impl Serialize) -> Event {
    Event::default().event(name).data(text(data))
}

fn lagged() -> Event {
    event("lagged", &json!({}))
}

fn of_message(message: Result<Arc<Message>, BroadcastStreamRecvError>) -> Event {
    match message {
        Ok(message) => Event::default().event(message.event).data(&message.data),
        Err(BroadcastStreamRecvError::Lagged(_)) => lagged(),
    }
}

/// Comments tell a connection that is gone from one that is quiet.
const ALIVE: Duration = Duration::from_secs(10);

fn stream(events: impl Stream<Item = Event> + Send + 'static) -> Response {
    let events = events.map(Ok::<_, Infallible>);
    Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)).into_response()
}
