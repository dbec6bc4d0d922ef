//! What the simulated kinds of these services share: made-up but steady ids, operations that are done after a while, and
//! kinds whose creation is an upsert.

use runbook_modules::{
    error::CallError,
    resource::Kind,
    sandbox::{
        sim::{Sim, SimCall, Simple},
        world::{Object, World},
    },
};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Lower-hex digits made of a seed: the same for the same seed.
pub fn digits(seed: &str, count: usize) -> String {
    let digest = hex::encode(Sha256::digest(seed));
    digest.chars().cycle().take(count).collect()
}

/// A UUID made of a seed: the same for the same seed.
pub fn uuid(seed: &str) -> String {
    let digits = digits(seed, 32);
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

/// A text of an object's body; empty when it is missing.
pub fn body<'a>(object: &'a Object, field: &str) -> &'a str {
    crate::row::text(&object.body, field)
}

/// The objects of a kind in a place whose body has a text.
pub fn having<'w>(
    world: &'w World, kind: &str, place: &str, now_ms: i64, field: &'static str, value: &str,
) -> impl Iterator<Item = &'w Object> + use<'w> {
    let value = value.to_owned();
    world.list(kind, place, now_ms).filter(move |object| body(object, field) == value)
}

/// An object that no request of the script made, gone with its owner.
pub fn owned(kind: &str, place: &str, id: &str, owner: &Object, body: Value, refs: Vec<String>) -> Object {
    Object {
        kind: kind.to_owned(),
        place: place.to_owned(),
        id: id.to_owned(),
        body,
        tags: std::collections::BTreeMap::new(),
        token: String::new(),
        input: Value::Null,
        refs,
        owner: Some(owner.key()),
        states: Vec::new(),
        gone_at: None,
    }
}

/// The id of an operation that is done at a simulated time: the time stands in the id, so nothing needs to be kept.
pub fn operation_id(token: &str, done_ms: i64) -> String {
    format!("{}-{done_ms:x}", digits(token, 20))
}

/// Whether the operation is done; None for an id that is none of ours.
pub fn operation_done(id: &str, now_ms: i64) -> Option<bool> {
    let (_, done) = id.rsplit_once('-')?;
    i64::from_str_radix(done, 16).ok().map(|done| now_ms >= done)
}

/// A kind whose creation is an upsert: a second one replaces the first, and a deletion may put back what stood before.
pub struct Upsert(pub Simple);

/// What names the last change and not the thing: a locator's field that may be out of date.
const PASSING: [&str; 2] = ["change_id", "operation_id"];

impl Upsert {
    /// A locator of the thing itself: its id where that follows from the locator, else the lasting fields.
    fn lasting(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Value {
        let place = if self.0.global { "" } else { &call.place.region };
        let id = (self.0.id)(call);
        if world.get(kind.meta().name, place, &id, call.now_ms).is_some() {
            return serde_json::json!({ "id": id });
        }
        let mut at = call.input.clone();
        if let Value::Object(map) = &mut at {
            map.retain(|field, _| !PASSING.contains(&field.as_str()));
        }
        at
    }
}

fn with<'a>(call: &SimCall<'a>, input: &'a Value) -> SimCall<'a> {
    SimCall { input, ..*call }
}

impl Sim for Upsert {
    fn create(&self, kind: &dyn Kind, world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
        let place = if self.0.global { "" } else { &call.place.region };
        let before = world.get(kind.meta().name, place, &(self.0.id)(call), call.now_ms).cloned();
        if let Some(before) = &before {
            world.remove(&before.key());
        }
        self.0.create(kind, world, call)
    }

    fn read(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<Value> {
        self.0.read(kind, world, &with(call, &self.lasting(kind, world, call)))
    }

    fn find(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<Value> {
        self.0.find(kind, world, call)
    }

    fn delete(
        &self, kind: &dyn Kind, world: &mut World, call: &SimCall<'_>, put_back: Option<&Value>,
    ) -> Result<(), CallError> {
        let at = self.lasting(kind, world, call);
        let call = with(call, &at);
        let Some(before) = put_back else { return self.0.delete(kind, world, &call, None) };
        let id = self.0.read(kind, world, &call).map(|there| crate::row::text(&there, "id").to_owned());
        let place = if self.0.global { "" } else { &call.place.region };
        let id = id.unwrap_or_else(|| crate::row::text(before, "id").to_owned());
        world.change(kind.meta().name, place, &id, |object| object.body = before.clone());
        Ok(())
    }

    fn next_change(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<i64> {
        self.0.next_change(kind, world, &with(call, &self.lasting(kind, world, call)))
    }

    fn obstacles(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<String> {
        self.0.obstacles(kind, world, &with(call, &self.lasting(kind, world, call)))
    }

    fn taggable(&self) -> bool {
        self.0.taggable
    }
}
