//! `runbook verify RUN`

use runbook_seeded::sync::{Arc, Mutex, atomic::AtomicU32};

use clap::Args;
use runbook_modules::target::About;
use runbook_state::store::Lease;
use serde_json::{Value, json};

use super::{context::Context, driving, error::Problem, exit::Exit, going_live, resume, state_dir};
use crate::{
    error::{Failure, Halt, Stop},
    event::Events,
    run::{
        cancel::Cancel,
        clock::{Working, wall_ms},
        history::History,
        session::{Mode, Session},
        vault::Vault,
    },
    script::program::Program,
    targets,
    ui::{
        finale,
        look::{Ink, Look, Mark},
        tally::Silent,
        text::plural,
    },
    undo::{Difference, Drift, verify},
};

/// Read everything that a run owns again and report what is not as it was made. Nothing is changed.
#[derive(Debug, Args)]
pub struct Verify {
    /// Run: a unique prefix of its id, or latest.
    pub run: String,
}

/// Verifies.
///
/// # Errors
/// When the target cannot be read.
pub fn run(context: &Context, args: &Verify) -> Result<Exit, Problem> {
    let store = context.existing()?;
    let run = context.find(&store, &args.run)?;
    let short = context.short(store.as_ref(), &run.id);
    let history = History::load(store.as_ref(), &run.id)?;
    let owned = store.inventory(&run.id)?.iter().filter(|row| !row.gone).count();
    let program = Program::from_files(&store.run_files(&run.id)?)?;
    let values = history.params().unwrap_or_default();
    let aimed = resume::aim(context, &run, &program, &values, Some(0.0), Default::default())?;
    let runtime = driving::runtime()?;
    if let Some(ms) = history.last_sim_ms() {
        aimed.time.not_before(ms);
    }
    let about = about(&history, &aimed, &run, &runtime)?;
    let vault = Vault::open(&run.id, store.clone(), state_dir::key()?)
        .map_err(|error| Problem::usage("RB0702", error.to_string()))?;
    let time = aimed.time.clone();
    let events =
        Events::new(&run.id, aimed.time.simulated(), wall_ms, Box::new(move || time.now_ms()), Arc::new(Silent));
    let time = aimed.time.clone();
    // Nothing is written: the lease is nobody's.
    let session = Arc::new(Session {
        lease: Lease { run: run.id.clone(), fence: 0, taken_from: None },
        held: Arc::default(),
        guard: resume::guard(&run, true),
        about,
        others: Arc::default(),
        run,
        store,
        target: aimed.target,
        table: targets::table(),
        time: aimed.time,
        events,
        cancel: Cancel::default(),
        vault: Arc::new(vault),
        history: Arc::new(history),
        mode: Mode::Drive,
        resumed: true,
        edits: None,
        runtime: runtime.handle().clone(),
        retries: Arc::new(AtomicU32::new(0)),
        outranked: Arc::new(Mutex::default()),
    });
    let working = Working::begin(&time);
    let drifts = verify(&session).map_err(halted)?;
    drop(working);
    answer(context, &short, owned, &drifts);
    Ok(if drifts.is_empty() { Exit::Ok } else { Exit::Drift })
}

/// A run is only compared with the account that it was made in.
fn about(
    history: &History, aimed: &targets::Aimed, run: &runbook_state::store::Run, runtime: &tokio::runtime::Runtime,
) -> Result<About, Problem> {
    let about = targets::about(aimed, &resume::place(run), runtime.handle()).map_err(going_live::nobody)?;
    resume::guard(run, true).check(history, "", &about).map_err(|failure| Problem::new(Exit::Usage, failure))?;
    Ok(about)
}

fn halted(halt: Halt) -> Problem {
    match halt {
        Halt::Failure(failure) => (*failure).into(),
        Halt::Stop(Stop::Credentials(failure)) => Problem::new(Exit::Credentials, *failure),
        Halt::Stop(stop) => Problem::new(Exit::Failed, Failure::new("RB0520", format!("failed to verify: {stop:?}"))),
    }
}

fn answer(context: &Context, short: &str, owned: usize, drifts: &[Drift]) {
    if context.common.json {
        let list: Vec<Value> = drifts.iter().map(as_json).collect();
        context.answer_json(json!({ "v": 1, "owned": owned, "drift": list }));
        return;
    }
    let look = &context.out;
    for drift in drifts {
        context.answer(&line(drift, look));
    }
    let err = &context.err;
    let owned = plural(owned as u64, "resource");
    let options = context.options();
    if drifts.is_empty() {
        let mark = err.ink(Ink::Good, err.mark(Mark::Done));
        context.say(&format!("{mark} {owned} of run {short} stand as made\n\n"));
    } else {
        let mark = err.ink(Ink::Bad, err.mark(Mark::Failed));
        let count = plural(drifts.len() as u64, "difference");
        context.say(&format!("\n{mark} {count} in {owned} of run {short}; nothing was changed\n\n"));
    }
    context
        .say(&finale::next(err, &[format!("runbook show {short}{options}"), format!("runbook undo {short}{options}")]));
}

fn line(drift: &Drift, look: &Look) -> String {
    let shown = |value: &Value| look.shown(value.as_str().map_or_else(|| value.to_string(), str::to_owned).as_str());
    let (sign, how) = match &drift.difference {
        Difference::Gone => ("-", "is gone".to_owned()),
        Difference::Field { field, asked, found } => {
            ("~", format!("{}: {}{}{}", look.shown(field), shown(asked), look.mark(Mark::Gives), shown(found)))
        }
        Difference::NotReady(why) => ("!", format!("is not ready: {}", look.shown(why))),
        Difference::Unreadable(why) => ("?", format!("cannot be read: {}", look.shown(why))),
    };
    let name = if drift.name == drift.id { String::new() } else { format!(" ({})", look.shown(&drift.name)) };
    let what = format!("{} {}{name}", look.shown(&drift.kind), look.shown(&drift.id));
    format!("{} {what}: {how}   {}\n", look.ink(Ink::Warn, sign), look.ink(Ink::Dim, &look.path(&drift.step)))
}

fn as_json(drift: &Drift) -> Value {
    let difference = match &drift.difference {
        Difference::Gone => json!({ "how": "gone" }),
        Difference::Field { field, asked, found } => {
            json!({ "how": "field", "field": field, "asked": asked, "found": found })
        }
        Difference::NotReady(why) => json!({ "how": "not_ready", "why": why }),
        Difference::Unreadable(why) => json!({ "how": "unreadable", "why": why }),
    };
    json!({ "step": drift.step, "kind": drift.kind, "id": drift.id, "name": drift.name, "difference": difference })
}
