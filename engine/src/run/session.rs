//! What all branches of an open run share.

use std::collections::BTreeMap;

use runbook_modules::{
    table::Table,
    target::{About, Place, Target},
};
use runbook_seeded::{
    crash_after, crash_before, mutant,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU32},
};
use runbook_state::{
    error::Error,
    record::{Record, Site},
    store::{Lease, Run, Store, When},
};

use super::{
    cancel::Cancel,
    clock::{Time, wall_ms},
    guard::{Guard, whose},
    held::{Held, Moment},
    history::{History, Step},
    vault::Vault,
};
use crate::{
    error::{Failure, Halt, Stop},
    event::{Events, What},
};

/// What the process does with the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Runs or resumes: what is not in the journal is done.
    Drive,
    /// Recalls the run for undo: everything answers from the journal, bodies of finished steps included, to collect the undo
    /// closures; nothing is sent or written; the end of the record ends the branch ([`Stop::EndOfRecord`]).
    Recall,
}

/// Says whether a finished step is the same in the script under which it was finished and in the one that is driven now.
pub trait Edits: Send + Sync {
    /// Whether the code of the step's closure, with all it calls, is the same at `new` as where the step was met.
    fn same_code(&self, step: &str, known: &Step, new: &Site) -> bool;
}

/// An open run. Everything here is shared by all branches.
pub struct Session {
    /// The run's row.
    pub run: Run,
    /// Our right to write.
    pub lease: Lease,
    /// When we were last seen to have it.
    pub held: Arc<Held>,
    /// The journal.
    pub store: Arc<dyn Store>,
    /// Where effects go.
    pub target: Arc<dyn Target>,
    /// What the target said it is.
    pub about: About,
    /// What the credentials are held to.
    pub guard: Guard,
    /// The same of places with a profile or role of their own, by [`super::guard::whose`].
    pub others: Arc<Mutex<BTreeMap<String, About>>>,
    /// All bindings.
    pub table: Arc<Table>,
    /// The target's time.
    pub time: Arc<dyn Time>,
    /// What happens, for people.
    pub events: Events,
    /// Parking and stopping.
    pub cancel: Cancel,
    /// Secrets.
    pub vault: Arc<Vault>,
    /// The journal in memory.
    pub history: Arc<History>,
    /// Drive or recall.
    pub mode: Mode,
    /// Another process drove the run before: its journal may be older than the target, when a backup of it was put back.
    pub resumed: bool,
    /// Present when a finished step comes from another script (`--edited`) or from other parameters.
    pub edits: Option<Arc<dyn Edits>>,
    /// Runs the target's futures.
    pub runtime: tokio::runtime::Handle,
    /// Attempts of steps that this process made after a failed one.
    pub retries: Arc<AtomicU32>,
    /// Failures of branches that a stop of another branch outranked, for the report at the end.
    pub outranked: Arc<Mutex<Vec<Failure>>>,
}

impl Session {
    /// Writes records and takes them into the history: the one way in which this process records.
    ///
    /// # Errors
    /// As [`Session::append`]: then the history is as before, too.
    pub fn record(&self, records: Vec<Record>, when: When) -> Result<(), Halt> {
        let wall = wall_ms();
        let sim = self.time.simulated().then(|| self.time.now_ms());
        self.write(wall, sim, records.clone(), when)?;
        for record in records {
            self.history.apply(wall, sim, record);
        }
        Ok(())
    }

    /// Appends records with the present times, past the history.
    ///
    /// # Errors
    /// [`Stop::Fenced`] or [`Stop::Store`]: in both cases nothing was written.
    pub fn append(&self, records: Vec<Record>, when: When) -> Result<(), Halt> {
        let sim = self.time.simulated().then(|| self.time.now_ms());
        self.write(wall_ms(), sim, records, when)
    }

    /// To be called right before anything is sent. After a stop of the process, or a sleep of the machine, another one may drive the run.
    ///
    /// # Errors
    /// [`Stop::Fenced`] or [`Stop::Store`].
    pub fn still_ours(&self) -> Result<(), Halt> {
        if !self.held.long_ago() || mutant!("sends-without-the-lease") {
            return Ok(());
        }
        let began = Moment::now();
        self.store.renew(&self.lease, wall_ms()).map_err(lost)?;
        self.held.seen(began);
        Ok(())
    }

    /// The same run for recalling it: same journal and history, nothing is written or shown.
    pub fn recall(&self) -> Self {
        Self {
            run: self.run.clone(),
            lease: self.lease.clone(),
            held: self.held.clone(),
            store: self.store.clone(),
            target: self.target.clone(),
            about: self.about.clone(),
            guard: self.guard.clone(),
            others: self.others.clone(),
            table: self.table.clone(),
            time: self.time.clone(),
            events: self.events.clone(),
            cancel: self.cancel.clone(),
            vault: self.vault.clone(),
            history: self.history.clone(),
            mode: Mode::Recall,
            resumed: self.resumed,
            edits: None,
            runtime: self.runtime.clone(),
            retries: self.retries.clone(),
            outranked: self.outranked.clone(),
        }
    }

    /// The account of a place.
    pub fn account_at(&self, place: &Place) -> String {
        let others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        others.get(&whose(place)).unwrap_or(&self.about).account.clone()
    }

    /// Shows what happened, unless the run is only recalled.
    pub fn tell(&self, what: What) {
        if self.mode == Mode::Drive {
            self.events.send(what);
        }
    }

    fn write(&self, wall: i64, sim: Option<i64>, records: Vec<Record>, when: When) -> Result<(), Halt> {
        let records = if mutant!("no-intent") { without_intents(records) } else { records };
        let points = crash_before!(&records);
        let began = Moment::now();
        let written = self.store.append(&self.lease, wall, sim, records, when);
        if written.is_ok() {
            if when == When::Now {
                self.held.seen(began);
            }
            crash_after!(points);
        }
        written.map_err(lost)
    }
}

fn lost(error: Error) -> Halt {
    match error {
        Error::Fenced { .. } => Stop::Fenced(error.to_string()).into(),
        other => Stop::Store(other.to_string()).into(),
    }
}

/// The seeded fault `no-intent`: intents are written with the record that follows them, after the call.
fn without_intents(mut records: Vec<Record>) -> Vec<Record> {
    static LATE: Mutex<Vec<Record>> = Mutex::new(Vec::new());
    let mut late = LATE.lock().unwrap_or_else(PoisonError::into_inner);
    late.append(&mut records);
    if late.last().is_some_and(|record| matches!(record, Record::Intent { .. })) {
        Vec::new()
    } else {
        std::mem::take(&mut late)
    }
}
