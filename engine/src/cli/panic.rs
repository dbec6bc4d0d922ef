//! A panic is a bug of ours: it is said to be one, with where it happened and without what it was about.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{context::Context, error::Problem, exit::Exit, terminal};
use crate::{bug, error::Failure};

/// Runs a command; a panic becomes exit code 70.
pub fn caught(context: &Context, command: impl FnOnce() -> Exit) -> Exit {
    catch_unwind(AssertUnwindSafe(command)).unwrap_or_else(|_| {
        terminal::restore();
        context.say(&problem(&bug::place()).draw(&context.err));
        Exit::Bug
    })
}

fn problem(place: &str) -> Problem {
    let version = env!("CARGO_PKG_VERSION");
    let failure = Failure::new("RB0900", format!("this is a bug in runbook {version} ({place})"));
    Problem::new(Exit::Bug, failure)
        .hint("nothing recorded is lost: the run can be resumed")
        .next("runbook runs")
        .next("runbook resume latest")
}
