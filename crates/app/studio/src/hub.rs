//! What changes, told to everyone who listens.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio::sync::broadcast;

use crate::id::Id;

/// Something that was told.
#[derive(Debug)]
pub(crate) struct Message {
    /// The event's name.
    pub(crate) event: &'static str,
    /// The job it is about, if it is about one.
    pub(crate) job: Option<Id>,
    /// Whether it is the last about that job.
    pub(crate) last: bool,
    /// JSON.
    pub(crate) data: String,
}

/// Those who listen, and the pages among them.
#[derive(Debug)]
pub(crate) struct Hub {
    sender: broadcast::Sender<Arc<Message>>,
    clients: Mutex<BTreeSet<Id>>,
}

/// Messages that a slow listener may lag behind.
const BACKLOG: usize = 512;

impl Hub {
    pub(crate) fn new() -> Self {
        Self { sender: broadcast::channel(BACKLOG).0, clients: Mutex::default() }
    }

    /// Tells everyone.
    pub(crate) fn tell(&self, event: &'static str, data: &impl Serialize) {
        self.send(Message { event, job: None, last: false, data: json(data) });
    }

    /// Tells everyone about a job.
    pub(crate) fn tell_of(
        &self,
        job: &Id,
        (event, last): (&'static str, bool),
        data: &impl Serialize,
    ) {
        self.send(Message { event, job: Some(job.clone()), last, data: json(data) });
    }

    fn send(&self, message: Message) {
        let _ = self.sender.send(Arc::new(message)); // nobody may be listening
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<Arc<Message>> {
        self.sender.subscribe()
    }

    /// A page that came.
    pub(crate) fn enter(&self) -> Id {
        let id = Id::new();
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
        id
    }

    /// A page that went.
    pub(crate) fn leave(&self, client: &Id) {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).remove(client);
    }

    /// Whether a page is there.
    pub(crate) fn knows(&self, client: &Id) -> bool {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).contains(client)
    }
}

pub(crate) fn json(data: &impl Serialize) -> String {
    serde_json::to_string(data).unwrap_or_default()
}
