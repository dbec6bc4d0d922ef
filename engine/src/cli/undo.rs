//! `runbook undo RUN`

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use clap::Args;
use runbook_modules::table::Table;
use runbook_state::{
    record::Ending,
    store::{InventoryRow, Run, Store},
};
use serde_json::Value;

use super::{
    context::Context,
    driving::{self, Job},
    error::Problem,
    exit::Exit,
    resume, state_dir, terminal,
};
use crate::{
    error::{Halt, Stop},
    run::{history::History, scope::Scope, vault::Vault},
    script::program::{Hook, Program},
    targets,
    ui::{
        finale, heading,
        look::{Ink, Look},
        text::plural,
    },
    undo::{self, Left, NOT_TRIED, Options, UndoHook, UndoReport},
};

/// Take down what a run made, newest first; what it replaced is put back. An undo that was stopped goes on.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  runbook undo 7f3a
  runbook undo 7f3a --step redis1/network/vpc
  runbook undo 7f3a --also eni-0f2c
  runbook undo 7f3a --also s3://BUCKET   (the bucket with every object in it)
  runbook undo 7f3a --also k8s://CLUSTER/v1/ConfigMap/NAMESPACE/NAME   (the object, its finalizers taken off)")]
pub struct Undo {
    /// Run: a unique prefix of its id, or latest.
    pub run: String,
    /// Only this step and what depends on it.
    #[arg(long, value_name = "KEY")]
    pub step: Option<String>,
    /// Also delete something that the run does not own; may be repeated.
    #[arg(long, value_name = "ID")]
    pub also: Vec<String>,
    /// Do not ask.
    #[arg(short, long)]
    pub yes: bool,
    /// Undo as another identity of the same account than the one that made the run's EKS clusters. It needs access to them.
    #[arg(long)]
    pub other_identity: bool,
    /// Simulated time per real time; 0: as fast as it goes [default: as the run began].
    #[arg(long, value_name = "N", value_parser = super::options::speed)]
    pub speed: Option<f64>,
    /// Let a mutating call of the sandbox fail, for trials.
    #[arg(long, value_name = "FAULTS", env = "RUNBOOK_FAULT", hide_env_values = true)]
    pub fault: Option<runbook_modules::sandbox::faults::Faults>,
}

/// Undoes.
///
/// # Errors
/// When it does not begin.
pub fn run(context: &Context, args: &Undo) -> Result<Exit, Problem> {
    let store = context.existing()?;
    let run = context.find(&store, &args.run)?;
    resume::nobody_drives(context, &run, &store)?;
    let history = History::load(store.as_ref(), &run.id)?;
    if let Some(step) = &args.step {
        known(context, &run, &store, &history, step)?;
    }
    let table = targets::table();
    if !args.yes {
        confirm(context, args, &run, &store, &table)?;
    }
    let values = history.params().unwrap_or_default();
    let program = Arc::new(Program::from_files(&store.run_files(&run.id)?)?);
    let vault = Vault::open(&run.id, store.clone(), state_dir::key()?)
        .map_err(|error| Problem::usage("RB0702", error.to_string()))?;
    let aimed = resume::aim(context, &run, &program, &values, args.speed, args.fault.clone().unwrap_or_default())?;
    let runtime = driving::runtime()?;
    let report = Arc::new(Mutex::new(UndoReport::default()));
    let (told, look) = (report.clone(), context.err.clone());
    let job = Job {
        context,
        mode: "undo",
        place: resume::place(&run),
        store,
        program: program.clone(),
        table,
        aimed,
        vault: Arc::new(vault),
        params: None,
        guard: resume::guard(&run, args.other_identity),
        run,
        edits: None,
        files: None,
        note: "undo".to_owned(),
        expect: Arc::default(),
        details: Box::new(move || details(&told.lock().unwrap_or_else(PoisonError::into_inner), &look)),
        known: Some(history),
        runtime: &runtime,
    };
    let options = Options { step: args.step.clone(), also: args.also.clone() };
    job.drive(|scope| {
        let hooks = recall(&program, scope, &values)?;
        let done = undo::undo(&scope.session, hooks, &options)?;
        let ending = match (&options.step, done.ending()) {
            // The rest of the run stands: it can go on from here.
            (Some(step), Ending::Undone) => Ending::Parked { why: step_is_undone(step) },
            (_, ending) => ending,
        };
        *report.lock().unwrap_or_else(PoisonError::into_inner) = done;
        Ok(ending)
    })
}

/// How a run is parked after the undo of a single step: it can go on from there.
fn step_is_undone(step: &str) -> String {
    format!("step {step} is undone")
}

/// Whether the last thing that was done to a run is an undo of all of it, at its end or not: then nothing can be kept.
pub fn has_begun(history: &History) -> bool {
    let parked = matches!(history.ended(), Some(Ending::Parked { why }) if finale::undone_step(&why));
    history.began().as_deref() == Some("undo") && !parked
}

/// Refuses a step that the run does not have.
fn known(context: &Context, run: &Run, store: &Arc<dyn Store>, history: &History, step: &str) -> Result<(), Problem> {
    let keys: Vec<String> = history.steps().into_iter().map(|(key, _)| key).collect();
    if keys.iter().any(|key| undo::select::within(key, step)) {
        return Ok(());
    }
    let short = context.short(store.as_ref(), &run.id);
    let problem = Problem::usage("RB0216", format!("run {short} has no step {step}; nothing was done"));
    let near = runbook_modules::input::nearest(step, keys.iter().map(String::as_str));
    let problem = if near.is_empty() { problem } else { problem.hint(format!("it has {}", near.join(", "))) };
    Err(problem.next(format!("runbook show {short}{}", context.options())))
}

