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
    /// Target time.
    pub took_ms: i64,
    /// Wall time.
    pub real_ms: i64,
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
                // A resume takes as long as it takes together with what it goes on with; an undo counts for itself.
                self.end = self.end.take().filter(|_| mode == "resume" && self.mode != "undo");
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
            What::Ended { ending, failures, steps, effects, retries, took_ms, real_ms } => {
                let (took_before, real_before) =
                    self.end.as_ref().map_or((0, 0), |before| (before.took_ms, before.real_ms));
                self.end = Some(End {
                    ending: ending.clone(),
                    failures: failures.clone(),
                    steps: *steps,
                    effects: *effects,
                    retries: *retries,
                    took_ms: took_before + took_ms,
                    real_ms: real_before + real_ms,
                });
            }
            _ => {}
        }
    }
}
