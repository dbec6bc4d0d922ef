//! A scripted target: it fails as it is told, may execute before or after it fails, and shows what it made only later.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use runbook_modules::{
    error::{CallError, Class},
    host::Host,
    input::{InputError, nearest},
    operation::{self, Operation, Settle},
    resource::{Health, Identity, Kind, Meta},
    sandbox::{
        sim::{Sim, SimCall, Simple},
        world::World,
    },
    table::Table,
    target::{About, EFFECT_TAG, Place, RUN_TAG, Request, Target},
};
use serde_json::{Value, json};

use super::rig::Cut;
use crate::run::clock::{SimClock, Time};

/// A kind whose behaviour is its meta.
pub struct Fake(Meta);

static SIM: Simple = Simple::DEFAULT;

const META: Meta = Meta {
    name: "t.tag",
    create: "create_tag",
    operations: ("CreateTag", "DeleteTag"),
    doc: "A fake.",
    identity: Identity::Tag,
    usual: (Duration::from_secs(60), Duration::from_secs(60)),
    cost: None,
    replaces: false,
    shared: false,
};

/// So long the target knows a token, an hour longer than it promises.
const REMEMBERED_MS: i64 = 13 * 3_600_000;

const fn token(key: bool) -> Identity {
    Identity::Token { field: "client_token", safe: Duration::from_secs(12 * 3600), key }
}

/// Found by its tag alone.
pub static TAG: Fake = Fake(META);
/// By its token; the provider knows no natural key.
pub static TOKEN: Fake = Fake(Meta { name: "t.token", create: "create_token", identity: token(false), ..META });
/// By its token, later by its name.
pub static BOTH: Fake = Fake(Meta { name: "t.both", create: "create_both", identity: token(true), ..META });
/// By its name; it costs something.
pub static KEY: Fake =
    Fake(Meta { name: "t.key", create: "create_key", identity: Identity::Key, cost: Some("key"), ..META });
/// By its name; made again by its run, it is changed.
pub static UPGRADE: Fake = Fake(Meta { name: "t.upgrade", create: "upgrade", identity: Identity::Key, ..META });
/// By what it holds; of what stands already nothing is made, and the answer names none of it.
pub static RULES: Fake = Fake(Meta { name: "t.rules", create: "create_rules", identity: Identity::Key, ..META });
/// Making it again makes nothing more; what stood there is kept.
pub static PUT: Fake = Fake(Meta { name: "t.put", create: "put", identity: Identity::Repeat, replaces: true, ..META });
/// The same, of what takes tags only when it is made.
pub static ALARM: Fake =
    Fake(Meta { name: "t.alarm", create: "put_alarm", identity: Identity::Repeat, replaces: true, ..META });
/// Shared by the account.
pub static SHARED: Fake =
    Fake(Meta { name: "t.shared", create: "create_shared", identity: Identity::Key, shared: true, ..META });
/// Never deleted: what a run makes of it is the account's from then on.
pub static STAYS: Fake = Fake(Meta {
    name: "t.stays",
    create: "create_stays",
    operations: ("CreateStays", ""),
    identity: Identity::Key,
    shared: true,
    ..META
});
/// A cluster: what stands in it goes with it.
pub static CLUSTER: Fake =
    Fake(Meta { name: "eks.cluster", create: "create_cluster", identity: Identity::Key, ..META });
/// A network interface, as `--also` knows it.
pub static ENI: Fake = Fake(Meta { name: "ec2.network_interface", create: "create_eni", ..META });

/// Its creation tells a secret once; nothing marks whose it is.
pub static ONCE: Fake = Fake(Meta {
    name: "t.once",
    create: "create_once",
    identity: Identity::OneShot { secret: "told" },
    usual: (Duration::ZERO, Duration::ZERO),
    ..META
});

/// The kinds that identify themselves in different ways.
pub static IDENTITIES: [&Fake; 6] = [&TAG, &TOKEN, &BOTH, &KEY, &PUT, &ALARM];

