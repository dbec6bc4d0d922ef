//! What a rehearsal file leaves out of an object, and a real API server insists on.

use serde_json::{Map, Value, json};

use crate::standins::kube_objects::text;

/// Custom resources of Kubernetes' own groups need its leave; this one says that there is none.
/// Source: <https://kubernetes.io/docs/reference/labels-annotations-taints/#api-approved-kubernetes-io>.
const APPROVED: &str = "api-approved.kubernetes.io";

/// The object as it can be applied.
#[must_use]
pub fn completed(mut object: Value) -> Value {
    without_nulls(&mut object);
    match text(&object, "kind") {
        "CustomResourceDefinition" => definition(&mut object),
        "APIService" => return service_of_definition(&object),
        "Node" => node(&mut object),
        _ => {}
    }
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
        fields.remove("cluster");
    }
    object
}

fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

fn default(map: &mut Value, key: &str, value: Value) {
    if let Some(fields) = map.as_object_mut() {
        fields.entry(key).or_insert(value);
    }
}

/// Any field is taken, and the status is its controller's alone.
fn definition(object: &mut Value) {
    let kind = text(object, "spec.names.kind").to_owned();
    let names = &mut object["spec"]["names"];
    default(names, "singular", kind.to_lowercase().into());
    default(names, "listKind", format!("{kind}List").into());
    let versions = object["spec"]["versions"].as_array_mut().into_iter().flatten();
    for (i, version) in versions.enumerate() {
        default(version, "served", true.into());
        default(version, "storage", (i == 0).into());
        default(version, "subresources", json!({"status": {}}));
        default(
            version,
            "schema",
            json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}),
        );
    }
    let group = text(object, "spec.group");
    if group.ends_with(".k8s.io") || group.ends_with(".kubernetes.io") {
        object["metadata"]["annotations"][APPROVED] = "unapproved, of the testbed".into();
    }
}

/// An API that a pod would serve: nothing listens in pods here, so a definition of the same group and version stands for it. The API
/// server makes the APIService of it by itself, and it is available.
fn service_of_definition(object: &Value) -> Value {
    let (group, version) = (text(object, "spec.group"), text(object, "spec.version"));
    let mut made = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("standins.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced", "names": {"kind": "Standin", "plural": "standins"},
            "versions": [{"name": version}],
        },
    });
    definition(&mut made);
    made
}

/// A node that kwok takes over, with the processors of its instance type.
fn node(object: &mut Value) {
    let name = text(object, "metadata.name").to_owned();
    let labels = object["metadata"]["labels"].as_object().cloned().unwrap_or_default();
    let size = labels.get("node.kubernetes.io/instance-type").and_then(Value::as_str).unwrap_or_default();
    let cpu = processors(size);
    let own = json!({"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"});
    let mut all: Map<String, Value> = own.as_object().cloned().unwrap_or_default();
    all.extend(labels);
    object["metadata"]["labels"] = all.into();
    object["metadata"]["annotations"]["kwok.x-k8s.io/node"] = "fake".into();
    object["metadata"]["annotations"]["testbed.runbook.dev/cpu"] = cpu.to_string().into();
}

/// The processors of an instance type, by its size: `c6i.4xlarge` has 16.
fn processors(instance_type: &str) -> u32 {
    match instance_type.rsplit('.').next().unwrap_or_default() {
        "xlarge" => 4,
        size => match size.strip_suffix("xlarge").and_then(|times| times.parse::<u32>().ok()) {
            Some(times) => 4 * times,
            None => 2,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_takes_any_field_and_has_a_status() {
        let short = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "as.x.k8s.io"},
            "spec": {"group": "x.k8s.io", "scope": "Namespaced", "names": {"kind": "A", "plural": "as"}, "versions": [{"name": "v1"}]},
        });
        let made = completed(short);
        let version = &made["spec"]["versions"][0];
        assert_eq!((&version["served"], &version["storage"]), (&json!(true), &json!(true)));
        assert!(version["subresources"]["status"].is_object());
        assert_eq!(made["spec"]["names"]["listKind"], "AList");
        assert!(made["metadata"]["annotations"][APPROVED].is_string());
    }

    #[test]
    fn nothing_empty_and_no_status_is_applied() {
        let made = completed(
            json!({"kind": "Service", "metadata": {"annotations": null}, "spec": {"a": [{"b": null}]}, "status": {}}),
        );
        assert_eq!(made, json!({"kind": "Service", "metadata": {}, "spec": {"a": [{}]}}));
    }

    #[test]
    fn processors_of_a_type() {
        assert_eq!(
            [processors("c6i.4xlarge"), processors("m5.xlarge"), processors("t3.large"), processors("")],
            [16, 4, 2, 2]
        );
    }
}
