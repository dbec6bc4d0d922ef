//! A panic is a bug of ours: it is said to be one, with where it happened and without what it was about.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, PoisonError},
};

use super::{context::Context, error::Problem, exit::Exit, terminal};
use crate::error::Failure;

/// Where the first panic happened. Its message may hold anything, a secret's value too: it is not kept.
static PLACE: Mutex<Option<String>> = Mutex::new(None);

/// Silences the standard message and remembers the place, from now on, in all threads.
pub fn watch() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, |at| format!("{}:{}", at.file(), at.line()));
        PLACE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(place);
    }));
}

/// Where the first panic of this process happened, if any did.
pub fn place() -> Option<String> {
    PLACE.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Runs a command; a panic becomes exit code 70.
pub fn caught(context: &Context, command: impl FnOnce() -> Exit) -> Exit {
    catch_unwind(AssertUnwindSafe(command)).unwrap_or_else(|_| {
        terminal::restore();
        context.say(&bug(&place().unwrap_or_default()).draw(&context.err));
        Exit::Bug
    })
}

fn bug(place: &str) -> Problem {
    let version = env!("CARGO_PKG_VERSION");
    let failure = Failure::new("RB0900", format!("this is a bug in runbook {version} ({place})"));
    Problem::new(Exit::Bug, failure)
        .hint("nothing recorded is lost: the run can be resumed")
        .next("runbook runs")
        .next("runbook resume latest")
}
