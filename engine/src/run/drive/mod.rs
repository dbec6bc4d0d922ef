//! Opens a run, drives it, and ends it.
//!
//! 1. The lease is taken, the journal read and its chain checked.
//! 2. The target says who it is. Another account than the run's first one, or than the customer file's, is refused here.
//! 3. `Began` is written, the body runs on a thread of its own, and beside it the watch (`watch`): heartbeat, `runbook
//!    cancel`, answers to approvals.
//! 4. `Ended` is written and the lease given back, unless the lease is lost or the journal broken: then nothing is.

mod watch;
pub mod who;

use std::time::Instant;

use runbook_modules::{
    table::Table,
    target::{Place, Target},
};
use runbook_seeded::{
    spawn_scoped,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};
use runbook_state::{
    holder::this_process,
    record::{Ending, Record},
    store::{File, Lease, Run, Store, When},
};
use serde_json::Value;
use tokio::runtime::Handle;

use super::{
    cancel::Cancel,
    clock::{Time, Working, wall_ms},
    guard::{Guard, fact},
    history::{History, Totals},
    parallel::{STACK, guarded},
    scope::Scope,
    session::{Edits, Mode, Session},
    vault::Vault,
    version,
};
use crate::{
    error::{Failure, Halt, Stop},
    event::{Events, Sink, What},
};

/// A holder on another host counts as dead when its heartbeat is older.
pub const STALE_MS: i64 = 60_000;

/// What is needed to drive a run.
pub struct Driver {
    /// The run's row.
    pub run: Run,
    /// The store.
    pub store: Arc<dyn Store>,
    /// Where effects go.
    pub target: Arc<dyn Target>,
    /// Where the target is asked who it is.
    pub place: Place,
    /// All bindings.
    pub table: Arc<Table>,
    /// The target's time.
    pub time: Arc<dyn Time>,
    /// Takes the events.
    pub sink: Arc<dyn Sink>,
    /// Signals ask here.
    pub cancel: Cancel,
    /// The run's secrets.
    pub vault: Arc<Vault>,
    /// With `--edited`, and with new parameters.
    pub edits: Option<Arc<dyn Edits>>,
    /// With `--edited`: the new files, which replace the run's as soon as it is driven.
    pub files: Option<Vec<File>>,
    /// Runs the target's futures.
    pub runtime: Handle,
    /// `run`, `resume`, `undo`.
    pub mode: String,
    /// Who: `user@host`.
    pub by: String,
    /// The parameters, when they are new: of a new run, or of `resume -p`.
    pub params: Option<Value>,
    /// What the credentials are held to.
    pub guard: Guard,
    /// The journal, when it was read already.
    pub known: Option<History>,
}

/// How the driving ended.
#[derive(Debug)]
pub struct Outcome {
    /// How, as the journal has it.
    pub ending: Ending,
    /// The stop behind it, when it was one: for the exit code.
    pub stop: Option<Stop>,
    /// All failures that ended it; of several branches each one.
    pub failures: Vec<Failure>,
    /// Counts over the whole run.
    pub totals: Totals,
    /// What they were when this process began.
    pub before: Totals,
    /// Retries by this process.
    pub retries: u32,
    /// Milliseconds of target time.
    pub took_ms: i64,
    /// Milliseconds of wall time.
    pub real_ms: i64,
}

impl Outcome {
    /// The last event of the process.
    pub fn event(&self) -> What {
        let (totals, before) = (self.totals, self.before);
        What::Ended {
            ending: self.ending.clone(),
            failures: self.failures.clone(),
            steps: totals.steps,
            effects: totals.effects,
            retries: self.retries,
            took_ms: self.took_ms,
            real_ms: self.real_ms,
            own_steps: totals.steps.saturating_sub(before.steps),
            own_effects: totals.effects.saturating_sub(before.effects),
            whole_ms: totals.took_ms,
            whole_real_ms: totals.real_ms,
        }
    }
}

/// Why a run was not driven at all. Nothing was sent; of the journal nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The store said no: the lease is held, the journal is damaged, …
    #[error(transparent)]
    Store(#[from] runbook_state::error::Error),
    /// The account guard, or a target that does not answer.
    #[error("{}", .0.message)]
    Failure(Box<Failure>),
    /// What was decided by the journal no longer holds: another process has driven the run since it was read.
    #[error("another process has driven the run meanwhile")]
    Overtaken,
}

