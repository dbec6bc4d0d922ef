//! `runbook cancel RUN`

use clap::Args;
use runbook_state::record::Record;

use super::{context::Context, driving, error::Problem, exit::Exit};
use crate::{run::clock::wall_ms, ui::finale};

/// Ask the process that drives a run to park it.
#[derive(Debug, Args)]
pub struct Cancel {
    /// Run: a unique prefix of its id, or latest.
    pub run: String,
}

/// Asks.
///
/// # Errors
/// When nobody drives it.
pub fn run(context: &Context, args: &Cancel) -> Result<Exit, Problem> {
    let store = context.existing()?;
    let run = context.find(&store, &args.run)?;
    let short = context.short(store.as_ref(), &run.id);
    let options = context.options();
    let Some((holder, _)) = store.holder(&run.id, wall_ms(), driving::STALE_MS)? else {
        return Err(Problem::usage("RB0208", format!("run {short} is not being driven; there is nothing to cancel"))
            .next(format!("runbook show {short}{options}"))
            .next(format!("runbook undo {short}{options}")));
    };
    store.tell(&run.id, wall_ms(), Record::CancelAsked { by: driving::who() })?;
    let host = context.err.shown(&holder.host);
    context.say(&format!("process {} on {host} was asked to park run {short}\n\n", holder.pid));
    context.say(&finale::next(
        &context.err,
        &[format!("runbook resume {short}{options}"), format!("runbook undo {short}{options}")],
    ));
    Ok(Exit::Ok)
}
