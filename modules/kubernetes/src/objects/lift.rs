//! Takes the finalizers off an object that is being deleted, where a person has said so (`undo --also k8s://…`).

use std::collections::BTreeMap;

use http::Method;
use runbook_modules::{
    error::CallError,
    k8s::{
        finalizers,
        types::{Type, text},
    },
};
use serde_json::{Value, json};

use super::{
    api::{Api, path},
    patch::merge,
};
use crate::client::Ask;

/// Takes them off the very object of a locator; fine when it is gone by now.
///
/// # Errors
/// `Blocked` by a namespace that holds something, and the API server's.
pub async fn lift(api: Api<'_>, kind: &Type, at: &Value) -> Result<(), CallError> {
    if kind.kind == "Namespace" {
        return finalize(api, kind, text(at, "name")).await;
    }
    let without = |there: &Value| {
        let mut object = there.clone();
        object["metadata"].as_object_mut().and_then(|metadata| metadata.remove("finalizers"));
        object
    };
    merge(api, kind, at, &without).await.map(|_| ())
}

/// A namespace has a finalizer of its own kind, which the namespace controller takes off when nothing is left in it. It cannot
/// see that when the server of a group does not answer any more; then, and only then, this does it.
///
/// Source: <https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/namespace-v1/>.
async fn finalize(api: Api<'_>, kind: &Type, name: &str) -> Result<(), CallError> {
    let Some(mut there) = api.object(kind, "", name).await? else { return Ok(()) };
    let told = conditions(&there);
    let holds: Vec<String> = ["NamespaceContentRemaining", "NamespaceFinalizersRemaining"]
        .iter()
        .filter_map(|name| told.get(*name).cloned())
        .collect();
    if !holds.is_empty() {
        return Err(finalizers::namespace_holds(&there, &holds));
    }
    if !told.contains_key("NamespaceDeletionDiscoveryFailure") {
        return Ok(());
    }
    there["spec"]["finalizers"] = json!([]);
    let path = format!("{}/finalize", path(kind, "", name)?);
    let body = there.to_string().into_bytes();
    api.send(&Ask::with(Method::PUT, path, "application/json", body)).await.map(|_| ())
}

/// The conditions that are true, with their messages.
fn conditions(object: &Value) -> BTreeMap<&str, String> {
    let list = object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    let hold = list.filter(|condition| text(condition, "status") == "True");
    hold.map(|condition| (text(condition, "type"), text(condition, "message").to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use runbook_modules::{error::Class, k8s::types::builtin};

    use super::*;
    use crate::testing::{Canned, good, place};

    fn namespace(conditions: &[(&str, &str)]) -> Value {
        let conditions: Vec<Value> = conditions
            .iter()
            .map(|(name, status)| json!({"type": name, "status": status, "message": format!("about {name}")}))
            .collect();
        json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": "stuck", "resourceVersion": "7", "deletionTimestamp": "2026-11-22T09:00:00Z"},
            "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Terminating", "conditions": conditions},
        })
    }

    async fn lifted(conditions: &[(&str, &str)]) -> (Result<(), CallError>, Vec<String>) {
        let server = Canned::new([good(namespace(conditions)), good(json!({}))]).await;
        let (clients, place) = (server.clients(), place());
        let kind = builtin("Namespace", None).expect("a kind of every cluster");
        let done = lift(Api::new(&clients, &place), &kind, &json!({"kind": "Namespace", "name": "stuck"})).await;
        let put = server.seen().into_iter().filter(|seen| seen.line.starts_with("PUT"));
        (done, put.map(|seen| format!("{} {}", seen.line, seen.body)).collect())
    }

    #[tokio::test]
    async fn a_namespace_is_finalized_only_when_its_controller_cannot_see_what_it_holds() {
        let (done, put) =
            lifted(&[("NamespaceDeletionDiscoveryFailure", "True"), ("NamespaceContentRemaining", "False")]).await;
        assert_eq!(done, Ok(()));
        assert!(put.len() == 1 && put[0].starts_with("PUT /api/v1/namespaces/stuck/finalize "), "{put:?}");
        assert!(put[0].contains(r#""finalizers":[]"#) && put[0].contains(r#""resourceVersion":"7""#), "{put:?}");
        // The controller is at it.
        for quiet in [&[][..], &[("NamespaceDeletionDiscoveryFailure", "False")]] {
            assert_eq!(lifted(quiet).await, (Ok(()), Vec::new()));
        }
    }

    #[tokio::test]
    async fn one_that_holds_something_is_left() {
        for holds in ["NamespaceContentRemaining", "NamespaceFinalizersRemaining"] {
            let (done, put) = lifted(&[("NamespaceDeletionDiscoveryFailure", "True"), (holds, "True")]).await;
            let error = done.expect_err("it holds something");
            assert_eq!((error.class, put.len()), (Class::Blocked, 0), "{error}");
            assert!(error.message.contains(&format!("about {holds}")), "{error}");
        }
    }
}
