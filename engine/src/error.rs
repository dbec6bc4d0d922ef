//! The two families of what ends a step: a [`Failure`], which a script may catch, and a [`Stop`], which it cannot.

use runbook_state::record::Site;
use serde::{Deserialize, Serialize};

/// A failed step, check or call. Kept in the journal as data: a newer program may read it after a crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// `RB0412`; each has a page in `engine/errors/` and `runbook explain` prints it.
    pub code: String,
    /// What failed, completing "failed to …" or naming the refusal: `EKS refused CreateNodegroup: InvalidParameterException`.
    pub message: String,
    /// The step's key; empty outside any step.
    #[serde(default)]
    pub step: String,
    /// The script function, e.g. `eks.create_nodegroup`; empty when no call was involved.
    #[serde(default)]
    pub op: String,
    /// The label under the caret: the cause in a few words.
    #[serde(default)]
    pub cause: String,
    /// Where it happened, innermost first, then the calls that led there.
    #[serde(default)]
    pub sites: Vec<Site>,
    /// `definite: nothing was made`, `unknown`, …; empty when no call was involved.
    #[serde(default)]
    pub outcome: String,
    /// The target's request id.
    #[serde(default)]
    pub request_id: Option<String>,
    /// How many times it was sent.
    #[serde(default)]
    pub attempts: u32,
    /// What to do, in order of likelihood.
    #[serde(default)]
    pub hints: Vec<String>,
    /// The failures that it sums up: those of several branches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Failure>,
}

/// What a script cannot catch: it ends the driving of the run, and the run stays resumable.
#[derive(Debug, Clone, PartialEq)]
pub enum Stop {
    /// A person or signal asked to park; the text says who.
    Parked(String),
    /// Another branch failed: this one starts no effect and abandons its waits.
    Abandoned,
    /// Another process took the lease over.
    Fenced(String),
    /// The journal cannot be written; nothing was sent without it.
    Store(String),
    /// The script does not match the record: which step, what stands in the record, what the script says.
    Changed(Box<Failure>),
    /// The outcome of an effect is not known and cannot be found out: a person decides.
    Unresolved(Box<Failure>),
    /// An approval is asked for: its step key and the question.
    Waiting {
        /// The approval's step key.
        step: String,
        /// What is asked.
        question: String,
    },
    /// The credentials no longer work: resume with fresh ones.
    Credentials(Box<Failure>),
    /// A mistake in the script that no catch may hide (two equal step keys, a binding outside a step, a limit).
    Script(Box<Failure>),
    /// Recalling a run for undo has come to the end of what was recorded.
    EndOfRecord,
}

/// What ended a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Halt {
    /// A script may catch it.
    Failure(Box<Failure>),
    /// It may not.
    Stop(Stop),
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Failure(Box::new(failure))
    }
}

impl Failure {
    /// A failure with a code and a message.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            step: String::new(),
            op: String::new(),
            cause: String::new(),
            sites: Vec::new(),
            outcome: String::new(),
            request_id: None,
            attempts: 0,
            hints: Vec::new(),
            causes: Vec::new(),
        }
    }

    /// Adds where it happened.
    #[must_use]
    pub fn at(mut self, site: &Site) -> Self {
        self.sites.push(site.clone());
        self
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}
