//! `runbook runs`

use clap::Args;
use runbook_state::{
    record::{Ending, Record},
    store::{Run, Store},
};
use serde_json::{Value, json};

use super::{
    context::{Context, shortest},
    driving::STALE_MS,
    error::Problem,
    exit::Exit,
    state_dir,
};
use crate::{
    run::clock::wall_ms,
    ui::{
        look::{Look, Mark},
        table::Table,
        text::{ago, clock},
    },
};

/// List the runs: state, steps, age.
#[derive(Debug, Args)]
pub struct Runs {
    /// Only runs of this runbook.
    pub runbook: Option<String>,
    /// Only runs of this customer.
    #[arg(long, value_name = "NAME")]
    pub customer: Option<String>,
}

/// Lists.
///
/// # Errors
/// When the store cannot be used.
pub fn run(context: &Context, args: &Runs) -> Result<Exit, Problem> {
    if !state_dir::is_there(&context.state_dir()?)? {
        return none(context);
    }
    let store = context.store()?;
    let all = store.runs()?;
    let ids: Vec<String> = all.iter().map(|run| run.id.clone()).collect();
    let wanted = all.iter().filter(|run| {
        args.runbook.as_ref().is_none_or(|name| *name == run.runbook)
            && (args.customer.is_none() || args.customer == run.customer)
    });
    let now = wall_ms();
    let look = &context.out;
    let mut table = Table::new(&["RUN", "RUNBOOK", "CUSTOMER", "TARGET", "STATE", "STEPS", "STARTED", "TOOK"]);
    let mut rows = Vec::new();
    for run in wanted {
        let state = state(run, store.as_ref(), look)?;
        let took = took_ms(run, store.as_ref())?;
        rows.push(json!({
            "run": run.id, "runbook": run.runbook, "customer": run.customer, "target": run.target, "settings": run.settings,
            "state": state.word, "detail": state.text, "steps": run.summary.steps_done, "effects": run.summary.effects_done,
            "owned": run.summary.owned, "created": crate::ui::json::timestamp(run.created_ms),
        }));
        table.row(vec![
            shortest(&run.id, &ids),
            look.shown(&run.runbook),
            run.customer.as_deref().map_or_else(|| look.mark(Mark::None).to_owned(), |name| look.shown(name)),
            target(run, look),
            state.text,
            steps(run),
            ago(now - run.created_ms),
            if took > 0 { clock(took) } else { look.mark(Mark::None).to_owned() },
        ]);
    }
    if context.common.json {
        context.answer_json(json!({ "v": 1, "runs": rows }));
    } else if rows.is_empty() {
        return none(context);
    } else {
        context.answer(&table.draw(look, context.wide()));
    }
    Ok(Exit::Ok)
}

fn none(context: &Context) -> Result<Exit, Problem> {
    if context.common.json {
        context.answer_json(json!({ "v": 1, "runs": [] }));
    } else {
        context.say("no runs yet\nnext  runbook run redis-ha --sandbox\n");
    }
    Ok(Exit::Ok)
}

/// A run's state for people and programs.
pub struct State {
    /// One word: `finished`, `stopped`, `interrupted`, `running`, `waiting`, `undone`, `stuck`, `parked`, `decide`.
    pub word: &'static str,
    /// With its facts, safe to show.
    pub text: String,
}

/// The state, by the journal's last ending and whether the lease has a live holder.
///
/// # Errors
/// When the store cannot be used.
pub fn state(run: &Run, store: &dyn Store, look: &Look) -> Result<State, Problem> {
    if let Some((holder, _)) = store.holder(&run.id, wall_ms(), STALE_MS)? {
        let verb = if run.summary.mode == "undo" { "being undone" } else { "running" };
        let text = format!("{verb} (pid {}, {})", holder.pid, look.shown(&holder.host));
        return Ok(State { word: "running", text });
    }
    let ending = run.summary.ending.clone().and_then(|ending| serde_json::from_value::<Ending>(ending).ok());
    let at = |step: &str| if step.is_empty() { String::new() } else { format!(" at {}", look.path(step)) };
    let (word, text) = match ending {
        None if run.summary.mode.is_empty() => ("created", "created, never driven".to_owned()),
        None => ("interrupted", "interrupted (the process is gone)".to_owned()),
        Some(Ending::Finished) => ("finished", "finished".to_owned()),
        Some(Ending::Failed { step, .. }) => ("stopped", format!("stopped{}", at(&step))),
        Some(Ending::Parked { why }) => ("parked", format!("parked ({})", look.shown(&why))),
        Some(Ending::Waiting { step, .. }) => ("waiting", format!("waiting for approval{}", at(&step))),
        Some(Ending::Stopped { step, .. }) => ("decide", format!("needs a decision{}", at(&step))),
        Some(Ending::Undone) => ("undone", "undone".to_owned()),
        Some(Ending::Stuck { left, .. }) => ("stuck", format!("undo is stuck, {left} left")),
    };
    Ok(State { word, text })
}

/// How long the run and its resumes took in the target's time; what undo took is another matter.
fn took_ms(run: &Run, store: &dyn Store) -> Result<i64, Problem> {
    let entries = store.journal_after(&run.id, 0)?;
    let undo = |record: &Record| matches!(record, Record::Began { mode, .. } if mode == "undo");
    let driven = entries.iter().take_while(|entry| !undo(&entry.record));
    let times: Vec<i64> = driven.map(|entry| entry.sim_ms.unwrap_or(entry.at_ms)).collect();
    Ok(match (times.first(), times.last()) {
        (Some(first), Some(last)) => last - first,
        _ => 0,
    })
}

fn finished(run: &Run) -> bool {
    run.summary.ending.as_ref().is_some_and(|ending| ending["how"] == "finished")
}

/// `12/26` when a rehearsal told how many there are, else `12`.
fn steps(run: &Run) -> String {
    match run.settings.get("steps").and_then(Value::as_u64) {
        Some(all) if all >= u64::from(run.summary.steps_done) => format!("{}/{all}", run.summary.steps_done),
        _ if finished(run) => format!("{0}/{0}", run.summary.steps_done),
        _ => run.summary.steps_done.to_string(),
    }
}

/// `sandbox`, or `aws …9012 us-east-1`.
fn target(run: &Run, look: &Look) -> String {
    let text = |name: &str| run.settings.get(name).and_then(Value::as_str).unwrap_or_default();
    let account = text("account");
    let account = if account.len() > 4 && account.is_ascii() && run.target != "sandbox" {
        format!("{}{}", look.mark(Mark::More), &account[account.len() - 4..])
    } else {
        String::new()
    };
    look.shown(&crate::ui::model::words(&[
        &run.target,
        &account,
        if run.target == "sandbox" { "" } else { text("region") },
    ]))
}
