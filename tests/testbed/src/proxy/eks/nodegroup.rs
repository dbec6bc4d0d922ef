//! Node groups: moto keeps them, the control plane gets their nodes.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep_until};

use super::{
    super::{
        answer::Answer,
        emulator::{Incoming, Json},
        parse::{Call, Credential},
        pending::{self, Failure, What},
        shared::Shared,
    },
    Key, access, addon, cluster, health, key, not_active,
};
use crate::clusters::NodeGroup;

/// CreateNodegroup.
pub async fn create(shared: &Arc<Shared>, incoming: &Incoming, call: &Call) -> Answer {
    if let Some(refused) = not_active(shared, call) {
        return refused;
    }
    let role = call.text("nodeRole");
    let invalid = |text: &str| Answer::error(call, 400, "InvalidParameterException", text);
    match cluster::trusts(shared, &call.credential, role, "ec2.amazonaws.com").await {
        Some(true) => {}
        Some(false) => {
            let text = "Following required service principals [ec2.amazonaws.com] were not found in the trust relationships of \
                        nodeRole";
            return invalid(&format!("{text} {role}"));
        }
        None => {
            return invalid(&format!(
                "The role with name {} cannot be found.",
                role.rsplit('/').next().unwrap_or_default()
            ));
        }
    }
    let answer = shared.emulators.forward(incoming, call).await;
    if !answer.ok() {
        return answer;
    }
    let (key, name) = (key(call), call.text("nodegroupName").to_owned());
    let version = shared.eks().with(&key, |cluster| cluster.overlay.get("version").cloned()).flatten();
    let overlay = overlay(call, version.unwrap_or_default());
    shared.eks().with(&key, |cluster| {
        cluster.nodegroups.insert(name.clone(), overlay.clone());
        cluster.entries.entry(role.to_owned()).or_insert_with(|| access::Entry::of_nodes(&key, role));
    });
    let failure = shared.plans.take(What::Nodegroup, &name);
    let due = pending::due(shared.pending.nodegroup);
    tokio::spawn(become_active(Arc::clone(shared), key, wanted(call), due, failure));
    let value = described_over(answer.value(), &overlay);
    answer.with_value(&value)
}

/// What EKS says about a node group, and moto does not or says wrongly.
fn overlay(call: &Call, version: Value) -> Map<String, Value> {
    let given = |field: &str, otherwise: Value| call.fields.get(field).cloned().unwrap_or(otherwise);
    let release = format!("{}.0-20260101", version.as_str().unwrap_or_default());
    Map::from_iter([
        ("status".to_owned(), "CREATING".into()),
        ("version".to_owned(), given("version", version)),
        ("releaseVersion".to_owned(), given("releaseVersion", release.into())),
        ("labels".to_owned(), given("labels", json!({}))),
        ("taints".to_owned(), given("taints", json!([]))),
        ("updateConfig".to_owned(), given("updateConfig", json!({ "maxUnavailable": 1 }))),
        ("remoteAccess".to_owned(), given("remoteAccess", Value::Null)),
        ("health".to_owned(), json!({ "issues": [] })),
    ])
}

fn wanted(call: &Call) -> NodeGroup {
    let desired = call.fields.pointer("/scalingConfig/desiredSize").and_then(Value::as_u64).unwrap_or(2);
    let labels = call.fields.get("labels").and_then(Value::as_object).into_iter().flatten();
    let taint = |taint: &Value| {
        let text = |field: &str| taint.get(field).and_then(Value::as_str).unwrap_or_default();
        let effect = match text("effect") {
            "NO_EXECUTE" => "NoExecute",
            "PREFER_NO_SCHEDULE" => "PreferNoSchedule",
            _ => "NoSchedule",
        };
        format!("{}={}:{effect}", text("key"), text("value"))
    };
    NodeGroup {
        name: call.text("nodegroupName").to_owned(),
        nodes: usize::try_from(desired).unwrap_or(2),
        labels: labels.map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned())).collect::<BTreeMap<_, _>>(),
        taints: call.fields.get("taints").and_then(Value::as_array).into_iter().flatten().map(taint).collect(),
    }
}

