//! What the journal holds: one [`Record`] an entry, in order, never changed afterwards.
//!
//! The journal alone is enough to carry on after a crash; every other table is a summary that it can rebuild.
//! Variants and fields are only ever added (with a default), never renamed: old journals are replayed for ever.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where in a script something stands: the file as the runbook names it, line and column from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Site {
    /// `redis-ha.rhai`, `lib/network.rhai`; empty when unknown.
    #[serde(default)]
    pub file: String,
    /// Line, from 1; 0 when unknown.
    #[serde(default)]
    pub line: u32,
    /// Column, from 1; 0 when unknown.
    #[serde(default)]
    pub column: u32,
}

/// The key of an effect: the step, the phase, and its ordinal in the innermost scope.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EffectKey {
    /// The step's key, e.g. `redis1/network/vpc`.
    pub step: String,
    /// Which effect of that scope, from 0.
    pub ordinal: u32,
    /// Rises after a definite failure whose remains were deleted, or after the effect was undone.
    pub generation: u32,
}

/// The states of an effect (idempotency.md §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectState {
    /// Written down; the request may or may not have been sent.
    Intent,
    /// The target took it and gave an id; it is not usable yet.
    Accepted,
    /// Done; the response is recorded.
    Done,
    /// Definitely not done, or terminally broken (then its remains are in the inventory).
    Failed,
    /// The outcome is not known.
    Unknown,
    /// Proved absent: the intent is void.
    Retired,
    /// Undone again.
    Undone,
}

/// A resource that the run owns: one inventory row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Owned {
    /// The kind, e.g. `ec2.vpc`.
    pub kind: String,
    /// Its id for people, e.g. `vpc-0c1d`.
    pub id: String,
    /// Its name for people, e.g. `redis1-vpc-us-east-1`; may be the id.
    pub name: String,
    /// Where: region, cluster (`runbook_modules::target::Place` as JSON).
    pub place: Value,
    /// How to read and delete it.
    pub locator: Value,
    /// The ids of what must outlive it.
    #[serde(default)]
    pub parents: Vec<String>,
    /// The input it was made from, secrets as placeholders: for drift.
    pub input: Value,
    /// What stood there before, for a kind that replaces; undo puts it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior: Option<Value>,
    /// The account and endpoint it is in.
    #[serde(default)]
    pub account: String,
    /// False for a shared thing that was found and adopted: undo leaves it.
    #[serde(default = "yes")]
    pub ours: bool,
}

fn yes() -> bool {
    true
}

/// How a run, or the part of it that this process drove, ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Ending {
    /// The script ran to its end.
    Finished,
    /// A step failed.
    Failed {
        /// The step's key; empty outside any step.
        step: String,
        /// One line.
        message: String,
    },
    /// Parked or stopped by a person or signal.
    Parked {
        /// Why: `Ctrl-C`, `SIGTERM`, `runbook cancel`, `credentials expired`.
        why: String,
    },
    /// Waits for an approval.
    Waiting {
        /// The approval's step key.
        step: String,
        /// What is asked.
        question: String,
    },
    /// Something must be decided by a person: an effect whose outcome is unknown, a changed script.
    Stopped {
        /// The step's key; empty outside any step.
        step: String,
        /// One line.
        message: String,
    },
    /// Undo deleted everything.
    Undone,
    /// Undo could not delete everything.
    Stuck {
        /// How many are left.
        left: u32,
        /// One line.
        message: String,
    },
}

