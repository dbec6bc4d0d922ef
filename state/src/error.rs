//! What can be wrong with a store.

use std::path::{Path, PathBuf};

/// Who holds a run's lease.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Holder {
    /// Host name.
    pub host: String,
    /// Process id.
    pub pid: u32,
    /// The kernel's boot id: after a reboot a pid says nothing.
    pub boot: String,
    /// The process's start time in clock ticks since boot (`/proc/PID/stat` field 22): a pid may be used again.
    pub started: u64,
    /// `user@host`.
    pub by: String,
}

/// A store error. Every variant names the file or run it is about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database was written by a newer program. It is left untouched.
    #[error("{path} was written by a newer runbook (schema {found}, this one knows {known})")]
    TooNew {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema that this program knows.
        known: u32,
    },
    /// Not one of ours.
    #[error("{path} is not a runbook database: {why}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        why: String,
    },
    /// A row does not fit its hash or its neighbour. Nothing is guessed.
    #[error("run {run} is damaged at entry {seq}: {why}")]
    Damaged {
        /// The run.
        run: String,
        /// The entry.
        seq: u64,
        /// What does not fit.
        why: String,
    },
    /// The lease is held by a live process.
    #[error("run {run} is being driven by process {} on {} (since {since_ms})", holder.pid, holder.host)]
    Held {
        /// The run.
        run: String,
        /// The holder.
        holder: Holder,
        /// Since when, milliseconds since the Unix epoch.
        since_ms: i64,
    },
    /// This process no longer holds the lease: another one took it over. Nothing was written.
    #[error("the lease of run {run} was taken over (fence {fence} is no longer the newest)")]
    Fenced {
        /// The run.
        run: String,
        /// Our fence number.
        fence: u64,
    },
    /// A record that may not follow what the journal holds: a bug of ours, caught before it was written.
    #[error("run {run}: {what}")]
    Illegal {
        /// The run.
        run: String,
        /// Which transition.
        what: String,
    },
    /// No such run, or a prefix that several runs share.
    #[error("{what}")]
    NoSuchRun {
        /// What was asked and what there is.
        what: String,
        /// The runs that match, when several do.
        matches: Vec<String>,
    },
    /// The file system refused (permission, full disk, read only, loose modes that could not be repaired).
    #[error("{path}: {why}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// SQLite refused.
    #[error("{path}: {source}")]
    Sql {
        /// The database.
        path: PathBuf,
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// The writer has stopped after an earlier error; nothing more is written.
    #[error("the journal can no longer be written: {why}")]
    Broken {
        /// The first error.
        why: String,
    },
}

/// A result of the store.
pub type Result<T> = std::result::Result<T, Error>;

impl From<rusqlite::Error> for Error {
    /// The path is put in by [`Error::at`] where it is known.
    fn from(source: rusqlite::Error) -> Self {
        Error::Sql { path: PathBuf::new(), source }
    }
}

impl Error {
    /// Names the database in an error of SQLite that does not yet.
    pub(crate) fn at(self, database: &Path) -> Self {
        match self {
            Error::Sql { path, source } if path.as_os_str().is_empty() => {
                Error::Sql { path: database.to_owned(), source }
            }
            other => other,
        }
    }
}
