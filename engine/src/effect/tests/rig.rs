//! A run over the scripted target, whose process can be killed after any record.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering},
    },
    time::Duration,
};

use runbook_modules::{
    host::Interrupted,
    table::Table,
    target::{Place, Target},
};
use runbook_state::{
    error::{Error, Holder, Result as Stored},
    record::{Ending, Record, Site},
    sqlite::Sqlite,
    store::{Entry, File, InventoryRow, Lease, NewRun, Run, Store, When},
};
use serde_json::{Value, json};

use super::cloud::{Cloud, table};
use crate::{
    effect::{Call, bind},
    error::{Halt, Stop},
    event::{Event, Sink, What},
    run::{
        cancel::Cancel,
        clock::{SimClock, Time},
        drive::{Driver, Outcome, Refused, drive},
        guard::Guard,
        history::History,
        scope::Scope,
        step::{StepOptions, step},
        vault::Vault,
    },
};

/// The run.
pub const RUN: &str = "0123456789abcdef0123456789abcdef";

/// When the process dies.
#[derive(Default)]
pub struct Cut {
    /// Records that may still be written.
    pub left: AtomicI64,
    /// The process is dead: what it sends does not arrive.
    pub dead: AtomicBool,
    /// It dies with the last record, not with the next one.
    pub at_once: AtomicBool,
    /// It does not die: the disk is full, and what is sent does arrive.
    pub full: AtomicBool,
}

impl Cut {
    /// Dies after so many records. `at_once`: before anything more is sent.
    pub fn after(&self, records: i64, at_once: bool) {
        self.left.store(records, Ordering::SeqCst);
        self.dead.store(records == 0 && at_once, Ordering::SeqCst);
        self.at_once.store(at_once, Ordering::SeqCst);
    }

    /// Lives.
    pub fn never(&self) {
        self.after(i64::MAX, false);
    }
}

/// A store that dies.
struct Mortal {
    inner: Sqlite,
    cut: Arc<Cut>,
    /// How often the whole journal was read.
    reads: AtomicU32,
}

/// A system's clock: the journal has the system's own times, and it goes by this one. It counts its sleeps, and has enough of them.
struct PutBack(Arc<SimClock>, AtomicU32);

impl Time for PutBack {
    fn simulated(&self) -> bool {
        false
    }

    fn now_ms(&self) -> i64 {
        self.0.now_ms()
    }

    fn sleep(&self, how_long: Duration, stop: &dyn Fn() -> bool) -> Result<(), Interrupted> {
        assert!(self.1.fetch_add(1, Ordering::SeqCst) < 100, "it waits for the clock to catch up");
        self.0.sleep(how_long, stop)
    }

    fn enter(&self) {
        self.0.enter();
    }

    fn leave(&self) {
        self.0.leave();
    }

    fn nudge(&self) {
        self.0.nudge();
    }
}

#[derive(Default)]
struct Ear(Mutex<Vec<What>>);

impl Sink for Ear {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.what.clone());
    }
}

/// The rig.
pub struct Rig {
    pub cloud: Arc<Cloud>,
    pub cut: Arc<Cut>,
    pub time: Arc<SimClock>,
    /// The processes go by a clock that is decades behind the times in the journal.
    pub put_back: AtomicBool,
    pub vault: Arc<Vault>,
    pub cancel: Cancel,
    /// The journal as read before the run is driven.
    pub known: Mutex<Option<History>>,
    store: Arc<Mortal>,
    target: Arc<dyn Target>,
    table: Arc<Table>,
    ear: Arc<Ear>,
    runtime: tokio::runtime::Runtime,
}

impl Rig {
    pub fn new() -> Self {
        Self::with(None)
    }

    /// A run over another target.
    pub fn over(target: Arc<dyn Target>, table: Arc<Table>) -> Self {
        Self::with(Some((target, table)))
    }

    fn with(other: Option<(Arc<dyn Target>, Arc<Table>)>) -> Self {
        let cut = Arc::new(Cut::default());
        cut.never();
        let time = Arc::new(SimClock::new(1_000_000_000, None));
        let cloud = Arc::new(Cloud::new(time.clone(), cut.clone()));
        let (target, table) = other.unwrap_or_else(|| (cloud.clone(), Arc::new(table())));
        let inner = Sqlite::open_in_memory().unwrap();
        let new = NewRun {
            id: RUN.to_owned(),
            runbook: "test".to_owned(),
            customer: None,
            target: "sandbox".to_owned(),
            settings: json!({}),
            files: vec![File { name: "test.rhai".to_owned(), content: Vec::new() }],
            created_ms: 0,
        };
        inner.create(&new).unwrap();
        Self {
            cloud,
            target,
            known: Mutex::default(),
            store: Arc::new(Mortal { inner, cut: cut.clone(), reads: AtomicU32::new(0) }),
            cut,
            time,
            put_back: AtomicBool::new(false),
            vault: Arc::new(Vault::in_memory(RUN)),
            cancel: Cancel::default(),
            table,
            ear: Arc::default(),
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
        }
    }

