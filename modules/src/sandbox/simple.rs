//! What [`Simple`] means: a kind that is said as data is made, read, found and deleted here.

use serde_json::{Map, Value};

use super::{
    sim::{Sim, SimCall, Simple},
    world::{Object, World},
};
use crate::{
    error::{CallError, Class},
    resource::{Identity, Kind},
    target::EFFECT_TAG,
};

impl Simple {
    fn place<'a>(&self, call: &SimCall<'a>) -> &'a str {
        if self.global { "" } else { &call.place.region }
    }

    /// The description of an object at a time, as the target would give it.
    pub fn description(&self, object: &Object, now_ms: i64) -> Value {
        let mut body = object.body.clone();
        if !self.state_field.is_empty() {
            set(&mut body, self.state_field, Value::from(object.state(now_ms)));
        }
        if let Some(failing) = self.failing.filter(|failing| object.state(now_ms) == failing.state) {
            merge(&mut body, (failing.words)(object));
        }
        set(&mut body, "id", Value::from(object.id.as_str()));
        if self.taggable {
            set(&mut body, "tags", serde_json::json!(object.tags));
        }
        body
    }

    fn references(&self, world: &World, call: &SimCall<'_>) -> Result<(Vec<String>, Option<String>), CallError> {
        let mut refs = Vec::new();
        let mut owner = None;
        for reference in self.refs {
            let Some(named) = lookup(call.input, reference.field) else { continue };
            let names: Vec<&str> = match named {
                Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
                other => other.as_str().into_iter().collect(),
            };
            for name in names {
                let found = [call.place.region.as_str(), ""]
                    .into_iter()
                    .find_map(|place| named_object(world, reference.kind, place, name, call.now_ms));
                let Some(found) = found else {
                    let noun = reference.kind.rsplit('.').next().unwrap_or_default().replace('_', " ");
                    return Err(CallError::refused(reference.missing, format!("The {noun} '{name}' does not exist")));
                };
                refs.push(found.key());
                if reference.owned && owner.is_none() {
                    owner = Some(found.key());
                }
            }
        }
        Ok((refs, owner))
    }

    fn same_key<'a>(&self, kind: &dyn Kind, world: &'a World, call: &SimCall<'_>) -> Option<&'a Object> {
        let (fields, _) = self.unique;
        if !fields.is_empty() {
            return world.list(kind.meta().name, self.place(call), call.now_ms).find(|object| {
                fields.iter().all(|field| {
                    let has = lookup(&object.body, field).or_else(|| lookup(&object.input, field));
                    has == lookup(call.input, field)
                })
            });
        }
        if self.prefix.is_empty() {
            return world.get(kind.meta().name, self.place(call), &(self.id)(call), call.now_ms);
        }
        None
    }

    /// Whether the key is all that the request holds, as with the rules of a group: the same request finds its own work there.
    fn contents_are_key(&self, kind: &dyn Kind) -> bool {
        kind.meta().identity == Identity::Key && self.unique.0.is_empty() && !self.prefix.is_empty()
    }

    fn located<'a>(&self, kind: &dyn Kind, world: &'a World, call: &SimCall<'_>) -> Option<&'a Object> {
        at(world, kind.meta().name, self.place(call), call.input, call.now_ms)
    }
}

