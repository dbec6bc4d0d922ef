//! What happens in a run, as it happens or read back from the journal ([`replay`]). All output is made from these.

mod replay;

use runbook_seeded::sync::{Arc, Mutex, PoisonError};

use runbook_modules::target::About;
use runbook_state::record::{Ending, Site};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::replay::replay;
use crate::error::Failure;

/// The version of the NDJSON format. Fields are added without raising it; a changed meaning raises it.
pub const VERSION: u32 = 1;

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// [`VERSION`].
    pub v: u32,
    /// Counts the events of one output, from 1.
    pub seq: u64,
    /// Wall time, milliseconds since the Unix epoch (NDJSON prints RFC 3339).
    pub at_ms: i64,
    /// The target's time; equal to `at_ms` on a live target.
    pub target_ms: i64,
    /// The run's id.
    pub run: String,
    /// Nothing of it is real.
    pub simulated: bool,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened. `step` is always the step's key (`redis1/network/vpc`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event")]
pub enum What {
    /// A process begins to drive the run.
    #[serde(rename = "run.began")]
    Began {
        /// `run`, `resume`, `undo`, `plan`.
        mode: String,
        /// The runbook's name.
        runbook: String,
        /// The customer.
        customer: Option<String>,
        /// The target.
        about: About,
        /// Region of the heading; may be empty.
        region: String,
        /// Simulated time per real time; None on a live target or without pacing.
        speed: Option<f64>,
        /// Steps finished earlier.
        kept: u32,
    },
    /// A step begins.
    #[serde(rename = "step.started")]
    StepStarted {
        /// The step.
        step: String,
        /// Attempt, from 1.
        attempt: u32,
        /// Where it stands.
        site: Site,
    },
    /// A step is finished.
    #[serde(rename = "step.done")]
    StepDone {
        /// The step.
        step: String,
        /// Milliseconds of target time.
        took_ms: i64,
        /// Effects inside, nested ones included.
        effects: u32,
        /// Answered from the journal: it was finished earlier.
        kept: bool,
    },
    /// An attempt of a step failed.
    #[serde(rename = "step.failed")]
    StepFailed {
        /// The step.
        step: String,
        /// Why.
        failure: Failure,
        /// When it is tried again, in milliseconds of target time; None: it is not.
        retry_ms: Option<i64>,
    },
    /// A step was abandoned because another branch failed or the run is being parked.
    #[serde(rename = "step.parked")]
    StepParked {
        /// The step.
        step: String,
        /// Why.
        why: String,
    },
    /// An effect is written down and about to be sent.
    #[serde(rename = "effect.intent")]
    Intent {
        /// The step.
        step: String,
        /// `ec2.create_vpc`.
        op: String,
        /// Its name for people; may be empty.
        name: String,
    },
    /// The target took it; now it is waited for.
    #[serde(rename = "effect.accepted")]
    Accepted {
        /// The step.
        step: String,
        /// `eks.create_cluster`.
        op: String,
        /// Name for people.
        name: String,
        /// Id.
        id: String,
    },
    /// An effect is done.
    #[serde(rename = "effect.done")]
    EffectDone {
        /// The step.
        step: String,
        /// `ec2.create_vpc`.
        op: String,
        /// Name for people.
        name: String,
        /// Id; may be empty for an operation.
        id: String,
        /// The idempotency token; its first 32 characters are the value of the tag `runbook:effect`.
        #[serde(default)]
        token: String,
        /// Milliseconds of target time, wait included.
        took_ms: i64,
        /// Found and taken over after an unknown outcome.
        adopted: bool,
        /// Answered from the journal.
        kept: bool,
    },
    /// An effect definitely failed.
    #[serde(rename = "effect.failed")]
    EffectFailed {
        /// The step.
        step: String,
        /// The script function.
        op: String,
        /// The target's words.
        message: String,
    },
    /// An unknown outcome is being or was settled: `found by its tag: vpc-0b51…, adopted`.
    #[serde(rename = "effect.resolved")]
    Resolved {
        /// The step.
        step: String,
        /// The script function.
        op: String,
        /// How.
        how: String,
    },
    /// A step waits for something.
    #[serde(rename = "waiting")]
    Waiting {
        /// The step.
        step: String,
        /// `redis1-demo-cluster is CREATING`.
        text: String,
        /// Milliseconds of target time since the wait began.
        since_ms: i64,
        /// How long it usually takes; 0 when unknown.
        usual_ms: i64,
    },
    /// A read was made.
    #[serde(rename = "observed")]
    Observed {
        /// The step.
        step: String,
        /// The script function.
        op: String,
    },
    /// A check passed.
    #[serde(rename = "check.passed")]
    CheckPassed {
        /// The step.
        step: String,
        /// How many tries.
        tries: u32,
    },
    /// A check that only a live target can answer.
    #[serde(rename = "check.not_rehearsed")]
    NotRehearsed {
        /// The step.
        step: String,
        /// What has no answer.
        what: String,
    },
    /// An output.
    #[serde(rename = "output")]
    Output {
        /// Name.
        name: String,
        /// Value, secrets as placeholders.
        value: Value,
    },
    /// A resource is being deleted.
    #[serde(rename = "delete.intent")]
    Deleting {
        /// The step that made it.
        step: String,
        /// Kind.
        kind: String,
        /// Name for people.
        name: String,
        /// Id.
        id: String,
    },
    /// A resource is gone.
    #[serde(rename = "delete.done")]
    Deleted {
        /// The step that made it.
        step: String,
        /// Kind.
        kind: String,
        /// Name for people.
        name: String,
        /// Id.
        id: String,
        /// It was gone already.
        already: bool,
        /// What stood there before was put back.
        put_back: bool,
    },
    /// A resource still stands at the end of an undo.
    #[serde(rename = "delete.left")]
    Left {
        /// The step that made it.
        step: String,
        /// Kind.
        kind: String,
        /// Name for people.
        name: String,
        /// Id.
        id: String,
        /// Why.
        why: String,
        /// What holds it.
        blockers: Vec<String>,
        /// On purpose: it is shared, or somebody else has changed it since.
        kept: bool,
        /// What it goes on costing: `NAT gateway`. None: nothing of its own.
        cost: Option<String>,
    },
    /// Something worth a line.
    #[serde(rename = "note")]
    Note {
        /// The step; may be empty.
        step: String,
        /// The line.
        text: String,
    },
    /// A line that the script printed.
    #[serde(rename = "print")]
    Print {
        /// The step; may be empty.
        step: String,
        /// The line.
        text: String,
    },
    /// The process stops driving the run.
    #[serde(rename = "run.ended")]
    Ended {
        /// How.
        ending: Ending,
        /// Every failure of this process, outermost step last.
        failures: Vec<Failure>,
        /// Steps finished, of the whole run.
        steps: u32,
        /// Effects that stand, of the whole run.
        effects: u32,
        /// Retries by this process.
        retries: u32,
        /// Milliseconds of target time that this process took.
        took_ms: i64,
        /// Milliseconds of wall time that this process took.
        real_ms: i64,
        /// Steps finished by this process.
        #[serde(default)]
        own_steps: u32,
        /// Effects done by this process.
        #[serde(default)]
        own_effects: u32,
        /// Milliseconds of target time that the run and its resumes took.
        #[serde(default)]
        whole_ms: i64,
        /// Milliseconds of wall time that the run and its resumes took.
        #[serde(default)]
        whole_real_ms: i64,
    },
}

