//! Access entries: which IAM principal may do what in a cluster. Neither emulator keeps them with moto's clusters.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value, json};

use super::{
    super::{answer::Answer, parse::Call, shared::Shared},
    Cluster, Key, key, listed, no_cluster, timestamp,
};

/// Whoever has this policy may do everything.
const ADMIN: &str = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy";
const POLICIES: [&str; 4] =
    ["AmazonEKSAdminPolicy", "AmazonEKSClusterAdminPolicy", "AmazonEKSEditPolicy", "AmazonEKSViewPolicy"];

/// An access entry and its policies (ARN to scope).
#[derive(Debug, Clone, Default)]
pub struct Entry {
    body: Map<String, Value>,
    policies: BTreeMap<String, Value>,
}

impl Entry {
    fn new(key: &Key, principal: &str, kind: &str, groups: Value) -> Self {
        let arn = format!(
            "arn:aws:eks:{}:{}:access-entry/{}/{}",
            key.1,
            key.0,
            key.2,
            principal.rsplit(':').next().unwrap_or_default()
        );
        let body = json!({
            "clusterName": key.2, "principalArn": principal, "kubernetesGroups": groups, "accessEntryArn": arn, "type": kind,
            "username": principal, "createdAt": timestamp(), "modifiedAt": timestamp(), "tags": {},
        });
        Self { body: body.as_object().cloned().unwrap_or_default(), policies: BTreeMap::new() }
    }

    /// The entry that CreateCluster makes for who called it.
    pub fn of_creator(key: &Key, principal: &str) -> Self {
        let entry = Self::new(key, principal, "STANDARD", json!([]));
        Self { policies: BTreeMap::from([(ADMIN.to_owned(), json!({ "type": "cluster" }))]), ..entry }
    }

    /// The entry that CreateNodegroup makes for the nodes' role.
    pub fn of_nodes(key: &Key, role: &str) -> Self {
        Self::new(key, role, "EC2_LINUX", json!(["system:nodes"]))
    }
}

/// The principal of a caller: of an assumed role, the role.
pub fn principal(arn: &str) -> String {
    match arn.split_once(":assumed-role/") {
        Some((front, rest)) => {
            let role = rest.split('/').next().unwrap_or_default();
            format!("{}:role/{role}", front.replace(":sts:", ":iam:"))
        }
        None => arn.to_owned(),
    }
}

/// The Kubernetes groups of a principal; None when there is no entry for it.
pub(super) fn groups(cluster: &Cluster, arn: &str) -> Option<Vec<String>> {
    let entry = cluster.entries.get(&principal(arn))?;
    let groups = entry.body.get("kubernetesGroups").and_then(Value::as_array).into_iter().flatten();
    let mut groups: Vec<String> = groups.filter_map(Value::as_str).map(str::to_owned).collect();
    if entry.policies.contains_key(ADMIN) {
        groups.push("system:masters".to_owned());
    }
    Some(groups)
}

fn policy(arn: &str, scope: &Value) -> Value {
    json!({ "policyArn": arn, "accessScope": scope, "associatedAt": timestamp(), "modifiedAt": timestamp() })
}

/// Answers an operation on access entries and their policies.
pub(super) fn answer(shared: &Arc<Shared>, call: &Call) -> Answer {
    if call.operation == "ListAccessPolicies" {
        let described =
            |name: &&str| json!({ "name": name, "arn": format!("arn:aws:eks::aws:cluster-access-policy/{name}") });
        return listed("accessPolicies", POLICIES.iter().map(described).collect());
    }
    let key = key(call);
    let answer = shared.eks().with(&key, |cluster| match call.operation.as_str() {
        "CreateAccessEntry" => create(cluster, call, &key),
        "ListAccessEntries" => listed("accessEntries", json!(cluster.entries.keys().collect::<Vec<_>>())),
        _ => on_entry(cluster, call),
    });
    answer.unwrap_or_else(|| no_cluster(call, &key.2))
}

