//! What run, resume and undo share: the screen, the signals, the driving, the last block, the exit code.

use std::sync::Arc;

use runbook_modules::{table::Table, target::Place};
use runbook_state::{
    record::Ending,
    store::{File, Run, Store},
};
use serde_json::Value;

use super::{context::Context, error::Problem, exit::Exit, signals, terminal};
use crate::{
    error::{Failure, Halt, Stop},
    run::{
        cancel::Cancel,
        drive::{Driver, Outcome, Refused, drive},
        guard::Guard,
        history::History,
        scope::Scope,
        session::Edits,
        vault::Vault,
    },
    script::program::Program,
    targets::Aimed,
    ui::{
        finale::Finale,
        screen::{Screen, Setup, Style},
        tally::{End, Tally},
        tree::Expected,
    },
};

pub use crate::run::drive::STALE_MS;

/// A run, about to be driven.
pub struct Job<'a> {
    /// The surroundings.
    pub context: &'a Context,
    /// `run`, `resume`, `undo`.
    pub mode: &'a str,
    /// The run's row.
    pub run: Run,
    /// Its store.
    pub store: Arc<dyn Store>,
    /// Its script.
    pub program: Arc<Program>,
    /// All bindings.
    pub table: Arc<Table>,
    /// The target and its time.
    pub aimed: Aimed,
    /// Where the target is asked who it is.
    pub place: Place,
    /// Secrets.
    pub vault: Arc<Vault>,
    /// Parameters, when they are new.
    pub params: Option<Value>,
    /// What the credentials are held to.
    pub guard: Guard,
    /// With `--edited`.
    pub edits: Option<Arc<dyn Edits>>,
    /// With `--edited`: the new files.
    pub files: Option<Vec<File>>,
    /// Said at the end of the heading.
    pub note: String,
    /// What a rehearsal told.
    pub expect: Expected,
    /// More for the last block, asked for after the end.
    pub details: Box<dyn Fn() -> String + 'a>,
    /// The journal, when it was read already.
    pub known: Option<History>,
    /// Runs the target's futures.
    pub runtime: &'a tokio::runtime::Runtime,
}

impl Job<'_> {
    /// Drives it and tells the end.
    ///
    /// # Errors
    /// When it could not even begin.
    pub fn drive(self, body: impl FnOnce(&Arc<Scope>) -> Result<Ending, Halt> + Send) -> Result<Exit, Problem> {
        let context = self.context;
        let short = context.short(self.store.as_ref(), &self.run.id);
        let options = context.options();
        let again = if self.mode == "undo" { "undo" } else { "resume" };
        let resume = format!("runbook {again} {short}{options}");
        let cancel = Cancel::default();
        let time = self.aimed.time.clone();
        let style = context.style();
        let screen = Arc::new(Screen::new(Setup {
            style,
            look: context.err.clone(),
            verbose: context.common.verbose,
            short: short.clone(),
            note: self.note,
            expect: self.expect.clone(),
            now: Arc::new(move || time.now_ms()),
            cancel: cancel.clone(),
        }));
        let tally = Arc::new(Tally::new(screen.clone()));
        signals::watch(self.runtime.handle(), &cancel, &screen, &resume);
        if matches!(style, Style::Tree(_)) {
            let told = screen.clone();
            terminal::watch_keys(move || told.tell());
        }
        let runbook = self.run.runbook.clone();
        let driver = Driver {
            run: self.run,
            store: self.store,
            target: self.aimed.target,
            place: self.place,
            table: self.table,
            time: self.aimed.time,
            sink: tally.clone(),
            cancel,
            vault: self.vault,
            edits: self.edits,
            files: self.files,
            runtime: self.runtime.handle().clone(),
            mode: self.mode.to_owned(),
            by: who(),
            params: self.params,
            guard: self.guard,
            known: self.known,
        };
        let outcome = drive(driver, body);
        screen.close();
        terminal::restore();
        let outcome = outcome.map_err(|why| refused(why, &short, &resume))?;
        let mut totals = tally.totals();
        // A run whose lease or store was lost sends no last event.
        if totals.end.is_none() {
            totals.end = End::of(&outcome.event(), self.mode);
        }
        let program = self.program;
        let finale = Finale {
            look: &context.err,
            runbook: &runbook,
            short: &short,
            options: &options,
            source: &|file| program.source(file).map(str::to_owned),
            steps: self.expect.get().map(|expect| expect.steps),
            details: &(self.details)(),
        };
        if style != Style::Json {
            context.say(&format!("\n{}", finale.draw(&totals)));
        }
        Ok(exit(&outcome))
    }
}

/// The exit code of an outcome.
fn exit(outcome: &Outcome) -> Exit {
    if outcome.failures.iter().any(|failure| failure.code.starts_with("RB09")) {
        return Exit::Bug;
    }
    let untouched = outcome.totals.steps == 0 && outcome.totals.effects == 0;
    match &outcome.stop {
        Some(Stop::Fenced(_)) => Exit::Held,
        Some(Stop::Store(_)) => Exit::Store,
        Some(Stop::Credentials(_)) => Exit::Credentials,
        Some(Stop::Script(_)) if untouched => Exit::Usage,
        // Parked by nobody: an undo of one step has done what was asked for.
        None if matches!(outcome.ending, Ending::Parked { .. }) => Exit::Ok,
        _ => Exit::of(&outcome.ending),
    }
}

fn refused(refused: Refused, short: &str, again: &str) -> Problem {
    match refused {
        Refused::Store(error) => error.into(),
        Refused::Overtaken => {
            let message =
                format!("another process has driven run {short} since its journal was read; nothing was sent");
            Problem::new(Exit::Held, Failure::new("RB0608", message))
                .next(format!("runbook show {short}"))
                .next(again.to_owned())
        }
        Refused::Failure(failure) if failure.code == "RB0432" => {
            Problem::new(Exit::Credentials, *failure).next(again.to_owned())
        }
        // Nothing was sent: whatever the code says, nothing happened.
        Refused::Failure(failure) => Problem::new(Exit::Usage, *failure),
    }
}

/// The runtime for the target's futures and the signals.
///
/// # Errors
/// RB0903 when the system gives no threads.
pub fn runtime() -> Result<tokio::runtime::Runtime, Problem> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(|error| {
        Problem::new(Exit::Bug, Failure::new("RB0903", format!("failed to start the runtime: {error}")))
    })
}

/// `user@host`, for the journal.
pub fn who() -> String {
    let user = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
    let host = rustix::system::uname();
    format!("{}@{}", user.as_deref().unwrap_or("unknown"), host.nodename().to_string_lossy())
}
