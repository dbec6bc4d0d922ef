//! Pod identity associations: which service account gets which role. The proxy's own; nothing in the cluster follows from them.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    super::{answer::Answer, parse::Call, shared::Shared},
    Cluster, Key, key, listed, no_cluster, timestamp,
};

/// Answers an operation on pod identity associations.
pub(super) fn answer(shared: &Arc<Shared>, call: &Call) -> Answer {
    let (key, number) = (key(call), shared.eks().next());
    let answer = shared.eks().with(&key, |cluster| match call.operation.as_str() {
        "CreatePodIdentityAssociation" => create(cluster, call, &key, number),
        "ListPodIdentityAssociations" => list(cluster, call),
        _ => on_one(cluster, call),
    });
    answer.unwrap_or_else(|| no_cluster(call, &key.2))
}

fn answered(association: &Map<String, Value>) -> Answer {
    Answer::json(&json!({ "association": association }))
}

fn create(cluster: &mut Cluster, call: &Call, key: &Key, number: u64) -> Answer {
    let same = |one: &&Map<String, Value>| {
        ["namespace", "serviceAccount"].iter().all(|field| one[*field] == call.fields[*field])
    };
    if let Some(there) = cluster.associations.values().find(same) {
        let text = format!("Association already exists: {}", there["associationId"].as_str().unwrap_or_default());
        return Answer::error(call, 409, "ResourceInUseException", &text);
    }
    let id = format!("a-{number:017x}");
    let arn = format!("arn:aws:eks:{}:{}:podidentityassociation/{}/{id}", key.1, key.0, key.2);
    let mut made = Map::from_iter([
        ("clusterName".to_owned(), key.2.clone().into()),
        ("associationId".to_owned(), id.clone().into()),
        ("associationArn".to_owned(), arn.into()),
        ("createdAt".to_owned(), timestamp()),
        ("modifiedAt".to_owned(), timestamp()),
        ("tags".to_owned(), call.fields.get("tags").cloned().unwrap_or_else(|| json!({}))),
    ]);
    for field in ["namespace", "serviceAccount", "roleArn"] {
        made.insert(field.to_owned(), call.fields.get(field).cloned().unwrap_or_default());
    }
    cluster.associations.insert(id, made.clone());
    answered(&made)
}

fn list(cluster: &Cluster, call: &Call) -> Answer {
    let wanted = |one: &&Map<String, Value>| {
        ["namespace", "serviceAccount"]
            .iter()
            .all(|field| call.fields.get(*field).is_none_or(|asked| one[*field] == *asked))
    };
    let short = |one: &Map<String, Value>| {
        let mut one = one.clone();
        one.retain(|field, _| {
            matches!(
                field.as_str(),
                "clusterName" | "namespace" | "serviceAccount" | "associationArn" | "associationId"
            )
        });
        Value::Object(one)
    };
    listed("associations", cluster.associations.values().filter(wanted).map(short).collect())
}

fn on_one(cluster: &mut Cluster, call: &Call) -> Answer {
    let id = call.text("associationId");
    let Some(found) = cluster.associations.get_mut(id) else {
        let text = format!("No association found with id: {id}");
        return Answer::error(call, 404, "ResourceNotFoundException", &text);
    };
    if let ("UpdatePodIdentityAssociation", Some(role)) = (call.operation.as_str(), call.fields.get("roleArn")) {
        found.insert("roleArn".to_owned(), role.clone());
    }
    let answer = answered(found);
    if call.operation == "DeletePodIdentityAssociation" {
        cluster.associations.remove(id);
    }
    answer
}
