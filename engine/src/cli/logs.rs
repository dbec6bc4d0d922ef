//! `runbook logs RUN`

use clap::Args;

use super::{context::Context, error::Problem, exit::Exit};
use crate::{
    event::{What, replay},
    ui::{json, lines::Writer},
    undo::select::within,
};

/// Print a run's journal, one line an event, with the times of its target.
#[derive(Debug, Args)]
pub struct Logs {
    /// Run: a unique prefix of its id, or latest.
    pub run: String,
    /// Only this step and what is inside.
    #[arg(long, value_name = "KEY")]
    pub step: Option<String>,
}

/// Prints.
///
/// # Errors
/// When there is no such run, or its journal is damaged.
pub fn run(context: &Context, args: &Logs) -> Result<Exit, Problem> {
    let store = context.existing()?;
    let run = context.find(&store, &args.run)?;
    let mut writer = Writer::new(context.out.clone(), true);
    let mut out = String::new();
    for event in replay(&run, &store.journal(&run.id)?) {
        if args.step.as_ref().is_some_and(|step| !within(&step_of(&event.what), step)) {
            continue;
        }
        if context.common.json {
            out += &(json::line(&event) + "\n");
            continue;
        }
        if let What::Began { mode, .. } = &event.what {
            out += &format!("{} {mode}\n", context.out.time_of_day(event.target_ms));
        }
        if let Some(line) = writer.line(&event) {
            out += &(line + "\n");
        }
    }
    context.answer(&out);
    Ok(Exit::Ok)
}

/// The step that an event is about; empty for the run as a whole.
fn step_of(what: &What) -> String {
    let value = serde_json::to_value(what).unwrap_or_default();
    value["step"].as_str().unwrap_or_default().to_owned()
}
