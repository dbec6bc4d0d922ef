//! A runbook with all its files, compiled.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use rhai::Engine;
use runbook_modules::table::Table;
use runbook_state::{record::Site, store::File};
use serde_json::{Map, Value};

use super::{
    bodies::Body,
    check, convert, diagnose, engine, files, here,
    host::{Host, Met},
    load::{self, Loaded},
    params::{BoundParams, ParamSpec, bind},
    resolver::Modules,
    secret,
};
pub use super::{fingerprint::Compared, limits::Limits};
use crate::{
    bug,
    error::{Failure, Halt, Stop},
    run::{parallel::STACK, scope::Scope},
};

/// A runbook: the root script, what it imports, the files it reads.
pub struct Program {
    name: String,
    limits: Limits,
    pub(super) loaded: Loaded,
    declared: Result<Vec<ParamSpec>, Failure>,
    last: Mutex<Option<(Arc<Engine>, Arc<Host>)>>,
}

/// A closure of the script, to be run within a scope.
pub type Closure = dyn Fn(&Arc<Scope>) -> Result<(), Halt> + Send + Sync;

/// An undo closure of a step, rebuilt by recalling the run ([`Program::run`] in `Mode::Recall`).
pub struct Hook {
    /// The step it belongs to.
    pub step: String,
    /// Where it stands.
    pub site: Site,
    /// See [`UndoHook::after`](crate::undo::UndoHook::after).
    pub after: Option<u64>,
    /// Runs it; bindings inside it go through the scope given.
    pub run: Box<Closure>,
}

impl Program {
    /// Opens a runbook: `name_or_path` is a path first, then `NAME(.rhai)` in one of the folders of `search`, then the
    /// copy embedded in the program.
    ///
    /// # Errors
    /// Not found (with the nearest names), not readable, not parsable, an import or file outside the runbook's folder.
    pub fn open(name_or_path: &str, search: &[PathBuf]) -> Result<Self, Failure> {
        let limits = Limits::default();
        let found = files::find(name_or_path, search, limits.file)?;
        Ok(Self::new(load::load(found, &limits)?, limits))
    }

    /// A runbook out of stored files, the root first.
    ///
    /// # Errors
    /// As [`Program::open`].
    pub fn from_files(files: &[File]) -> Result<Self, Failure> {
        Self::within(files, Limits::default())
    }

    /// A runbook out of stored files, held to other limits than those of every run: for tests that try very many.
    ///
    /// # Errors
    /// As [`Program::open`].
    pub fn within(files: &[File], limits: Limits) -> Result<Self, Failure> {
        Ok(Self::new(load::stored(files, &limits)?, limits))
    }

    fn new(loaded: Loaded, limits: Limits) -> Self {
        let name = loaded.root.strip_suffix(".rhai").unwrap_or(&loaded.root).to_owned();
        let mut program = Self { name, limits, loaded, declared: Ok(Vec::new()), last: Mutex::default() };
        program.declared = program.declaration();
        program
    }

    /// The names that [`Program::open`] knows without a path: the folders' and the embedded ones, sorted.
    pub fn names(search: &[PathBuf]) -> Vec<String> {
        files::names(search)
    }

    /// The runbook's name, `redis-ha`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All files, by content, the root first: imports, files read, and the rehearsal file if there is one.
    pub fn files(&self) -> &[File] {
        &self.loaded.files
    }

    /// The text of a script file by the name that [`Site::file`] holds.
    pub fn source(&self, file: &str) -> Option<&str> {
        let file = self.loaded.files.iter().find(|known| known.name == file)?;
        std::str::from_utf8(&file.content).ok()
    }

    /// The first comment block (`//!`) of the root script.
    pub fn doc(&self) -> String {
        let text = self.source(&self.loaded.root).unwrap_or_default();
        let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
        lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
    }

    /// The text of `NAME.rehearsal.yaml`.
    pub fn rehearsal(&self) -> Option<String> {
        self.source(&load::rehearsal_file(&self.loaded.root)).map(str::to_owned)
    }

    /// The declared parameters, in the order of their names.
    ///
    /// # Errors
    /// What stands before the declaration, or the declaration itself, is wrong.
    pub fn params(&self) -> Result<Vec<ParamSpec>, Failure> {
        self.declared.clone()
    }