/// Takes events as they happen. Called from several threads.
pub trait Sink: Send + Sync {
    /// Takes one event. Must not block for long.
    fn event(&self, event: &Event);
}

/// Gives events their number, time and run and hands them to a sink.
#[derive(Clone)]
pub struct Events {
    inner: Arc<Inner>,
}

struct Inner {
    run: String,
    simulated: bool,
    wall: fn() -> i64,
    target: Box<dyn Fn() -> i64 + Send + Sync>,
    next: Mutex<u64>,
    sink: Arc<dyn Sink>,
}

impl Events {
    /// Events of one run into one sink; `wall` and `target` tell the two times.
    pub fn new(
        run: &str, simulated: bool, wall: fn() -> i64, target: Box<dyn Fn() -> i64 + Send + Sync>, sink: Arc<dyn Sink>,
    ) -> Self {
        Self { inner: Arc::new(Inner { run: run.to_owned(), simulated, wall, target, next: Mutex::new(1), sink }) }
    }

    /// Sends one event.
    pub fn send(&self, what: What) {
        let inner = &self.inner;
        // The lock is kept while the sink is called: numbers arrive in order.
        let mut next = inner.next.lock().unwrap_or_else(PoisonError::into_inner);
        let event = Event {
            v: VERSION,
            seq: *next,
            at_ms: (inner.wall)(),
            target_ms: (inner.target)(),
            run: inner.run.clone(),
            simulated: inner.simulated,
            what,
        };
        *next += 1;
        inner.sink.event(&event);
    }
}
