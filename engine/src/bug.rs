//! Where a panic happened: a bug of ours is named by its place alone, since its message may hold anything, a secret's value too.

use std::sync::{Mutex, PoisonError};

use crate::error::Failure;

static PLACE: Mutex<Option<String>> = Mutex::new(None);

/// Silences the standard message and remembers the place of the first panic, from now on, in all threads.
pub fn watch() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, |at| format!("{}:{}", at.file(), at.line()));
        PLACE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(place);
    }));
}

/// Where the first panic of this process happened; nothing unless [`watch`] was called and one did.
pub fn place() -> String {
    PLACE.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default()
}

/// What a panic is told as.
pub fn failure() -> Failure {
    let message = format!("this is a bug in runbook {} ({})", env!("CARGO_PKG_VERSION"), place());
    Failure::new("RB0900", message).hint("the journal is intact: the run can be resumed or undone")
}
