//! The simulated world: objects by kind, place and id.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    /// States by the simulated time (milliseconds) from which they hold, in order.
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

    /// The state that holds at a time; empty for a kind without states.
    pub fn state(&self, now_ms: i64) -> &str {
        self.states.iter().rev().find(|(from, _)| *from <= now_ms).map_or("", |(_, state)| state)
    }
}

/// The key of an object.
pub fn key(kind: &str, place: &str, id: &str) -> String {
    format!("{kind}|{place}|{id}")
}

/// All objects, and what the present call has changed of them.
#[derive(Debug, Clone, Default)]
pub struct World {
    objects: BTreeMap<String, Object>,
    changed: BTreeMap<String, Option<Object>>,
    /// Counts the ids given out; stored with the world.
    pub serial: u64,
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

impl World {
    /// An object that exists at a time (a deletion under way still counts).
    pub fn get(&self, kind: &str, place: &str, id: &str, now_ms: i64) -> Option<&Object> {
        self.objects.get(&key(kind, place, id)).filter(|o| o.gone_at.is_none_or(|gone| now_ms < gone))
    }

    /// All objects of a kind in a place, by id.
    pub fn list<'a>(&'a self, kind: &str, place: &str, now_ms: i64) -> impl Iterator<Item = &'a Object> + use<'a> {
        let prefix = key(kind, place, "");
        self.objects
            .range(prefix.clone()..)
            .take_while(move |(key, _)| key.starts_with(&prefix))
            .map(|(_, object)| object)
            .filter(move |o| o.gone_at.is_none_or(|gone| now_ms < gone))
    }

    /// Every object that exists at a time.
    pub fn all(&self, now_ms: i64) -> impl Iterator<Item = &Object> {
        self.objects.values().filter(move |o| o.gone_at.is_none_or(|gone| now_ms < gone))
    }

    /// The objects that hold a reference to this one, but for those that go away with it.
    pub fn dependents<'a>(&'a self, key: &'a str, now_ms: i64) -> impl Iterator<Item = &'a Object> {
        self.all(now_ms).filter(move |o| o.owner.as_deref() != Some(key) && o.refs.iter().any(|r| r == key))
    }

    /// Adds or replaces an object.
    pub fn put(&mut self, object: Object) {
        let key = object.key();
        self.changed.insert(key.clone(), Some(object.clone()));
        self.objects.insert(key, object);
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
        self.objects.remove(key);
        self.changed.insert(key.to_owned(), None);
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
