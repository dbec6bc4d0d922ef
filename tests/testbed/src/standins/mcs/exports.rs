//! The exporting half: an instance in Cloud Map for each ready pod and port of an exported Service. Namespaces and services of Cloud
//! Map are made when they are missing and never deleted.

use serde_json::{Value, json};

use super::{CLUSTER, Controller, Instance, SET, id_of};
use crate::standins::{
    controller::owned_by,
    kube_objects::{at, is_going, items, label, name, namespace, text},
};

const FINALIZER: &str = "multicluster.k8s.aws/service-export-finalizer";
const EXPORTS: &str = "/apis/multicluster.x-k8s.io/v1alpha1";

/// Makes Cloud Map equal to this cluster's exports.
pub(super) async fn reconcile(controller: &Controller<'_>) -> Result<(), String> {
    for export in controller.inside.objects.list(&format!("{EXPORTS}/serviceexports")).await? {
        if is_going(&export) {
            withdraw(controller, &export).await?;
        } else {
            offer(controller, &export).await?;
        }
    }
    Ok(())
}

fn path(export: &Value) -> String {
    format!("{EXPORTS}/namespaces/{}/serviceexports/{}", namespace(export), name(export))
}

fn finalizers(export: &Value) -> Vec<Value> {
    items(export, "metadata.finalizers").to_vec()
}

async fn withdraw(controller: &Controller<'_>, export: &Value) -> Result<(), String> {
    let mut finalizers = finalizers(export);
    if !finalizers.contains(&json!(FINALIZER)) {
        return Ok(());
    }
    if let Some(namespace_id) = id_of(&controller.namespaces().await?, namespace(export))
        && let Some(service_id) = id_of(&controller.services(&namespace_id).await?, name(export))
    {
        let own = own(controller, &service_id).await?;
        deregister(controller, &service_id, own.iter()).await?;
    }
    finalizers.retain(|finalizer| finalizer != FINALIZER);
    controller.inside.objects.merge(&path(export), &json!({"metadata": {"finalizers": finalizers}})).await.map(|_| ())
}

async fn offer(controller: &Controller<'_>, export: &Value) -> Result<(), String> {
    let objects = &controller.inside.objects;
    let space = namespace(export);
    let Some(mut service) = objects.get(&format!("/api/v1/namespaces/{space}/services/{}", name(export))).await? else {
        return Ok(());
    };
    (service["apiVersion"], service["kind"]) = (json!("v1"), json!("Service"));
    let mut standing = finalizers(export);
    if !standing.contains(&json!(FINALIZER)) || items(export, "metadata.ownerReferences").is_empty() {
        standing.retain(|finalizer| finalizer != FINALIZER);
        standing.push(json!(FINALIZER));
        let marks = json!({"metadata": {"finalizers": standing, "ownerReferences": owned_by(&service)}});
        objects.merge(&path(export), &marks).await?;
    }
    let service_id = service_id(controller, space, name(export)).await?;
    let slices = objects.list(&format!("/apis/discovery.k8s.io/v1/namespaces/{space}/endpointslices")).await?;
    let slices: Vec<&Value> =
        slices.iter().filter(|slice| label(slice, "kubernetes.io/service-name") == name(export)).collect();
    let wanted = wanted(controller, &service, &slices, text(export, "metadata.creationTimestamp"));
    let own = own(controller, &service_id).await?;
    let same = |one: &&Instance| wanted.iter().any(|other| other.id == one.id);
    deregister(controller, &service_id, own.iter().filter(|instance| !same(instance))).await?;
    for instance in &wanted {
        if !own.iter().any(|standing| standing.id == instance.id && standing.attributes == instance.attributes) {
            let body = json!({"ServiceId": service_id, "InstanceId": instance.id, "Attributes": instance.attributes});
            let begun = controller.inside.aws.cloud_map("RegisterInstance", &body).await?;
            controller.finished(&begun).await?;
        }
    }
    Ok(())
}