impl Kind for Fake {
    fn meta(&self) -> &'static Meta {
        // A static's field lives as long as the program; the trait hands it out by the static itself.
        ALL.iter().find(|kind| kind.0.name == self.0.name).map_or(&TAG.0, |kind| &kind.0)
    }

    fn schema(&self) -> Value {
        json!({"properties": {"name": {}, "size": {}, "parent": {}, "slow": {}, "broken": {}, "secret": {}}})
    }

    fn check(&self, input: &Value) -> Result<(), InputError> {
        let known = ["name", "size", "parent", "slow", "broken", "secret"];
        let unknown = input.as_object().and_then(|map| map.keys().find(|name| !known.contains(&name.as_str())));
        match unknown {
            None => Ok(()),
            Some(name) => Err(InputError { nearest: nearest(name, known), ..InputError::new(name, "unknown field") }),
        }
    }

    fn locate(&self, input: &Value, described: &Value) -> Option<Value> {
        match (described.get("id"), matches!(self.0.identity, Identity::Repeat)) {
            (_, true) => Some(json!({ "id": format!("put-{}", input["name"].as_str()?) })),
            (Some(id), _) => Some(json!({ "id": id })),
            (None, _) => None,
        }
    }

    fn parents(&self, input: &Value) -> Vec<String> {
        input.get("parent").and_then(Value::as_str).map(str::to_owned).into_iter().collect()
    }

    fn judge(&self, described: &Value) -> Health {
        match described["state"].as_str().unwrap_or_default() {
            "ready" => Health::Ready,
            "deleting" => Health::Deleting("DELETING".to_owned()),
            "broken" => Health::Failed("the subnet is full".to_owned()),
            state => Health::Pending(state.to_uppercase()),
        }
    }

    fn upgrades(&self) -> bool {
        self.0.name == UPGRADE.0.name
    }

    fn sim(&self) -> &dyn Sim {
        &SIM
    }
}

static ALL: [&Fake; 13] =
    [&TAG, &TOKEN, &BOTH, &KEY, &UPGRADE, &RULES, &PUT, &ALARM, &SHARED, &STAYS, &CLUSTER, &ENI, &ONCE];

fn any(_: &Value) -> Result<(), InputError> {
    Ok(())
}

fn no_sim(_: &mut World, _: &SimCall<'_>) -> Result<Value, CallError> {
    Err(CallError::refused("NoSim", "not on the sandbox"))
}

const OPERATION: Operation = Operation {
    name: "t.modify",
    operation: "Modify",
    doc: "A fake.",
    class: operation::Class::Update,
    schema: || json!({}),
    check: any,
    token: None,
    settle: None,
    sim: no_sim,
};

static MODIFY: Operation = OPERATION;
static READ: Operation =
    Operation { name: "t.describe", operation: "Describe", class: operation::Class::Read, ..OPERATION };
static DELETE: Operation =
    Operation { name: "t.drop", operation: "Drop", class: operation::Class::Delete, ..OPERATION };
static EXEC: Operation = Operation { name: "t.exec", operation: "Exec", class: operation::Class::Exec, ..OPERATION };
static SLOW: Operation = Operation {
    name: "t.modify_slowly",
    operation: "ModifySlowly",
    settle: Some(Settle {
        poll: "t.describe",
        input: |_, answer| json!({ "of": answer["n"] }),
        judge: |state| {
            if state["n"].as_u64() >= Some(4) { Health::Ready } else { Health::Pending("PENDING".to_owned()) }
        },
    }),
    ..OPERATION
};

/// All fakes.
pub fn table() -> Table {
    let mut table = Table::default();
    let kinds: Vec<&'static dyn Kind> = ALL.iter().map(|kind| *kind as &'static dyn Kind).collect();
    table.add(&kinds, &[&MODIFY, &READ, &DELETE, &EXEC, &SLOW]);
    table
}

/// What a call does instead of working.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// It fails and nothing is executed.
    Fails(Class),
    /// It is executed, and the answer is lost.
    Lost(Class),
    /// The answer is lost, and it is executed only so many seconds later.
    Ghost(u64),
    /// The same request of a dead process is executed just before.
    Meets,
}

/// Something that stands.
#[derive(Debug, Clone)]
pub struct Thing {
    pub kind: &'static str,
    pub id: String,
    pub input: Value,
    pub token: String,
    pub tags: BTreeMap<String, String>,
    pub made_ms: i64,
    pub deleted_ms: Option<i64>,
    /// Descriptions have no tags at all.
    pub untagged: bool,
}

struct Ghost {
    at_ms: i64,
    kind: &'static Fake,
    input: Value,
    token: String,
    tags: BTreeMap<String, String>,
}

