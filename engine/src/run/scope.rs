//! Where in the run a thread is, and whether it may go on.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use runbook_seeded::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU32, Ordering},
};
use runbook_state::{
    record::{Record, Site},
    store::When,
};

use super::{
    cancel::Group,
    retry::text,
    session::{Mode, Session},
};
use crate::error::{Failure, Halt, Stop};

/// The code of the failure of a step that was abandoned because another branch failed. It is kept only when the script caught
/// the other branch's failure, and then answers as the abandonment did.
pub const ABANDONED: &str = "RB0306";

/// The innermost step or branch that a thread is in. Ordinals count within it, so that a branch's numbers do not depend on the others.
pub struct Scope {
    /// The run.
    pub session: Arc<Session>,
    /// The key: `redis1/network/vpc`; empty at the top.
    pub key: String,
    /// Whether a step encloses it: a binding may be called.
    pub in_step: bool,
    /// The attempt of the innermost step, from 1.
    pub attempt: u32,
    /// Matching mode: an edited step's effects and reads must answer from the record.
    pub matching: bool,
    /// The branches that fail together.
    pub group: Arc<Group>,
    /// Effects so far.
    pub effects: Arc<AtomicU32>,
    /// Reads so far.
    pub observations: Arc<AtomicU32>,
    /// Decisions so far.
    pub decisions: Arc<AtomicU32>,
    /// When the innermost timeout around it is over.
    pub deadline: Option<Deadline>,
    /// Place in the journal where the present attempt of the steps around it began: what lies before it and is not finished is
    /// void, and begins a new attempt.
    pub since: u64,
    names: Arc<Names>,
    /// What is to be recorded of failures handed to the script. When it calls the engine again from here, it caught them.
    handed: Mutex<Vec<Record>>,
    waits: Arc<Mutex<String>>,
}

/// A step's timeout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    /// In the target's time.
    pub at_ms: i64,
    /// Whose timeout it is.
    pub step: String,
    /// How long it was.
    pub after: Duration,
}

/// What was named in a scope. A branch name may come again in the same scope (two `each` over one list): its numbers go on.
#[derive(Default)]
struct Names {
    effects: Arc<AtomicU32>,
    observations: Arc<AtomicU32>,
    decisions: Arc<AtomicU32>,
    seen: Mutex<HashMap<String, Site>>,
    branches: Mutex<HashMap<String, Arc<Names>>>,
}

/// How far a replay has come in a scope.
pub(super) struct Replayed {
    /// The scope's key.
    pub(super) key: String,
    /// Effects it came to.
    pub(super) effects: u32,
    /// The keys of the steps and branches in it that it came to.
    pub(super) called: HashSet<String>,
}

impl Scope {
    /// The scope around the whole script.
    pub fn top(session: Arc<Session>) -> Arc<Self> {
        let names = Arc::new(Names::default());
        Arc::new(Self {
            session,
            key: String::new(),
            in_step: false,
            attempt: 1,
            matching: false,
            group: Arc::default(),
            effects: names.effects.clone(),
            observations: names.observations.clone(),
            decisions: names.decisions.clone(),
            deadline: None,
            since: 0,
            names,
            handed: Mutex::default(),
            waits: Arc::default(),
        })
    }

    /// A scope of undo: what is done in it is recorded under `key`; what failed or was read in an earlier process is done afresh.
    pub(crate) fn undoing(session: &Arc<Session>, key: &str) -> Arc<Self> {
        let attempt = u32::try_from(session.history.last_seq()).unwrap_or(u32::MAX);
        let top = Self::top(session.clone());
        top.inside(key, Arc::default(), |scope| Self { in_step: true, attempt, since: u64::MAX, ..scope })
    }

    /// The scope of one attempt of a step.
    pub(super) fn within_step(
        &self, key: &str, attempt: u32, since: u64, matching: bool, deadline: Option<Deadline>,
    ) -> Arc<Self> {
        let own = deadline.into_iter();
        let deadline = own.chain(self.deadline.clone()).min_by_key(|deadline| deadline.at_ms);
        self.inside(key, Arc::default(), |scope| Self {
            in_step: true,
            attempt,
            matching,
            deadline,
            since: since.max(self.since),
            ..scope
        })
    }

