//! A sandbox for the tests of the simulated kinds: an in-memory world, and a clock that jumps.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use runbook_modules::{
    error::CallError,
    host::{Clock, Host, Interrupted},
    input::InputError,
    resource::Health,
    sandbox::{
        faults::{Fault, Faults},
        memory::MemoryStore,
        rehearsal::Rehearsal,
        snapshot::snapshot,
        target::Sandbox,
        world::{Object, Store},
    },
    table::{Binding, Table},
    target::{EFFECT_TAG, Place, Request, Target},
};
use serde_json::{Value, json};

/// A runner whose waits take no time.
#[derive(Default)]
pub struct Jumping(AtomicI64);

impl Clock for Jumping {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    fn sleep(&self, how_long: Duration) -> Result<(), Interrupted> {
        self.0.fetch_add(i64::try_from(how_long.as_millis()).unwrap_or(0), Ordering::Relaxed);
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

    fn progress(&self, _: &str) {}
}

/// The sandbox with all kinds of AWS.
pub struct Lab {
    table: Table,
    store: Arc<MemoryStore>,
    sandbox: Sandbox,
    host: Jumping,
    place: Place,
    calls: AtomicU64,
}

/// Drives a future that never waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the sandbox never waits"),
    }
}

impl Lab {
    /// An empty world in us-east-1.
    pub fn new() -> Self {
        Self::over(Arc::new(MemoryStore::default()), Faults::default(), 1_000_000, 0)
    }

    fn over(store: Arc<MemoryStore>, faults: Faults, now_ms: i64, calls: u64) -> Self {
        let mut table = Table::default();
        crate::register(&mut table);
        let sandbox = Sandbox::open(store.clone(), Rehearsal::default(), faults).unwrap();
        let place = Place { region: "us-east-1".to_owned(), ..Place::default() };
        Self { table, store, sandbox, host: Jumping(AtomicI64::new(now_ms)), place, calls: AtomicU64::new(calls) }
    }

    /// The same world, in which what the next call makes ends as failed.
    pub fn failing(&self) -> Self {
        let faults = Faults::one(Fault::Fail, self.sandbox.calls().last().map_or(1, |call| call.n + 1));
        Self::over(self.store.clone(), faults, self.host.now_ms(), self.calls.load(Ordering::Relaxed))
    }

    /// Calls a script function, with a new token and without waiting.
    pub fn call(&self, function: &str, input: Value) -> Result<Value, CallError> {
        let n = self.calls.fetch_add(1, Ordering::Relaxed);
        self.with_token(&format!("{n:064x}"), function, input)
    }

    /// Calls a script function with a token of its own.
    pub fn with_token(&self, token: &str, function: &str, input: Value) -> Result<Value, CallError> {
        let tags = BTreeMap::from([(EFFECT_TAG.to_owned(), token[..32].to_owned())]);
        let request = Request { place: &self.place, input: &input, token, tags: &tags, host: &self.host };
        match self.table.binding(function).unwrap_or_else(|| panic!("no function {function}")) {
            Binding::Create(kind) => {
                kind.check(&input).unwrap_or_else(|e| panic!("{function}: {e}"));
                now(self.sandbox.create(kind, &request))
            }
            Binding::Call(operation) => {
                (operation.check)(&input).unwrap_or_else(|e| panic!("{function}: {e}"));
                now(self.sandbox.call(operation, &request))
            }
        }
    }

    /// What the check of an input says.
    pub fn check(&self, function: &str, input: Value) -> Result<(), InputError> {
        self.table.binding(function).unwrap_or_else(|| panic!("no function {function}")).check(&input)
    }

    /// What the inventory would keep to find it again.
    pub fn locate(&self, kind: &str, input: &Value, described: &Value) -> Option<Value> {
        self.table.kind(kind).unwrap().locate(input, described)
    }

    /// The fields in which a description differs from an input.
    pub fn drift(&self, kind: &str, input: &Value, described: &Value) -> Vec<String> {
        let differences = self.table.kind(kind).unwrap().differences(input, described);
        differences.into_iter().map(|(field, _, _)| field).collect()
    }

    /// Puts something into the world that no request of ours made, as a controller would.
    pub fn put_object(&self, kind: &str, place: &str, id: &str, body: Value) {
        self.put_holder(kind, place, id, body, &[]);
    }

    /// The same, holding what stands under keys of the world.
    pub fn put_holder(&self, kind: &str, place: &str, id: &str, mut body: Value, held: &[&str]) {
        body["id"] = id.into();
        let object = Object {
            kind: kind.to_owned(),
            place: place.to_owned(),
            id: id.to_owned(),
            body,
            tags: BTreeMap::new(),
            token: String::new(),
            input: Value::Null,
            refs: held.iter().map(|&key| key.to_owned()).collect(),
            owner: None,
            states: Vec::new(),
            gone_at: None,
        };
        let base = self.store.version().unwrap();
        self.store.commit(base, &[(object.key(), Some(json!(object)))]).unwrap().unwrap();
    }

