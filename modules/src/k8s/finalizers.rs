//! Finalizers: what holds an object that is being deleted. Whoever set one removes it; when nobody is left who would, a person may say so.
//!
//! Source: <https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/>.

use serde_json::{Value, json};

use super::types::{self, text};
use crate::error::{CallError, Class};

/// In a locator: a person has said that the object's finalizers may be removed.
pub const CONSENT: &str = "lift_finalizers";

/// Begins the address of an object: `k8s://CLUSTER/v1/ConfigMap/NAMESPACE/NAME`, the namespace empty for what has none.
pub const ADDRESS: &str = "k8s://";

/// Whether a locator or a description says so.
pub fn may_lift(at: &Value) -> bool {
    at.get(CONSENT) == Some(&Value::Bool(true))
}

/// The finalizers of an object.
pub fn of(object: &Value) -> Vec<String> {
    let list = object.pointer("/metadata/finalizers").and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What holds an object, for people: its finalizers and, while it is being deleted, how a person takes them off.
pub fn held(cluster: &str, object: &Value) -> Vec<String> {
    let mut found: Vec<String> = of(object).into_iter().map(|name| format!("finalizer {name}")).collect();
    if !found.is_empty() && !text(object, "metadata.deletionTimestamp").is_empty() {
        let address = address(cluster, object);
        found.push(format!("if nobody is left who removes it: `runbook undo RUN --also {address}` does"));
    }
    found
}

/// The address of an object.
pub fn address(cluster: &str, object: &Value) -> String {
    let (namespace, name) = (text(object, "metadata.namespace"), text(object, "metadata.name"));
    let id = types::id(text(object, "apiVersion"), text(object, "kind"), namespace, name);
    format!("{ADDRESS}{cluster}/{id}")
}

/// The object of an address in a cluster, with the consent to remove its finalizers; None when it is no address of this cluster.
pub fn named(cluster: &str, address: &str) -> Option<Value> {
    let id = address.strip_prefix(ADDRESS)?.strip_prefix(cluster)?.strip_prefix('/')?;
    let mut parts = id.rsplitn(4, '/');
    let (name, namespace, kind) = (parts.next()?, parts.next()?, parts.next()?);
    let api_version = parts.next()?;
    if [name, kind, api_version].contains(&"") {
        return None;
    }
    let metadata = json!({ "namespace": namespace, "name": name });
    Some(json!({ "apiVersion": api_version, "kind": kind, "metadata": metadata, CONSENT: true }))
}

/// A namespace is not let go while it holds something: what that is would be left in the cluster's store, where nobody sees it any more.
pub fn namespace_holds(namespace: &Value, holds: &[String]) -> CallError {
    let name = text(namespace, "metadata.name");
    let why = format!("namespace {name} is not let go while it holds: {}", holds.join("; "));
    CallError::new(Class::Blocked, "NamespaceHolds", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_the_object_that_it_was_made_of() {
        let context = "arn:aws:eks:us-east-1:123456789012:cluster/demo";
        for (api_version, kind, namespace) in
            [("v1", "ConfigMap", "data"), ("apps/v1", "Deployment", "data"), ("v1", "Namespace", "")]
        {
            let object =
                json!({"apiVersion": api_version, "kind": kind, "metadata": {"namespace": namespace, "name": "held"}});
            for cluster in ["demo", context] {
                let found = named(cluster, &address(cluster, &object)).expect("its address");
                assert_eq!((&found["apiVersion"], &found["metadata"]), (&object["apiVersion"], &object["metadata"]));
                assert_eq!((&found["kind"], &found[CONSENT]), (&object["kind"], &json!(true)));
            }
        }
        for wrong in [
            "k8s://other/v1/ConfigMap/data/held",
            "k8s://demo/ConfigMap/data/held",
            "k8s://demo/v1/ConfigMap/data/",
            "held",
        ] {
            assert_eq!(named("demo", wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_way_out_is_told_only_while_it_is_being_deleted() {
        let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "data", "name": "held", "finalizers": ["a.b/c"]}});
        assert_eq!(held("demo", &object), ["finalizer a.b/c"]);
        object["metadata"]["deletionTimestamp"] = "2026-11-22T09:00:00Z".into();
        let told = held("demo", &object);
        assert!(told.len() == 2 && told[1].contains("--also k8s://demo/v1/ConfigMap/data/held"), "{told:?}");
    }
}
