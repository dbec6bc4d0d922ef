//! What the API server and its garbage collector do when an object is deleted.

use serde_json::Value;

use super::{
    super::{
        balancers,
        clock_text::rfc3339,
        world::{Object, World},
    },
    OBJECT, of_kind, pods, settle, volumes,
};
use crate::{
    error::CallError,
    k8s::{finalizers, types::text},
};

/// Begins the deletion of an object by its id.
///
/// # Errors
/// When there is none.
pub fn delete(world: &mut World, cluster: &str, id: &str, now_ms: i64) -> Result<(), CallError> {
    let Some(object) = world.get(OBJECT, cluster, id, now_ms).cloned() else {
        return Err(CallError::not_found("NotFound", format!("{id} not found")));
    };
    begin(world, cluster, &object, now_ms);
    settle::settle(world, cluster, now_ms);
    Ok(())
}

/// Takes finalizers off an object; the last one lets a deletion under way be completed.
pub fn remove_finalizers(world: &mut World, cluster: &str, id: &str, names: &[String], now_ms: i64) {
    world.change(OBJECT, cluster, id, |object| {
        if let Some(list) = object.body["metadata"]["finalizers"].as_array_mut() {
            list.retain(|name| !names.iter().any(|gone| name == gone.as_str()));
        }
    });
    settle::settle(world, cluster, now_ms);
}

/// Takes the finalizers of an object off because a person has said so. A namespace is let go by what it holds.
///
/// # Errors
/// `Blocked` by a namespace that holds something.
pub fn lift(world: &mut World, cluster: &str, id: &str, now_ms: i64) -> Result<(), CallError> {
    let Some(object) = world.get(OBJECT, cluster, id, now_ms).cloned() else { return Ok(()) };
    if text(&object.body, "kind") != "Namespace" {
        remove_finalizers(world, cluster, id, &finalizers::of(&object.body), now_ms);
        return Ok(());
    }
    let holds = waits_for(world, cluster, &object, now_ms);
    if holds.is_empty() { Ok(()) } else { Err(finalizers::namespace_holds(&object.body, &holds)) }
}

fn begin(world: &mut World, cluster: &str, object: &Object, now_ms: i64) {
    if object.gone_at.is_some() || !text(&object.body, "metadata.deletionTimestamp").is_empty() {
        return;
    }
    let waits = !finalizers::of(&object.body).is_empty()
        || matches!(text(&object.body, "kind"), "Namespace" | "CustomResourceDefinition" | "PersistentVolumeClaim");
    if !waits {
        end(world, cluster, object, now_ms + grace_ms(&object.body));
        return;
    }
    world.change(OBJECT, cluster, &object.id, |object| {
        object.body["metadata"]["deletionTimestamp"] = rfc3339(now_ms).into();
        if text(&object.body, "kind") == "PersistentVolumeClaim" {
            let mut list = finalizers::of(&object.body);
            list.push(settle::IN_USE.to_owned());
            object.body["metadata"]["finalizers"] = list.into();
        }
    });
    let kind = text(&object.body, "kind");
    if matches!(kind, "Namespace" | "CustomResourceDefinition") {
        for key in settle::inside(world, cluster, object, now_ms) {
            if let Some(inside) = world.by_key(&key).cloned() {
                begin(world, cluster, &inside, now_ms);
            }
        }
    }
}

/// An object is gone at a time, and what belongs to it goes with it.
pub fn end(world: &mut World, cluster: &str, object: &Object, gone: i64) {
    world.change(OBJECT, cluster, &object.id, |object| {
        let born = object.states.first().map_or(gone, |(from, _)| *from);
        object.states.retain(|(from, _)| *from <= gone || *from == born);
        object.gone_at = Some(gone);
    });
    let uid = text(&object.body, "metadata.uid");
    let owned: Vec<Object> = world
        .stored(OBJECT, cluster)
        .filter(|o| o.gone_at.is_none())
        .filter(|o| {
            let owners = o.body["metadata"]["ownerReferences"].as_array().into_iter().flatten();
            owners.into_iter().any(|owner| text(owner, "uid") == uid)
        })
        .cloned()
        .collect();
    for owned in owned {
        begin(world, cluster, &owned, gone);
    }
    match text(&object.body, "kind") {
        "PersistentVolumeClaim" => settle::reclaim(world, cluster, &object.body, gone),
        "Service" => settle::unbalance(world, cluster, object, gone),
        "StatefulSet" => volumes::never_claimed(world, cluster, object, gone),
        _ => {}
    }
}

fn grace_ms(body: &Value) -> i64 {
    match text(body, "kind") {
        "Pod" => 5_000,
        "Service" if text(body, "spec.type") == "LoadBalancer" && !balancers::handled(body) => 20_000,
        _ => 0,
    }
}

/// What an object that is being deleted still waits for, for people.
pub fn waits_for(world: &World, cluster: &str, object: &Object, now_ms: i64) -> Vec<String> {
    let mut found = Vec::new();
    for key in settle::inside(world, cluster, object, now_ms) {
        let Some(inside) = world.by_key(&key) else { continue };
        let name = format!("{} {}", text(&inside.body, "kind"), text(&inside.body, "metadata.name"));
        let held = finalizers::held(cluster, &inside.body);
        found.push(if held.is_empty() { name } else { format!("{name} ({})", held.join(", ")) });
    }
    let pods = if text(&object.body, "kind") == "Pod" { Vec::new() } else { pods_left(world, cluster, object, now_ms) };
    found.extend(pods);
    found
}

fn pods_left(world: &World, cluster: &str, object: &Object, now_ms: i64) -> Vec<String> {
    let left = of_kind(world, cluster, "Pod", now_ms)
        .filter(|pod| pods::pods_of(world, cluster, object, now_ms).any(|own| own.id == pod.id));
    left.map(|pod| format!("Pod {}", text(&pod.body, "metadata.name"))).collect()
}
