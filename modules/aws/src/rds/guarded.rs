//! Deletion of what keeps data: only as far as the script allows.
//!
//! The creating call says what its undo may do, and the inventory keeps it beside the name. Without a word undo leaves what is
//! protected and says so, and takes a last snapshot of what is not. What failed before anybody could use it holds no data: it goes
//! without either.

use runbook_modules::{
    error::CallError,
    resource::Kind,
    sandbox::{
        sim::{Sim, SimCall, Simple},
        simple,
        world::{Object, World},
    },
};
use serde_json::{Value, json};

use super::simulate::arn;
use crate::{
    row::text,
    simulate::{body, digits},
};

/// The input's fields that say what undo may do. They go into the locator, and RDS sees them with the deletion alone.
pub(super) const FIELDS: [&str; 4] =
    ["lift_deletion_protection", "skip_final_snapshot", "final_db_snapshot_identifier", "delete_automated_backups"];

/// What holds a protected thing, for people, with what to do. `noun` is that of its ARN: `db` or `cluster`.
pub(super) fn protected(noun: &str, id: &str) -> String {
    format!(
        "its deletion protection, which nobody allowed undo to lift; `runbook undo RUN --also rds:{noun}:{id}` lifts it, takes a \
         last snapshot and deletes it"
    )
}

/// The last snapshot's name: as the script says, else made of the thing's name and of its resource id, which no later thing of
/// the same name has. None: none is taken.
pub(super) fn snapshot(at: &Value, id: &str, resource: &str) -> Option<String> {
    if flag(at, "skip_final_snapshot") {
        return None;
    }
    let given = text(at, "final_db_snapshot_identifier");
    if !given.is_empty() {
        return Some(given.to_owned());
    }
    let mark: String = resource.rsplit('-').next().unwrap_or_default().chars().take(8).collect();
    Some(format!("{id}-final-{}", mark.to_ascii_lowercase()))
}

/// A flag of a locator.
pub(super) fn flag(at: &Value, field: &str) -> bool {
    at.get(field) == Some(&Value::Bool(true))
}

/// A kind whose deletion is guarded.
pub struct Guarded {
    /// Everything but the deletion.
    pub simple: Simple,
    /// The field of its name.
    pub name: &'static str,
    /// What the refusal calls it, and the noun in its ARN.
    pub noun: (&'static str, &'static str),
    /// The kind of its snapshots, and the noun in their ARN.
    pub snapshots: (&'static str, &'static str),
}

impl Guarded {
    /// A locator of the thing itself: what the script allows is no field of it.
    fn at(&self, call: &SimCall<'_>) -> Value {
        json!({ self.name: call.text(self.name) })
    }

    fn find<'w>(&self, kind: &dyn Kind, world: &'w World, call: &SimCall<'_>) -> Option<&'w Object> {
        world.get(kind.meta().name, &call.place.region, call.text(self.name), call.now_ms)
    }

    /// What the service answers to a description: the one that the input names, else all, in the field `list`. `called`: what the
    /// refusal calls it.
    pub(super) fn describe(
        &self, kind: &dyn Kind, world: &World, call: &SimCall<'_>, list: &str, called: &str,
    ) -> Result<Value, CallError> {
        let name = call.text(self.name);
        if !name.is_empty() {
            return match self.read(kind, world, call) {
                Some(found) => Ok(json!({ list: [found] })),
                None => Err(CallError::not_found(self.simple.missing, format!("{called} {name} not found."))),
            };
        }
        let all = world.list(kind.meta().name, &call.place.region, call.now_ms);
        let all: Vec<Value> = all.map(|object| self.simple.description(object, call.now_ms)).collect();
        Ok(json!({ list: all }))
    }

    /// The description of a simulated one by its name.
    pub(super) fn described_now(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>, name: &str) -> Value {
        let found = world.get(kind.meta().name, &call.place.region, name, call.now_ms);
        found.map(|object| self.simple.description(object, call.now_ms)).unwrap_or_default()
    }

    /// Whether it never was usable and never will be: nothing is in it that a snapshot would keep or a protection would guard.
    fn is_unborn(&self, object: &Object) -> bool {
        object.states.iter().all(|(_, state)| state != self.simple.states.1)
    }

    /// A snapshot stands on its own and stays.
    fn keep(&self, world: &mut World, call: &SimCall<'_>, object: &Object) -> Result<(), CallError> {
        // The storage of an instance in a cluster is the cluster's.
        let in_cluster = !body(object, "db_cluster_identifier").is_empty() && self.name == "db_instance_identifier";
        let resource = format!("db-{}", digits(&object.token, 26));
        let Some(name) = snapshot(call.input, &object.id, &resource).filter(|_| !in_cluster) else { return Ok(()) };
        let (kind, noun) = self.snapshots;
        let region = &call.place.region;
        if world.get(kind, region, &name, call.now_ms).is_some() {
            let text =
                format!("Cannot create the snapshot because a snapshot with the identifier {name} already exists.");
            return Err(CallError::refused("DBSnapshotAlreadyExists", text));
        }
        let engine = body(object, "engine");
        world.put(Object {
            kind: kind.to_owned(),
            place: region.clone(),
            id: name.clone(),
            body: json!({ "id": name, "arn": arn(call, noun, &name), "engine": engine, "of": object.id }),
            tags: object.tags.clone(),
            token: String::new(),
            input: Value::Null,
            refs: Vec::new(),
            owner: None,
            states: vec![(call.now_ms, "creating".to_owned()), (call.now_ms + 60_000, "available".to_owned())],
            gone_at: None,
        });
        Ok(())
    }
}

impl Sim for Guarded {
    fn create(&self, kind: &dyn Kind, world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
        self.simple.create(kind, world, call)
    }

    fn read(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<Value> {
        let at = self.at(call);
        self.simple.read(kind, world, &SimCall { input: &at, ..*call })
    }

    fn find(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<Value> {
        self.simple.find(kind, world, call)
    }

    fn delete(
        &self, kind: &dyn Kind, world: &mut World, call: &SimCall<'_>, put_back: Option<&Value>,
    ) -> Result<(), CallError> {
        let at = self.at(call);
        let located = SimCall { input: &at, ..*call };
        let object = self.find(kind, world, call).filter(|object| object.gone_at.is_none()).cloned();
        let Some(object) = object else { return self.simple.delete(kind, world, &located, put_back) };
        let unborn = self.is_unborn(&object);
        if flag(&object.body, "deletion_protection") && !flag(call.input, "lift_deletion_protection") && !unborn {
            let text =
                format!("Cannot delete protected {}, please disable deletion protection and try again.", self.noun.0);
            return Err(CallError::refused("InvalidParameterCombination", text));
        }
        if !unborn && simple::holders(world, &object.key(), call.now_ms).is_empty() {
            self.keep(world, call, &object)?;
        }
        self.simple.delete(kind, world, &located, put_back)
    }

    fn next_change(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<i64> {
        let at = self.at(call);
        self.simple.next_change(kind, world, &SimCall { input: &at, ..*call })
    }

    fn obstacles(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<String> {
        let at = self.at(call);
        let mut found = self.simple.obstacles(kind, world, &SimCall { input: &at, ..*call });
        if let Some(object) = self.find(kind, world, call)
            && flag(&object.body, "deletion_protection")
            && !flag(call.input, "lift_deletion_protection")
            && !self.is_unborn(object)
        {
            found.push(protected(self.noun.1, &object.id));
        }
        found
    }

    fn can_fail(&self) -> bool {
        self.simple.can_fail()
    }
}
