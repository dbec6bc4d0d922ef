//! What a release made, and which of it is not ready, and why.

use runbook_modules::{
    error::CallError,
    k8s::{health, types::text},
    resource::Health,
};
use serde::Deserialize as _;
use serde_json::Value;

use crate::objects::{
    api::Api,
    describe::describe,
    waiting::{waits_for, with_waiting},
};

/// An object that a chart rendered to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// `apps/v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// Its namespace, the release's when the manifest names none.
    pub namespace: String,
    /// Its name.
    pub name: String,
    slow: bool,
    kept: bool,
}

/// What stands in the way of a release.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Obstacles {
    /// What will never be ready.
    pub failed: Vec<String>,
    /// What is not ready yet.
    pub waiting: Vec<String>,
}

/// The objects of a rendered text, in its order.
pub fn of(manifest: &str, namespace: &str) -> Vec<Made> {
    let mut found = Vec::new();
    for document in serde_yaml::Deserializer::from_str(manifest) {
        // Helm has applied it, so it can be read; a document that only Helm's reader understands is left out.
        let Ok(document) = Value::deserialize(document) else { continue };
        let items = document["items"].as_array().filter(|_| text(&document, "kind").ends_with("List")).cloned();
        found.extend(items.unwrap_or_else(|| vec![document]).iter().filter_map(|object| made(object, namespace)));
    }
    found
}

fn made(object: &Value, namespace: &str) -> Option<Made> {
    let word = |path: &str| Some(text(object, path).to_owned()).filter(|word| !word.is_empty());
    let kind = word("kind")?;
    Some(Made {
        api_version: word("apiVersion")?,
        slow: health::helm_waits_for(object),
        kept: object.pointer("/metadata/annotations/helm.sh~1resource-policy").is_some_and(|policy| policy == "keep"),
        kind,
        namespace: word("metadata.namespace").unwrap_or_else(|| namespace.to_owned()),
        name: word("metadata.name")?,
    })
}

/// Which of the objects are not ready, and why.
///
/// # Errors
/// As a read of an object.
pub async fn obstacles(api: Api<'_>, made: &[Made]) -> Result<Obstacles, CallError> {
    let mut found = Obstacles::default();
    for one in made.iter().filter(|one| one.slow) {
        let name = format!("{} {}", one.kind, one.name);
        let Some(object) = read(api, one).await? else {
            // A finished Job may have been cleaned up.
            if one.kind != "Job" {
                found.waiting.push(format!("{name}: does not exist"));
            }
            continue;
        };
        match health::judge(&object) {
            Health::Ready => {}
            Health::Failed(why) => {
                let details = waits_for(api, &object).await;
                let all: Vec<String> = [why].into_iter().filter(|why| !why.is_empty()).chain(details).collect();
                found.failed.push(format!("{name}: {}", all.join("; ")));
            }
            Health::Pending(why) | Health::Deleting(why) => found.waiting.push(format!("{name}: {why}")),
        }
    }
    Ok(found)
}

/// Which of the objects still stand, with the finalizers that hold them. What the chart says to keep is no obstacle.
///
/// # Errors
/// As a read of an object.
pub async fn left(api: Api<'_>, made: &[Made]) -> Result<Vec<String>, CallError> {
    let mut found = Vec::new();
    for one in made.iter().filter(|one| !one.kept) {
        if let Some(object) = read(api, one).await? {
            let why = match health::judge(&object) {
                Health::Deleting(why) => why,
                _ => "stands".to_owned(),
            };
            found.push(format!("{} {}: {why}", one.kind, one.name));
        }
    }
    Ok(found)
}

async fn read(api: Api<'_>, one: &Made) -> Result<Option<Value>, CallError> {
    let Some(kind) = api.served(&one.kind, Some(&one.api_version)).await? else { return Ok(None) };
    let Some(object) = api.object(&kind, &one.namespace, &one.name).await? else { return Ok(None) };
    Ok(Some(with_waiting(api, describe(object, &kind)).await))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_read_from_the_rendered_text() {
        let text = "---\n# Source: web/templates/a.yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n---\n\
                    apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: other}\nspec: {type: LoadBalancer}\n---\n\
                    ---\napiVersion: v1\nkind: Service\nmetadata: {name: plain}\n---\napiVersion: v1\nkind: List\nitems:\n\
                    - {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n";
        let found: Vec<String> = of(text, "default")
            .iter()
            .map(|made| format!("{} {}/{} {}", made.kind, made.namespace, made.name, made.slow))
            .collect();
        assert_eq!(
            found,
            [
                "Deployment default/web true",
                "Service other/web true",
                "Service default/plain false",
                "ConfigMap default/c false"
            ]
        );
        assert!(of("", "default").is_empty());
    }
}
