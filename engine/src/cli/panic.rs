//! A panic is a bug of ours: it is said to be one, with where it happened and without what it was about.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{context::Context, error::Problem, exit::Exit, terminal};
use crate::bug;

/// Runs a command; a panic becomes exit code 70.
pub fn caught(context: &Context, command: impl FnOnce() -> Exit) -> Exit {
    catch_unwind(AssertUnwindSafe(command)).unwrap_or_else(|_| {
        terminal::restore();
        context.say(&problem().draw(&context.err));
        Exit::Bug
    })
}

fn problem() -> Problem {
    Problem::new(Exit::Bug, bug::failure()).next("runbook runs").next("runbook resume latest")
}
