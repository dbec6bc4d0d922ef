//! The test bed: a run over a store in memory, driven again and again, and a cloud that counts what it was sent.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use async_trait::async_trait;
use runbook_modules::{
    error::CallError,
    host::Host,
    operation::Operation,
    resource::Kind,
    table::Table,
    target::{About, Place, Request, Target},
};
use runbook_seeded::sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering};
use runbook_state::{
    holder::this_process,
    record::{EffectKey, EffectState, Ending, Record, Site},
    sqlite::Sqlite,
    store::{Entry, File, NewRun, Store, When},
};
use serde_json::{Value, json};

use crate::{
    error::{Failure, Halt, Stop},
    event::{Event, Sink, What},
    run::{
        cancel::Cancel,
        clock::{SimClock, Time},
        drive::{Driver, Outcome, Refused, drive},
        guard::Guard,
        matching::CHANGED,
        parallel::Branch,
        retry::Policy,
        scope::Scope,
        session::Edits,
        step::{StepOptions, step},
        vault::Vault,
    },
};

pub(super) const RUN: &str = "0123456789abcdef0123456789abcdef";
pub(super) const START: i64 = 1_000_000;

/// What is shared with the bodies of a run.
#[derive(Default)]
pub(super) struct World {
    /// What exists, by token, and how often it was sent.
    pub(super) sent: Mutex<BTreeMap<String, u32>>,
    /// What the bodies said, in order.
    pub(super) said: Mutex<Vec<String>>,
    events: Mutex<Vec<Event>>,
}

impl World {
    pub(super) fn say(&self, text: impl Into<String>) {
        lock(&self.said).push(text.into());
    }

    /// What was said since the last time.
    pub(super) fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.said))
    }

    /// The events since the last time.
    pub(super) fn events(&self) -> Vec<What> {
        std::mem::take(&mut *lock(&self.events)).into_iter().map(|event| event.what).collect()
    }

    /// Tokens that were sent more than once.
    pub(super) fn twice(&self) -> BTreeSet<String> {
        lock(&self.sent).iter().filter(|(_, n)| **n > 1).map(|(token, _)| token.clone()).collect()
    }

    pub(super) fn things(&self) -> BTreeSet<String> {
        lock(&self.sent).keys().cloned().collect()
    }
}

impl Sink for World {
    fn event(&self, event: &Event) {
        lock(&self.events).push(event.clone());
    }
}

pub(super) struct Bed {
    pub(super) store: Arc<Sqlite>,
    pub(super) world: Arc<World>,
    pub(super) cancel: Cancel,
    pub(super) edits: Option<Arc<dyn Edits>>,
    pub(super) files: Option<Vec<File>>,
    pub(super) guard: Guard,
    pub(super) about: About,
    pub(super) time: Arc<dyn Time>,
    runtime: tokio::runtime::Runtime,
}

impl Bed {
    pub(super) fn new() -> Self {
        let store = Sqlite::open_in_memory().expect("a store in memory");
        let new = NewRun {
            id: RUN.to_owned(),
            runbook: "test".to_owned(),
            customer: None,
            target: "sandbox".to_owned(),
            settings: json!({}),
            files: vec![File { name: "test.rhai".to_owned(), content: Vec::new() }],
            created_ms: 0,
        };
        store.create(&new).expect("a new run");
        let about = About {
            simulated: true,
            account: "111122223333".to_owned(),
            caller: String::new(),
            region: String::new(),
            endpoint: None,
        };
        Self {
            store: Arc::new(store),
            world: Arc::default(),
            cancel: Cancel::default(),
            edits: None,
            files: None,
            guard: Guard::default(),
            about,
            time: Arc::new(SimClock::new(START, None)),
            runtime: tokio::runtime::Builder::new_current_thread().build().expect("a runtime"),
        }
    }

    /// The same run as a process finds it that died after some entries; the cloud stays as it was.
    pub(super) fn cut(&self, entries: &[Entry]) -> Self {
        let mut bed = Self::new();
        *lock(&bed.world.sent) = lock(&self.world.sent).clone();
        bed.edits.clone_from(&self.edits);
        let me = this_process("test").expect("this process");
        let lease = bed.store.acquire(RUN, &me, 0, 1).expect("a free run");
        for entry in entries {
            let record = entry.record.clone();
            let written = match record {
                Record::CancelAsked { .. } | Record::Approved { .. } => bed.store.tell(RUN, entry.at_ms, record),
                record => bed.store.append(&lease, entry.at_ms, entry.sim_ms, vec![record], When::Soon),
            };
            written.expect("a copy of what was written");
        }
        bed.store.release(&lease, 0).expect("our lease");
        bed
    }

    /// The same, the cloud as it was when the process died: what has an intent only may have been sent or not.
    pub(super) fn died(&self, entries: &[Entry], sent: bool) -> Self {
        let bed = self.cut(entries);
        let made = entries.iter().filter_map(|entry| match &entry.record {
            Record::Intent { token, .. } if sent => Some(token.clone()),
            Record::Done { response, .. } => response["id"].as_str().map(str::to_owned),
            _ => None,
        });
        *lock(&bed.world.sent) = made.map(|token| (token, 1)).collect();
        bed
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        self.store.journal(RUN).expect("a sound journal")
    }

    pub(super) fn records(&self) -> Vec<Record> {
        self.entries().into_iter().map(|entry| entry.record).collect()
    }

