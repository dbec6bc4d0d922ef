//! What ends a command early, with its exit code and the next command.

use runbook_state::error::Error as StoreError;

use super::exit::Exit;
use crate::{
    error::Failure,
    ui::{failure, finale, look::Look},
};

/// A command that cannot go on.
#[derive(Debug)]
pub struct Problem {
    /// What is wrong; boxed since it is large and rare.
    pub failure: Box<Failure>,
    /// The exit code.
    pub exit: Exit,
    /// Commands to paste next.
    pub next: Vec<String>,
    /// The files that the failure's sites point into, by name.
    pub sources: Vec<(String, String)>,
}

impl Problem {
    /// A problem whose exit code is its own.
    pub fn new(exit: Exit, failure: Failure) -> Self {
        Self { failure: failure.into(), exit, next: Vec::new(), sources: Vec::new() }
    }

    /// Wrong usage.
    pub fn usage(code: &str, message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, Failure::new(code, message))
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.failure.hints.push(hint.into());
        self
    }

    /// Adds a next command.
    #[must_use]
    pub fn next(mut self, command: impl Into<String>) -> Self {
        self.next.push(command.into());
        self
    }

    /// As text.
    pub fn draw(&self, look: &Look) -> String {
        let source = |file: &str| self.sources.iter().find(|(name, _)| name == file).map(|(_, text)| text.clone());
        let mut out = failure::draw(&self.failure, &source, look);
        if !self.next.is_empty() {
            out += &format!("\n{}", finale::next(look, &self.next));
        }
        out
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::new(Exit::of_code(&failure.code), failure)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        let problem = |exit, code: &str| Self::new(exit, Failure::new(code, message.clone()));
        match &error {
            StoreError::TooNew { .. } => problem(Exit::Store, "RB0601")
                .hint("use the runbook program that wrote it, or a newer one; the database was left untouched"),
            StoreError::Foreign { .. } => {
                problem(Exit::Store, "RB0602").hint("--state DIR names another state directory")
            }
            StoreError::Damaged { run, .. } => problem(Exit::Store, "RB0603").hint(format!(
                "only run {run} is affected; restore the state directory from a backup to go on with it"
            )),
            StoreError::Held { run, holder, since_ms } => {
                let since = crate::ui::text::ago(crate::run::clock::wall_ms() - since_ms);
                let message = format!(
                    "run {run} is being driven by process {} on {} ({}), which began {since}",
                    holder.pid, holder.host, holder.by
                );
                Self::new(Exit::Held, Failure::new("RB0604", message))
                    .next(format!("runbook show {run}"))
                    .next(format!("runbook cancel {run}"))
            }
            StoreError::Fenced { run, .. } => problem(Exit::Held, "RB0605").next(format!("runbook show {run}")),
            StoreError::NoSuchRun { matches, .. } if matches.is_empty() => {
                problem(Exit::Usage, "RB0203").next("runbook runs")
            }
            StoreError::NoSuchRun { matches, .. } => {
                problem(Exit::Usage, "RB0203").hint(format!("it could be {}", matches.join(", ")))
            }
            StoreError::Io { .. } | StoreError::Sql { .. } => problem(Exit::Store, "RB0606")
                .hint("look at free space and permissions; nothing is sent without the journal"),
            StoreError::Broken { .. } => problem(Exit::Store, "RB0607"),
            _ => problem(Exit::Bug, "RB0901"),
        }
    }
}
