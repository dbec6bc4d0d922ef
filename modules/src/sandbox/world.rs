//! The simulated world: objects by kind, place and id; its clock; and the log of what was really executed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{late::Late, rehearsal::Rehearsal};

/// One simulated object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// The kind, e.g. `ec2.vpc`.
    pub kind: String,
    /// A region, or the name of a cluster; empty for what is global (IAM, Route 53).
    pub place: String,
    /// The id, unique in kind and place: `vpc-0c1d…`, a role's name, `apps/v1/Deployment/default/web`.
    pub id: String,
    /// The description as the target would give it, without state and tags, with `id`.
    pub body: Value,
    /// Tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// The token of the creating request; empty for what a controller made.
    #[serde(default)]
    pub token: String,
    /// The input of the creating request: the same token with another input is refused.
    #[serde(default)]
    pub input: Value,
    /// Keys ([`Object::key`]) of what it depends on. Nothing can be deleted while something else holds it here.
    #[serde(default)]
    pub refs: Vec<String>,
    /// Key of the object that it goes away with (a route with its table). Such an object blocks nothing.
    #[serde(default)]
    pub owner: Option<String>,
    /// States by the simulated time (milliseconds) from which they hold, in order. Before the first the object is not seen:
    /// so a controller's work can be put down ahead of its time.
    #[serde(default)]
    pub states: Vec<(i64, String)>,
    /// Simulated time at which a deletion is complete; from then on the object is not seen.
    #[serde(default)]
    pub gone_at: Option<i64>,
}

impl Object {
    /// `kind|place|id`.
    pub fn key(&self) -> String {
        key(&self.kind, &self.place, &self.id)
    }

    /// Whether it is there at a time: made, and not gone.
    pub fn exists(&self, now_ms: i64) -> bool {
        self.gone_at.is_none_or(|gone| now_ms < gone) && self.states.first().is_none_or(|(from, _)| *from <= now_ms)
    }

    /// The time of its next change after `now_ms`.
    pub fn next_change(&self, now_ms: i64) -> Option<i64> {
        self.states.iter().map(|(from, _)| *from).chain(self.gone_at).filter(|at| *at > now_ms).min()
    }

    /// Begins its deletion: it is in `state` until it is gone at `gone_at`.
    pub fn begin_deletion(&mut self, now_ms: i64, state: &str, gone_at: i64) {
        self.states.retain(|(from, _)| *from <= now_ms);
        if !self.states.is_empty() && !state.is_empty() {
            self.states.push((now_ms, state.to_owned()));
        }
        self.gone_at = Some(gone_at);
    }

    /// The state that holds at a time; empty for a kind without states.
    pub fn state(&self, now_ms: i64) -> &str {
        self.states.iter().rev().find(|(from, _)| *from <= now_ms).map_or("", |(_, state)| state)
    }
}

/// The key of an object.
pub fn key(kind: &str, place: &str, id: &str) -> String {
    format!("{kind}|{place}|{id}")
}

/// One mutating call that reached the sandbox, executed or not. Tests count these, never our own journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Counts the mutating calls of this world, from 1.
    pub n: u64,
    /// `ec2.create_vpc`, `delete ec2.vpc`.
    pub op: String,
    /// Region or cluster.
    pub place: String,
    /// The token; empty for a deletion.
    pub token: String,
    /// `done`, `doomed` (done, and what it made ends as failed), `lost` or `broken` (done, but the answer was not given), `dropped` (not done, and no answer), `late` (still on its way),
    /// or the code of the refusal.
    pub outcome: String,
    /// Simulated time.
    pub at: i64,
}

/// All objects, and what stood before the present call changed them.
#[derive(Debug, Clone, Default)]
pub struct World {
    objects: BTreeMap<String, Object>,
    before: BTreeMap<String, Option<Object>>,
    oracle: Vec<Call>,
    kept_calls: usize,
    /// Requests on their way, by the number of their call.
    late: BTreeMap<u64, Late>,
    /// Those that were sent or arrived since the last [`World::kept`].
    late_changed: BTreeSet<u64>,
    /// Counts the ids given out; stored with the world.
    pub serial: u64,
    /// The last simulated time at which something was changed; stored with the world.
    pub clock: i64,
    /// What the rehearsal file says; given by the program each time, not stored.
    pub rehearsal: Arc<Rehearsal>,
}

