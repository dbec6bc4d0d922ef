//! The SDK calls of EKS.

use std::collections::{BTreeMap, HashMap};

use runbook_modules::error::{CallError, Class};
use serde_json::{Value, json};

mod access_entry;
mod addon;
mod cluster;
mod nodegroup;
mod pod_identity;
#[cfg(test)]
mod tests;
mod update;
mod versions;

pub(super) use access_entry::AccessEntry;
pub(super) use addon::{Addon, AddonSettings, DescribeAddon};
pub(super) use cluster::{Cluster, DescribeCluster, ListClusters};
pub(super) use nodegroup::{DescribeNodegroup, ListNodegroups, Nodegroup};
pub(super) use pod_identity::PodIdentity;
pub(super) use update::{DescribeUpdate, UpdateConfig};
pub(super) use versions::{AddonVersions, ClusterVersions};

fn none_if_missing<T>(found: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match found {
        Err(e) if e.class == Class::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// EKS says ResourceInUseException both for a second one of a name and for a deletion that must wait.
fn deleting(answer: Result<(), CallError>) -> Result<(), CallError> {
    answer.map_err(|e| match e.class {
        Class::AlreadyExists => CallError { class: Class::Blocked, ..e },
        _ => e,
    })
}

fn hash_map(tags: BTreeMap<String, String>) -> HashMap<String, String> {
    tags.into_iter().collect()
}

/// `health` of a description, from pairs of code and message.
fn health(issues: impl Iterator<Item = (String, String)>) -> Value {
    let issues: Vec<Value> = issues.map(|(code, message)| json!({ "code": code, "message": message })).collect();
    json!({ "issues": issues })
}
