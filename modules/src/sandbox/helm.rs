//! The kind `helm.release` in the sandbox. Charts are not rendered: what a release makes, the rehearsal file says.

use serde_json::{Value, json};

use super::{
    answers::{self, Asked},
    controllers::{self, RECORD},
    k8s::{self, apply, one, region, status::describe},
    sim::{Sim, SimCall},
    world::{Object, World},
};
use crate::{
    error::{CallError, Class},
    k8s::{health, types::text},
    resource::{Health, Kind},
    target::RUN_TAG,
};

/// World objects of this kind are Helm releases; the place is the cluster, the id `namespace/name`.
pub const RELEASE: &str = "helm.release";
/// A release of which nothing is known is deployed after this long.
const PLAIN_MS: i64 = 15_000;
/// Until a release is gone, once it is uninstalled.
const GONE_MS: i64 = 3_000;

/// `helm.release`.
pub struct Installed;

fn id(call: &SimCall<'_>) -> String {
    let namespace = match call.text("namespace") {
        "" => "default",
        namespace => namespace,
    };
    format!("{namespace}/{}", call.text("release"))
}

/// A release's status at a time, and what it waits for.
pub fn status(world: &World, release: &Object, now_ms: i64) -> (&'static str, Vec<String>) {
    if release.gone_at.is_some() {
        return ("uninstalling", Vec::new());
    }
    let cluster = &release.place;
    let (mut waiting, made) = controllers::made_by(world, release);
    let born = release.states.last().map_or(now_ms, |(from, _)| *from);
    if made.is_empty() && waiting.is_empty() && now_ms < born + PLAIN_MS {
        waiting.push("its objects".to_owned());
    }
    for key in &made {
        let Some(object) = world.by_key(key).filter(|o| o.exists(now_ms) && o.kind == k8s::OBJECT) else { continue };
        if !health::helm_waits_for(&object.body) {
            continue;
        }
        let name = format!("{} {}", text(&object.body, "kind"), text(&object.body, "metadata.name"));
        match health::judge(&describe(world, cluster, object, now_ms)) {
            Health::Ready => {}
            Health::Failed(why) => return ("failed", vec![format!("{name}: {why}")]),
            Health::Pending(why) | Health::Deleting(why) => waiting.push(format!("{name}: {why}")),
        }
    }
    match (waiting.is_empty(), release.body["revision"].as_u64()) {
        (true, _) => ("deployed", waiting),
        (false, Some(1)) => ("pending-install", waiting),
        (false, _) => ("pending-upgrade", waiting),
    }
}

/// The description of a release.
pub fn description(world: &World, release: &Object, now_ms: i64) -> Value {
    let (status, waiting) = status(world, release, now_ms);
    let mut body = release.body.clone();
    body["id"] = release.id.as_str().into();
    body["name"] = body["release"].clone();
    body["status"] = status.into();
    body["tags"] = json!(release.tags);
    if !waiting.is_empty() {
        body["waiting_for"] = waiting.into();
    }
    body
}

/// `helm.status`.
///
/// # Errors
/// Never: a release that does not exist is null.
pub fn read_status(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let found = world.get(RELEASE, call.place.cluster_name(), &id(call), call.now_ms);
    Ok(found.map(|release| description(world, release, call.now_ms)).unwrap_or_default())
}

/// `helm.uninstall`.
///
/// # Errors
/// When there is no such release.
pub fn uninstall(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let cluster = call.place.cluster_name();
    let id = id(call);
    if world.get(RELEASE, cluster, &id, call.now_ms).is_none() {
        return Err(CallError::not_found("ReleaseNotFound", format!("release: not found: {id}")));
    }
    world.change(RELEASE, cluster, &id, |release| {
        if release.gone_at.is_none() {
            release.begin_deletion(call.now_ms, "uninstalling", call.now_ms + GONE_MS);
        }
    });
    Ok(json!({"id": id}))
}

/// `helm.template`: only the rehearsal file can say what a chart renders to.
///
/// # Errors
/// `NotRehearsed`.
pub fn template(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let asked = Asked::new("helm.template", call.place.cluster_name(), call, call.now_ms)
        .with("name", call.text("release"))
        .with("chart", call.text("chart"));
    answers::text(world, &asked).map(Value::from)
}

impl Sim for Installed {
    fn create(&self, _: &dyn Kind, world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
        let cluster = call.place.cluster_name();
        region(world, cluster, call.now_ms)?;
        let id = id(call);
        let namespace = id.split('/').next().unwrap_or_default().to_owned();
        if one(world, cluster, "Namespace", "", &namespace, call.now_ms).is_none() {
            if call.input["create_namespace"] != true {
                let text = format!("create: failed to create: namespaces \"{namespace}\" not found");
                return Err(CallError::refused("NotFound", text).hint("create_namespace: true makes it"));
            }
            let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
            apply::apply(world, cluster, &object, &Default::default(), "", call.now_ms)?;
        }
        let there = world.get(RELEASE, cluster, &id, call.now_ms).cloned();
        let revision = match &there {
            Some(same) if same.token == call.token => return Ok(description(world, same, call.now_ms)),
            Some(other) if other.gone_at.is_some() => {
                let text = format!("another operation (uninstall) is in progress: {id}");
                return Err(CallError::new(Class::NotYet, "OperationInProgress", text));
            }
            Some(other) if other.tags.get(RUN_TAG) != call.tags.get(RUN_TAG) => {
                let text = format!("cannot re-use a name that is still in use: {id}");
                return Err(CallError::new(Class::AlreadyExists, "NameInUse", text));
            }
            Some(ours) => ours.body["revision"].as_u64().unwrap_or(1) + 1,
            None => 1,
        };
        let release = Object {
            kind: RELEASE.to_owned(),
            place: cluster.to_owned(),
            id,
            body: json!({
                "release": call.input["release"], "namespace": namespace, "chart": call.input["chart"],
                "version": call.input["version"], "values": call.input["values"], "revision": revision,
            }),
            tags: call.tags.clone(),
            token: call.token.to_owned(),
            input: call.input.clone(),
            refs: Vec::new(),
            owner: None,
            states: vec![(call.now_ms, "installed".to_owned())],
            gone_at: None,
        };
        world.put(release.clone());
        Ok(description(world, &release, call.now_ms))
    }

    fn read(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<Value> {
        let found = world.get(RELEASE, call.place.cluster_name(), &id(call), call.now_ms)?;
        Some(description(world, found, call.now_ms))
    }

    fn find(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<Value> {
        self.read(kind, world, call).into_iter().filter(|found| found["status"] != "uninstalling").collect()
    }

    fn delete(&self, _: &dyn Kind, world: &mut World, call: &SimCall<'_>, _: Option<&Value>) -> Result<(), CallError> {
        uninstall(world, call).map(|_| ())
    }

    fn next_change(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<i64> {
        let cluster = call.place.cluster_name();
        let release = world.get(RELEASE, cluster, &id(call), call.now_ms)?;
        let plain = release.states.last().map(|(from, _)| from + PLAIN_MS).filter(|at| *at > call.now_ms);
        let pending = world.stored(RECORD, cluster).filter_map(|record| record.next_change(call.now_ms)).min();
        let inside = k8s::sim::next_in(world, cluster, call.now_ms);
        [plain, pending, inside, release.next_change(call.now_ms)].into_iter().flatten().min()
    }

    fn obstacles(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<String> {
        let release = world.get(RELEASE, call.place.cluster_name(), &id(call), call.now_ms);
        release.map(|release| status(world, release, call.now_ms).1).unwrap_or_default()
    }
}
