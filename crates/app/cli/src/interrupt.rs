//! Ctrl-C.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::INTERRUPTED;
use crate::progress::say;

/// Set once somebody presses Ctrl-C or asks the process to end, which is answered
/// with `words`; the second time, it ends.
pub(crate) fn stop_on_signal(words: &'static str) -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let set = ctrlc::set_handler(move || {
        if told.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED.into());
        }
        say(words);
    });
    if let Err(e) = set {
        say(&format!("Ctrl-C will end the job at once: {e}"));
    }
    stop
}
