//! A script of a few lines, run over the sandbox in memory, as a new process would run it; again and again, if asked.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use runbook_modules::target::Place;
use runbook_state::{
    record::{Ending, Record},
    sqlite::Sqlite,
    store::{File, NewRun, Store},
};
use serde_json::{Value, json};

use crate::{
    error::{Failure, Stop},
    event::{Event, Sink, What},
    plan::rehearse::fill,
    run::{
        cancel::Cancel,
        drive::{Driver, Outcome, drive},
        guard::Guard,
        vault::Vault,
    },
    script::program::Program,
    targets::{self, Aimed},
};

const RUN: &str = "0123456789abcdef0123456789abcdef";

#[derive(Default)]
struct Ear(Mutex<Vec<What>>);

impl Sink for Ear {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.what.clone());
    }
}

/// A run and its world.
pub(super) struct Bed {
    pub(super) program: Arc<Program>,
    pub(super) vault: Arc<Vault>,
    store: Arc<Sqlite>,
    aimed: Aimed,
    values: Value,
    ear: Arc<Ear>,
    runtime: tokio::runtime::Runtime,
}

/// Files by name as a program, the first one the root.
pub(super) fn program(files: &[(&str, &str)]) -> Result<Program, Failure> {
    let files: Vec<File> =
        files.iter().map(|(name, text)| File { name: (*name).to_owned(), content: text.as_bytes().to_vec() }).collect();
    Program::from_files(&files)
}

impl Bed {
    /// A run of one file, `test.rhai`.
    pub(super) fn new(text: &str) -> Self {
        Self::of(&[("test.rhai", text)], &[])
    }

    /// A run of several files, the first one the root, with parameters as on the command line.
    pub(super) fn of(files: &[(&str, &str)], given: &[(&str, &str)]) -> Self {
        let program = Arc::new(program(files).unwrap_or_else(|failure| panic!("{failure:#?}")));
        let given: BTreeMap<String, String> = given.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        // A script that already fails at its declaration is run all the same: then the run says why.
        let bound = match program.params() {
            Ok(_) => {
                program.bind_params(&given, &serde_json::Map::new()).unwrap_or_else(|failure| panic!("{failure:#?}"))
            }
            Err(_) => Default::default(),
        };
        let vault = Arc::new(Vault::in_memory(RUN));
        let values = fill(bound, &vault).unwrap();
        let store = Sqlite::open_in_memory().unwrap();
        let new = NewRun {
            id: RUN.to_owned(),
            runbook: "test".to_owned(),
            customer: None,
            target: "sandbox".to_owned(),
            settings: json!({}),
            files: program.files().to_vec(),
            created_ms: 0,
        };
        store.create(&new).unwrap();
        Self {
            aimed: targets::rehearsal(&program, &values).unwrap(),
            program,
            vault,
            store: Arc::new(store),
            values,
            ear: Arc::default(),
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
        }
    }

    /// Drives it as a new process would.
    pub(super) fn drive(&self) -> Outcome {
        let driver = Driver {
            run: self.store.run(RUN).unwrap(),
            store: self.store.clone(),
            target: self.aimed.target.clone(),
            place: Place::default(),
            table: targets::table(),
            time: self.aimed.time.clone(),
            sink: self.ear.clone(),
            cancel: Cancel::default(),
            vault: self.vault.clone(),
            edits: None,
            files: None,
            runtime: self.runtime.handle().clone(),
            mode: "run".to_owned(),
            by: "test@here".to_owned(),
            params: Some(self.values.clone()),
            guard: Guard::default(),
            known: None,
        };
        drive(driver, |scope| self.program.run(scope, &self.values).map(|()| Ending::Finished)).unwrap()
    }

    /// Drives it to its end; its outputs.
    pub(super) fn outputs(&self) -> Value {
        let outcome = self.drive();
        assert_eq!(outcome.ending, Ending::Finished, "{:#?}", outcome.failures);
        let output = |record: Record| match record {
            Record::Output { name, value } => Some((name, value)),
            _ => None,
        };
        self.records().into_iter().filter_map(output).collect::<serde_json::Map<_, _>>().into()
    }

    pub(super) fn records(&self) -> Vec<Record> {
        self.store.journal(RUN).unwrap().into_iter().map(|entry| entry.record).collect()
    }
}

/// What a script of one file puts out under the name `it`.
pub(super) fn it(text: &str) -> Value {
    Bed::new(text).outputs()["it"].take()
}

/// The value of an expression, after it went through `output`.
pub(super) fn value(expression: &str) -> Value {
    it(&format!("output(\"it\", {expression});"))
}

/// The first failure of a script that does not come to its end, and whether the script could have caught it.
pub(super) fn failed(text: &str) -> (Failure, bool) {
    let outcome = Bed::new(text).drive();
    let stop = matches!(outcome.stop, Some(Stop::Script(_)));
    let failure = outcome.failures.into_iter().next().unwrap_or_else(|| panic!("{:?}\n{text}", outcome.ending));
    (failure, !stop)
}

/// Line and column of the innermost place.
pub(super) fn place(failure: &Failure) -> (u32, u32) {
    failure.sites.first().map(|site| (site.line, site.column)).unwrap_or_default()
}
