//! The pods of a workload.

use runbook_modules::{
    error::CallError,
    k8s::types::{Type, builtin, text},
};
use serde_json::Value;

use super::api::{Api, encoded};

/// The pods of a workload, and the uids of itself and of what stands between.
#[derive(Debug, Default)]
pub struct Staff {
    /// The pods, oldest first.
    pub pods: Vec<Value>,
    /// The workload, then its replica sets.
    pub owners: Vec<String>,
}

/// Finds the pods of a workload by its selector and by who owns them.
///
/// # Errors
/// When a read does not get through.
pub async fn staff(api: Api<'_>, workload: &Value) -> Result<Staff, CallError> {
    let namespace = text(workload, "metadata.namespace");
    let query = format!("labelSelector={}", encoded(&selector(&workload["spec"]["selector"])));
    let mut owners = vec![text(workload, "metadata.uid").to_owned()];
    if text(workload, "kind") == "Deployment" {
        let sets = api.list(&known("ReplicaSet"), namespace, &query).await?;
        owners.extend(
            sets.iter()
                .filter(|set| owned(set, &owners))
                .map(|set| text(set, "metadata.uid").to_owned())
                .collect::<Vec<_>>(),
        );
    }
    let mut pods = api.list(&known("Pod"), namespace, &query).await?;
    pods.retain(|pod| owned(pod, &owners));
    pods.sort_by_key(|pod| (text(pod, "metadata.creationTimestamp").to_owned(), text(pod, "metadata.name").to_owned()));
    Ok(Staff { pods, owners })
}

fn known(kind: &str) -> Type {
    builtin(kind, None).unwrap_or_else(|| Type {
        api_version: "v1".to_owned(),
        kind: kind.to_owned(),
        plural: kind.to_lowercase() + "s",
        namespaced: true,
    })
}

fn owned(object: &Value, by: &[String]) -> bool {
    let owners = object["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    owners.into_iter().any(|owner| by.iter().any(|uid| uid == text(owner, "uid")))
}

/// A label selector object as a query has it.
fn selector(of: &Value) -> String {
    let equal = of["matchLabels"].as_object().into_iter().flatten();
    let equal = equal.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()));
    let terms = of["matchExpressions"].as_array().into_iter().flatten().map(|term| {
        let name = text(term, "key");
        let values =
            term["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(",");
        match text(term, "operator") {
            "In" => format!("{name} in ({values})"),
            "NotIn" => format!("{name} notin ({values})"),
            "DoesNotExist" => format!("!{name}"),
            _ => name.to_owned(),
        }
    });
    equal.chain(terms).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn a_selector_has_labels_and_expressions() {
        let of = json!({
            "matchLabels": {"app": "web"},
            "matchExpressions": [{"key": "tier", "operator": "In", "values": ["a", "b"]}, {"key": "old", "operator": "DoesNotExist"}],
        });
        assert_eq!(super::selector(&of), "app=web,tier in (a,b),!old");
    }
}