/// Where the world is kept. The engine gives one over SQLite; tests and `plan` keep it in memory.
pub trait Store: Send + Sync {
    /// A number that every commit raises.
    ///
    /// # Errors
    /// When the world cannot be read; the text says why.
    fn version(&self) -> Result<u64, String>;

    /// All documents with the version they belong to.
    ///
    /// # Errors
    /// As [`Store::version`].
    fn load(&self) -> Result<(u64, Vec<(String, Value)>), String>;

    /// Writes documents (None removes) if the version is still `base`, durably, and gives the new version; None when another process was first.
    ///
    /// # Errors
    /// When the world cannot be written; then nothing was.
    fn commit(&self, base: u64, changes: &[(String, Option<Value>)]) -> Result<Option<u64>, String>;
}

const CLOCK: &str = "clock";
const SERIAL: &str = "serial";
const ORACLE: &str = "oracle/";
const LATE: &str = "late/";

impl World {
    /// The world out of its documents.
    ///
    /// # Errors
    /// The document that is not what it should be.
    pub fn load(documents: Vec<(String, Value)>, rehearsal: Arc<Rehearsal>) -> Result<Self, String> {
        let mut world = Self { rehearsal, ..Self::default() };
        for (key, value) in documents {
            let damaged = |e: serde_json::Error| format!("the sandbox document `{key}` is damaged: {e}");
            if key == CLOCK {
                world.clock = serde_json::from_value(value).map_err(damaged)?;
            } else if key == SERIAL {
                world.serial = serde_json::from_value(value).map_err(damaged)?;
            } else if key.starts_with(ORACLE) {
                world.oracle.push(serde_json::from_value(value).map_err(damaged)?);
            } else if let Some(n) = key.strip_prefix(LATE) {
                let n = n.parse().map_err(|_| format!("the sandbox document `{key}` has no number"))?;
                world.late.insert(n, serde_json::from_value(value).map_err(damaged)?);
            } else {
                let object: Object = serde_json::from_value(value).map_err(damaged)?;
                world.objects.insert(object.key(), object);
            }
        }
        world.oracle.sort_by_key(|call| call.n);
        world.kept_calls = world.oracle.len();
        Ok(world)
    }

    /// What has changed since the last [`World::kept`], as documents.
    ///
    /// # Errors
    /// When an object cannot be written as JSON.
    pub fn changes(&self) -> Result<Vec<(String, Option<Value>)>, String> {
        let json = |e: serde_json::Error| e.to_string();
        let mut documents = Vec::new();
        for key in self.before.keys() {
            let value = self.objects.get(key).map(serde_json::to_value).transpose().map_err(json)?;
            documents.push((key.clone(), value));
        }
        for call in &self.oracle[self.kept_calls..] {
            let value = serde_json::to_value(call).map_err(json)?;
            documents.push((format!("{ORACLE}{:08}", call.n), Some(value)));
        }
        for n in &self.late_changed {
            let value = self.late.get(n).map(serde_json::to_value).transpose().map_err(json)?;
            documents.push((format!("{LATE}{n:08}"), value));
        }
        if !documents.is_empty() {
            documents.push((CLOCK.to_owned(), Some(self.clock.into())));
            documents.push((SERIAL.to_owned(), Some(self.serial.into())));
        }
        Ok(documents)
    }

    /// Whether an object was changed, or a late request arrived, since the last [`World::kept`].
    pub fn changed(&self) -> bool {
        !self.before.is_empty() || !self.late_changed.is_empty()
    }

    /// The changes are stored.
    pub fn kept(&mut self) {
        self.before.clear();
        self.late_changed.clear();
        self.kept_calls = self.oracle.len();
    }

    /// Takes back every change of an object since the last [`World::kept`].
    pub fn roll_back(&mut self) {
        for (key, before) in std::mem::take(&mut self.before) {
            match before {
                Some(object) => self.objects.insert(key, object),
                None => self.objects.remove(&key),
            };
        }
    }

    /// The log of mutating calls.
    pub fn calls(&self) -> &[Call] {
        &self.oracle
    }

    /// The number of the next call in the log.
    pub fn next_call(&self) -> u64 {
        self.oracle.last().map_or(1, |call| call.n + 1)
    }

    /// Adds to the log.
    pub fn log(&mut self, call: Call) {
        self.oracle.push(call);
    }