    /// Checks the values given on the command line (`given`, texts) and in a customer file against the declaration.
    ///
    /// # Errors
    /// RB0201 an unknown or missing parameter, RB0202 a value that does not fit, or those of [`Program::params`].
    pub fn bind_params(
        &self, given: &BTreeMap<String, String>, from_file: &Map<String, Value>,
    ) -> Result<BoundParams, Failure> {
        bind::bind(&self.params()?, given, from_file)
    }

    /// Everything that can be seen to be wrong without running; the root's first, each file's in the order of its lines.
    pub fn check(&self, table: &Table) -> Vec<Failure> {
        let host = Arc::new(self.host(None));
        check::check(&self.loaded, table, &engine::runner(&host, table, self.modules()))
    }

    /// Runs the script. `params`: name to value, secrets as placeholders.
    ///
    /// # Errors
    /// What ended it.
    pub fn run(&self, scope: &Arc<Scope>, params: &Value) -> Result<(), Halt> {
        let given = params.as_object().cloned().unwrap_or_default();
        let host = Arc::new(self.host(Some(given)));
        let engine = Arc::new(engine::runner(&host, &scope.session.table, self.modules()));
        *self.last() = Some((engine.clone(), host));
        // Scripts nest deeper than the stack of a thread that somebody else made may allow.
        std::thread::scope(|threads| {
            let thread = std::thread::Builder::new().name("script".to_owned()).stack_size(STACK);
            let run = || here::within(scope, || self.evaluate(&engine));
            match thread.spawn_scoped(threads, run) {
                Ok(running) => running.join().unwrap_or_else(|_| Err(bug::failure().into())),
                Err(error) => Err(Failure::new("RB0902", format!("no thread for the script: {error}")).into()),
            }
        })?;
        scope.enter()
    }

    /// The undo closures met by the last [`Program::run`] in `Mode::Recall`, in the order they were met.
    pub fn hooks(&self) -> Vec<Hook> {
        let Some((engine, host)) = self.last().clone() else { return Vec::new() };
        host.met().into_iter().map(|met| hook(engine.clone(), host.clone(), met)).collect()
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<(Arc<Engine>, Arc<Host>)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn host(&self, given: Option<Map<String, Value>>) -> Host {
        let loaded = &self.loaded;
        Host::new(loaded.texts.clone(), loaded.closures.clone(), self.limits, given)
    }

    fn modules(&self) -> Modules {
        Modules::new(self.loaded.scripts.clone())
    }

    fn evaluate(&self, engine: &Engine) -> Result<(), Halt> {
        let Some(ast) = self.loaded.scripts.get(&*self.loaded.root) else {
            return Err(Failure::new("RB0101", "the runbook has no script").into());
        };
        match catch_unwind(AssertUnwindSafe(|| engine.run_ast(ast))) {
            Ok(ended) => ended.map_err(|error| diagnose::halt(&error, &self.loaded.root, engine)),
            Err(_) => Err(bug::failure().into()),
        }
    }

    /// Runs the script up to `params(…)`.
    fn declaration(&self) -> Result<Vec<ParamSpec>, Failure> {
        let host = Arc::new(self.host(None));
        let engine = engine::runner(&host, &crate::targets::table(), self.modules());
        // What another script has used up on this thread, or a person's time to answer, is none of this one's.
        here::anew();
        match self.evaluate(&engine) {
            Ok(()) | Err(Halt::Stop(Stop::EndOfRecord)) => Ok(host.declared().unwrap_or_default()),
            Err(Halt::Failure(failure) | Halt::Stop(Stop::Script(failure))) => Err(*failure),
            Err(Halt::Stop(other)) => Err(Failure::new("RB0902", format!("{other:?} while looking at the parameters"))),
        }
    }
}

fn hook(engine: Arc<Engine>, host: Arc<Host>, met: Met) -> Hook {
    Hook {
        step: met.step.clone(),
        site: met.site.clone(),
        after: met.after,
        run: Box::new(move |scope| {
            let args = met
                .output
                .iter()
                .map(|value| convert::from_json(value, &|text| secret::is_placeholder(&scope.session.run.id, text)));
            Body::kept(&engine, &host, &met.closure, &met.global, &met.site).run(scope, args.collect()).map(|_| ())
        }),
    }
}