    /// The scope of a branch.
    pub(super) fn within_branch(&self, name: &str, site: &Site, group: &Arc<Group>) -> Result<Arc<Self>, Halt> {
        if let Some(step) = lock(&self.names.seen).get(name) {
            return Err(twice(self.child_key(name), "a step", site, Some(step.clone())));
        }
        let names = lock(&self.names.branches).entry(name.to_owned()).or_default().clone();
        let group = group.clone();
        Ok(self.inside(&self.child_key(name), names, |scope| Self { group, ..scope }))
    }

    fn inside(&self, key: &str, names: Arc<Names>, with: impl FnOnce(Self) -> Self) -> Arc<Self> {
        Arc::new(with(Self {
            session: self.session.clone(),
            key: key.to_owned(),
            in_step: self.in_step,
            attempt: self.attempt,
            matching: self.matching,
            group: self.group.clone(),
            effects: names.effects.clone(),
            observations: names.observations.clone(),
            decisions: names.decisions.clone(),
            deadline: self.deadline.clone(),
            since: self.since,
            names,
            handed: Mutex::default(),
            waits: Arc::default(),
        }))
    }

    /// The next number of a counter.
    pub fn next(counter: &AtomicU32) -> u32 {
        counter.fetch_add(1, Ordering::Relaxed)
    }

    /// The key of a child: a `/` between, and `/` in a name written as `∕` (U+2215).
    pub fn child_key(&self, name: &str) -> String {
        join(&self.key, name)
    }

    /// Takes a step's name in this scope; two equal ones are a mistake in the script.
    pub(super) fn claim(&self, name: &str, site: &Site) -> Result<String, Halt> {
        let key = self.child_key(name);
        let branch = lock(&self.names.branches).contains_key(name);
        let before = lock(&self.names.seen).insert(name.to_owned(), site.clone());
        match before {
            None if !branch => Ok(key),
            before => Err(twice(key, if branch { "a branch" } else { "another step" }, site, before)),
        }
    }

    /// This scope and the branches in it, as far as this replay has come.
    pub(super) fn replayed(&self) -> Vec<Replayed> {
        let mut all = Vec::new();
        let mut open = vec![(self.key.clone(), self.names.clone())];
        while let Some((key, names)) = open.pop() {
            let branches = lock(&names.branches);
            let called = lock(&names.seen).keys().chain(branches.keys()).map(|name| join(&key, name)).collect();
            open.extend(branches.iter().map(|(name, branch)| (join(&key, name), branch.clone())));
            let effects = names.effects.load(Ordering::Relaxed);
            all.push(Replayed { key, effects, called });
        }
        all
    }

