//! Records of the sandbox, in zones that the rehearsal file gives.

use runbook_modules::{
    error::CallError,
    k8s::types::text,
    resource::Kind,
    sandbox::{
        sim::{Sim, SimCall},
        world::{Object, World, key},
    },
};
use serde_json::{Value, json};

use super::record;
use crate::mark;

/// The kind of a zone in the world.
const ZONE: &str = "cloudflare.zone";

/// The simulated `cloudflare.dns_record`.
pub struct Records;

/// The record that a call names: by its id, else by zone, type and name.
fn named<'w>(world: &'w World, call: &SimCall<'_>) -> Option<&'w Object> {
    let id = call.text("record_id");
    world.list(record::META.name, "", call.now_ms).find(|object| match id {
        "" => object.body["zone_id"] == call.input["zone_id"] && record::is_at(call.input, &object.body),
        id => object.id == id,
    })
}

fn describe(object: &Object) -> Value {
    let mut body = object.body.clone();
    body["tags"] = json!(mark::kept(&object.tags));
    body
}

fn write(world: &mut World, call: &SimCall<'_>, id: String, input: &Value, comment: &str) -> Object {
    let mut body = Value::Object(record::written(input));
    body["id"] = id.as_str().into();
    body["zone_id"] = call.input["zone_id"].clone();
    body["comment"] = comment.into();
    let object = Object {
        kind: record::META.name.to_owned(),
        place: String::new(),
        id,
        body,
        tags: call.tags.clone(),
        token: call.token.to_owned(),
        input: call.input.clone(),
        refs: Vec::new(),
        owner: None,
        states: Vec::new(),
        gone_at: None,
    };
    world.put(object.clone());
    object
}

fn missing(call: &SimCall<'_>) -> CallError {
    let said = format!("there is no record {} {}", call.text("name"), call.text("type"));
    CallError::not_found("81044", said)
}

impl Sim for Records {
    fn create(&self, _: &dyn Kind, world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
        if world.get(ZONE, "", call.text("zone_id"), call.now_ms).is_none() {
            return Err(CallError::refused("7003", format!("there is no zone {}", call.text("zone_id"))));
        }
        let standing = named(world, call).cloned();
        if let Some(standing) = &standing
            && call.input.get("overwrite") != Some(&Value::Bool(true))
        {
            return Err(record::stands(call.input, text(&standing.body, "content")));
        }
        let id = standing.map_or_else(|| world.new_id("record-"), |standing| standing.id);
        Ok(describe(&write(world, call, id, call.input, call.text("comment"))))
    }

    fn read(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<Value> {
        named(world, call).map(describe)
    }

    fn find(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<Value> {
        self.read(kind, world, call).into_iter().collect()
    }

    fn delete(
        &self, _: &dyn Kind, world: &mut World, call: &SimCall<'_>, put_back: Option<&Value>,
    ) -> Result<(), CallError> {
        let standing = named(world, call).cloned().ok_or_else(|| missing(call))?;
        match put_back {
            None => world.remove(&key(record::META.name, "", &standing.id)),
            Some(before) => {
                let tags = serde_json::from_value(before["tags"].clone()).unwrap_or_default();
                let mut object = write(world, call, standing.id, before, text(before, "comment"));
                object.tags = tags;
                world.put(object);
            }
        }
        Ok(())
    }

    fn next_change(&self, _: &dyn Kind, _: &World, _: &SimCall<'_>) -> Option<i64> {
        None
    }

    fn obstacles(&self, _: &dyn Kind, _: &World, _: &SimCall<'_>) -> Vec<String> {
        Vec::new()
    }
}

/// `cloudflare.verify_token` on the sandbox.
///
/// # Errors
/// None.
pub fn verify_token(_: &mut World, _: &SimCall<'_>) -> Result<Value, CallError> {
    Ok(json!({ "id": "sandbox", "status": "active" }))
}

/// `cloudflare.get_zone` on the sandbox.
///
/// # Errors
/// None.
pub fn get_zone(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let name = call.text("name");
    let mut zones = world.list(ZONE, "", call.now_ms);
    let found = zones.find(|zone| text(&zone.body, "name").eq_ignore_ascii_case(name));
    Ok(found.map(|zone| json!({ "id": zone.id, "name": zone.body["name"], "status": "active" })).unwrap_or_default())
}

/// `cloudflare.get_dns_record` on the sandbox.
///
/// # Errors
/// None.
pub fn get_record(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    Ok(named(world, call).map(describe).unwrap_or_default())
}
