//! Updates: `InProgress`, then `Successful`. moto answers some with nothing, some at once, and has no DescribeUpdate.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{
    super::{answer::Answer, emulator::Incoming, parse::Call, pending, shared::Shared},
    Cluster, key, listed, no_cluster, not_active, timestamp, versions,
};

fn begin(shared: &Shared, cluster: &mut Cluster, kind: &str, params: &Value) -> Answer {
    let due = pending::due(shared.pending.update);
    let id = format!("00000000-0000-4000-8000-{:012x}", shared.eks().next());
    let params: Vec<Value> = params.as_object().into_iter().flatten().map(|(field, value)| {
        json!({ "type": field, "value": value.as_str().map_or_else(|| value.to_string(), str::to_owned) })
    }).collect();
    let update = json!({ "id": id, "status": "InProgress", "type": kind, "params": params, "createdAt": timestamp(), "errors": [] });
    let update = update.as_object().cloned().unwrap_or_default();
    cluster.updates.insert(id, (update.clone(), due));
    Answer::json(&json!({ "update": update }))
}

/// Lays the fields of one map over another, one level deep.
fn lay(over: Option<&mut Value>, fields: &Value) {
    if let (Some(Value::Object(map)), Some(fields)) = (over, fields.as_object()) {
        map.extend(fields.clone());
    }
}

/// UpdateClusterConfig, UpdateClusterVersion.
pub fn cluster(shared: &Arc<Shared>, call: &Call) -> Answer {
    if let Some(refused) = not_active(shared, call) {
        return refused;
    }
    let asked = |field: &str| call.fields.get(field).cloned();
    let invalid = |text: String| Answer::error(call, 400, "InvalidParameterException", &text);
    let done = shared.eks().with(&key(call), |cluster| {
        if let Some(version) = asked("version") {
            let text = version.as_str().unwrap_or_default().to_owned();
            if !versions::KUBERNETES.contains(&text.as_str()) {
                return invalid(format!("unsupported Kubernetes version {text}"));
            }
            cluster.overlay.insert("version".to_owned(), version.clone());
            return begin(shared, cluster, "VersionUpdate", &json!({ "Version": version }));
        }
        if let Some(protected) = asked("deletionProtection") {
            cluster.overlay.insert("deletionProtection".to_owned(), protected.clone());
            return begin(shared, cluster, "DeletionProtectionUpdate", &json!({ "DeletionProtection": protected }));
        }
        for (field, kind) in [
            ("resourcesVpcConfig", "EndpointAccessUpdate"),
            ("accessConfig", "AccessConfigUpdate"),
            ("logging", "LoggingUpdate"),
            ("upgradePolicy", "UpgradePolicyUpdate"),
        ] {
            if let Some(wanted) = asked(field) {
                lay(Some(cluster.overlay.entry(field.to_owned()).or_insert_with(|| json!({}))), &wanted);
                return begin(shared, cluster, kind, &wanted);
            }
        }
        invalid("No changes needed for the cluster configuration provided".to_owned())
    });
    done.unwrap_or_else(|| no_cluster(call, &key(call).2))
}

/// UpdateNodegroupConfig, UpdateNodegroupVersion. The number of the control plane's nodes stays as it is.
pub async fn nodegroup(shared: &Arc<Shared>, incoming: &Incoming, call: &Call) -> Answer {
    let asked = Incoming { method: http::Method::GET, body: bytes::Bytes::new(), ..incoming.clone() };
    let path = format!("/clusters/{}/node-groups/{}", call.text("clusterName"), call.text("nodegroupName"));
    let asked = Incoming { uri: path.parse().unwrap_or_default(), ..asked };
    let described = shared.emulators.forward(&asked, call).await;
    if !described.ok() {
        return described;
    }
    let done = shared.eks().with(&key(call), |cluster| {
        let group = cluster.nodegroups.entry(call.text("nodegroupName").to_owned()).or_default();
        let mut scaling = described.value()["nodegroup"]["scalingConfig"].clone();
        if let Some(known) = group.get("scalingConfig") {
            scaling = known.clone();
        }
        if let Some(wanted) = call.fields.get("scalingConfig") {
            lay(Some(&mut scaling), wanted);
            group.insert("scalingConfig".to_owned(), scaling);
        }
        for field in ["updateConfig", "version", "releaseVersion"] {
            group.extend(call.fields.get(field).map(|value| (field.to_owned(), value.clone())));
        }
        if let Some(labels) = call.fields.pointer("/labels/addOrUpdateLabels") {
            lay(group.get_mut("labels"), labels);
        }
        let kind = if call.operation == "UpdateNodegroupVersion" { "VersionUpdate" } else { "ConfigUpdate" };
        let params = call.fields.get("scalingConfig").cloned().unwrap_or_else(|| json!({}));
        begin(shared, cluster, kind, &params)
    });
    done.unwrap_or_else(|| no_cluster(call, &key(call).2))
}

/// UpdateAddon.
pub fn addon(shared: &Arc<Shared>, call: &Call) -> Answer {
    let (key, name) = (key(call), call.text("addonName"));
    let done = shared.eks().with(&key, |cluster| {
        let kubernetes = cluster.overlay.get("version").and_then(Value::as_str).unwrap_or_default().to_owned();
        let Some(addon) = cluster.addons.get_mut(name) else {
            let text = format!("No addon: {name} found in cluster: {}", key.2);
            return Answer::error(call, 404, "ResourceNotFoundException", &text);
        };
        let version = call.text("addonVersion");
        if !version.is_empty() && !versions::of_addon(name, &kubernetes).iter().any(|offered| offered == version) {
            return Answer::error(call, 400, "InvalidParameterException", "Addon version specified is not supported");
        }
        let mut params = Map::new();
        for field in ["addonVersion", "serviceAccountRoleArn", "configurationValues"] {
            if let Some(value) = call.fields.get(field) {
                addon.insert(field.to_owned(), value.clone());
                params.insert(field.to_owned(), value.clone());
            }
        }
        begin(shared, cluster, "AddonUpdate", &Value::Object(params))
    });
    done.unwrap_or_else(|| no_cluster(call, &key.2))
}

/// DescribeUpdate.
pub fn describe(shared: &Shared, call: &Call) -> Answer {
    let (key, id) = (key(call), call.text("updateId"));
    let found = shared.eks().with(&key, |cluster| cluster.updates.get(id).cloned());
    match found {
        Some(Some((mut update, due))) => {
            if Instant::now() >= due {
                update.insert("status".to_owned(), "Successful".into());
            }
            Answer::json(&json!({ "update": update }))
        }
        Some(None) => Answer::error(call, 404, "ResourceNotFoundException", &format!("No update found for ID: {id}")),
        None => no_cluster(call, &key.2),
    }
}

/// ListUpdates.
pub fn list(shared: &Shared, call: &Call) -> Answer {
    let key = key(call);
    match shared.eks().with(&key, |cluster| cluster.updates.keys().cloned().collect::<Vec<_>>()) {
        Some(ids) => listed("updateIds", json!(ids)),
        None => no_cluster(call, &key.2),
    }
}