    /// A request that will arrive.
    pub fn send_late(&mut self, n: u64, late: Late) {
        self.late.insert(n, late);
        self.late_changed.insert(n);
    }

    /// Takes out the request that arrives next, if it has by now.
    pub fn arrived(&mut self, now_ms: i64) -> Option<Late> {
        let (n, _) = self.late.iter().filter(|(_, late)| late.at <= now_ms).min_by_key(|(_, late)| late.at)?;
        let n = *n;
        self.late_changed.insert(n);
        self.late.remove(&n)
    }

    /// An object that exists at a time (a deletion under way still counts).
    pub fn get(&self, kind: &str, place: &str, id: &str, now_ms: i64) -> Option<&Object> {
        self.objects.get(&key(kind, place, id)).filter(|o| o.exists(now_ms))
    }

    /// The object that a request with this token made, be it gone or not.
    pub fn made_by(&self, kind: &str, place: &str, token: &str) -> Option<&Object> {
        self.stored(kind, place).find(|o| o.token == token && !token.is_empty())
    }

    /// All objects of a kind in a place, those that are gone or still to come included.
    pub fn stored<'a>(&'a self, kind: &str, place: &str) -> impl Iterator<Item = &'a Object> + use<'a> {
        let prefix = key(kind, place, "");
        self.objects
            .range(prefix.clone()..)
            .take_while(move |(key, _)| key.starts_with(&prefix))
            .map(|(_, object)| object)
    }

    /// All objects of a kind in every place, those that are gone or still to come included.
    pub fn of_kind<'a>(&'a self, kind: &str) -> impl Iterator<Item = &'a Object> + use<'a> {
        let prefix = format!("{kind}|");
        self.objects
            .range(prefix.clone()..)
            .take_while(move |(key, _)| key.starts_with(&prefix))
            .map(|(_, object)| object)
    }

    /// Every stored object, those that are gone or still to come included.
    pub fn everything(&self) -> impl Iterator<Item = &Object> {
        self.objects.values()
    }

    /// An object by its key, be it gone or still to come.
    pub fn by_key(&self, key: &str) -> Option<&Object> {
        self.objects.get(key)
    }

    /// All objects of a kind in a place, by id.
    pub fn list<'a>(&'a self, kind: &str, place: &str, now_ms: i64) -> impl Iterator<Item = &'a Object> + use<'a> {
        self.stored(kind, place).filter(move |o| o.exists(now_ms))
    }

    /// Every object that exists at a time.
    pub fn all(&self, now_ms: i64) -> impl Iterator<Item = &Object> {
        self.objects.values().filter(move |o| o.exists(now_ms))
    }

    /// The objects that hold a reference to this one, but for those that go away with it.
    pub fn dependents<'a>(&'a self, key: &'a str, now_ms: i64) -> impl Iterator<Item = &'a Object> {
        self.all(now_ms).filter(move |o| o.owner.as_deref() != Some(key) && o.refs.iter().any(|r| r == key))
    }

    /// Adds or replaces an object.
    pub fn put(&mut self, object: Object) {
        let key = object.key();
        let before = self.objects.insert(key.clone(), object);
        self.before.entry(key).or_insert(before);
    }

    /// Changes an object in place; None when there is none.
    pub fn change<T>(&mut self, kind: &str, place: &str, id: &str, with: impl FnOnce(&mut Object) -> T) -> Option<T> {
        let mut object = self.objects.get(&key(kind, place, id))?.clone();
        let result = with(&mut object);
        self.put(object);
        Some(result)
    }

    /// Removes an object and all that goes away with it.
    pub fn remove(&mut self, key: &str) {
        let with_it: Vec<String> =
            self.objects.values().filter(|o| o.owner.as_deref() == Some(key)).map(Object::key).collect();
        if let Some(before) = self.objects.remove(key) {
            self.before.entry(key.to_owned()).or_insert(Some(before));
        }
        for key in with_it {
            self.remove(&key);
        }
    }

    /// A new id with a prefix, e.g. `vpc-` and 17 hexadecimal digits.
    pub fn new_id(&mut self, prefix: &str) -> String {
        use sha2::{Digest, Sha256};
        self.serial += 1;
        let digest = Sha256::digest(format!("{prefix}{}", self.serial));
        format!("{prefix}0{}", &hex::encode(digest)[..16])
    }
}
