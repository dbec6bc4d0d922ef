//! `runbook check RUNBOOK`

use clap::Args;
use serde_json::json;

use super::{context::Context, error::Problem, exit::Exit, sources};
use crate::{
    targets,
    ui::{
        failure, finale,
        text::{plural, quoted},
    },
};

/// Check a runbook without running it: functions, arguments, operations, fields, parameters, step names, files.
#[derive(Debug, Args)]
pub struct Check {
    /// Runbook: a path, or a name.
    pub runbook: String,
}

/// Checks.
///
/// # Errors
/// When the runbook cannot be read at all.
pub fn run(context: &Context, args: &Check) -> Result<Exit, Problem> {
    let program = sources::open(&args.runbook)?;
    let mut failures = program.check(&targets::table());
    if let Err(failure) = program.params() {
        failures.push(failure);
    }
    if context.common.json {
        context.answer_json(json!({ "v": 1, "runbook": program.name(), "failures": failures }));
    }
    let source = |file: &str| program.source(file).map(str::to_owned);
    for failure in &failures {
        context.say(&(failure::draw(failure, &source, &context.err) + "\n"));
    }
    if failures.is_empty() {
        context.say(&format!("{}: nothing wrong found\n\n", context.err.shown(program.name())));
        let next = ["plan", "run --sandbox"].map(|verb| {
            let (verb, option) = verb.split_once(' ').unwrap_or((verb, ""));
            format!("runbook {verb} {} {option}", quoted(&args.runbook)).trim_end().to_owned()
        });
        context.say(&finale::next(&context.err, &next));
        Ok(Exit::Ok)
    } else {
        context.say(&format!("{} found\n", plural(failures.len() as u64, "mistake")));
        Ok(Exit::Usage)
    }
}
