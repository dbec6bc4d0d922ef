//! Add-ons. moto has none, and ministack's need a cluster in ministack, so they are the proxy's own.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep_until};

use super::{
    super::{
        answer::Answer,
        parse::Call,
        pending::{self, Failure, What},
        shared::Shared,
    },
    Cluster, Key, health, key, listed, no_cluster, not_active, timestamp, versions,
};

/// The add-ons whose pods need nodes; without any they are DEGRADED.
const NEED_NODES: [&str; 3] = ["aws-ebs-csi-driver", "coredns", "metrics-server"];
const NO_REPLICAS: &str = "InsufficientNumberOfReplicas";

fn named(call: &Call) -> String {
    call.text("addonName").to_owned()
}

fn answered(addon: &Map<String, Value>) -> Answer {
    Answer::json(&json!({ "addon": addon }))
}

fn missing(call: &Call) -> Answer {
    let text = format!("No addon: {} found in cluster: {}", named(call), call.text("clusterName"));
    Answer::error(call, 404, "ResourceNotFoundException", &text)
}

/// CreateAddon.
pub fn create(shared: &Arc<Shared>, call: &Call) -> Answer {
    if let Some(refused) = not_active(shared, call) {
        return refused;
    }
    let (key, name) = (key(call), named(call));
    let kubernetes = shared.eks().with(&key, |cluster| cluster.overlay.get("version").cloned()).flatten();
    let kubernetes = kubernetes.as_ref().and_then(Value::as_str).unwrap_or(versions::DEFAULT).to_owned();
    let invalid = |text: String| Answer::error(call, 400, "InvalidParameterException", &text);
    let offered = versions::of_addon(&name, &kubernetes);
    let Some(default) = offered.first() else { return invalid(format!("Addon {name} specified is not supported")) };
    let version = call.fields.get("addonVersion").and_then(Value::as_str).unwrap_or(default).to_owned();
    if !offered.contains(&version) {
        return invalid(format!(
            "Addon version specified is not supported: {name} {version} on Kubernetes {kubernetes}"
        ));
    }
    let given = |field: &str| call.fields.get(field).cloned().filter(|value| !value.is_null());
    let (account, region) = (&call.account, call.region());
    let arn = format!("arn:aws:eks:{region}:{account}:addon/{}/{name}/{:08x}", key.2, shared.eks().next());
    let mut addon = Map::from_iter([
        ("addonName".to_owned(), name.clone().into()),
        ("clusterName".to_owned(), key.2.clone().into()),
        ("status".to_owned(), "CREATING".into()),
        ("addonVersion".to_owned(), version.into()),
        ("health".to_owned(), json!({ "issues": [] })),
        ("addonArn".to_owned(), arn.into()),
        ("createdAt".to_owned(), timestamp()),
        ("modifiedAt".to_owned(), timestamp()),
        ("tags".to_owned(), given("tags").unwrap_or_else(|| json!({}))),
    ]);
    for field in ["serviceAccountRoleArn", "configurationValues"] {
        addon.extend(given(field).map(|value| (field.to_owned(), value)));
    }
    let entered = shared.eks().with(&key, |cluster| {
        let free = !cluster.addons.contains_key(&name);
        if free {
            cluster.addons.insert(name.clone(), addon.clone());
        }
        free
    });
    if entered != Some(true) {
        return Answer::error(call, 409, "ResourceInUseException", "Addon already exists.");
    }
    let failure = shared.plans.take(What::Addon, &name);
    let due = pending::due(shared.pending.addon);
    tokio::spawn(become_active(Arc::clone(shared), key, name, due, failure));
    answered(&addon)
}

async fn become_active(shared: Arc<Shared>, key: Key, name: String, due: Instant, failure: Option<Failure>) {
    let made = match failure {
        Some(failure) => Err((failure.code, failure.message)),
        None => {
            let made = shared.clusters.add_addon(&key.2, &name).await;
            made.map_err(|why| ("InternalFailure".to_owned(), why))
        }
    };
    sleep_until(due).await;
    shared.eks().with(&key, |cluster| {
        let nodes = has_nodes(cluster);
        let Some(addon) = cluster.addons.get_mut(&name).filter(|addon| addon["status"] == "CREATING") else { return };
        let (status, issues) = match made {
            Err((code, message)) => ("CREATE_FAILED", health(&code, &message)),
            Ok(()) if NEED_NODES.contains(&name.as_str()) && !nodes => (
                "DEGRADED",
                health(NO_REPLICAS, "The add-on is unhealthy because it doesn't have the desired number of replicas."),
            ),
            Ok(()) => ("ACTIVE", json!({ "issues": [] })),
        };
        addon.insert("status".into(), status.into());
        addon.insert("health".into(), issues);
    });
}

fn has_nodes(cluster: &Cluster) -> bool {
    cluster.nodegroups.values().any(|group| group.get("status") == Some(&Value::from("ACTIVE")))
}

/// Add-ons that waited for nodes have them now.
pub(super) fn nodes_came(cluster: &mut Cluster) {
    for addon in cluster.addons.values_mut().filter(|addon| addon["status"] == "DEGRADED") {
        addon.insert("status".into(), "ACTIVE".into());
        addon.insert("health".into(), json!({ "issues": [] }));
    }
}

/// DescribeAddon.
pub fn describe(shared: &Shared, call: &Call) -> Answer {
    let key = key(call);
    match shared.eks().with(&key, |cluster| cluster.addons.get(&named(call)).cloned()) {
        Some(Some(addon)) => answered(&addon),
        Some(None) => missing(call),
        None => no_cluster(call, &key.2),
    }
}

/// ListAddons.
pub fn list(shared: &Shared, call: &Call) -> Answer {
    let key = key(call);
    match shared.eks().with(&key, |cluster| cluster.addons.keys().cloned().collect::<Vec<_>>()) {
        Some(names) => listed("addons", json!(names)),
        None => no_cluster(call, &key.2),
    }
}

/// DeleteAddon.
pub fn delete(shared: &Arc<Shared>, call: &Call) -> Answer {
    let (key, name) = (key(call), named(call));
    let found = shared.eks().with(&key, |cluster| {
        let addon = cluster.addons.get_mut(&name)?;
        let before = addon.insert("status".into(), "DELETING".into());
        Some((addon.clone(), before))
    });
    match found {
        None => no_cluster(call, &key.2),
        Some(None) => missing(call),
        Some(Some((addon, before))) => {
            if before != Some("DELETING".into()) {
                let due = pending::due(shared.pending.addon);
                tokio::spawn(become_gone(Arc::clone(shared), key, name, due));
            }
            answered(&addon)
        }
    }
}

async fn become_gone(shared: Arc<Shared>, key: Key, name: String, due: Instant) {
    let gone = shared.clusters.remove_addon(&key.2, &name).await;
    sleep_until(due).await;
    shared.eks().with(&key, |cluster| match gone {
        Ok(()) => {
            cluster.addons.remove(&name);
        }
        Err(why) => {
            if let Some(addon) = cluster.addons.get_mut(&name) {
                addon.insert("status".into(), "DELETE_FAILED".into());
                addon.insert("health".into(), health("InternalFailure", &why));
            }
        }
    });
}
