//! The studio: a page in the browser for people who would rather look than type, and the HTTP
//! interface beneath it (`api/openapi.json`).
//!
//! [`app`] is the router, which can be asked without a socket; a [`Server`] listens for it.
//! Nothing is computed here: jobs call the library, one thread a lane.
//!
//! ```no_run
//! use studio::{Server, Settings};
//!
//! let server = Server::bind(Settings::default())?;
//! println!("{}", server.url());
//! server.run(|| false)?;
//! # Ok::<(), studio::StudioError>(())
//! ```
#![forbid(unsafe_code)]

mod body;
mod budget;
mod fault;
mod guard;
mod hub;
mod id;
mod jobs;
mod nets;
mod page;
mod picture;
mod results;
mod routes;
mod samples;
mod serve;
mod settings;
mod store;
mod studio;
mod styles;
mod time;
mod training;

pub use routes::app;
pub use serve::Server;
pub use settings::{Limits, Settings};
pub use studio::{Session, StudioError};

pub(crate) use studio::{Inner, Studio};
