//! The importing half: for each service in Cloud Map with instances of the set, a ServiceImport, and for each cluster behind it a
//! derived Service with its EndpointSlice.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{CLUSTER, Controller, Instance, SERVICE, SOURCE};
use crate::standins::{
    controller::owned_by,
    kube_objects::{items, label, name, namespace, text},
};

const IMPORTS: &str = "/apis/multicluster.x-k8s.io/v1alpha1";

/// Makes this cluster's imports equal to what stands in Cloud Map.
pub(super) async fn reconcile(controller: &Controller<'_>) -> Result<(), String> {
    let objects = &controller.inside.objects;
    let mut standing = BTreeSet::new();
    let own = objects.list("/api/v1/namespaces").await?;
    for (space, namespace_id) in controller.namespaces().await? {
        if !own.iter().any(|found| name(found) == space) {
            continue;
        }
        for (service, service_id) in controller.services(&namespace_id).await? {
            let instances = controller.instances(&service_id).await?;
            if !instances.is_empty() {
                import(controller, &space, &service, &instances).await?;
                standing.insert((space.clone(), service));
            }
        }
    }
    for import in objects.list(&format!("{IMPORTS}/serviceimports")).await? {
        let (space, service) = (namespace(&import), name(&import));
        if !standing.contains(&(space.to_owned(), service.to_owned())) {
            objects.delete(&format!("{IMPORTS}/namespaces/{space}/serviceimports/{service}"), false).await?;
            remove_derived(controller, space, service, |_| true).await?;
        }
    }
    Ok(())
}

async fn import(controller: &Controller<'_>, space: &str, service: &str, instances: &[Instance]) -> Result<(), String> {
    let objects = &controller.inside.objects;
    let mut clusters: BTreeMap<&str, Vec<&Instance>> = BTreeMap::new();
    for instance in instances {
        clusters.entry(text(&instance.attributes, CLUSTER)).or_default().push(instance);
    }
    let kind = text(&instances[0].attributes, "SERVICE_TYPE");
    let ports = ports(instances);
    let path = format!("{IMPORTS}/namespaces/{space}/serviceimports/{service}");
    let mut import = json!({
        "apiVersion": "multicluster.x-k8s.io/v1alpha1", "kind": "ServiceImport",
        "metadata": {"name": service, "namespace": space},
        "spec": {"type": kind, "ports": import_ports(&ports), "ips": []},
    });
    let standing = match objects.get(&path).await? {
        Some(standing) => standing,
        None => objects.apply(&path, &import).await?,
    };
    let mut ips = Vec::new();
    for (cluster, instances) in &clusters {
        let derived = derive(controller, &standing, cluster, kind, &ports, instances).await?;
        ips.extend(derived["spec"]["clusterIP"].as_str().filter(|ip| *ip != "None").map(str::to_owned));
    }
    remove_derived(controller, space, service, |cluster| !clusters.contains_key(cluster)).await?;
    import["spec"]["ips"] = json!(ips);
    if standing["spec"] != import["spec"] {
        objects.apply(&path, &import).await?;
    }
    let status =
        json!({"status": {"clusters": clusters.keys().map(|cluster| json!({"cluster": cluster})).collect::<Vec<_>>()}});
    if standing["status"]["clusters"] != status["status"]["clusters"] {
        // The type has a status of its own or none; both are good.
        objects.merge(&format!("{path}/status"), &status).await?;
    }
    Ok(())
}

