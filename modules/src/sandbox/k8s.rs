//! The simulated clusters.
//!
//! An object is a world object of kind `k8s.object` at the place that is the cluster's name. Nothing runs: what controllers and
//! kubelets would do is put down with its time as soon as it is known ([`settle`]), and a description is made at the time of asking
//! ([`status`]).
//!
//! * [`boot`]: what every cluster has from the start, its nodes, and its end.
//! * [`apply`]: what the API server checks and does when an object is applied or patched; [`delete`]: when one is deleted.
//! * [`pods`]: which pods the workloads want, and where and when they run; [`endpoints`]: which of them a Service selects;
//!   [`volumes`]: volumes that stand before their claims.

use super::{
    clock_text::rfc3339,
    world::{Object, World},
};
use crate::{
    error::CallError,
    k8s::types::{self, Type, text},
};

pub mod apply;
pub mod boot;
pub mod calls;
pub mod custom;
pub mod delete;
pub mod endpoints;
pub mod fitting;
pub mod pods;
pub mod settle;
pub mod sim;
pub mod status;
pub mod volumes;

pub use boot::{boot_cluster, boot_nodes, remove_cluster, remove_nodes};

/// World objects of this kind are Kubernetes objects.
pub const OBJECT: &str = "k8s.object";
/// A world object of this kind says that a cluster answers.
pub const CLUSTER: &str = "k8s.cluster";

/// The region of a cluster that answers.
///
/// # Errors
/// When there is no such cluster (yet).
pub fn region(world: &World, cluster: &str, now_ms: i64) -> Result<String, CallError> {
    match world.get(CLUSTER, cluster, cluster, now_ms) {
        Some(found) => Ok(text(&found.body, "region").to_owned()),
        None => Err(CallError::refused("ClusterNotFound", format!("No cluster '{cluster}' answers"))
            .hint("the cluster must be ACTIVE before anything is applied to it")),
    }
}

/// The kind of an object as this cluster knows it: built in, or defined by an established CustomResourceDefinition.
pub fn lookup(
    world: &World, cluster: &str, kind: &str, api_version: Option<&str>, now_ms: i64,
) -> Result<Type, Unknown> {
    if let Some(found) = types::builtin(kind, api_version) {
        return Ok(found);
    }
    let mut not_yet = false;
    for crd in world.list(OBJECT, cluster, now_ms).filter(|o| text(&o.body, "kind") == "CustomResourceDefinition") {
        let spec = &crd.body["spec"];
        if text(spec, "names.kind") != kind {
            continue;
        }
        let group = text(spec, "group");
        let versions = spec["versions"].as_array().into_iter().flatten().map(|version| text(version, "name"));
        let served =
            versions.map(|version| format!("{group}/{version}")).find(|api| api_version.is_none_or(|a| a == api));
        let Some(api_version) = served else { continue };
        if crd.state(now_ms) != "Established" {
            not_yet = true;
            continue;
        }
        let [kind, plural] = [kind, text(spec, "names.plural")].map(str::to_owned);
        return Ok(Type { api_version, kind, plural, namespaced: text(spec, "scope") == "Namespaced" });
    }
    Err(if not_yet { Unknown::NotYet } else { Unknown::Never })
}

/// Why a kind is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// Its definition stands, but is not established yet.
    NotYet,
    /// Nothing defines it.
    Never,
}

/// The objects of a cluster by kind, those still to come and those on their way out included, those that are gone left out.
pub fn of_kind<'a>(
    world: &'a World, cluster: &str, kind: &'a str, now_ms: i64,
) -> impl Iterator<Item = &'a Object> + use<'a> {
    world
        .stored(OBJECT, cluster)
        .filter(move |o| o.gone_at.is_none_or(|gone| now_ms < gone))
        .filter(move |o| text(&o.body, "kind") == kind)
}

/// One object of a cluster by kind, namespace and name.
pub fn one<'a>(
    world: &'a World, cluster: &str, kind: &'a str, namespace: &str, name: &str, now_ms: i64,
) -> Option<&'a Object> {
    of_kind(world, cluster, kind, now_ms)
        .find(|o| text(&o.body, "metadata.namespace") == namespace && text(&o.body, "metadata.name") == name)
}

/// An id's worth of digits that is always the same for the same parts.
pub(super) fn digest(parts: &[&str]) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    Sha256::digest(parts.join("\n")).to_vec()
}

fn stamp(world: &mut World, object: &mut serde_json::Value, cluster: &str, now_ms: i64) {
    let kind = text(object, "kind").to_owned();
    world.serial += 1;
    let hash = hex::encode(digest(&[cluster, &kind, &world.serial.to_string()]));
    let uid = format!("{}-{}-4{}-8{}-{}", &hash[..8], &hash[8..12], &hash[12..15], &hash[15..18], &hash[18..30]);
    let metadata = &mut object["metadata"];
    metadata["uid"] = uid.into();
    metadata["creationTimestamp"] = rfc3339(now_ms).into();
    metadata["generation"] = 1.into();
    metadata["resourceVersion"] = world.serial.to_string().into();
}
