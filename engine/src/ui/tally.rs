//! Counts what the end of a run tells: outputs, failures, what was not rehearsed, what was deleted.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use runbook_state::record::Ending;
use serde_json::Value;

use crate::{
    error::Failure,
    event::{Event, Sink, What},
};

/// What was counted.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Nothing of it is real.
    pub simulated: bool,
    /// Outputs by name, secrets as placeholders.
    pub outputs: BTreeMap<String, Value>,
    /// Steps of checks that were not rehearsed.
    pub unrehearsed: Vec<String>,
    /// Steps that were kept from earlier.
    pub kept: u32,
    /// Resources deleted, found gone already, and put back.
    pub deleted: (u32, u32, u32),
    /// The mode of the process that drives, or drove last.
    pub mode: String,
    /// The end, once it has come.
    pub end: Option<End>,
}

/// The facts of the last event.
#[derive(Debug, Clone)]
pub struct End {
    /// How it ended.
    pub ending: Ending,
    /// All failures.
    pub failures: Vec<Failure>,
    /// Steps finished.
    pub steps: u32,
    /// Effects done.
    pub effects: u32,
    /// Retries.
    pub retries: u32,
    /// Target time: of the run and its resumes; of an undo its own.
    pub took_ms: i64,
    /// Wall time: of the run and its resumes; of an undo its own.
    pub real_ms: i64,
    /// What a resume did of all that.
    pub own: Option<Own>,
}

/// What one process of several did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Own {
    /// Steps finished.
    pub steps: u32,
    /// Effects done.
    pub effects: u32,
    /// Target time.
    pub took_ms: i64,
}

impl End {
    /// The facts of a last event, by the mode of the process; None of any other event.
    pub fn of(what: &What, mode: &str) -> Option<Self> {
        let What::Ended { ending, failures, steps, effects, retries, took_ms, real_ms, .. } = what else { return None };
        let What::Ended { own_steps, own_effects, whole_ms, whole_real_ms, .. } = what else { return None };
        let own = Own { steps: *own_steps, effects: *own_effects, took_ms: *took_ms };
        let whole = mode != "undo";
        Some(Self {
            ending: ending.clone(),
            failures: failures.clone(),
            steps: *steps,
            effects: *effects,
            retries: *retries,
            took_ms: if whole { *whole_ms } else { *took_ms },
            real_ms: if whole { *whole_real_ms } else { *real_ms },
            own: (mode == "resume").then_some(own),
        })
    }
}

/// A sink that counts and passes each event on.
pub struct Tally {
    next: Arc<dyn Sink>,
    totals: Mutex<Totals>,
}

impl Tally {
    /// Counts what goes to `next`.
    pub fn new(next: Arc<dyn Sink>) -> Self {
        Self { next, totals: Mutex::default() }
    }

    /// What was counted so far.
    pub fn totals(&self) -> Totals {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Sink for Tally {
    fn event(&self, event: &Event) {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner).take(event);
        self.next.event(event);
    }
}

/// A sink that drops everything (`-q`).
pub struct Silent;

impl Sink for Silent {
    fn event(&self, _: &Event) {}
}

impl Totals {
    /// Takes one event in.
    pub fn take(&mut self, event: &Event) {
        self.simulated = event.simulated;
        match &event.what {
            What::Began { mode, .. } => {
                self.end = None;
                self.mode.clone_from(mode);
            }
            What::Output { name, value } => {
                self.outputs.insert(name.clone(), value.clone());
            }
            What::NotRehearsed { step, .. } if !self.unrehearsed.contains(step) => self.unrehearsed.push(step.clone()),
            What::StepDone { kept: true, .. } => self.kept += 1,
            What::Deleted { put_back: true, .. } => self.deleted.2 += 1,
            What::Deleted { already: true, .. } => self.deleted.1 += 1,
            What::Deleted { .. } => self.deleted.0 += 1,
            ended @ What::Ended { .. } => self.end = End::of(ended, &self.mode),
            _ => {}
        }
    }
}