#[derive(Default)]
pub struct State {
    pub things: Vec<Thing>,
    pub faults: VecDeque<Option<Fault>>,
    pub delete_faults: VecDeque<Option<Fault>>,
    /// `CreateTag`, `read`, `find`, `DeleteTag`, `Modify`: every call, in order, with its token or id.
    pub calls: Vec<(String, String)>,
    /// For how many seconds a new thing is not seen.
    pub lag_s: i64,
    /// Ids that cannot be deleted while these ids stand.
    pub held: BTreeMap<String, String>,
    pub answers: u64,
    pub echo: Option<Value>,
    /// The API server that every context of the kubeconfig names.
    pub server: String,
    ghosts: Vec<Ghost>,
    serial: u32,
}

/// The target.
pub struct Cloud {
    state: Mutex<State>,
    time: Arc<SimClock>,
    cut: Arc<Cut>,
}

/// What was sent to make something.
pub fn creates(calls: &[(String, String)]) -> Vec<String> {
    calls.iter().filter(|(what, _)| what.starts_with("Create")).map(|(_, token)| token.clone()).collect()
}

impl Cloud {
    pub fn new(time: Arc<SimClock>, cut: Arc<Cut>) -> Self {
        Self { state: Mutex::default(), time, cut }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.time.now_ms();
        let (due, later) = std::mem::take(&mut state.ghosts).into_iter().partition(|ghost| ghost.at_ms <= now);
        state.ghosts = later;
        let due: Vec<Ghost> = due;
        for ghost in due {
            let _ = make(&mut state, ghost.kind, &ghost.input, &ghost.token, &ghost.tags, ghost.at_ms);
        }
        state
    }

    /// What stands, without what is on its way out for good.
    pub fn standing(&self) -> Vec<Thing> {
        let state = self.state();
        state.things.iter().filter(|thing| thing.deleted_ms.is_none()).cloned().collect()
    }

    /// Somebody else's.
    pub fn foreign(&self, kind: &Fake, id: &str, input: Value, untagged: bool) {
        let tags = BTreeMap::from([("owner".to_owned(), "somebody".to_owned())]);
        let made_ms = self.time.now_ms() - 1_000_000;
        let kind = kind.0.name;
        self.state().things.push(Thing {
            kind,
            id: id.to_owned(),
            input,
            token: String::new(),
            tags,
            made_ms,
            deleted_ms: None,
            untagged,
        });
    }

    fn dead(&self) -> bool {
        self.cut.dead.load(Ordering::SeqCst)
    }
}

fn lost() -> CallError {
    CallError::new(Class::Unknown, "Died", "the process is dead")
}

fn make(
    state: &mut State, kind: &'static Fake, input: &Value, token: &str, tags: &BTreeMap<String, String>, now: i64,
) -> Result<Thing, CallError> {
    let live = |thing: &&mut Thing| thing.kind == kind.0.name && thing.deleted_ms.is_none();
    let name = input["name"].clone();
    let remembered = |thing: &&mut Thing| thing.token == token && now < thing.made_ms + REMEMBERED_MS;
    if let Identity::Token { .. } = kind.0.identity
        && let Some(thing) = state.things.iter_mut().filter(live).find(remembered)
    {
        if thing.input != *input {
            return Err(CallError::new(Class::TokenMismatch, "IdempotentParameterMismatch", "other parameters"));
        }
        return Ok(thing.clone());
    }
    let keyed = matches!(kind.0.identity, Identity::Key | Identity::Token { key: true, .. });
    let same = state.things.iter_mut().filter(live).find(|thing| thing.input["name"] == name);
    match same {
        Some(thing) if thing.kind == RULES.0.name => {
            return Ok(Thing { id: "the group".to_owned(), untagged: true, ..thing.clone() });
        }
        Some(thing) if thing.kind == UPGRADE.0.name && thing.tags.get(RUN_TAG) == tags.get(RUN_TAG) => {
            (thing.input, thing.tags) = (input.clone(), tags.clone());
            token.clone_into(&mut thing.token);
            return Ok(thing.clone());
        }
        Some(_) if keyed => return Err(CallError::new(Class::AlreadyExists, "Duplicate", "it stands already")),
        Some(thing) if kind.0.replaces => {
            thing.input = input.clone();
            if thing.kind != ALARM.0.name {
                thing.tags = tags.clone();
            }
            thing.token = token.to_owned();
            return Ok(thing.clone());
        }
        _ => {}
    }
    state.serial += 1;
    let id = if kind.0.replaces {
        format!("put-{}", name.as_str().unwrap_or_default())
    } else {
        format!("{}-{}", &kind.0.name[2..], state.serial)
    };
    let thing = Thing {
        kind: kind.0.name,
        id,
        input: input.clone(),
        token: token.to_owned(),
        tags: tags.clone(),
        made_ms: now,
        deleted_ms: None,
        untagged: false,
    };
    state.things.push(thing.clone());
    Ok(thing)
}

