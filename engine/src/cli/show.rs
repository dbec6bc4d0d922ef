//! `runbook show RUN`

use std::sync::Arc;

use clap::Args;
use runbook_state::store::{Run, Store};

use super::{context::Context, error::Problem, exit::Exit, runs};
use crate::{
    event::{Event, What, replay},
    ui::{
        finale::{self, Finale},
        heading, json,
        look::{Ink, Look},
        tally::Totals,
        tree::Tree,
    },
};

/// Show a run: its steps as they went, its end, every failure, the next commands.
#[derive(Debug, Args)]
pub struct Show {
    /// Run: a unique prefix of its id, or latest.
    pub run: String,
}

/// Shows, through the code that draws a run while it goes on.
///
/// # Errors
/// When there is no such run, or its journal is damaged.
pub fn run(context: &Context, args: &Show) -> Result<Exit, Problem> {
    let store = context.existing()?;
    let run = context.find(&store, &args.run)?;
    let events = replay(&run, &store.journal(&run.id)?);
    if context.common.json {
        let lines: String = events.iter().map(|event| json::line(event) + "\n").collect();
        context.answer(&lines);
        return Ok(Exit::Ok);
    }
    let look = &context.out;
    let short = context.short(store.as_ref(), &run.id);
    let mut tree = Tree::new(look.clone(), context.common.verbose, Arc::default());
    let mut totals = Totals::default();
    let mut out = String::new();
    for event in &events {
        totals.take(event);
        out += &headed(event, &short, look, out.is_empty());
        tree.take(event).iter().for_each(|line| out += &format!("{line}\n"));
    }
    let end = end(context, &run, store.as_ref(), &short, &totals, &tree)?;
    context.answer(&format!("{out}\n{end}"));
    Ok(Exit::Ok)
}

fn headed(event: &Event, short: &str, look: &Look, first: bool) -> String {
    let What::Began { mode, .. } = &event.what else { return String::new() };
    match mode.as_str() {
        "run" if first => heading::of(event, short, "", look).map(|line| line + "\n\n").unwrap_or_default(),
        mode => {
            let what = if mode == "undo" { "undo" } else { "goes on" };
            format!("{}\n", look.ink(Ink::Bold, &format!("{what} at {}", look.time_of_day(event.at_ms))))
        }
    }
}

fn end(
    context: &Context, run: &Run, store: &dyn Store, short: &str, totals: &Totals, tree: &Tree,
) -> Result<String, Problem> {
    let look = &context.out;
    let state = runs::state(run, store, look)?;
    if matches!(state.word, "running" | "interrupted" | "created") {
        let running: String = tree.running(run.summary.last_ms).iter().map(|line| format!("{line}\n")).collect();
        let options = context.options();
        let next = match state.word {
            "running" => vec![format!("runbook cancel {short}{options}")],
            _ if totals.mode == "undo" => vec![format!("runbook undo {short}{options}")],
            _ => vec![format!("runbook resume {short}{options}"), format!("runbook undo {short}{options}")],
        };
        let head = look.ink(Ink::Bold, &format!("{}: {}", look.shown(&run.runbook), state.text));
        return Ok(format!("{head}\n{running}\n{}", finale::next(look, &next)));
    }
    let files = store.run_files(&run.id)?;
    let source = |file: &str| {
        let found = files.iter().find(|stored| stored.name == file)?;
        Some(String::from_utf8_lossy(&found.content).into_owned())
    };
    let steps = run.settings.get("steps").and_then(serde_json::Value::as_u64).and_then(|n| usize::try_from(n).ok());
    let finale =
        Finale { look, runbook: &run.runbook, short, options: &context.options(), source: &source, steps, details: "" };
    Ok(finale.draw(totals))
}
