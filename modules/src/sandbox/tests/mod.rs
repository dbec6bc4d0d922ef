//! The sandbox as an engine sees it: through [`Target`](crate::target::Target), with a clock that jumps.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use serde_json::Value;

use super::{faults::Faults, memory::MemoryStore, rehearsal::Rehearsal, target::Sandbox, world::World};
use crate::{
    error::CallError,
    host::{Clock, Host, Interrupted},
    operation::Operation,
    resource::{Health, Kind},
    target::{EFFECT_TAG, Place, RUN_TAG, Request, Target},
};

mod balancers;
mod cluster;
mod controllers;
mod custom;
mod simple;
mod snapshot;
mod target;
mod volumes;

/// Time that jumps.
pub struct Jumping(AtomicI64);

impl Clock for Jumping {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn sleep(&self, how_long: Duration) -> Result<(), Interrupted> {
        self.0.fetch_add(i64::try_from(how_long.as_millis()).unwrap(), Ordering::SeqCst);
        Ok(())
    }
}

impl Host for Jumping {
    fn clock(&self) -> &dyn Clock {
        self
    }

    fn reveal(&self, value: &Value) -> Result<Value, String> {
        Ok(value.clone())
    }

    fn progress(&self, _text: &str) {}
}

/// The sandbox never waits in a future: one poll answers.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("the sandbox waits"),
    }
}

/// A sandbox, its clock, and where calls go.
pub struct Bench {
    pub store: Arc<MemoryStore>,
    pub sandbox: Sandbox,
    pub host: Jumping,
    pub place: Place,
    pub run: String,
}

/// When the tests' simulated time begins.
pub const START: i64 = 1_795_202_280_000;

impl Bench {
    pub fn new(rehearsal: &str, faults: &str) -> Self {
        Self::over(Arc::new(MemoryStore::default()), rehearsal, faults)
    }

    pub fn over(store: Arc<MemoryStore>, rehearsal: &str, faults: &str) -> Self {
        let rehearsal = match rehearsal {
            "" => Rehearsal::default(),
            text => Rehearsal::parse(text, "test.rehearsal.yaml").unwrap(),
        };
        let faults = if faults.is_empty() { Faults::default() } else { faults.parse().unwrap() };
        let sandbox = Sandbox::open(store.clone(), rehearsal, faults).unwrap();
        let place = Place { region: "us-east-1".into(), cluster: Some("c1".into()), ..Place::default() };
        let start = sandbox.clock_start().unwrap_or(START);
        Self { store, sandbox, host: Jumping(AtomicI64::new(start)), place, run: "run-1".into() }
    }

    /// One with a cluster `c1` of two nodes that are ready.
    pub fn with_cluster(rehearsal: &str) -> Self {
        let bench = Self::new(rehearsal, "");
        bench.edit(|world, now| {
            super::k8s::boot_cluster(world, "us-east-1", "c1", now);
            let nodes = [("n1".to_owned(), "us-east-1a".to_owned()), ("n2".to_owned(), "us-east-1b".to_owned())];
            super::k8s::boot_nodes(world, "c1", "group", &nodes, now);
        });
        bench.pass(30);
        bench
    }

    /// Changes the world from outside.
    pub fn edit(&self, change: impl FnOnce(&mut World, i64)) {
        use super::world::Store;
        let (version, documents) = self.store.load().unwrap();
        let mut world = World::load(documents, Arc::default()).unwrap();
        change(&mut world, self.host.now_ms());
        self.store.commit(version, &world.changes().unwrap()).unwrap();
    }

    pub fn pass(&self, seconds: u64) {
        self.host.sleep(Duration::from_secs(seconds)).unwrap();
    }

    fn tags(&self, token: &str) -> BTreeMap<String, String> {
        let tags = [(RUN_TAG, self.run.as_str()), (EFFECT_TAG, token)];
        tags.map(|(tag, value)| (tag.to_owned(), value.to_owned())).into()
    }

    pub fn create(&self, kind: &'static dyn Kind, token: &str, input: Value) -> Result<Value, CallError> {
        kind.check(&input).unwrap();
        let tags = self.tags(token);
        let request = Request { place: &self.place, input: &input, token, tags: &tags, host: &self.host };
        now(self.sandbox.create(kind, &request))
    }

    pub fn find(&self, kind: &'static dyn Kind, token: &str, input: Value) -> Vec<Value> {
        let tags = self.tags(token);
        let request = Request { place: &self.place, input: &input, token, tags: &tags, host: &self.host };
        now(self.sandbox.find(kind, &request)).unwrap()
    }

    pub fn read(&self, kind: &'static dyn Kind, at: &Value) -> Option<Value> {
        now(self.sandbox.read(kind, &self.place, at, &self.host)).unwrap()
    }

    pub fn delete(&self, kind: &'static dyn Kind, at: &Value, put_back: Option<&Value>) -> Result<(), CallError> {
        now(self.sandbox.delete(kind, &self.place, at, put_back, &self.host))
    }

    pub fn call(&self, operation: &'static Operation, input: Value) -> Result<Value, CallError> {
        (operation.check)(&input).unwrap();
        let tags = BTreeMap::new();
        let request = Request { place: &self.place, input: &input, token: "", tags: &tags, host: &self.host };
        now(self.sandbox.call(operation, &request))
    }

    pub fn obstacles(&self, kind: &'static dyn Kind, at: &Value) -> Vec<String> {
        now(self.sandbox.obstacles(kind, &self.place, at, &self.host))
    }

    /// Waits as the engine does, by the sandbox's next change; gives the seconds that it took.
    pub fn until_ready(&self, kind: &'static dyn Kind, at: &Value) -> i64 {
        let began = self.host.now_ms();
        for _ in 0..200 {
            let described = self.read(kind, at).unwrap();
            match kind.judge(&described) {
                Health::Ready => return (self.host.now_ms() - began) / 1000,
                Health::Pending(_) => {}
                other => panic!("{other:?}"),
            }
            let next = self.sandbox.next_change(kind, &self.place, at).expect("something is to come");
            self.host.sleep(next).unwrap();
        }
        panic!("never ready: {:?}", self.read(kind, at));
    }
}