fn create(cluster: &mut Cluster, call: &Call, key: &Key) -> Answer {
    let mode = cluster.overlay.get("accessConfig").and_then(|config| config["authenticationMode"].as_str());
    if mode == Some("CONFIG_MAP") {
        let text = "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.";
        return Answer::error(call, 400, "InvalidRequestException", text);
    }
    let principal = call.text("principalArn");
    if cluster.entries.contains_key(principal) {
        let text = "The specified access entry resource is already in use on this cluster.";
        return Answer::error(call, 409, "ResourceInUseException", text);
    }
    let kind = call.fields.get("type").and_then(Value::as_str).unwrap_or("STANDARD");
    let groups = call.fields.get("kubernetesGroups").cloned().unwrap_or_else(|| json!([]));
    let mut entry = Entry::new(key, principal, kind, groups);
    for field in ["username", "tags"] {
        entry.body.extend(call.fields.get(field).map(|value| (field.to_owned(), value.clone())));
    }
    let body = entry.body.clone();
    cluster.entries.insert(principal.to_owned(), entry);
    Answer::json(&json!({ "accessEntry": body }))
}

fn on_entry(cluster: &mut Cluster, call: &Call) -> Answer {
    let principal = call.text("principalArn");
    let Some(entry) = cluster.entries.get_mut(principal) else {
        let text = format!(
            "The specified principalArn could not be found. You can view your available access entries with 'list-access-entries'. ({principal})"
        );
        return Answer::error(call, 404, "ResourceNotFoundException", &text);
    };
    let (policy_arn, of_entry) = (
        call.text("policyArn").to_owned(),
        json!({ "clusterName": call.text("clusterName"), "principalArn": principal }),
    );
    let with = |field: &str, value: Value| {
        let mut all = of_entry.clone();
        all[field] = value;
        Answer::json(&all)
    };
    match call.operation.as_str() {
        "DescribeAccessEntry" => Answer::json(&json!({ "accessEntry": entry.body })),
        "UpdateAccessEntry" => {
            for field in ["kubernetesGroups", "username"] {
                entry.body.extend(call.fields.get(field).map(|value| (field.to_owned(), value.clone())));
            }
            Answer::json(&json!({ "accessEntry": entry.body }))
        }
        "DeleteAccessEntry" => {
            cluster.entries.remove(principal);
            Answer::json(&json!({}))
        }
        "AssociateAccessPolicy" => {
            let scope = call.fields.get("accessScope").cloned().unwrap_or_else(|| json!({ "type": "cluster" }));
            entry.policies.insert(policy_arn.clone(), scope.clone());
            with("associatedAccessPolicy", policy(&policy_arn, &scope))
        }
        "DisassociateAccessPolicy" => {
            entry.policies.remove(&policy_arn);
            Answer::json(&json!({}))
        }
        _ => with("associatedAccessPolicies", entry.policies.iter().map(|(arn, scope)| policy(arn, scope)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assumed_role_is_the_role() {
        assert_eq!(principal("arn:aws:sts::1:assumed-role/r/s"), "arn:aws:iam::1:role/r");
        assert_eq!(principal("arn:aws:iam::1:user/u"), "arn:aws:iam::1:user/u");
    }

    #[test]
    fn the_creator_is_an_administrator_and_nodes_are_nodes() {
        let key = ("1".to_owned(), "r".to_owned(), "c".to_owned());
        let mut cluster = Cluster::default();
        cluster.entries.insert("arn:c".into(), Entry::of_creator(&key, "arn:c"));
        cluster.entries.insert("arn:n".into(), Entry::of_nodes(&key, "arn:n"));
        assert_eq!(groups(&cluster, "arn:c"), Some(vec!["system:masters".to_owned()]));
        assert_eq!(groups(&cluster, "arn:n"), Some(vec!["system:nodes".to_owned()]));
        assert_eq!(groups(&cluster, "arn:x"), None);
    }
}