    pub(super) fn try_drive(
        &self, body: impl FnOnce(&Arc<Scope>) -> Result<(), Halt> + Send,
    ) -> Result<Outcome, Refused> {
        let driver = Driver {
            run: self.store.run(RUN)?,
            store: self.store.clone(),
            target: Arc::new(Cloud(self.about.clone())),
            place: Place::default(),
            table: Arc::new(Table::default()),
            time: self.time.clone(),
            sink: self.world.clone(),
            cancel: self.cancel.clone(),
            vault: Arc::new(Vault::in_memory(RUN)),
            edits: self.edits.clone(),
            files: self.files.clone(),
            runtime: self.runtime.handle().clone(),
            mode: "run".to_owned(),
            by: "test@here".to_owned(),
            params: None,
            guard: self.guard.clone(),
            known: None,
        };
        drive(driver, |scope| body(scope).map(|()| Ending::Finished))
    }

    /// Drives the run as a new process would.
    pub(super) fn drive(&self, body: impl FnOnce(&Arc<Scope>) -> Result<(), Halt> + Send) -> Outcome {
        self.try_drive(body).expect("a run that can be driven").insisted()
    }
}

impl Outcome {
    /// A panic in a body is a failure of the run like others: what a test insists on in there must end the test all the same.
    pub(crate) fn insisted(self) -> Self {
        let told = format!("{self:?}");
        assert!(!told.contains("RB0900"), "what the body insists on does not hold: {told}");
        self
    }
}

/// The target of the test bed only says who it is.
struct Cloud(About);

#[async_trait]
impl Target for Cloud {
    async fn about(&self, _: &Place, _: &dyn Host) -> Result<About, CallError> {
        Ok(self.0.clone())
    }

    async fn create(&self, _: &'static dyn Kind, _: &Request<'_>) -> Result<Value, CallError> {
        Err(nothing())
    }

    async fn read(&self, _: &'static dyn Kind, _: &Place, _: &Value, _: &dyn Host) -> Result<Option<Value>, CallError> {
        Err(nothing())
    }

    async fn find(&self, _: &'static dyn Kind, _: &Request<'_>) -> Result<Vec<Value>, CallError> {
        Err(nothing())
    }

    async fn delete(
        &self, _: &'static dyn Kind, _: &Place, _: &Value, _: Option<&Value>, _: &dyn Host,
    ) -> Result<(), CallError> {
        Err(nothing())
    }

    async fn call(&self, _: &'static Operation, _: &Request<'_>) -> Result<Value, CallError> {
        Err(nothing())
    }
}

fn nothing() -> CallError {
    CallError::refused("Nothing", "the test bed's target does nothing")
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn site(line: u32) -> Site {
    Site { file: "test.rhai".to_owned(), line, column: 1 }
}

pub(super) fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(super) fn tries(attempts: u32) -> StepOptions {
    StepOptions { retry: Policy { attempts, ..Policy::default() }, timeout: None }
}

/// A branch.
pub(super) fn branch<'a>(name: &str, body: impl FnOnce(&Arc<Scope>) -> Result<Value, Halt> + Send + 'a) -> Branch<'a> {
    Branch { name: name.to_owned(), body: Box::new(body) }
}

/// A step without options at line 1.
pub(super) fn plain(
    scope: &Arc<Scope>, name: &str, mut body: impl FnMut(&Arc<Scope>) -> Result<Value, Halt>,
) -> Result<Value, Halt> {
    step(scope, name, &StepOptions::default(), &site(1), "", &mut body)
}

/// An effect as the effect protocol would do it, as far as steps are concerned.
pub(super) fn effect(scope: &Scope, world: &World, op: &str) -> Result<Value, Halt> {
    scope.enter()?;
    let session = &scope.session;
    let ordinal = Scope::next(&scope.effects);
    let key = EffectKey { step: scope.key.clone(), ordinal, generation: 0 };
    let token = format!("{}#{ordinal} {op}", scope.key);
    let known = session.history.effect(&scope.key, ordinal);
    if let Some(known) = &known
        && known.op != op
    {
        let failure = Failure::new(CHANGED, format!("{} became {op}", known.op));
        return Err(Stop::Changed(Box::new(failure)).into());
    }
    match known.map(|known| (known.state, known.answer())) {
        Some((EffectState::Done, response)) => return Ok(response),
        Some((EffectState::Intent, _)) if lock(&world.sent).contains_key(&token) => {}
        None if scope.matching => {
            return Err(Stop::Changed(Box::new(Failure::new(CHANGED, format!("{op} was added")))).into());
        }
        known => {
            scope.check_stop()?;
            if known.is_none() {
                let intent = Record::Intent {
                    effect: key.clone(),
                    op: op.to_owned(),
                    token: token.clone(),
                    digest: String::new(),
                    input: json!({}),
                    place: json!({}),
                    tags: json!({}),
                    site: site(7),
                    prior: None,
                };
                session.record(vec![intent], When::Now)?;
            }
            *lock(&world.sent).entry(token.clone()).or_default() += 1;
        }
    }
    let response = json!({ "id": token });
    let done = Record::Done { effect: key, response: response.clone(), owned: None, adopted: false, attempts: 1 };
    session.record(vec![done], When::Now)?;
    Ok(response)
}

/// A read as the engine records it.
pub(super) fn read(scope: &Scope, op: &str, answer: impl FnOnce() -> Value) -> Result<Value, Halt> {
    scope.enter()?;
    let ordinal = scope.observations.fetch_add(1, Ordering::Relaxed);
    let session = &scope.session;
    if let Some(known) = session.history.observation(&scope.key, scope.attempt, ordinal) {
        return known.answer.clone().map_err(|failure| boom(&failure.to_string()));
    }
    let value = answer();
    let observed = Record::Observed {
        step: scope.key.clone(),
        attempt: scope.attempt,
        ordinal,
        op: op.to_owned(),
        digest: String::new(),
        value: value.clone(),
    };
    session.record(vec![observed], When::Soon)?;
    Ok(value)
}

pub(super) fn boom(message: &str) -> Halt {
    Failure::new("RB0401", message).into()
}