impl Sim for Simple {
    fn create(&self, kind: &dyn Kind, world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
        let name = kind.meta().name;
        let place = self.place(call);
        if self.token
            && let Some(first) = world.made_by(name, place, call.token)
        {
            if first.input == *call.input {
                return Ok(self.description(first, call.now_ms));
            }
            let text = "The token was used before, with other parameters";
            return Err(CallError::new(Class::TokenMismatch, "IdempotentParameterMismatch", text));
        }
        if let Some(there) = self.same_key(kind, world, call) {
            let same = there.gone_at.is_none() && there.input == *call.input && there.tags == *call.tags;
            if self.repeats && same {
                return Ok(self.description(there, call.now_ms));
            }
            let code = if self.unique.1.is_empty() { "AlreadyExists" } else { self.unique.1 };
            let text = format!("{} '{}' already exists", noun(name), there.id);
            return Err(CallError::new(Class::AlreadyExists, code, text));
        }
        let (refs, owner) = self.references(world, call)?;
        (self.check)(world, call)?;
        if self.contents_are_key(kind)
            && world
                .made_by(name, place, call.token)
                .is_some_and(|made| made.exists(call.now_ms) && made.gone_at.is_none())
        {
            let text = format!("what this {} asks for stands already", noun(name));
            return Err(CallError::new(Class::AlreadyExists, "AlreadyExists", text));
        }

        let id = if self.prefix.is_empty() { (self.id)(call) } else { world.new_id(self.prefix) };
        let mut body = match call.input {
            Value::Object(_) => call.input.clone(),
            _ => Value::Object(Map::new()),
        };
        merge(&mut body, (self.describe)(world, call, &id));
        set(&mut body, "id", Value::from(id.as_str()));
        let mut object = Object {
            kind: name.to_owned(),
            place: place.to_owned(),
            id,
            body,
            tags: call.tags.clone(),
            token: call.token.to_owned(),
            input: call.input.clone(),
            refs,
            owner,
            states: self.first_states(kind, call.now_ms),
            gone_at: None,
        };
        if let Some(failing) = self.failing.filter(|_| call.doomed) {
            object.states.truncate(1);
            object.states.push((call.now_ms + millis(kind.meta().usual.0), failing.state.to_owned()));
        }
        world.put(object.clone());
        (self.made)(world, call, &object);
        let made = world.get(name, place, &object.id, call.now_ms).unwrap_or(&object);
        Ok(self.description(made, call.now_ms))
    }

    fn read(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<Value> {
        self.located(kind, world, call).map(|object| self.description(object, call.now_ms))
    }

    fn find(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<Value> {
        let name = kind.meta().name;
        let place = self.place(call);
        let natural = !self.unique.0.is_empty() || self.prefix.is_empty();
        let found: Vec<&Object> = if natural {
            self.same_key(kind, world, call).into_iter().collect()
        } else if let Some(locator) = kind.locate(call.input, &Value::Null) {
            at(world, name, place, &locator, call.now_ms).into_iter().collect()
        } else {
            let effect = call.tags.get(EFFECT_TAG).filter(|_| self.taggable);
            world
                .list(name, place, call.now_ms)
                .filter(|o| effect.is_some() && o.tags.get(EFFECT_TAG) == effect)
                .collect()
        };
        let staying = found.into_iter().filter(|object| object.gone_at.is_none());
        staying.map(|object| self.description(object, call.now_ms)).collect()
    }

    fn delete(
        &self, kind: &dyn Kind, world: &mut World, call: &SimCall<'_>, _put_back: Option<&Value>,
    ) -> Result<(), CallError> {
        let name = kind.meta().name;
        let Some(object) = self.located(kind, world, call).cloned() else {
            if let Some(done) = (self.delete_other)(world, call) {
                return done;
            }
            let at = call.input.as_object().into_iter().flatten().filter_map(|(_, v)| v.as_str());
            let text = format!("The {} '{}' does not exist", noun(name), at.collect::<Vec<_>>().join(" "));
            return Err(CallError::not_found(self.missing, text));
        };
        if object.gone_at.is_some() {
            return Ok(());
        }
        (self.check_delete)(world, call, &object)?;
        let held = (self.holders)(world, call, &object);
        if !held.is_empty() {
            if let Some(taken) = self.held {
                taken(world, call, &object, &held);
                return Ok(());
            }
            let text = format!("The {} '{}' has dependencies and cannot be deleted", noun(name), object.id);
            return Err(CallError::new(Class::Blocked, self.blocked, text).hint(format!("held by {}", held.join(", "))));
        }
        let gone = call.now_ms + millis(kind.meta().usual.1);
        begin_deletion(world, &object.key(), call.now_ms, self.states.2, gone);
        (self.deleted)(world, call, &object);
        Ok(())
    }

    fn next_change(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<i64> {
        self.located(kind, world, call)?.next_change(call.now_ms)
    }

    fn obstacles(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<String> {
        self.located(kind, world, call).map(|object| (self.holders)(world, call, object)).unwrap_or_default()
    }

    fn can_fail(&self) -> bool {
        self.failing.is_some()
    }

    fn taggable(&self) -> bool {
        self.taggable
    }
}

impl Simple {
    fn first_states(&self, kind: &dyn Kind, now_ms: i64) -> Vec<(i64, String)> {
        let (making, ready, _) = self.states;
        let usual = millis(kind.meta().usual.0);
        match (self.state_field.is_empty(), usual > 0 && !making.is_empty()) {
            (true, _) => Vec::new(),
            (false, true) => vec![(now_ms, making.to_owned()), (now_ms + usual, ready.to_owned())],
            (false, false) => vec![(now_ms, ready.to_owned())],
        }
    }
}

/// The object of a kind that a locator names: each field is the object's own, or its id.
pub fn at<'a>(world: &'a World, kind: &str, place: &str, locator: &Value, now_ms: i64) -> Option<&'a Object> {
    let fields = locator.as_object()?;
    let fits = |object: &&Object| {
        !fields.is_empty()
            && fields.iter().all(|(field, value)| {
                value.as_str() == Some(object.id.as_str())
                    || object.body.get(field).or_else(|| object.input.get(field)) == Some(value)
            })
    };
    let by_id =
        fields.values().filter_map(Value::as_str).find_map(|id| world.get(kind, place, id, now_ms)).filter(fits);
    by_id.or_else(|| world.list(kind, place, now_ms).find(fits))
}

/// The object of a kind by its id, its ARN or its name.
pub fn named_object<'a>(world: &'a World, kind: &str, place: &str, name: &str, now_ms: i64) -> Option<&'a Object> {
    world.get(kind, place, name, now_ms).or_else(|| {
        world.list(kind, place, now_ms).find(|o| {
            let is = |field: &str| o.body.get(field).and_then(Value::as_str) == Some(name);
            is("arn") || is("name")
        })
    })
}

