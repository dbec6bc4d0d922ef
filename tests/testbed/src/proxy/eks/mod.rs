//! EKS over moto: real control planes behind the descriptions, states that take their time, and what moto has not got.
//!
//! moto keeps clusters and node groups; what it leaves out or says wrongly is laid over its descriptions. Add-ons, access entries,
//! pod identity associations, versions and updates are the proxy's own (see `README.md` beside this folder).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{answer::Answer, emulator::Incoming, parse::Call, shared::Shared};

mod access;
mod addon;
mod cluster;
mod nodegroup;
mod pod_identity;
mod updates;
mod versions;

/// Account, region, name.
type Key = (String, String, String);

#[derive(Debug, Clone, Default)]
struct Cluster {
    /// Laid over moto's description.
    overlay: Map<String, Value>,
    /// What only this cluster has: 32 hexadecimal digits, the same in every run of a test.
    unique: String,
    security_group: String,
    interfaces: BTreeSet<String>,
    nodegroups: BTreeMap<String, Map<String, Value>>,
    addons: BTreeMap<String, Map<String, Value>>,
    entries: BTreeMap<String, access::Entry>,
    associations: BTreeMap<String, Map<String, Value>>,
    updates: BTreeMap<String, (Map<String, Value>, Instant)>,
}

impl Cluster {
    fn status(&self) -> &str {
        self.overlay.get("status").and_then(Value::as_str).unwrap_or_default()
    }
}

/// The clusters, as far as they are the proxy's.
#[derive(Debug, Default)]
pub struct Eks {
    clusters: Mutex<BTreeMap<Key, Cluster>>,
    made: Mutex<u64>,
    generations: Mutex<BTreeMap<Key, u64>>,
}

fn key(call: &Call) -> Key {
    let name = if call.fields.get("clusterName").is_some() { call.text("clusterName") } else { call.text("name") };
    (call.account.clone(), call.region().to_owned(), name.to_owned())
}

impl Eks {
    fn clusters(&self) -> MutexGuard<'_, BTreeMap<Key, Cluster>> {
        self.clusters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that no other thing of EKS has.
    fn next(&self) -> u64 {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        *made += 1;
        *made
    }

    /// How many clusters of a name there were; the name's account and region are part of it.
    fn generation(&self, key: &Key) -> u64 {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = generations.entry(key.clone()).or_default();
        *generation += 1;
        *generation
    }

    fn with<T>(&self, key: &Key, change: impl FnOnce(&mut Cluster) -> T) -> Option<T> {
        self.clusters().get_mut(key).map(change)
    }

    /// Whether a network interface is one of a cluster's.
    pub fn owns_interface(&self, id: &str) -> bool {
        self.clusters().values().any(|cluster| cluster.interfaces.contains(id))
    }

    /// What is in the clusters beside moto's own: for the inventory.
    pub fn inventory(&self) -> Value {
        let clusters = self.clusters();
        let described = clusters.iter().map(|((_, region, name), cluster)| {
            let names = |map: &BTreeMap<String, Map<String, Value>>| map.keys().cloned().collect::<Vec<_>>();
            json!({
                "cluster": name, "region": region, "status": cluster.status(),
                "addons": names(&cluster.addons), "nodegroups": names(&cluster.nodegroups),
                "access_entries": cluster.entries.keys().collect::<Vec<_>>(),
                "pod_identity_associations": cluster.associations.len(),
            })
        });
        described.collect()
    }

    /// The Kubernetes groups of an IAM principal in a cluster; None when the cluster does not know it.
    pub fn groups(&self, cluster: &str, principal: &str) -> Option<Vec<String>> {
        let clusters = self.clusters();
        let found = clusters.iter().find(|((_, _, name), _)| name == cluster).map(|(_, found)| found)?;
        access::groups(found, principal)
    }
}

/// The issues of a failed thing, as EKS's `health` has them.
fn health(code: &str, message: &str) -> Value {
    json!({ "issues": [{ "code": code, "message": message }] })
}

/// Refuses what needs a cluster that is ACTIVE.
fn not_active(shared: &Shared, call: &Call) -> Option<Answer> {
    let (_, _, name) = key(call);
    let status = shared.eks().with(&key(call), |cluster| cluster.status().to_owned());
    match status.as_deref() {
        Some("ACTIVE" | "UPDATING") => None,
        Some(_) => {
            let text = format!("Cluster '{name}' is not in ACTIVE status");
            Some(Answer::error(call, 400, "InvalidRequestException", &text))
        }
        None => Some(no_cluster(call, &name)),
    }
}

fn no_cluster(call: &Call, name: &str) -> Answer {
    Answer::error(call, 404, "ResourceNotFoundException", &format!("No cluster found for name: {name}."))
}

/// A page of names or things; the testbed never has more than one page.
fn listed(field: &str, items: Value) -> Answer {
    Answer::json(&json!({ field: items }))
}

fn timestamp() -> Value {
    let ms = jiff::Timestamp::now().as_millisecond();
    Value::from(ms / 1000)
}

/// Answers a request to EKS.
pub(super) async fn answer(shared: &Arc<Shared>, incoming: &Incoming, call: &Call) -> Answer {
    match call.operation.as_str() {
        "CreateCluster" => cluster::create(shared, incoming, call).await,
        "DescribeCluster" => cluster::describe(shared, incoming, call).await,
        "DeleteCluster" => cluster::delete(shared, incoming, call).await,
        "UpdateClusterConfig" | "UpdateClusterVersion" => updates::cluster(shared, call),
        "CreateNodegroup" => nodegroup::create(shared, incoming, call).await,
        "DescribeNodegroup" => nodegroup::describe(shared, incoming, call).await,
        "DeleteNodegroup" => nodegroup::delete(shared, incoming, call).await,
        "UpdateNodegroupConfig" | "UpdateNodegroupVersion" => updates::nodegroup(shared, incoming, call).await,
        "DescribeUpdate" => updates::describe(shared, call),
        "ListUpdates" => updates::list(shared, call),
        "CreateAddon" => addon::create(shared, call),
        "DescribeAddon" => addon::describe(shared, call),
        "ListAddons" => addon::list(shared, call),
        "UpdateAddon" => updates::addon(shared, call),
        "DeleteAddon" => addon::delete(shared, call),
        "DescribeAddonVersions" => versions::addons(call),
        "DescribeClusterVersions" => versions::clusters(call),
        operation if operation.contains("Access") => access::answer(shared, call),
        operation if operation.contains("PodIdentity") => pod_identity::answer(shared, call),
        _ => shared.emulators.forward(incoming, call).await,
    }
}
