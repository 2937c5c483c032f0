//! Folders of photographs as streams of batches.
//!
//! A [`Folder`] says which photographs there are, what their classes are, and
//! which are kept for validation. A [`Loader`] reads them on background threads:
//!
//! ```text
//! number of a sample ─► epoch and place ─► photograph ─► decoded, scaled ─► cut out ─► varied
//!                          (Shuffle)                       (or cached)      (Window)  (augment)
//! ```
//!
//! Each step is a function of the sample's number, the seed and the files, and
//! so the threads may do them in any order.

mod cache;
mod folder;
mod loader;
mod options;
mod order;
mod prepare;
mod queue;
mod source;
mod survey;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use folder::{Bad, Folder, Photo};
pub use loader::{Batch, Loader, Times};
pub use options::{Crop, LoadOptions, Reading};
pub use survey::Survey;

/// No thread panics while it holds a lock, so that none is left half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