/// The Service of one cluster behind an import, with a slice of its endpoints.
async fn derive(
    controller: &Controller<'_>, import: &Value, cluster: &str, kind: &str, ports: &[Value], instances: &[&Instance],
) -> Result<Value, String> {
    let objects = &controller.inside.objects;
    let (space, service) = (namespace(import), name(import));
    let derived = derived_name(space, service, cluster);
    let labels = json!({SOURCE: cluster, SERVICE: service});
    let path = format!("/api/v1/namespaces/{space}/services/{derived}");
    let mut object = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": derived, "namespace": space, "labels": labels, "ownerReferences": owned_by(import)},
        "spec": {"type": "ClusterIP", "ports": service_ports(ports)},
    });
    if kind == "Headless" {
        object["spec"]["clusterIP"] = json!("None");
    }
    let made = match objects.get(&path).await? {
        Some(standing)
            if service_ports(ports).as_array().map(Vec::len) == Some(items(&standing, "spec.ports").len()) =>
        {
            standing
        }
        _ => objects.apply(&path, &object).await?,
    };
    let mut by_address: BTreeMap<&str, Value> = BTreeMap::new();
    for instance in instances {
        let of = |key: &str| text(&instance.attributes, key);
        let mut endpoint =
            json!({"addresses": [of("AWS_INSTANCE_IPV4")], "conditions": {"ready": of("READY") == "true"}});
        for (field, key) in [("hostname", "HOSTNAME"), ("nodeName", "NODENAME")] {
            if !of(key).is_empty() {
                endpoint[field] = json!(of(key));
            }
        }
        by_address.insert(of("AWS_INSTANCE_IPV4"), endpoint);
    }
    let mut labels = labels;
    labels["kubernetes.io/service-name"] = json!(derived);
    labels["endpointslice.kubernetes.io/managed-by"] = json!("aws-cloud-map-mcs-controller-for-k8s");
    let slice_path = format!("/apis/discovery.k8s.io/v1/namespaces/{space}/endpointslices/{derived}");
    let (uid, endpoints) = (text(&made, "metadata.uid"), by_address.into_values().collect::<Vec<_>>());
    let slice = json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": {
            "name": derived, "namespace": space, "labels": labels,
            "ownerReferences": [{"apiVersion": "v1", "kind": "Service", "name": derived, "uid": uid}],
        },
        "addressType": "IPv4", "endpoints": endpoints, "ports": slice_ports(ports),
    });
    let standing = objects.get(&slice_path).await?.unwrap_or_default();
    if standing["endpoints"] != slice["endpoints"] || items(&standing, "ports").len() != ports.len() {
        objects.apply(&slice_path, &slice).await?;
    }
    Ok(made)
}

async fn remove_derived(
    controller: &Controller<'_>, space: &str, service: &str, gone: impl Fn(&str) -> bool,
) -> Result<(), String> {
    let objects = &controller.inside.objects;
    for kind in ["/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices", "/api/v1/namespaces/{}/services"] {
        let path = kind.replace("{}", space);
        for derived in objects.list(&path).await? {
            let ours = name(&derived).starts_with("imported-") && label(&derived, SERVICE) == service;
            if ours && gone(label(&derived, SOURCE)) {
                objects.delete(&format!("{path}/{}", name(&derived)), false).await?;
            }
        }
    }
    Ok(())
}

/// `imported-` and ten characters of a digest.
fn derived_name(space: &str, service: &str, cluster: &str) -> String {
    let digest = Sha256::digest(format!("{space}/{service}/{cluster}"));
    format!("imported-{}", &hex::encode(digest)[..10])
}

/// The ports of all instances, each once: name, port of the Service and of the endpoints, protocol.
fn ports(instances: &[Instance]) -> Vec<Value> {
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    for instance in instances {
        let of = |key: &str| text(&instance.attributes, key);
        let number = |key: &str| of(key).parse::<u16>().unwrap_or_default();
        found.insert(
            of("SERVICE_PORT").to_owned(),
            json!({
                "name": of("SERVICE_PORT_NAME"), "port": number("SERVICE_PORT"), "protocol": of("SERVICE_PROTOCOL"),
                "endpoint": number("AWS_INSTANCE_PORT"), "endpoint_name": of("ENDPOINT_PORT_NAME"),
            }),
        );
    }
    found.into_values().collect()
}

fn import_ports(ports: &[Value]) -> Value {
    ports.iter().map(|p| json!({"name": p["name"], "port": p["port"], "protocol": p["protocol"]})).collect()
}

fn service_ports(ports: &[Value]) -> Value {
    let one = |p: &Value| json!({"name": p["name"], "port": p["port"], "protocol": p["protocol"], "targetPort": p["endpoint"]});
    ports.iter().map(one).collect()
}

fn slice_ports(ports: &[Value]) -> Value {
    ports
        .iter()
        .map(|p| json!({"name": p["endpoint_name"], "port": p["endpoint"], "protocol": p["protocol"]}))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_services_are_named_by_what_they_stand_for() {
        let one = derived_name("default", "redis", "one");
        assert!(one.len() == 19 && one.starts_with("imported-"));
        assert_ne!(one, derived_name("default", "redis", "two"));
    }
}
