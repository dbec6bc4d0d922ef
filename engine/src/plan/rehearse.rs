//! A rehearsal: the run driven in memory.

use std::sync::{Arc, Mutex, PoisonError};

use runbook_modules::{table::Table, target::Place};
use runbook_state::{
    record::{Ending, Record},
    sqlite::Sqlite,
    store::{NewRun, Store},
};
use serde_json::{Value, json};

use crate::{
    error::Failure,
    event::{Event, Sink, What},
    run::{
        cancel::Cancel,
        clock::wall_ms,
        drive::{Driver, Outcome, Refused, drive},
        guard::Guard,
        vault::Vault,
    },
    script::{
        params::{BoundParams, SecretValue},
        program::Program,
    },
    targets,
};

/// A rehearsal asks no person more often than this.
const APPROVALS: usize = 200;

/// What a rehearsal gave.
pub struct Rehearsed {
    /// All that happened, what was only replayed left out.
    pub events: Vec<Event>,
    /// How it ended.
    pub outcome: Outcome,
}

/// Rehearses a run: approvals are answered with yes, secrets are generated or taken into memory only.
///
/// # Errors
/// When it could not begin. A script that fails gives an outcome that says so.
pub fn rehearse(
    program: &Arc<Program>, bound: BoundParams, place: Place, table: &Arc<Table>, runtime: &tokio::runtime::Handle,
) -> Result<Rehearsed, Failure> {
    let id = "0".repeat(32);
    let store: Arc<dyn Store> = Arc::new(Sqlite::open_in_memory().map_err(unusable)?);
    let new = NewRun {
        id: id.clone(),
        runbook: program.name().to_owned(),
        customer: None,
        target: "sandbox".to_owned(),
        settings: json!({}),
        files: program.files().to_vec(),
        created_ms: wall_ms(),
    };
    store.create(&new).map_err(unusable)?;
    let vault = Arc::new(Vault::in_memory(&id));
    let values = fill(bound, &vault)?;
    let aimed = targets::rehearsal(program, &values)?;
    let sink = Arc::new(Kept::default());
    let mut mode = "plan";
    for _ in 0..APPROVALS {
        let driver = Driver {
            run: store.run(&id).map_err(unusable)?,
            store: store.clone(),
            target: aimed.target.clone(),
            place: place.clone(),
            table: table.clone(),
            time: aimed.time.clone(),
            sink: sink.clone(),
            cancel: Cancel::default(),
            vault: vault.clone(),
            edits: None,
            files: None,
            runtime: runtime.clone(),
            mode: mode.to_owned(),
            by: "rehearsal".to_owned(),
            params: (mode == "plan").then(|| values.clone()),
            guard: Guard::default(),
            known: None,
        };
        let outcome = drive(driver, |scope| program.run(scope, &values).map(|()| Ending::Finished)).map_err(refused)?;
        let Ending::Waiting { step, .. } = &outcome.ending else {
            return Ok(Rehearsed { events: sink.take(), outcome });
        };
        let yes = Record::Approved { step: step.clone(), yes: true, by: "rehearsal".to_owned(), why: String::new() };
        store.tell(&id, wall_ms(), yes).map_err(unusable)?;
        mode = "resume";
    }
    Err(Failure::new("RB0215", "the rehearsal asks for approval again and again"))
}

/// Takes the secrets into a vault and puts their placeholders into the values.
///
/// # Errors
/// When the vault cannot keep one.
pub fn fill(bound: BoundParams, vault: &Vault) -> Result<Value, Failure> {
    let mut values = bound.values;
    for (name, secret) in bound.secrets {
        let placeholder = match secret {
            SecretValue::Given(value) => vault.insert(&name, &value),
            SecretValue::Generate(length) => vault.generate(&name, length as usize),
        };
        let placeholder = placeholder.map_err(|error| Failure::new("RB0701", error.to_string()))?;
        values.insert(name, placeholder.into());
    }
    Ok(Value::Object(values))
}

fn unusable(error: runbook_state::error::Error) -> Failure {
    Failure::new("RB0606", error.to_string())
}

fn refused(refused: Refused) -> Failure {
    match refused {
        Refused::Store(error) => unusable(error),
        Refused::Failure(failure) => *failure,
        Refused::Overtaken => Failure::new("RB0608", refused.to_string()),
    }
}

/// Keeps the events.
#[derive(Default)]
struct Kept(Mutex<Vec<Event>>);

impl Kept {
    fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Sink for Kept {
    fn event(&self, event: &Event) {
        let replayed = matches!(event.what, What::StepDone { kept: true, .. } | What::EffectDone { kept: true, .. });
        if !replayed {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
        }
    }
}
