//! The one thread that writes. All requests that wait go into one transaction and share its commit (group commit).
//!
//! ```text
//! callers ──jobs──► queue ──► BEGIN IMMEDIATE; each job in a savepoint; COMMIT ──► answers
//! ```
//!
//! Nothing is answered before the commit has returned. After an error of the disk the thread is broken for ever: a failed
//! fsync says nothing about what is on the disk, so it is never tried again. What is really there is seen at the next open.

use std::{path::PathBuf, time::Duration};

use runbook_seeded::{
    mutant, recv_timeout,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread,
};
use rusqlite::{Connection, ErrorCode, config::DbConfig};

use crate::error::{Error, Result};

/// How long jobs that nobody waits for lie in the queue when nothing else comes.
const IDLE: Duration = Duration::from_millis(5);
/// As many jobs go into one transaction.
const MOST: usize = 256;
/// As many jobs that nobody waits for are kept back.
const MOST_SOON: usize = 64;

/// The queue's entrance.
pub(super) struct Writer {
    queue: Option<Sender<Box<dyn Job>>>,
    thread: Option<thread::JoinHandle<()>>,
    path: PathBuf,
    commits: Arc<AtomicU64>,
    soon: Arc<AtomicU64>,
}

/// A request. The work is done in a transaction; the answer is given after its commit.
trait Job: Send {
    fn waits(&self) -> bool;
    fn work(&mut self, connection: &Connection) -> Result<()>;
    fn answer(self: Box<Self>, verdict: Result<()>);
}

impl Writer {
    /// Starts the thread. The connection is shared only with readers of a database in memory.
    pub(super) fn start(connection: Arc<Mutex<Connection>>, path: PathBuf) -> Result<Self> {
        let (queue, jobs) = channel();
        let commits = Arc::new(AtomicU64::new(0));
        let thread = Thread { connection, path: path.clone(), commits: commits.clone(), broken: None };
        let thread = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || thread.run(&jobs))
            .map_err(|error| Error::Io { path: path.clone(), why: error.to_string() })?;
        Ok(Self { queue: Some(queue), thread: Some(thread), path, commits, soon: Arc::default() })
    }

    /// Does the work in a transaction and waits until it is on the disk.
    pub(super) fn now<T: Send + 'static>(
        &self, work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = sync_channel(1);
        self.send(Box::new(Now { work: Some(work), value: None, answer }))?;
        answered.recv().unwrap_or_else(|_| Err(stopped())).map_err(|error| error.at(&self.path))
    }

    /// Does the work with the next commit, or after a few milliseconds. Nobody hears of its errors but itself.
    pub(super) fn soon(&self, work: impl FnOnce(&Connection) -> Result<()> + Send + 'static) -> Result<()> {
        self.soon.fetch_add(1, Ordering::AcqRel);
        self.send(Box::new(Soon { work: Some(work), waiting: self.soon.clone() }))
    }

    /// Waits until everything sent with [`Writer::soon`] is on the disk.
    pub(super) fn flush(&self) -> Result<()> {
        if self.soon.load(Ordering::Acquire) == 0 {
            return Ok(());
        }
        self.now(|_| Ok(()))
    }

    /// How many transactions were committed.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Acquire)
    }

    fn send(&self, job: Box<dyn Job>) -> Result<()> {
        self.queue.as_ref().and_then(|queue| queue.send(job).ok()).ok_or_else(stopped)
    }
}