async fn service_id(controller: &Controller<'_>, namespace: &str, service: &str) -> Result<String, String> {
    let aws = &controller.inside.aws;
    let namespace_id = match id_of(&controller.namespaces().await?, namespace) {
        Some(id) => id,
        None => {
            let begun = aws.cloud_map("CreateHttpNamespace", &json!({"Name": namespace})).await?;
            controller.finished(&begun).await?;
            id_of(&controller.namespaces().await?, namespace).ok_or("the namespace was made and is not there")?
        }
    };
    match id_of(&controller.services(&namespace_id).await?, service) {
        Some(id) => Ok(id),
        None => {
            let made = aws.cloud_map("CreateService", &json!({"Name": service, "NamespaceId": namespace_id})).await?;
            Ok(text(&made, "Service.Id").to_owned())
        }
    }
}

async fn own(controller: &Controller<'_>, service_id: &str) -> Result<Vec<Instance>, String> {
    let mut found = controller.instances(service_id).await?;
    found.retain(|instance| instance.attributes[CLUSTER] == json!(controller.cluster));
    Ok(found)
}

async fn deregister(
    controller: &Controller<'_>, service_id: &str, instances: impl Iterator<Item = &Instance>,
) -> Result<(), String> {
    for instance in instances {
        let body = json!({"ServiceId": service_id, "InstanceId": instance.id});
        match controller.inside.aws.cloud_map("DeregisterInstance", &body).await {
            Ok(begun) => controller.finished(&begun).await?,
            Err(refusal) if refusal.code == "InstanceNotFound" => {}
            Err(refusal) => return Err(refusal.into()),
        }
    }
    Ok(())
}

fn wanted(controller: &Controller<'_>, service: &Value, slices: &[&Value], since: &str) -> Vec<Instance> {
    let mut wanted = Vec::new();
    for slice in slices {
        for endpoint in items(slice, "endpoints") {
            for port in items(slice, "ports") {
                for address in items(endpoint, "addresses").iter().filter_map(Value::as_str) {
                    wanted.push(instance(controller, service, endpoint, port, address, since));
                }
            }
        }
    }
    wanted
}

fn instance(
    controller: &Controller<'_>, service: &Value, endpoint: &Value, port: &Value, address: &str, since: &str,
) -> Instance {
    let number = port["port"].to_string();
    let protocol = port["protocol"].as_str().unwrap_or("TCP");
    let named = items(service, "spec.ports").iter().find(|p| text(p, "name") == text(port, "name"));
    let service_port = named.cloned().unwrap_or_default();
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let headless = at(service, "spec.clusterIP") == "None";
    let ready = endpoint["conditions"]["ready"] != json!(false);
    let attributes = json!({
        "AWS_INSTANCE_IPV4": address, "AWS_INSTANCE_PORT": number,
        CLUSTER: controller.cluster, SET: controller.set, "READY": ready.to_string(),
        "ENDPOINT_PORT_NAME": text(port, "name"), "ENDPOINT_PROTOCOL": protocol,
        "SERVICE_PORT_NAME": text(&service_port, "name"), "SERVICE_PORT": plain(&service_port["port"]),
        "SERVICE_PROTOCOL": service_port["protocol"].as_str().unwrap_or("TCP"),
        "SERVICE_TARGET_PORT": plain(&service_port["targetPort"]),
        "SERVICE_TYPE": if headless { "Headless" } else { "ClusterSetIP" },
        "SERVICE_EXPORT_CREATION_TIMESTAMP": since, "K8S_CONTROLLER": "aws-cloud-map-mcs-controller-for-k8s v0.3.1",
        "HOSTNAME": text(endpoint, "hostname"), "NODENAME": text(endpoint, "nodeName"),
    });
    let id = format!("{}-{}-{number}", protocol.to_lowercase(), address.replace('.', "_"));
    Instance { id, attributes: without_empty(attributes) }
}

/// Cloud Map keeps no attribute without a value.
fn without_empty(mut attributes: Value) -> Value {
    if let Some(map) = attributes.as_object_mut() {
        map.retain(|_, value| value != "");
    }
    attributes
}
