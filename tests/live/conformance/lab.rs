//! One target with all kinds of AWS, as a case drives it: with a token and tags for every call, and waits.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use runbook_modules::{
    host::{Clock, Host, Interrupted},
    resource::{Health, Kind},
    sandbox::{faults::Faults, memory::MemoryStore, rehearsal::Rehearsal, target::Sandbox},
    table::{Binding, Table},
    target::{EFFECT_TAG, Place, Request, Target},
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{
    case::{Answer, Other, failed, is, other, text},
    emulator::Emulator,
};

/// The region of all cases.
pub const REGION: &str = "us-east-1";

/// The runner, as the target sees it.
enum Runner {
    /// Time jumps.
    Simulated(AtomicI64),
    /// The emulators do at once, or within moments, what takes AWS minutes.
    Real,
}

impl Clock for Runner {
    fn now_ms(&self) -> i64 {
        match self {
            Self::Simulated(now) => now.load(Ordering::Relaxed),
            Self::Real => 0,
        }
    }

    fn sleep(&self, how_long: Duration) -> Result<(), Interrupted> {
        match self {
            Self::Simulated(now) => {
                now.fetch_add(i64::try_from(how_long.as_millis()).unwrap_or(0), Ordering::Relaxed);
            }
            Self::Real => std::thread::sleep(how_long.min(MOMENT)),
        }
        Ok(())
    }
}

impl Host for Runner {
    fn clock(&self) -> &dyn Clock {
        self
    }

    fn reveal(&self, value: &Value) -> Result<Value, String> {
        Ok(value.clone())
    }

    fn progress(&self, _: &str) {}
}

/// How long one look waits for the next at an emulator, and how often it looks.
const MOMENT: Duration = Duration::from_millis(50);
const LOOKS: usize = 40;

/// One target.
pub struct Lab {
    table: Table,
    target: Arc<dyn Target>,
    runner: Runner,
    runtime: Arc<Runtime>,
    place: Place,
    case: usize,
    tokens: AtomicU64,
    called: RefCell<BTreeSet<String>>,
}

impl Lab {
    /// The sandbox, empty.
    pub fn sandbox(case: usize) -> Self {
        let store = Arc::new(MemoryStore::default());
        let sandbox = Sandbox::open(store, Rehearsal::default(), Faults::default()).unwrap();
        Self::new(Arc::new(sandbox), runtime(), Runner::Simulated(AtomicI64::new(1_000_000)), case)
    }

    /// An emulator through our live code. What other cases made is there: emptying moto takes seconds.
    pub fn live(emulator: &Emulator, case: usize) -> Self {
        Self::new(emulator.live.clone(), emulator.runtime.clone(), Runner::Real, case)
    }

    fn new(target: Arc<dyn Target>, runtime: Arc<Runtime>, runner: Runner, case: usize) -> Self {
        let mut table = Table::default();
        runbook_aws::register(&mut table);
        Self {
            table,
            target,
            runner,
            runtime,
            place: place(),
            case,
            tokens: AtomicU64::new(0),
            called: RefCell::default(),
        }
    }

    /// The functions that were called, and `delete KIND` for deletions.
    pub fn called(&self) -> BTreeSet<String> {
        self.called.borrow().clone()
    }

    /// A token that no call before had, in its first half (ACM takes no more) and in its second (the effect tag).
    pub fn token(&self) -> String {
        format!("{:08x}{:012x}{:012x}", 0xc0ffee, self.case, self.tokens.fetch_add(1, Ordering::Relaxed)).repeat(2)
    }

    /// A name of this case's own.
    pub fn name(&self, noun: &str) -> String {
        format!("{noun}-{}", self.case)
    }

    /// Calls a script function, without waiting.
    pub fn call(&self, function: &str, input: Value) -> Answer<Value> {
        self.with_token(&self.token(), function, input)
    }

    /// Calls a script function with a token that may have been used.
    pub fn with_token(&self, token: &str, function: &str, input: Value) -> Answer<Value> {
        self.called.borrow_mut().insert(function.to_owned());
        let tags = BTreeMap::from([
            (EFFECT_TAG.to_owned(), token[token.len() - 32..].to_owned()),
            ("Name".to_owned(), "conformance".to_owned()),
        ]);
        let request = Request { place: &self.place, input: &input, token, tags: &tags, host: &self.runner };
        let result = match self.table.binding(function).unwrap_or_else(|| panic!("no function {function}")) {
            Binding::Create(kind) => {
                kind.check(&input).unwrap_or_else(|e| panic!("{function}: {e}"));
                self.runtime.block_on(self.target.create(kind, &request))
            }
            Binding::Call(operation) => {
                (operation.check)(&input).unwrap_or_else(|e| panic!("{function}: {e}"));
                self.runtime.block_on(self.target.call(operation, &request))
            }
        };
        Answer { call: function.split('.').next_back().unwrap_or(function).to_owned(), result }
    }

    /// Makes something and waits until it is ready: the description, which has what was asked for.
    pub fn make(&self, function: &str, input: Value) -> Result<Value, Other> {
        let made = self.call(function, input.clone()).ok()?;
        let (ready, health) = self.settled(function, &input, &made)?;
        if health != Health::Ready {
            return Err(other(format!("{function} ends otherwise: {health:?}")));
        }
        let kind = self.maker(function);
        match kind.differences(&input, &ready).into_iter().next() {
            Some((field, ..)) => Err(other(format!("{} answers another `{field}`", kind.meta().create))),
            None => Ok(ready),
        }
    }