/// Rebuilds the undo closures by replaying the stored script without effects.
fn recall(program: &Program, scope: &Arc<Scope>, values: &Value) -> Result<Vec<Arc<dyn UndoHook>>, Halt> {
    let recalled = Scope::top(Arc::new(scope.session.recall()));
    match program.run(&recalled, values) {
        // Where the record ends, or as the run itself ended.
        Ok(()) | Err(Halt::Failure(_) | Halt::Stop(Stop::EndOfRecord | Stop::Abandoned | Stop::Waiting { .. })) => {}
        Err(stop) => return Err(stop),
    }
    let hooks = program.hooks().into_iter();
    Ok(hooks.map(|hook| Arc::new(Closure(hook)) as Arc<dyn UndoHook>).collect())
}

struct Closure(Hook);

impl UndoHook for Closure {
    fn step(&self) -> &str {
        &self.0.step
    }

    fn after(&self) -> Option<u64> {
        self.0.after
    }

    fn call(&self, scope: &Arc<Scope>) -> Result<(), Halt> {
        (self.0.run)(scope)
    }
}

fn confirm(context: &Context, args: &Undo, run: &Run, store: &Arc<dyn Store>, table: &Table) -> Result<(), Problem> {
    let look = &context.err;
    let short = context.short(store.as_ref(), &run.id);
    let rows: Vec<InventoryRow> = store.inventory(&run.id)?;
    let inside = |key: &str| args.step.as_ref().is_none_or(|step| undo::select::within(key, step));
    let standing: Vec<&InventoryRow> =
        rows.iter().filter(|row| !row.gone && row.owned.ours && inside(&row.effect.step)).collect();
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for row in &standing {
        *kinds.entry(noun(&row.owned.kind)).or_default() += 1;
    }
    let list: Vec<String> = kinds.iter().map(|(kind, count)| plural(*count, &look.shown(kind))).collect();
    let place = match run.target.as_str() {
        "sandbox" => "on the sandbox (simulated)".to_owned(),
        _ => {
            let account = standing.first().map(|row| heading::account(&row.owned.account)).unwrap_or_default();
            format!("in account {account}, {}", look.shown(&resume::place(run).region))
        }
    };
    let what = plural(standing.len() as u64, "resource");
    let dependents = if args.step.is_some() { " and what depends on them" } else { "" };
    let also =
        if args.also.is_empty() { String::new() } else { format!("\nand also {}", look.shown(&args.also.join(", "))) };
    let put_back =
        standing.iter().filter(|row| table.kind(&row.owned.kind).is_some_and(|kind| kind.meta().replaces)).count();
    let put_back = if put_back > 0 { "\nWhat stood there before is put back." } else { "" };
    let list = if list.is_empty() { String::new() } else { format!(": {}", list.join(", ")) };
    let head = look.ink(Ink::Bold, &format!("This deletes {what} that run {short} made {place}{dependents}"));
    let question = format!("{head}{list}{also}.{put_back}\nType {short} to go on: ");
    terminal::ask(&question, &[&short, &run.id], "--yes").map(|_| ())
}

/// `ec2.nat_gateway` → `nat gateway`.
fn noun(kind: &str) -> String {
    kind.split_once('.').map_or(kind, |(_, noun)| noun).replace('_', " ")
}

/// What was left and why, what that goes on costing, what was kept on purpose. What only waits for something else that was left is
/// counted.
fn details(report: &UndoReport, look: &Look) -> String {
    let line = |name: &str, left: &Left| {
        let called =
            if left.name.is_empty() || left.name == left.id { String::new() } else { format!(" ({})", left.name) };
        let held =
            if left.blockers.is_empty() { String::new() } else { format!("; held by {}", left.blockers.join(", ")) };
        let text = format!("{} {}{called}: {}{held}", noun(&left.kind), left.id, left.why);
        look.named(name, 9, &look.shown(&text))
    };
    let (waiting, first): (Vec<&Left>, Vec<&Left>) =
        report.left.iter().partition(|left| left.why.starts_with(NOT_TRIED));
    let mut out: String = first.iter().map(|left| line("left", left)).collect();
    if !waiting.is_empty() {
        let names: Vec<String> = waiting.iter().map(|left| format!("{} {}", noun(&left.kind), left.id)).collect();
        let text = format!("{} that cannot go before: {}", plural(waiting.len() as u64, "resource"), names.join(", "));
        out.push_str(&look.named("and", 9, &look.shown(&text)));
    }
    let mut costs: BTreeMap<&str, u64> = BTreeMap::new();
    report.left.iter().filter_map(|left| left.cost).for_each(|cost| *costs.entry(cost).or_default() += 1);
    if !costs.is_empty() {
        let costs: Vec<String> = costs.iter().map(|(cost, count)| plural(*count, &look.shown(cost))).collect();
        out.push_str(&look.named("costs", 9, &format!("{} while they stand", costs.join(", "))));
    }
    report.kept.iter().for_each(|left| out.push_str(&line("kept", left)));
    out
}