async fn become_active(shared: Arc<Shared>, key: Key, group: NodeGroup, due: Instant, failure: Option<Failure>) {
    let name = group.name.clone();
    let joined = match failure {
        Some(failure) => Err((failure.code, failure.message)),
        None => {
            let joined = shared.clusters.add_nodes(&key.2, group).await;
            joined.map_err(|why| ("NodeCreationFailure".to_owned(), why))
        }
    };
    sleep_until(due).await;
    shared.eks().with(&key, |cluster| {
        let Some(overlay) = cluster.nodegroups.get_mut(&name) else { return };
        if overlay.get("status") != Some(&Value::from("CREATING")) {
            return;
        }
        match joined {
            Ok(()) => {
                overlay.insert("status".into(), "ACTIVE".into());
                addon::nodes_came(cluster);
            }
            Err((code, message)) => {
                overlay.insert("status".into(), "CREATE_FAILED".into());
                overlay.insert("health".into(), health(&code, &message));
            }
        }
    });
}

pub(super) fn described_over(mut answer: Value, overlay: &Map<String, Value>) -> Value {
    if let Some(map) = answer.get_mut("nodegroup").and_then(Value::as_object_mut) {
        map.extend(overlay.clone());
        map.retain(|_, value| !value.is_null());
        if let Some(resources) = map.get_mut("resources").and_then(Value::as_object_mut) {
            resources.remove("remoteAccessSecurityGroup");
        }
    }
    answer
}

/// DescribeNodegroup.
pub async fn describe(shared: &Arc<Shared>, incoming: &Incoming, call: &Call) -> Answer {
    let answer = shared.emulators.forward(incoming, call).await;
    let overlay = shared.eks().with(&key(call), |cluster| cluster.nodegroups.get(call.text("nodegroupName")).cloned());
    match overlay.flatten().filter(|_| answer.ok()) {
        Some(overlay) => {
            let value = described_over(answer.value(), &overlay);
            answer.with_value(&value)
        }
        None => answer,
    }
}

/// DeleteNodegroup.
pub async fn delete(shared: &Arc<Shared>, incoming: &Incoming, call: &Call) -> Answer {
    let (key, name) = (key(call), call.text("nodegroupName").to_owned());
    let before = shared.eks().with(&key, |cluster| {
        let status = cluster.nodegroups.get_mut(&name)?.insert("status".into(), "DELETING".into());
        Some(status.unwrap_or_default())
    });
    let asked = Incoming { method: http::Method::GET, body: bytes::Bytes::new(), ..incoming.clone() };
    if let Some(Some(before)) = before
        && before != "DELETING"
    {
        let due = pending::due(shared.pending.nodegroup);
        tokio::spawn(become_gone(Arc::clone(shared), key, name, call.credential.clone(), due));
    }
    describe(shared, &asked, call).await
}

async fn become_gone(shared: Arc<Shared>, key: Key, name: String, who: Credential, due: Instant) {
    let left = shared.clusters.remove_nodes(&key.2, &name).await;
    sleep_until(due).await;
    if let Err(why) = left {
        shared.eks().with(&key, |cluster| {
            if let Some(overlay) = cluster.nodegroups.get_mut(&name) {
                overlay.insert("status".into(), "DELETE_FAILED".into());
                overlay.insert("health".into(), health("InternalFailure", &why));
            }
        });
        return;
    }
    let path = format!("/clusters/{}/node-groups/{name}", key.2);
    let _ = shared.emulators.json(&who, "eks", Json::Delete(&path), &Value::Null).await;
    shared.eks().with(&key, |cluster| cluster.nodegroups.remove(&name));
}