/// Begins the deletion of an object and of all that goes away with it.
pub fn begin_deletion(world: &mut World, key: &str, now_ms: i64, state: &str, gone_at: i64) {
    let Some(mut object) = world.by_key(key).cloned() else { return };
    object.begin_deletion(now_ms, state, gone_at);
    world.put(object);
    let with_it: Vec<String> =
        world.all(now_ms).filter(|o| o.owner.as_deref() == Some(key) && o.gone_at.is_none()).map(Object::key).collect();
    for key in with_it {
        begin_deletion(world, &key, now_ms, state, gone_at);
    }
}

/// What holds an object, for people: `ec2.subnet subnet-0c1d (private-a)`.
pub fn holders(world: &World, key: &str, now_ms: i64) -> Vec<String> {
    world
        .dependents(key, now_ms)
        .map(|o| match o.tags.get("Name") {
            Some(name) => format!("{} {} ({name})", o.kind, o.id),
            None => format!("{} {}", o.kind, o.id),
        })
        .collect()
}

/// A field of a value; dots go down.
pub fn lookup<'a>(value: &'a Value, field: &str) -> Option<&'a Value> {
    field.split('.').try_fold(value, |value, name| value.get(name)).filter(|value| !value.is_null())
}

/// Puts a field into a map; dots go down.
pub fn set(value: &mut Value, field: &str, to: Value) {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let Value::Object(map) = value else { return };
    match field.split_once('.') {
        Some((first, rest)) => set(map.entry(first).or_insert(Value::Null), rest, to),
        None => {
            map.insert(field.to_owned(), to);
        }
    }
}

/// Puts the fields of one map into another, map by map.
pub fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (field, value) in from {
                match into.get_mut(&field) {
                    Some(there) => merge(there, value),
                    None => {
                        into.insert(field, value);
                    }
                }
            }
        }
        (_, Value::Null) => {}
        (into, from) => *into = from,
    }
}

fn noun(kind: &str) -> String {
    kind.rsplit('.').next().unwrap_or_default().replace('_', " ")
}

fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 2)
}