impl Drop for Writer {
    /// What lies in the queue is still written.
    fn drop(&mut self) {
        self.queue.take();
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

struct Thread {
    connection: Arc<Mutex<Connection>>,
    path: PathBuf,
    commits: Arc<AtomicU64>,
    broken: Option<String>,
}

impl Thread {
    fn run(mut self, queue: &Receiver<Box<dyn Job>>) {
        while let Ok(first) = queue.recv() {
            let batch = gather(first, queue);
            match &self.broken {
                Some(why) => refuse(batch, why),
                None => self.commit(batch),
            }
        }
    }

    fn commit(&mut self, mut batch: Vec<Box<dyn Job>>) {
        let done = self.transaction(&mut batch);
        match done {
            Ok(verdicts) => {
                for (job, verdict) in batch.into_iter().zip(verdicts) {
                    job.answer(verdict);
                }
            }
            Err(error) if busy(&error) => {
                for job in batch {
                    job.answer(Err(Error::Io {
                        path: self.path.clone(),
                        why: "another process keeps the database locked".to_owned(),
                    }));
                }
            }
            Err(error) => {
                let why = error.at(&self.path).to_string();
                if !mutant!("commit-retried") {
                    self.end();
                    self.broken = Some(why.clone());
                }
                refuse(batch, &why);
            }
        }
    }

    /// Nothing is written from here on, not even by closing: what is in the write-ahead log stays there for the next open.
    fn end(&self) {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        // It fails for a connection that is of no use any more, which then writes nothing either.
        let _kept = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    }

    /// One transaction around all jobs. An error here is the transaction's; a job's own error is its verdict.
    fn transaction(&self, batch: &mut [Box<dyn Job>]) -> Result<Vec<Result<()>>> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        run(&connection, "BEGIN IMMEDIATE")?;
        let done = each(&connection, batch).and_then(|verdicts| run(&connection, "COMMIT").map(|()| verdicts));
        if done.is_ok() {
            self.commits.fetch_add(1, Ordering::AcqRel);
        } else if !connection.is_autocommit() {
            run(&connection, "ROLLBACK")?;
        }
        done
    }
}

/// Each job in a savepoint: one that is refused leaves nothing behind and harms no other.
fn each(connection: &Connection, batch: &mut [Box<dyn Job>]) -> Result<Vec<Result<()>>> {
    let mut verdicts = Vec::with_capacity(batch.len());
    for job in batch {
        run(connection, "SAVEPOINT job")?;
        let verdict = job.work(connection);
        match verdict {
            Err(error) if fatal(&error) => return Err(error),
            Err(_) => run(connection, "ROLLBACK TO job")?,
            Ok(()) => {}
        }
        run(connection, "RELEASE job")?;
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

/// The job that came, those that wait behind it, and, while nobody waits for any of them, what comes within a few milliseconds.
fn gather(first: Box<dyn Job>, queue: &Receiver<Box<dyn Job>>) -> Vec<Box<dyn Job>> {
    let mut batch = vec![first];
    loop {
        while batch.len() < MOST
            && let Ok(job) = queue.try_recv()
        {
            batch.push(job);
        }
        if batch.len() >= MOST_SOON || batch.iter().any(|job| job.waits()) {
            return batch;
        }
        match recv_timeout(queue, IDLE) {
            Ok(job) => batch.push(job),
            Err(_) => return batch,
        }
    }
}

fn refuse(batch: Vec<Box<dyn Job>>, why: &str) {
    for job in batch {
        job.answer(Err(Error::Broken { why: why.to_owned() }));
    }
}

fn run(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// An error of the database itself, not of one request.
fn fatal(error: &Error) -> bool {
    let Error::Sql { source, .. } = error else { return false };
    !matches!(source.sqlite_error_code(), None | Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig))
}

fn busy(error: &Error) -> bool {
    let Error::Sql { source, .. } = error else { return false };
    matches!(source.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn stopped() -> Error {
    Error::Broken { why: "its thread has stopped".to_owned() }
}

struct Now<F, T> {
    work: Option<F>,
    value: Option<T>,
    answer: SyncSender<Result<T>>,
}

impl<T: Send, F: FnOnce(&Connection) -> Result<T> + Send> Job for Now<F, T> {
    fn waits(&self) -> bool {
        true
    }

    fn work(&mut self, connection: &Connection) -> Result<()> {
        if let Some(work) = self.work.take() {
            self.value = Some(work(connection)?);
        }
        Ok(())
    }

    fn answer(self: Box<Self>, verdict: Result<()>) {
        let Now { value, answer, .. } = *self;
        // A caller that is gone needs no answer.
        let _heard = answer.send(verdict.and_then(|()| value.ok_or_else(stopped)));
    }
}

struct Soon<F> {
    work: Option<F>,
    waiting: Arc<AtomicU64>,
}

impl<F: FnOnce(&Connection) -> Result<()> + Send> Job for Soon<F> {
    fn waits(&self) -> bool {
        false
    }

    fn work(&mut self, connection: &Connection) -> Result<()> {
        self.work.take().map_or(Ok(()), |work| work(connection))
    }

    fn answer(self: Box<Self>, _verdict: Result<()>) {
        self.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}
