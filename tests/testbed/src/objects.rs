//! What stands in a cluster, read from its API server: the inventory oracle for Kubernetes.

use std::collections::BTreeSet;

use kube::{
    Api, Client, ResourceExt,
    api::{DynamicObject, ListParams},
    discovery::{Discovery, Scope, verbs},
};

/// Made by Kubernetes itself for what others made, under names or in numbers that differ from run to run.
const DERIVED: &[&str] = &[
    "ControllerRevision",
    "CSINode",
    "Endpoints",
    "EndpointSlice",
    "Event",
    "IPAddress",
    "Lease",
    "PersistentVolume",
    "Pod",
    "ReplicaSet",
    "ResourceClaim",
    "VolumeAttachment",
];

/// Every object that somebody made, as `Kind namespace/name`, but for what Kubernetes derives from others.
///
/// # Errors
/// What could not be read.
pub async fn standing(client: &Client) -> Result<BTreeSet<String>, String> {
    let discovery = Discovery::new(client.clone()).run().await.map_err(|error| format!("discovery: {error}"))?;
    let mut found = BTreeSet::new();
    for group in discovery.groups() {
        for (resource, capabilities) in group.recommended_resources() {
            if !capabilities.supports_operation(verbs::LIST) || DERIVED.contains(&resource.kind.as_str()) {
                continue;
            }
            let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
            let listed = match api.list(&ListParams::default()).await {
                Ok(listed) => listed,
                // Its definition was deleted between the discovery and now.
                Err(kube::Error::Api(status)) if status.code == 404 || status.code == 405 => continue,
                Err(error) => return Err(format!("{}: {error}", resource.plural)),
            };
            for object in listed {
                let name = match capabilities.scope {
                    Scope::Namespaced => format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any()),
                    Scope::Cluster => object.name_any(),
                };
                found.insert(format!("{} {name}", resource.kind));
            }
        }
    }
    Ok(found)
}