    /// Drives the run as a new process would.
    pub fn drive(&self, body: impl FnOnce(&Arc<Scope>) -> Result<(), Halt> + Send) -> Outcome {
        self.try_drive(body).unwrap().insisted()
    }

    /// The same, where it may be refused.
    pub fn try_drive(&self, body: impl FnOnce(&Arc<Scope>) -> Result<(), Halt> + Send) -> Result<Outcome, Refused> {
        let driver = Driver {
            run: self.store.run(RUN).unwrap(),
            store: self.store.clone(),
            target: self.target.clone(),
            place: Place::default(),
            table: self.table.clone(),
            time: self.clock(),
            sink: self.ear.clone(),
            cancel: self.cancel.clone(),
            vault: self.vault.clone(),
            edits: None,
            files: None,
            runtime: self.runtime.handle().clone(),
            mode: "run".to_owned(),
            by: "test@here".to_owned(),
            params: None,
            guard: Guard::default(),
            known: self.known.lock().unwrap().take(),
        };
        drive(driver, |scope| body(scope).map(|()| Ending::Finished))
    }

    fn clock(&self) -> Arc<dyn Time> {
        if self.put_back.load(Ordering::SeqCst) {
            return Arc::new(PutBack(self.time.clone(), AtomicU32::new(0)));
        }
        self.time.clone()
    }

    /// One step with one call, by a new process; what the script got.
    pub fn call(&self, name: &str, input: Value) -> Result<Value, Halt> {
        self.step("s", |scope| self.bind(scope, name, input.clone()))
    }

    /// One step, by a new process; what the script got, or what ended the body.
    pub fn step(
        &self, name: &str, mut body: impl FnMut(&Arc<Scope>) -> Result<Value, Halt> + Send,
    ) -> Result<Value, Halt> {
        let mut got = Err(Stop::EndOfRecord.into());
        self.drive(|scope| {
            let done = step(scope, name, &StepOptions::default(), &site(1), "", &mut |inner| {
                got = body(inner);
                got.clone()
            });
            if got.is_ok() || done.is_ok() {
                got = done.clone();
            }
            done.map(|_| ())
        });
        got
    }

    /// A call within a step.
    pub fn bind(&self, scope: &Scope, name: &str, input: Value) -> Result<Value, Halt> {
        self.bind_at(scope, name, input, &Place { region: "us-east-1".to_owned(), ..Place::default() })
    }

    /// A call to some place.
    pub fn bind_at(&self, scope: &Scope, name: &str, input: Value, place: &Place) -> Result<Value, Halt> {
        let binding = self.table.binding(name).unwrap();
        bind(scope, Call { name, binding, place, input, site: site(7) })
    }

    /// The store, as another process has it.
    pub fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// How often the whole journal was read since the last time.
    pub fn reads(&self) -> u32 {
        self.store.reads.swap(0, Ordering::SeqCst)
    }

    /// The journal.
    pub fn records(&self) -> Vec<Record> {
        self.store.inner.journal(RUN).unwrap().into_iter().map(|entry| entry.record).collect()
    }

    /// The ids in the inventory that are not gone.
    pub fn inventory(&self) -> Vec<String> {
        let rows = self.store.inner.inventory(RUN).unwrap();
        rows.into_iter().filter(|row| !row.gone).map(|row| row.owned.id).collect()
    }

    /// The calls since the last time.
    pub fn calls(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.cloud.state().calls)
    }

    /// The events since the last time.
    pub fn events(&self) -> Vec<What> {
        std::mem::take(&mut *self.ear.0.lock().unwrap())
    }

    /// Lets time pass between two processes.
    pub fn pass(&self, how_long: Duration) {
        let now = self.time.now_ms();
        self.time.not_before(now + i64::try_from(how_long.as_millis()).unwrap());
    }
}

pub fn site(line: u32) -> Site {
    Site { file: "test.rhai".to_owned(), line, column: 1 }
}