fn describe(thing: &Thing, now: i64) -> Value {
    let slow = thing.input["slow"].as_i64().unwrap_or(0) * 1000;
    let state = match thing.deleted_ms {
        Some(_) => "deleting",
        None if thing.input["broken"] == json!(true) => "broken",
        None if now < thing.made_ms + slow => "creating",
        None => "ready",
    };
    let mut described = json!({"id": thing.id, "state": state, "arn": format!("arn:{}", thing.id), "tags": thing.tags});
    if thing.untagged || thing.kind == ONCE.0.name {
        described = json!({"id": thing.id, "state": state});
    }
    for (name, value) in thing.input.as_object().into_iter().flatten() {
        described[name] = value.clone();
    }
    described
}

/// A list tells less than the description of one thing.
fn listed(mut described: Value) -> Value {
    if let Some(fields) = described.as_object_mut() {
        fields.remove("arn");
    }
    described
}

/// What the creation of a thing tells once.
pub fn told(id: &str) -> String {
    format!("the secret of {id}")
}

fn fake(kind: &'static dyn Kind) -> &'static Fake {
    ALL.iter().find(|fake| fake.0.name == kind.meta().name).unwrap_or(&&TAG)
}

fn seen(thing: &Thing, state: &State, now: i64) -> bool {
    let gone = thing.deleted_ms.is_some_and(|at| now >= at);
    !gone && now >= thing.made_ms + state.lag_s * 1000
}

#[async_trait]
impl Target for Cloud {
    async fn about(&self, place: &Place, _: &dyn Host) -> Result<About, CallError> {
        let (account, caller) = ("111122223333".to_owned(), String::new());
        let endpoint = place.context.as_ref().map(|_| self.state().server.clone());
        Ok(About { simulated: true, account, caller, region: String::new(), endpoint })
    }

    async fn create(&self, kind: &'static dyn Kind, request: &Request<'_>) -> Result<Value, CallError> {
        if self.dead() {
            return Err(lost());
        }
        let now = self.time.now_ms();
        let mut state = self.state();
        state.calls.push((kind.meta().operations.0.to_owned(), request.token.to_owned()));
        let fault = state.faults.pop_front().flatten();
        if let Some(Fault::Fails(class)) = fault {
            return Err(CallError::new(class, "Told", "as it was told"));
        }
        if let Some(Fault::Ghost(after)) = fault {
            let at_ms = now + i64::try_from(after).unwrap_or(0) * 1000;
            let (input, token) = (request.input.clone(), request.token.to_owned());
            state.ghosts.push(Ghost { at_ms, kind: fake(kind), input, token, tags: request.tags.clone() });
            return Err(lost());
        }
        if let Some(Fault::Meets) = fault {
            make(&mut state, fake(kind), request.input, request.token, request.tags, now)?;
        }
        let thing = make(&mut state, fake(kind), request.input, request.token, request.tags, now)?;
        let mut described = describe(&thing, now);
        if let Identity::OneShot { secret } = kind.meta().identity {
            described[secret] = told(&thing.id).into();
        }
        match fault {
            Some(Fault::Lost(class)) => Err(CallError::new(class, "Told", "as it was told")),
            _ => Ok(described),
        }
    }

    async fn read(
        &self, kind: &'static dyn Kind, _: &Place, at: &Value, _: &dyn Host,
    ) -> Result<Option<Value>, CallError> {
        if self.dead() {
            return Err(CallError::refused("Died", "the process is dead"));
        }
        let now = self.time.now_ms();
        let mut state = self.state();
        state.calls.push(("read".to_owned(), at["id"].to_string()));
        let found = state.things.iter().rev().find(|t| t.kind == kind.meta().name && at["id"] == t.id.as_str());
        Ok(found.filter(|thing| seen(thing, &state, now)).map(|thing| describe(thing, now)))
    }

    async fn find(&self, kind: &'static dyn Kind, request: &Request<'_>) -> Result<Vec<Value>, CallError> {
        if self.dead() {
            return Err(CallError::refused("Died", "the process is dead"));
        }
        let now = self.time.now_ms();
        let mut state = self.state();
        state.calls.push(("find".to_owned(), request.token.to_owned()));
        let by_name = !matches!(kind.meta().identity, Identity::Tag | Identity::Token { key: false, .. });
        let matches = |thing: &&Thing| {
            let same = if by_name {
                thing.input["name"] == request.input["name"]
            } else {
                thing.tags.get(EFFECT_TAG) == request.tags.get(EFFECT_TAG)
            };
            thing.kind == kind.meta().name && thing.deleted_ms.is_none() && same && seen(thing, &state, now)
        };
        let found = state.things.iter().filter(matches).map(|thing| describe(thing, now));
        Ok(found.map(listed).collect())
    }

    async fn delete(
        &self, kind: &'static dyn Kind, _: &Place, at: &Value, put_back: Option<&Value>, _: &dyn Host,
    ) -> Result<(), CallError> {
        if self.dead() {
            return Err(lost());
        }
        let now = self.time.now_ms();
        let mut state = self.state();
        let id = at["id"].as_str().unwrap_or_default().to_owned();
        state.calls.push((kind.meta().operations.1.to_owned(), id.clone()));
        let fault = state.delete_faults.pop_front().flatten();
        if let Some(Fault::Fails(class)) = fault {
            return Err(CallError::new(class, "Told", "as it was told"));
        }
        let stands =
            |id: &str| state.things.iter().any(|thing| thing.id == id && thing.deleted_ms.is_none_or(|at| now < at));
        let child =
            state.things.iter().find(|t| t.input["parent"] == id.as_str() && t.deleted_ms.is_none_or(|at| now < at));
        let holder =
            child.map(|t| t.id.clone()).or_else(|| state.held.get(&id).cloned().filter(|holder| stands(holder)));
        if let Some(holder) = holder {
            return Err(CallError::new(Class::Blocked, "DependencyViolation", format!("held by {holder}")));
        }
        let name = kind.meta().name;
        let live =
            |thing: &&mut Thing| thing.kind == name && thing.id == id && thing.deleted_ms.is_none_or(|at| now < at);
        let Some(thing) = state.things.iter_mut().find(live) else {
            return Err(CallError::not_found("NotFound", "it does not exist"));
        };
        match put_back {
            Some(prior) => {
                let mut prior = prior.clone();
                if let Some(map) = prior.as_object_mut() {
                    map.retain(|name, _| !["id", "state", "arn", "tags"].contains(&name.as_str()));
                }
                thing.input = prior;
            }
            None => {
                thing.deleted_ms = thing.deleted_ms.or(Some(now + thing.input["slow"].as_i64().unwrap_or(0) * 1000))
            }
        }
        match fault {
            Some(Fault::Lost(class)) => Err(CallError::new(class, "Told", "as it was told")),
            _ => Ok(()),
        }
    }

    async fn call(&self, operation: &'static Operation, request: &Request<'_>) -> Result<Value, CallError> {
        if self.dead() {
            return Err(lost());
        }
        let mut state = self.state();
        state.calls.push((operation.operation.to_owned(), request.token.to_owned()));
        let fault = state.faults.pop_front().flatten();
        if let Some(Fault::Fails(class)) = fault {
            return Err(CallError::new(class, "Told", "as it was told"));
        }
        state.answers += 1;
        if let Some(Fault::Lost(class)) = fault {
            return Err(CallError::new(class, "Told", "as it was told"));
        }
        Ok(state.echo.clone().unwrap_or_else(|| json!({ "n": state.answers })))
    }

    async fn obstacles(&self, _: &'static dyn Kind, _: &Place, at: &Value, _: &dyn Host) -> Vec<String> {
        let state = self.state();
        at["id"].as_str().and_then(|id| state.held.get(id)).cloned().into_iter().collect()
    }
}