/// One entry of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// A process begins to drive the run.
    Began {
        /// `run`, `resume`, `undo`.
        mode: String,
        /// The program's version.
        version: String,
        /// Who: `user@host`.
        by: String,
        /// The script that it drives, by content (digest of all its files), when it is another than before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        script: Option<String>,
    },
    /// A process ends driving the run. A run whose last `Began` has no `Ended` and whose lease is dead was interrupted.
    Ended {
        /// How.
        ending: Ending,
        /// Why: the failures told at the end (`runbook_engine::error::Failure` as JSON). Those of a needed decision stand nowhere else.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        failures: Vec<Value>,
    },
    /// The parameters of the run (secrets as placeholders); the last one holds.
    Params {
        /// Name to value.
        values: Value,
    },
    /// What the target said it is; the first one of a place binds the run there (account guard). Written again when another identity
    /// goes on.
    Target {
        /// `runbook_modules::target::About` as JSON.
        about: Value,
        /// Whose credentials: a place's profile and role, or its context; Null for the run's own.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        place: Value,
    },
    /// A step begins, or begins again.
    StepStarted {
        /// Key.
        step: String,
        /// From 1; a retry counts up, going on after a crash does not.
        attempt: u32,
        /// Where `step(…)` stands.
        #[serde(default)]
        site: Site,
    },
    /// A step is finished: never done again.
    StepDone {
        /// Key.
        step: String,
        /// Its result.
        result: Value,
        /// Digest of what its closure captured.
        #[serde(default)]
        captures: String,
        /// It was finished before: an edited body was held against the record. It counts once.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        again: bool,
    },
    /// A step failed.
    StepFailed {
        /// Key.
        step: String,
        /// The failure (`runbook_engine::error::Failure` as JSON).
        failure: Value,
        /// The script caught it: it is the step's outcome and is replayed.
        #[serde(default)]
        caught: bool,
    },
    /// A step was undone: it may run again.
    StepUndone {
        /// Key.
        step: String,
        /// It had been finished.
        #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
        finished: bool,
    },
    /// An effect is about to be sent. Committed before a byte is sent.
    Intent {
        /// Which.
        effect: EffectKey,
        /// The script function, e.g. `ec2.create_vpc`.
        op: String,
        /// The idempotency token.
        token: String,
        /// Digest of the input.
        digest: String,
        /// The checked input, secrets as placeholders.
        input: Value,
        /// Where it goes.
        place: Value,
        /// Tags of the request.
        tags: Value,
        /// Where in the script.
        #[serde(default)]
        site: Site,
        /// What stood there before, for a kind that replaces.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prior: Option<Value>,
    },
    /// The target took it; it is not ready yet.
    Accepted {
        /// Which.
        effect: EffectKey,
        /// The answer so far.
        response: Value,
        /// The inventory row; None for an operation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owned: Option<Owned>,
    },
    /// Done. With the inventory row, in the same commit, before the script sees the value.
    Done {
        /// Which.
        effect: EffectKey,
        /// What the script gets.
        response: Value,
        /// The inventory row, unless `Accepted` had it already; None for an operation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owned: Option<Owned>,
        /// Found and taken over after an unknown outcome, instead of made by this call.
        #[serde(default)]
        adopted: bool,
        /// Attempts sent.
        #[serde(default)]
        attempts: u32,
    },
    /// Definitely failed.
    Failed {
        /// Which.
        effect: EffectKey,
        /// The target's error (`runbook_modules::error::CallError` as JSON).
        error: Value,
        /// Its remains are in the inventory and must be deleted before the next generation.
        #[serde(default)]
        remains: bool,
    },
    /// The outcome is not known.
    Unknown {
        /// Which.
        effect: EffectKey,
        /// What was seen.
        error: Value,
    },
    /// Proved absent.
    Retired {
        /// Which.
        effect: EffectKey,
        /// How it was proved.
        why: String,
    },
    /// A recorded read.
    Observed {
        /// The step.
        step: String,
        /// The step's attempt.
        attempt: u32,
        /// Which read of that attempt, from 0.
        ordinal: u32,
        /// The script function.
        op: String,
        /// Digest of the input.
        digest: String,
        /// The answer.
        value: Value,
    },
    /// A read failed and the script caught it: it fails likewise whenever that attempt is gone through again.
    ReadFailed {
        /// The step.
        step: String,
        /// The step's attempt.
        attempt: u32,
        /// Which read of that attempt, from 0.
        ordinal: u32,
        /// The script function.
        op: String,
        /// Digest of the input.
        digest: String,
        /// The failure (`runbook_engine::error::Failure` as JSON).
        failure: Value,
    },
    /// A recorded value that only the engine could give: `now`, `uuid`, `random_password`, `sleep`, `approve`.
    Decided {
        /// The step, or the empty text outside any.
        step: String,
        /// Which decision of that scope, from 0.
        ordinal: u32,
        /// What was asked.
        what: String,
        /// The value.
        value: Value,
    },
    /// An output of the run.
    Output {
        /// Name.
        name: String,
        /// Value, secrets as placeholders.
        value: Value,
    },
    /// A check could not be answered on the sandbox.
    NotRehearsed {
        /// The step.
        step: String,
        /// What has no answer.
        what: String,
    },
    /// A deletion is about to be sent. Committed before a byte is sent.
    DeleteIntent {
        /// The effect whose resource it is.
        effect: EffectKey,
    },
    /// A resource is gone.
    Gone {
        /// The effect whose resource it was.
        effect: EffectKey,
        /// It was gone already.
        #[serde(default)]
        already: bool,
    },
    /// A person asked the driving process to park.
    CancelAsked {
        /// Who.
        by: String,
    },
    /// A person answered an approval.
    Approved {
        /// The approval's step key.
        step: String,
        /// Yes or no.
        yes: bool,
        /// Who.
        by: String,
        /// Why; may be empty.
        why: String,
    },
}