    /// Waits while it is pending: the description, and what it says.
    pub fn settled(&self, function: &str, input: &Value, made: &Value) -> Result<(Value, Health), Other> {
        let kind = self.maker(function);
        let at = self.at(kind, input, made)?;
        for _ in 0..LOOKS {
            let found = self.standing(kind.meta().name, at.clone())?;
            match kind.judge(&found) {
                Health::Pending(_) => {
                    let wait = self.target.next_change(kind, &self.place, &at).unwrap_or(MOMENT);
                    self.pass(wait);
                }
                health => return Ok((found, health)),
            }
        }
        Err(other(format!("what {function} made is never ready")))
    }

    fn maker(&self, function: &str) -> &'static dyn Kind {
        match self.table.binding(function) {
            Some(Binding::Create(kind)) => kind,
            _ => panic!("{function} makes nothing"),
        }
    }

    fn kind(&self, name: &str) -> &'static dyn Kind {
        self.table.kind(name).unwrap_or_else(|| panic!("no kind {name}"))
    }

    fn at(&self, kind: &dyn Kind, input: &Value, made: &Value) -> Result<Value, Other> {
        kind.locate(input, made).ok_or_else(|| other(format!("{} answers no id", kind.meta().create)))
    }

    /// The locator of what a function made.
    pub fn located(&self, function: &str, input: &Value, made: &Value) -> Result<Value, Other> {
        self.at(self.maker(function), input, made)
    }

    /// Reads one; None: it does not exist.
    pub fn read(&self, kind: &str, at: Value) -> Result<Option<Value>, Other> {
        let found = self.target.read(self.kind(kind), &self.place, &at, &self.runner);
        self.runtime.block_on(found).map_err(|error| failed(&format!("read {kind}"), &error))
    }

    /// Reads one that must be there.
    pub fn standing(&self, kind: &str, at: Value) -> Result<Value, Other> {
        self.read(kind, at)?.ok_or_else(|| other(format!("there is no {kind}")))
    }

    /// One must not be there, at once or after the time that a deletion takes.
    pub fn gone(&self, kind: &str, at: Value) -> Result<(), Other> {
        for _ in 0..LOOKS {
            if self.read(kind, at.clone())?.is_none() {
                return Ok(());
            }
            let wait = self.target.next_change(self.kind(kind), &self.place, &at).unwrap_or(MOMENT);
            self.pass(wait);
        }
        Err(other(format!("{kind} is never gone")))
    }

    /// What the request with this token and input made.
    pub fn find(&self, kind: &str, token: &str, input: Value) -> Result<Vec<Value>, Other> {
        let tags = BTreeMap::from([(EFFECT_TAG.to_owned(), token[token.len() - 32..].to_owned())]);
        let request = Request { place: &self.place, input: &input, token, tags: &tags, host: &self.runner };
        let found = self.target.find(self.kind(kind), &request);
        self.runtime.block_on(found).map_err(|error| failed(&format!("find {kind}"), &error))
    }

    /// Deletes one, without waiting.
    pub fn delete(&self, kind: &str, at: Value) -> Answer<()> {
        let call = format!("delete {kind}");
        self.called.borrow_mut().insert(call.clone());
        let deleted = self.target.delete(self.kind(kind), &self.place, &at, None, &self.runner);
        Answer { call, result: self.runtime.block_on(deleted) }
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        let _ = self.runner.sleep(time);
    }

    /// A VPC of 10.5.0.0/16: its id.
    pub fn vpc(&self) -> Result<String, Other> {
        self.vpc_of("10.5.0.0/16")
    }

    /// A VPC: its id.
    pub fn vpc_of(&self, block: &str) -> Result<String, Other> {
        Ok(text(&self.make("ec2.create_vpc", json!({ "cidr_block": block }))?, "id").to_owned())
    }

    /// A subnet 10.5.N.0/24 in a zone (`a`, `b`): its id.
    pub fn subnet(&self, vpc: &str, n: u8, zone: char) -> Result<String, Other> {
        let input = json!({
            "vpc_id": vpc, "cidr_block": format!("10.5.{n}.0/24"), "availability_zone": format!("{REGION}{zone}"),
        });
        Ok(text(&self.make("ec2.create_subnet", input)?, "id").to_owned())
    }

    /// An internet gateway at a VPC: its id.
    pub fn gateway(&self, vpc: &str) -> Result<String, Other> {
        let gateway = text(&self.make("ec2.create_internet_gateway", json!({}))?, "id").to_owned();
        self.make("ec2.attach_internet_gateway", json!({ "internet_gateway_id": gateway, "vpc_id": vpc }))?;
        Ok(gateway)
    }

    /// A role of this case's own that a service may assume: its ARN.
    pub fn role(&self, noun: &str, service: &str) -> Result<String, Other> {
        let input = json!({ "role_name": self.name(noun), "assume_role_policy_document": trust(service) });
        let role = self.make("iam.create_role", input)?;
        Ok(text(&role, "arn").to_owned())
    }

    /// The tags of the request stand on what it made.
    pub fn tagged(&self, described: &Value) -> Result<(), Other> {
        is(described, "tags.Name", "conformance")
    }
}

/// Where all cases are.
pub fn place() -> Place {
    Place { region: REGION.to_owned(), ..Place::default() }
}

/// What a target's calls are carried out on.
pub fn runtime() -> Arc<Runtime> {
    Arc::new(tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap())
}

/// The trust policy that lets a service assume a role.
pub fn trust(service: &str) -> Value {
    let principal = json!({ "Service": service });
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" }],
    })
}