/// Drives a run: `body` gets the scope around the whole script and says how the run ended when nothing stopped it.
///
/// # Errors
/// When it could not even begin.
pub fn drive(
    driver: Driver, body: impl FnOnce(&Arc<Scope>) -> Result<Ending, Halt> + Send,
) -> Result<Outcome, Refused> {
    let holder = this_process(&driver.by)?;
    let lease = driver.store.acquire(&driver.run.id, &holder, wall_ms(), STALE_MS)?;
    let (store, cancel) = (driver.store.clone(), driver.cancel.clone());
    let outcome = open(driver, lease.clone()).and_then(|open| open.run(body));
    let released = store.release(&lease, wall_ms());
    let outcome = outcome?;
    // A lost lease is told already; anything else that is wrong with the store must not pass unseen.
    match released {
        Err(error) if outcome.stop.is_none() && !matches!(cancel.stop(), Some(Stop::Fenced(_))) => Err(error.into()),
        _ => Ok(outcome),
    }
}

struct Open {
    session: Arc<Session>,
    began: Record,
    event: What,
    /// Another identity goes on than the one before.
    other: Option<String>,
    /// To be written with `Began`.
    facts: Vec<Record>,
    /// The files of the run before and after `--edited`.
    files: Option<(Vec<File>, Vec<File>)>,
}

/// The journal, under the lease. It is read and its chain checked once: what the caller has read already counts, unless the
/// head has moved since.
fn history(driver: &mut Driver) -> Result<History, Refused> {
    let (store, run) = (&driver.store, &driver.run.id);
    if let Some(known) = driver.known.take() {
        let since = store.journal_after(run, known.last_seq())?;
        let told = |record: &Record| matches!(record, Record::CancelAsked { .. } | Record::Approved { .. });
        if since.is_empty() {
            return Ok(known);
        } else if !since.iter().all(|entry| told(&entry.record)) {
            return Err(Refused::Overtaken);
        }
    }
    Ok(History::load(store.as_ref(), run)?)
}

fn open(mut driver: Driver, lease: Lease) -> Result<Open, Refused> {
    let history = history(&mut driver)?;
    if let Some(ms) = history.last_sim_ms() {
        driver.time.not_before(ms);
    }
    let about = who::know(&driver)?;
    driver.guard.check(&history, "", &about).map_err(|failure| Refused::Failure(Box::new(failure)))?;
    let mut facts: Vec<Record> = fact(&history, "", &about).into_iter().collect();
    let before = history.caller("").filter(|_| !facts.is_empty());
    let other = before.map(|before| format!("{} goes on; before it was {before}", about.caller));
    facts.extend(
        driver.params.filter(|new| history.params().as_ref() != Some(new)).map(|values| Record::Params { values }),
    );
    let event = What::Began {
        mode: driver.mode.clone(),
        runbook: driver.run.runbook.clone(),
        customer: driver.run.customer.clone(),
        region: Some(driver.place.region.clone()).filter(|r| !r.is_empty()).unwrap_or_else(|| about.region.clone()),
        speed: driver.time.speed(),
        kept: history.totals().steps,
        about: about.clone(),
    };
    let stored = driver.store.run_files(&driver.run.id)?;
    let script = version::of(driver.files.as_ref().unwrap_or(&stored));
    // Of a journal that ends before its first process only the run's row is left.
    let resumed = driver.mode == "resume" || history.began().is_some();
    let began = Record::Began {
        mode: driver.mode,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        by: driver.by,
        script: (history.version().script.as_ref() != Some(&script)).then(|| script.to_string()),
    };
    let files = driver.files.map(|new| (stored, new));
    let time = driver.time.clone();
    let events = Events::new(&driver.run.id, about.simulated, wall_ms, Box::new(move || time.now_ms()), driver.sink);
    let time = driver.time.clone();
    driver.cancel.on_ask(move || time.nudge());
    let session = Session {
        run: driver.run,
        lease,
        held: Arc::default(),
        store: driver.store,
        target: driver.target,
        about,
        guard: driver.guard,
        others: Arc::default(),
        table: driver.table,
        time: driver.time,
        events,
        cancel: driver.cancel,
        vault: driver.vault,
        history: Arc::new(history),
        mode: Mode::Drive,
        resumed,
        edits: driver.edits,
        runtime: driver.runtime,
        retries: Arc::new(AtomicU32::new(0)),
        outranked: Arc::default(),
    };
    Ok(Open { session: Arc::new(session), began, event, other, facts, files })
}

