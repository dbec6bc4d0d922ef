//! The kinds `k8s.object` and `k8s.patch` in the sandbox.

use serde_json::{Value, json};

use super::{
    super::{
        controllers::RECORD,
        sim::{Sim, SimCall},
        world::{Object, World},
    },
    CLUSTER, OBJECT, apply, delete, lookup, region, settle,
    status::describe,
};
use crate::{
    error::CallError,
    k8s::{
        finalizers,
        object::{bare, owned},
        patch,
        types::{self, text},
    },
    resource::Kind,
};

/// `k8s.object`.
pub struct Applied;
/// `k8s.patch`.
pub struct Patched;

/// The object that `kind`, `api_version`, `namespace` and `name` of a map mean in a cluster.
pub fn named<'a>(world: &'a World, cluster: &str, at: &Value, now_ms: i64) -> Option<&'a Object> {
    world.get(CLUSTER, cluster, cluster, now_ms)?;
    let api =
        at.get("api_version").or_else(|| at.get("apiVersion")).and_then(Value::as_str).filter(|api| !api.is_empty());
    let kind = lookup(world, cluster, text(at, "kind"), api, now_ms).ok()?;
    let namespace = match (kind.namespaced, text(at, "namespace")) {
        (false, _) => "",
        (true, "") => "default",
        (true, namespace) => namespace,
    };
    let found =
        world.get(OBJECT, cluster, &types::id(&kind.api_version, &kind.kind, namespace, text(at, "name")), now_ms)?;
    let uid = text(at, "uid");
    (uid.is_empty() || uid == text(&found.body, "metadata.uid")).then_some(found)
}

fn of_manifest<'a>(world: &'a World, call: &SimCall<'_>) -> Option<&'a Object> {
    let from = call.input;
    let at = json!({
        "api_version": from["apiVersion"], "kind": from["kind"], "namespace": from["metadata"]["namespace"],
        "name": from["metadata"]["name"],
    });
    named(world, call.place.cluster_name(), &at, call.now_ms)
}

/// The next time at which anything in a cluster changes.
pub fn next_in(world: &World, cluster: &str, now_ms: i64) -> Option<i64> {
    let kinds = [OBJECT, CLUSTER, RECORD];
    kinds.iter().flat_map(|kind| world.stored(kind, cluster)).filter_map(|o| o.next_change(now_ms)).min()
}

impl Sim for Applied {
    fn create(&self, _: &dyn Kind, world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
        let cluster = call.place.cluster_name();
        let manifest = owned(call.input.clone(), call.tags);
        let id = apply::apply(world, cluster, &manifest, call.tags, call.token, call.now_ms)?;
        let made = world.get(OBJECT, cluster, &id, call.now_ms);
        Ok(made.map(|made| describe(world, cluster, made, call.now_ms)).unwrap_or_default())
    }

    fn read(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<Value> {
        let cluster = call.place.cluster_name();
        named(world, cluster, call.input, call.now_ms).map(|object| describe(world, cluster, object, call.now_ms))
    }

    fn find(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<Value> {
        let cluster = call.place.cluster_name();
        let found = of_manifest(world, call)
            .filter(|o| o.gone_at.is_none() && text(&o.body, "metadata.deletionTimestamp").is_empty());
        found.map(|object| describe(world, cluster, object, call.now_ms)).into_iter().collect()
    }

    fn delete(
        &self, _: &dyn Kind, world: &mut World, call: &SimCall<'_>, put_back: Option<&Value>,
    ) -> Result<(), CallError> {
        let cluster = call.place.cluster_name();
        let missing =
            || CallError::not_found("NotFound", format!("{} \"{}\" not found", call.text("kind"), call.text("name")));
        let object = named(world, cluster, call.input, call.now_ms).cloned().ok_or_else(missing)?;
        let Some(before) = put_back.filter(|before| before.is_object()) else {
            delete::delete(world, cluster, &object.id, call.now_ms)?;
            return match finalizers::may_lift(call.input) {
                true => delete::lift(world, cluster, &object.id, call.now_ms),
                false => Ok(()),
            };
        };
        let mut body = bare(before.clone());
        for kept in ["uid", "creationTimestamp", "generation", "resourceVersion"] {
            body["metadata"][kept] = object.body["metadata"][kept].clone();
        }
        apply::update(world, cluster, &object.id, body, call.now_ms);
        let tags = serde_json::from_value(before["tags"].clone()).unwrap_or_default();
        world.change(OBJECT, cluster, &object.id, |object| object.tags = tags);
        settle::settle(world, cluster, call.now_ms);
        Ok(())
    }

    fn next_change(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<i64> {
        next_in(world, call.place.cluster_name(), call.now_ms)
    }

    fn obstacles(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<String> {
        let cluster = call.place.cluster_name();
        let Some(object) = named(world, cluster, call.input, call.now_ms) else { return Vec::new() };
        let mut found = finalizers::held(cluster, &object.body);
        found.extend(delete::waits_for(world, cluster, object, call.now_ms));
        found
    }
}

impl Sim for Patched {
    fn create(&self, kind: &dyn Kind, world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
        let cluster = call.place.cluster_name();
        region(world, cluster, call.now_ms)?;
        let api = call.input.get("api_version").and_then(Value::as_str);
        apply::known(world, cluster, call.text("kind"), api, call.now_ms)?;
        let missing =
            || CallError::refused("NotFound", format!("{} \"{}\" not found", call.text("kind"), call.text("name")));
        let object = named(world, cluster, call.input, call.now_ms).cloned().ok_or_else(missing)?;
        change(world, cluster, &object, &call.input["patch"], call.now_ms);
        Ok(self.read(kind, world, call).unwrap_or_default())
    }

    fn read(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<Value> {
        let object = named(world, call.place.cluster_name(), call.input, call.now_ms)?;
        let id = &object.id;
        Some(json!({
            "id": id, "kind": call.input["kind"], "api_version": object.body["apiVersion"], "name": call.input["name"],
            "namespace": call.input["namespace"], "patch": patch::reverse(&object.body, &call.input["patch"]), "tags": {},
        }))
    }

    fn find(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<Value> {
        self.read(kind, world, call).into_iter().collect()
    }

    fn delete(
        &self, _: &dyn Kind, world: &mut World, call: &SimCall<'_>, put_back: Option<&Value>,
    ) -> Result<(), CallError> {
        let cluster = call.place.cluster_name();
        let missing =
            || CallError::not_found("NotFound", format!("{} \"{}\" not found", call.text("kind"), call.text("name")));
        let object = named(world, cluster, call.input, call.now_ms).cloned().ok_or_else(missing)?;
        if let Some(back) = put_back.and_then(|before| before.get("patch")) {
            change(world, cluster, &object, back, call.now_ms);
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

fn change(world: &mut World, cluster: &str, object: &Object, with: &Value, now_ms: i64) {
    let mut body = object.body.clone();
    patch::strategic(&mut body, with);
    apply::update(world, cluster, &object.id, body, now_ms);
}