    /// Place in the journal of the last effect that this replay has come to in this scope and in what it encloses; where the step
    /// began when it has come to none.
    pub fn reached(&self) -> u64 {
        let mut within: Vec<String> = Vec::new();
        let mut own: Vec<(String, u32)> = Vec::new();
        for replayed in self.replayed() {
            within.extend(replayed.called);
            own.push((replayed.key, replayed.effects));
        }
        let below = |key: &str| {
            within.iter().any(|step| {
                key.strip_prefix(step.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        };
        let came_to = |key: &str, ordinal: u32| match own.iter().find(|(scope, _)| scope == key) {
            Some((_, effects)) => ordinal < *effects,
            None => below(key),
        };
        let effects = self.session.history.effects();
        let last = effects.iter().filter(|e| came_to(&e.key.step, e.key.ordinal)).map(|e| e.order).max();
        last.or_else(|| Some(self.session.history.step(&self.key)?.started)).unwrap_or_default()
    }

    /// To be called at the beginning of everything that the script asks of the engine: what failed before and was handed to
    /// the script has then been caught by it, which is recorded as the outcome of that step or read.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn enter(&self) -> Result<(), Halt> {
        let handed = std::mem::take(&mut *lock(&self.handed));
        if handed.is_empty() || self.session.mode == Mode::Recall {
            return Ok(());
        }
        self.session.record(handed, When::Soon)
    }

    /// A step's failure is being handed to the script here.
    pub(super) fn hand(&self, step: &str, failure: &Failure) {
        let failure = serde_json::to_value(failure).unwrap_or_default();
        self.hand_record(Record::StepFailed { step: step.to_owned(), failure, caught: true });
    }

    /// A failure is being handed to the script here, and this is to be recorded when the script catches it.
    pub(crate) fn hand_record(&self, caught: Record) {
        lock(&self.handed).push(caught);
    }

    /// The failures of a branch are being handed to the script in the enclosing scope.
    pub(super) fn hand_over(&self, branch: &Self) {
        lock(&self.handed).append(&mut lock(&branch.handed));
    }

    /// To be called before anything is sent or waited for.
    ///
    /// # Errors
    /// Why this thread must stop: the lease is lost, the run is being parked, another branch failed, or a timeout is over
    /// (RB0305, naming what was waited for).
    pub fn check_stop(&self) -> Result<(), Halt> {
        if self.session.mode == Mode::Recall {
            return Ok(());
        }
        if let Some(stop) = self.session.cancel.stop() {
            return Err(stop.into());
        }
        if self.group.failed() {
            return Err(Stop::Abandoned.into());
        }
        match &self.deadline {
            Some(deadline) if self.session.time.now_ms() >= deadline.at_ms => Err(self.timed_out(deadline).into()),
            _ => Ok(()),
        }
    }

    /// Whether [`Scope::check_stop`] would stop this thread.
    pub fn stopping(&self) -> bool {
        self.check_stop().is_err()
    }

    /// When the innermost timeout is over, in the target's time.
    pub fn deadline_ms(&self) -> Option<i64> {
        self.deadline.as_ref().map(|deadline| deadline.at_ms)
    }

    /// Says what the thread waits for, for the message of a timeout; the empty text: nothing any more.
    pub fn waits_for(&self, what: &str) {
        what.clone_into(&mut lock(&self.waits));
    }

    /// Waits in the target's time, not past the deadline.
    ///
    /// # Errors
    /// As [`Scope::check_stop`].
    pub fn sleep(&self, how_long: Duration) -> Result<(), Halt> {
        self.check_stop()?;
        let left = self.deadline.as_ref().map(|deadline| deadline.at_ms - self.session.time.now_ms());
        let left = left.map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0)));
        let how_long = left.map_or(how_long, |left| left.min(how_long));
        let slept = self.session.time.sleep(how_long, &|| self.stopping());
        self.check_stop()?;
        // A stop that was taken back between the two looks does not exist; the wait is simply over.
        slept.or(Ok(()))
    }

    fn timed_out(&self, deadline: &Deadline) -> Failure {
        let after = text(deadline.after);
        let waits = lock(&self.waits).clone();
        let message = match (deadline.step.as_str(), waits.as_str()) {
            (step, "") => format!("step {step:?} timed out after {after}"),
            (step, waits) => format!("step {step:?} timed out after {after}, waiting for {waits}"),
        };
        let mut failure = Failure::new("RB0305", message);
        failure.step.clone_from(&self.key);
        failure.cause = format!("not done after {after}");
        failure.hint("resume goes on with what was begun; a longer timeout is #{ timeout: \"...\" } of the step")
    }
}

fn twice(key: String, what: &str, site: &Site, before: Option<Site>) -> Halt {
    let mut failure = Failure::new("RB0301", format!("two steps of this run have the key {key:?}")).at(site);
    failure.step = key;
    failure.cause = format!("{what} here has this name already");
    failure.sites.extend(before);
    let hint = "give each a name of its own; in a loop, put what differs into it: step(`subnet ${zone}`, ...)";
    Stop::Script(Box::new(failure.hint(hint))).into()
}

fn join(key: &str, name: &str) -> String {
    let name = name.replace('/', "\u{2215}");
    if key.is_empty() { name } else { format!("{key}/{name}") }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