impl Open {
    fn run(self, body: impl FnOnce(&Arc<Scope>) -> Result<Ending, Halt> + Send) -> Result<Outcome, Refused> {
        let Self { session, began, event, other, facts, files } = self;
        let clock = Instant::now();
        let began_ms = session.time.now_ms();
        if let Some((_, new)) = &files {
            session.store.set_run_files(&session.lease, new)?;
        }
        let before = session.history.totals();
        let begun = session.record(std::iter::once(began).chain(facts).collect(), When::Now);
        session.tell(event);
        if let Some(text) = other {
            session.tell(What::Note { step: String::new(), text });
        }
        let halt = begun.and_then(|()| watch::beside(&session, || on_a_thread(&session, body)));
        if let (Err(Halt::Stop(Stop::Changed(_))), Some((old, _))) = (&halt, &files) {
            // What was refused must be compared again the next time.
            session.store.set_run_files(&session.lease, old)?;
        }
        let (mut ending, mut stop, mut failures) = sort(halt);
        let outranked = std::mem::take(&mut *session.outranked.lock().unwrap_or_else(PoisonError::into_inner));
        failures.extend(outranked);
        if !matches!(stop, Some(Stop::Fenced(_) | Stop::Store(_)))
            && let Err(Halt::Stop(broken)) = session.record(vec![ended(&ending, &failures)], When::Now)
        {
            (ending, stop, _) = sort(Err(broken.into()));
        }
        let outcome = Outcome {
            ending,
            stop,
            failures,
            totals: session.history.totals(),
            retries: session.retries.load(Ordering::Relaxed),
            before,
            took_ms: session.time.now_ms() - began_ms,
            real_ms: i64::try_from(clock.elapsed().as_millis()).unwrap_or(i64::MAX),
        };
        session.tell(outcome.event());
        Ok(outcome)
    }
}

/// The script wants a deep stack, and a panic must not take the journal's end with it.
fn on_a_thread(
    session: &Arc<Session>, body: impl FnOnce(&Arc<Scope>) -> Result<Ending, Halt> + Send,
) -> Result<Ending, Halt> {
    let work = || {
        let _working = Working::begin(&session.time);
        let top = Scope::top(session.clone());
        let ending = guarded(|| body(&top))?;
        top.enter()?;
        Ok(ending)
    };
    thread::scope(|threads| {
        let thread = spawn_scoped(threads, "run", Some(STACK), work);
        let thread = thread.map_err(|error| Failure::new("RB0902", format!("the system gives no thread: {error}")))?;
        thread.join().unwrap_or_else(|_| Err(Failure::new("RB0900", "a bug in runbook: the run's thread died").into()))
    })
}

fn ended(ending: &Ending, failures: &[Failure]) -> Record {
    let failures = failures.iter().map(|failure| serde_json::to_value(failure).unwrap_or_default()).collect();
    Record::Ended { ending: ending.clone(), failures }
}

/// How the driving ends, by what ended the script.
fn sort(end: Result<Ending, Halt>) -> (Ending, Option<Stop>, Vec<Failure>) {
    let halt = match end {
        Ok(ending) => return (ending, None, Vec::new()),
        Err(Halt::Failure(failure)) => {
            let leaves = leaves(*failure.clone());
            let step = leaves.first().map_or(failure.step.clone(), |first| first.step.clone());
            return (Ending::Failed { step, message: failure.message }, None, leaves);
        }
        Err(Halt::Stop(stop)) => stop,
    };
    let stopped = |message: &str| Ending::Stopped { step: String::new(), message: message.to_owned() };
    let ending = match &halt {
        Stop::Parked(why) => Ending::Parked { why: why.clone() },
        Stop::Abandoned => Ending::Parked { why: "another branch failed".to_owned() },
        Stop::Fenced(message) | Stop::Store(message) => stopped(message),
        Stop::Changed(f) | Stop::Unresolved(f) => Ending::Stopped { step: f.step.clone(), message: f.message.clone() },
        Stop::Script(f) => Ending::Failed { step: f.step.clone(), message: f.message.clone() },
        Stop::Credentials(f) => Ending::Parked { why: f.message.clone() },
        Stop::Waiting { step, question } => Ending::Waiting { step: step.clone(), question: question.clone() },
        Stop::EndOfRecord => stopped("the record ended before the script did"),
    };
    let failures = match &halt {
        Stop::Changed(f) | Stop::Unresolved(f) | Stop::Script(f) | Stop::Credentials(f) => vec![(**f).clone()],
        _ => Vec::new(),
    };
    (ending, Some(halt), failures)
}

/// The single failures behind one.
fn leaves(mut failure: Failure) -> Vec<Failure> {
    let causes = std::mem::take(&mut failure.causes);
    if causes.is_empty() { vec![failure] } else { causes.into_iter().flat_map(leaves).collect() }
}
