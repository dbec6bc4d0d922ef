//! What the history answers with.

use runbook_state::record::{EffectKey, EffectState, Owned, Site};
use serde_json::Value;

use super::packed::Packed;
use crate::{
    error::{Halt, Stop},
    run::version::Version,
};

/// What is known of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The last attempt, from 1; 0 when it was recorded as failed without ever being started.
    pub attempt: u32,
    /// Where it stood when it was last started.
    pub site: Site,
    /// Under which script and parameters it was last met.
    pub version: Version,
    /// When its last attempt began, in the target's time.
    pub started_ms: i64,
    /// When it was finished or failed, in the target's time.
    pub ended_ms: i64,
    /// Place among all records at which it was first seen.
    pub first: u64,
    /// Place among all records at which its last attempt began.
    pub started: u64,
    /// How it stands.
    pub state: StepState,
}

impl Step {
    /// The result of a finished step.
    ///
    /// # Errors
    /// [`Stop::EndOfRecord`] when it is not finished.
    pub fn result(&self) -> Result<Value, Halt> {
        match &self.state {
            StepState::Done { result, .. } => Ok(result.clone()),
            _ => Err(Stop::EndOfRecord.into()),
        }
    }
}

/// How a step stands.
#[derive(Debug, Clone, PartialEq)]
pub enum StepState {
    /// Begun, not ended: interrupted, or being run.
    Started,
    /// Finished: never done again.
    Done {
        /// Its result.
        result: Value,
        /// Digest of what its closure captured.
        captures: String,
    },
    /// Failed.
    Failed {
        /// `crate::error::Failure` as JSON.
        failure: Value,
        /// The script went on after it: it is the step's outcome.
        caught: bool,
    },
    /// Undone: it may run again.
    Undone,
}

/// One generation of an effect.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// Which.
    pub key: EffectKey,
    /// Place of its intent among all records.
    pub order: u64,
    /// The attempt of the innermost step around it when its intent was written.
    pub attempt: u32,
    /// State.
    pub state: EffectState,
    /// The script function.
    pub op: String,
    /// The idempotency token.
    pub token: String,
    /// Digest of the input.
    pub digest: String,
    /// The checked input, secrets as placeholders.
    pub input: Packed,
    /// Where it goes.
    pub place: Packed,
    /// Tags of the request.
    pub tags: Packed,
    /// Where in the script.
    pub site: Site,
    /// What stood there before.
    pub prior: Option<Packed>,
    /// When the intent was written, wall time.
    pub at_ms: i64,
    /// When the intent was written, in the target's time.
    pub target_ms: i64,
    /// The answer, of `Accepted` or `Done`.
    pub response: Option<Packed>,
    /// The inventory row.
    pub owned: Option<Box<Owned>>,
    /// The error, of `Failed` or `Unknown`.
    pub error: Option<Packed>,
    /// Its remains are in the inventory and must be deleted before the next generation.
    pub remains: bool,
    /// Found and taken over.
    pub adopted: bool,
    /// A deletion of it was written down and may have been sent.
    pub deleting: bool,
}

impl Effect {
    /// The answer, of `Accepted` or `Done`; null without one.
    pub fn answer(&self) -> Value {
        self.response.as_ref().map(Packed::value).unwrap_or_default()
    }

    /// The error, of `Failed` or `Unknown`; null without one.
    pub fn trouble(&self) -> Value {
        self.error.as_ref().map(Packed::value).unwrap_or_default()
    }
}

/// A recorded read.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The script function.
    pub op: String,
    /// Digest of the input.
    pub digest: String,
    /// The answer, or the failure that the script caught (`crate::error::Failure` as JSON).
    pub answer: Result<Value, Value>,
}

/// A recorded decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What was asked.
    pub what: String,
    /// The value.
    pub value: Value,
    /// The attempt of the innermost step around it.
    pub attempt: u32,
}

/// An answered approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Yes or no.
    pub yes: bool,
    /// Who.
    pub by: String,
    /// Why; may be empty.
    pub why: String,
}

/// Counts over the whole run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Steps finished.
    pub steps: u32,
    /// Effects that stand: done and not undone.
    pub effects: u32,
    /// Milliseconds of the target's time that the run and its resumes were driven; undo is another matter.
    pub took_ms: i64,
    /// The same in wall time.
    pub real_ms: i64,
}
