//! The store over SQLite: `runs.db` in a directory of its own, one thread that writes, connections that read.
//!
//! * `writer`: the thread, its queue, group commit.
//! * `append`: records into the journal, with effects and summary.
//! * `journal`: the journal out again, the chain checked.
//! * `inventory`: what the journal says the run owns.
//! * `lease`: who may write.
//! * `runs`, `files`, `secrets`: what their names say.
//! * `reads`: the reading connections.

mod append;
mod files;
mod inventory;
mod journal;
mod lease;
mod reads;
mod runs;
mod secrets;
mod writer;

use std::{collections::BTreeMap, path::Path};

use runbook_seeded::sync::{Arc, Mutex, PoisonError};
use rusqlite::{Connection, OptionalExtension};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    error::{Error, Holder, Result},
    migrate::Schema,
    open,
    record::Record,
    store::{Entry, File, InventoryRow, Lease, NewRun, Run, Store, When},
};
use append::Line;
use reads::Reads;
use writer::Writer;

/// The schema of `runs.db`.
pub(crate) const SCHEMA: Schema = Schema {
    file: "runs.db",
    application_id: u32::from_be_bytes(*b"RBKr"),
    migrations: &[include_str!("../../migrations/0001_initial.sql")],
};

/// The first error of records that nobody waited for, by run and fence: a journal is not carried on over a hole.
type Late = Arc<Mutex<BTreeMap<(String, u64), String>>>;

/// Runs and their journals in SQLite.
pub struct Sqlite {
    // Readers are closed before the writer, whose connection, as the last one, then tidies the write-ahead log away.
    reads: Reads,
    writer: Writer,
    late: Late,
}

impl Sqlite {
    /// Opens `runs.db` in a directory, both made when they are missing (directory 0700, files 0600).
    ///
    /// # Errors
    /// `Foreign`, `TooNew` or `Io` when the file or directory is not ours; then nothing was written.
    pub fn open(dir: &Path) -> Result<Self> {
        let (path, connection) = open::open(dir, &SCHEMA)?;
        let writer = Writer::start(Arc::new(Mutex::new(connection)), path.clone())?;
        Ok(Self { reads: Reads::File { path, idle: Mutex::default() }, writer, late: Late::default() })
    }

    /// A store in memory, with the same rules and no disk: for `plan` and tests.
    ///
    /// # Errors
    /// When SQLite has no memory.
    pub fn open_in_memory() -> Result<Self> {
        let (path, connection) = open::in_memory(&SCHEMA)?;
        let connection = Arc::new(Mutex::new(connection));
        let writer = Writer::start(connection.clone(), path)?;
        Ok(Self { reads: Reads::Memory(connection), writer, late: Late::default() })
    }

    /// How many transactions this store has committed since it was opened.
    pub fn commits(&self) -> u64 {
        self.writer.commits()
    }

    /// Reads, after everything that this store was given is written.
    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.writer.flush()?;
        self.reads.with(read)
    }
}

impl Store for Sqlite {
    fn create(&self, run: &NewRun) -> Result<()> {
        let run = run.clone();
        self.writer.now(move |connection| runs::create(connection, &run))
    }

    fn runs(&self) -> Result<Vec<Run>> {
        self.read(runs::list)
    }

    fn run(&self, id: &str) -> Result<Run> {
        self.read(|connection| runs::one(connection, id))
    }

    fn find(&self, prefix: &str) -> Result<Run> {
        self.read(|connection| runs::find(connection, prefix))
    }

    fn run_files(&self, id: &str) -> Result<Vec<File>> {
        self.read(|connection| files::load(connection, id))
    }

    fn scripts(&self, id: &str) -> Result<Vec<Vec<File>>> {
        self.read(|connection| files::all(connection, id))
    }

    fn set_run_files(&self, lease: &Lease, files: &[File]) -> Result<()> {
        let (lease, files) = (lease.clone(), files.to_vec());
        self.writer.now(move |connection| files::replace(connection, &lease, &files))
    }

    fn read_journal(&self, id: &str, take: &mut dyn FnMut(Entry)) -> Result<()> {
        self.read(|connection| journal::checked(connection, id, take))
    }

    fn journal_after(&self, id: &str, seq: u64) -> Result<Vec<Entry>> {
        self.reads.with(|connection| journal::after(connection, id, seq))
    }