    /// The kinds of all that stands.
    pub fn everything(&self) -> Vec<String> {
        let all = snapshot(self.store.as_ref()).unwrap();
        all.as_array().into_iter().flatten().map(|object| text(object, "kind")).collect()
    }

    /// Takes something out of the world.
    pub fn take_object(&self, key: &str) {
        let base = self.store.version().unwrap();
        self.store.commit(base, &[(key.to_owned(), None)]).unwrap().unwrap();
    }

    /// Makes something and waits until it is ready: the description.
    pub fn make(&self, function: &str, input: Value) -> Value {
        let made = self.call(function, input.clone()).unwrap_or_else(|e| panic!("{function}: {e}"));
        self.settle(function, &input, &made)
    }

    /// Waits until it is ready, or never will be: the description.
    pub fn settle(&self, function: &str, input: &Value, made: &Value) -> Value {
        let Some(Binding::Create(kind)) = self.table.binding(function) else { panic!("{function} makes nothing") };
        let at = kind.locate(input, made).unwrap();
        loop {
            let found = now(self.sandbox.read(kind, &self.place, &at, &self.host)).unwrap().unwrap();
            match (kind.judge(&found), self.sandbox.next_change(kind, &self.place, &at)) {
                (Health::Pending(_), Some(wait)) => self.host.sleep(wait).unwrap(),
                _ => {
                    assert_eq!(kind.differences(input, &found), [], "{function}: what was asked for is what stands");
                    return found;
                }
            }
        }
    }

    /// Whether it stands.
    pub fn read(&self, kind: &str, at: Value) -> Option<Value> {
        now(self.sandbox.read(self.table.kind(kind).unwrap(), &self.place, &at, &self.host)).unwrap()
    }

    /// What an effect with this token and input made.
    pub fn find(&self, kind: &str, token: &str, input: Value) -> Vec<Value> {
        let tags = BTreeMap::from([(EFFECT_TAG.to_owned(), token[..32].to_owned())]);
        let request = Request { place: &self.place, input: &input, token, tags: &tags, host: &self.host };
        now(self.sandbox.find(self.table.kind(kind).unwrap(), &request)).unwrap()
    }

    /// What keeps it from being deleted.
    pub fn obstacles(&self, kind: &str, at: &Value) -> Vec<String> {
        now(self.sandbox.obstacles(self.table.kind(kind).unwrap(), &self.place, at, &self.host))
    }

    /// Deletes it and waits until it is gone.
    pub fn delete(&self, kind: &str, at: Value) -> Result<(), CallError> {
        self.put_back(kind, at, None)
    }

    /// Deletes it, with what stood there before.
    pub fn put_back(&self, kind: &str, at: Value, before: Option<&Value>) -> Result<(), CallError> {
        let kind = self.table.kind(kind).unwrap();
        now(self.sandbox.delete(kind, &self.place, &at, before, &self.host))?;
        self.host.sleep(kind.meta().usual.1).map_err(|e| CallError::refused("Interrupted", e.to_string()))
    }

    /// Lets simulated time pass.
    pub fn pass(&self, seconds: u64) {
        self.host.sleep(Duration::from_secs(seconds)).unwrap();
    }

    /// The parents of an input.
    pub fn parents(&self, kind: &str, input: &Value) -> Vec<String> {
        self.table.kind(kind).unwrap().parents(input)
    }

    /// A VPC with a subnet in each zone: their ids.
    pub fn network(&self, zones: &[&str]) -> (String, Vec<String>) {
        let vpc = self.make("ec2.create_vpc", json!({ "cidr_block": "10.5.0.0/16" }));
        let subnet = |(n, zone): (usize, &&str)| {
            let input =
                json!({ "vpc_id": vpc["id"], "cidr_block": format!("10.5.{n}.0/24"), "availability_zone": zone });
            text(&self.make("ec2.create_subnet", input), "id")
        };
        (text(&vpc, "id"), zones.iter().enumerate().map(subnet).collect())
    }

    /// A role that a service may assume: its ARN.
    pub fn role(&self, name: &str) -> String {
        let trust = json!({ "Version": "2012-10-17", "Statement": [] });
        let role = self.make("iam.create_role", json!({ "role_name": name, "assume_role_policy_document": trust }));
        text(&role, "arn")
    }
}

/// A text of a description.
pub fn text(described: &Value, path: &str) -> String {
    crate::row::text(described, path).to_owned()
}

/// The code of a refusal.
pub fn code<T: std::fmt::Debug>(result: Result<T, CallError>) -> String {
    result.unwrap_err().code
}