/// The failure that the script may catch.
pub fn failure(halt: Result<Value, Halt>) -> crate::error::Failure {
    match halt {
        Err(Halt::Failure(failure)) => *failure,
        other => panic!("no failure: {other:?}"),
    }
}

/// The stop and its failure.
pub fn stop(halt: Result<Value, Halt>) -> (&'static str, crate::error::Failure) {
    match halt {
        Err(Halt::Stop(Stop::Unresolved(failure))) => ("unresolved", *failure),
        Err(Halt::Stop(Stop::Changed(failure))) => ("changed", *failure),
        Err(Halt::Stop(Stop::Credentials(failure))) => ("credentials", *failure),
        other => panic!("no such stop: {other:?}"),
    }
}

impl Store for Mortal {
    fn append(&self, lease: &Lease, at_ms: i64, sim_ms: Option<i64>, records: Vec<Record>, when: When) -> Stored<()> {
        let count = i64::try_from(records.len()).unwrap();
        let must_be_durable = |record: &Record| {
            matches!(
                record,
                Record::Intent { .. }
                    | Record::Accepted { .. }
                    | Record::Done { .. }
                    | Record::Unknown { .. }
                    | Record::Retired { .. }
                    | Record::DeleteIntent { .. }
                    | Record::Gone { .. }
            )
        };
        assert!(when == When::Now || !records.iter().any(must_be_durable), "{records:?}");
        if self.cut.dead.load(Ordering::SeqCst) || self.cut.left.load(Ordering::SeqCst) < count {
            self.cut.dead.store(!self.cut.full.load(Ordering::SeqCst), Ordering::SeqCst);
            return Err(Error::Broken { why: "the process is dead".to_owned() });
        }
        let left = self.cut.left.fetch_sub(count, Ordering::SeqCst) - count;
        if left == 0 && self.cut.at_once.load(Ordering::SeqCst) {
            self.cut.dead.store(true, Ordering::SeqCst);
        }
        self.inner.append(lease, at_ms, sim_ms, records, when)
    }

    fn create(&self, run: &NewRun) -> Stored<()> {
        self.inner.create(run)
    }

    fn runs(&self) -> Stored<Vec<Run>> {
        self.inner.runs()
    }

    fn run(&self, id: &str) -> Stored<Run> {
        self.inner.run(id)
    }

    fn find(&self, prefix: &str) -> Stored<Run> {
        self.inner.find(prefix)
    }

    fn run_files(&self, id: &str) -> Stored<Vec<File>> {
        self.inner.run_files(id)
    }

    fn scripts(&self, id: &str) -> Stored<Vec<Vec<File>>> {
        self.inner.scripts(id)
    }

    fn set_run_files(&self, lease: &Lease, files: &[File]) -> Stored<()> {
        self.inner.set_run_files(lease, files)
    }

    fn read_journal(&self, id: &str, take: &mut dyn FnMut(Entry)) -> Stored<()> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.inner.read_journal(id, take)
    }

    fn journal_after(&self, id: &str, seq: u64) -> Stored<Vec<Entry>> {
        self.inner.journal_after(id, seq)
    }

    fn tell(&self, id: &str, at_ms: i64, record: Record) -> Stored<()> {
        self.inner.tell(id, at_ms, record)
    }

    fn inventory(&self, id: &str) -> Stored<Vec<InventoryRow>> {
        self.inner.inventory(id)
    }

    fn acquire(&self, id: &str, holder: &Holder, now_ms: i64, stale_ms: i64) -> Stored<Lease> {
        self.inner.acquire(id, holder, now_ms, stale_ms)
    }

    fn renew(&self, lease: &Lease, now_ms: i64) -> Stored<()> {
        self.inner.renew(lease, now_ms)
    }

    fn release(&self, lease: &Lease, now_ms: i64) -> Stored<()> {
        self.inner.release(lease, now_ms)
    }

    fn holder(&self, id: &str, now_ms: i64, stale_ms: i64) -> Stored<Option<(Holder, i64)>> {
        self.inner.holder(id, now_ms, stale_ms)
    }

    fn put_secret(&self, id: &str, name: &str, sealed: &[u8]) -> Stored<()> {
        self.inner.put_secret(id, name, sealed)
    }

    fn secret(&self, id: &str, name: &str) -> Stored<Option<Vec<u8>>> {
        self.inner.secret(id, name)
    }

    fn secret_names(&self, id: &str) -> Stored<Vec<String>> {
        self.inner.secret_names(id)
    }
}