    fn append(&self, lease: &Lease, at_ms: i64, sim_ms: Option<i64>, records: Vec<Record>, when: When) -> Result<()> {
        let lines: Vec<_> = records.into_iter().map(|record| Line::new(&lease.run, record)).collect::<Result<_>>()?;
        let (run, fence, late) = (lease.run.clone(), lease.fence, self.late.clone());
        let work = move |connection: &Connection| {
            not_late(&late, &run, fence)?;
            let done = append::append(connection, &run, Some(fence), at_ms, sim_ms, &lines);
            // Whoever has lost the lease is told so by each later write itself.
            if let (Err(error), When::Soon) = (&done, when)
                && !matches!(error, Error::Fenced { .. })
            {
                late.lock().unwrap_or_else(PoisonError::into_inner).insert((run, fence), error.to_string());
            }
            done
        };
        match when {
            When::Now => self.writer.now(work),
            When::Soon => self.writer.soon(work),
        }
    }

    fn tell(&self, id: &str, at_ms: i64, record: Record) -> Result<()> {
        if !matches!(record, Record::CancelAsked { .. } | Record::Approved { .. }) {
            let what = "only a wish to cancel and an answer to an approval need no lease".to_owned();
            return Err(Error::Illegal { run: id.to_owned(), what });
        }
        let (run, line) = (id.to_owned(), Line::new(id, record)?);
        self.writer.now(move |connection| append::append(connection, &run, None, at_ms, None, &[line]))
    }

    fn inventory(&self, id: &str) -> Result<Vec<InventoryRow>> {
        Ok(inventory::rows(self.journal(id)?))
    }

    fn acquire(&self, id: &str, holder: &Holder, now_ms: i64, stale_ms: i64) -> Result<Lease> {
        let (run, holder) = (id.to_owned(), holder.clone());
        self.writer.now(move |connection| lease::acquire(connection, &run, &holder, now_ms, stale_ms))
    }

    fn renew(&self, lease: &Lease, now_ms: i64) -> Result<()> {
        let lease = lease.clone();
        self.writer.now(move |connection| lease::renew(connection, &lease, now_ms))
    }

    fn release(&self, lease: &Lease, now_ms: i64) -> Result<()> {
        let (lease, late) = (lease.clone(), self.late.clone());
        self.writer.now(move |connection| {
            lease::release(connection, &lease, now_ms)?;
            not_late(&late, &lease.run, lease.fence)
        })
    }

    fn holder(&self, id: &str, now_ms: i64, stale_ms: i64) -> Result<Option<(Holder, i64)>> {
        self.reads.with(|connection| lease::holder(connection, id, now_ms, stale_ms))
    }

    fn put_secret(&self, id: &str, name: &str, sealed: &[u8]) -> Result<()> {
        let (run, name, sealed) = (id.to_owned(), name.to_owned(), sealed.to_vec());
        self.writer.now(move |connection| secrets::put(connection, &run, &name, &sealed))
    }

    fn secret(&self, id: &str, name: &str) -> Result<Option<Vec<u8>>> {
        self.reads.with(|connection| secrets::get(connection, id, name))
    }

    fn secret_names(&self, id: &str) -> Result<Vec<String>> {
        self.reads.with(|connection| secrets::names(connection, id))
    }
}

fn not_late(late: &Late, run: &str, fence: u64) -> Result<()> {
    let late = late.lock().unwrap_or_else(PoisonError::into_inner);
    late.get(&(run.to_owned(), fence)).map_or(Ok(()), |why| {
        Err(Error::Illegal { run: run.to_owned(), what: format!("an earlier record was not written: {why}") })
    })
}

/// The number under which the other tables know a run.
fn number(connection: &Connection, run: &str) -> Result<i64> {
    connection
        .prepare_cached("SELECT n FROM runs WHERE id = ?1")?
        .query_row([run], |row| row.get(0))
        .optional()?
        .ok_or_else(|| no_such_run(run))
}

fn no_such_run(run: &str) -> Error {
    Error::NoSuchRun { what: format!("there is no run {run}"), matches: Vec::new() }
}

fn json(run: &str, value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::Illegal { run: run.to_owned(), what: format!("not JSON: {error}") })
}

fn parsed<T: DeserializeOwned>(run: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::Damaged {
        run: run.to_owned(),
        seq: 0,
        why: format!("its row cannot be read: {error}"),
    })
}

#[cfg(test)]
pub(crate) mod tests;
