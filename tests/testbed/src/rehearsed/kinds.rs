//! Which kinds an API server serves, and under which paths.

use serde_json::Value;

use crate::standins::kube_objects::{Objects, items, text};

/// The form of a discovery that answers with all groups at once.
/// Source: <https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api>.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// A kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// `apps/v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// `deployments`.
    pub plural: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
}

impl Served {
    /// Where all of them are listed.
    #[must_use]
    pub fn all(&self) -> String {
        let root = if self.api_version.contains('/') { "/apis" } else { "/api" };
        format!("{root}/{}/{}", self.api_version, self.plural)
    }

    /// Where one is.
    #[must_use]
    pub fn one(&self, namespace: &str, name: &str) -> String {
        let root = if self.api_version.contains('/') { "/apis" } else { "/api" };
        match self.namespaced {
            true => format!("{root}/{}/namespaces/{namespace}/{}/{name}", self.api_version, self.plural),
            false => format!("{root}/{}/{}/{name}", self.api_version, self.plural),
        }
    }

    /// Whether it comes from a definition and not from Kubernetes itself.
    #[must_use]
    pub fn is_custom(&self) -> bool {
        let group = self.api_version.split('/').next().unwrap_or_default();
        group.contains('.') && !group.ends_with(".k8s.io")
    }
}

/// All kinds of a cluster.
#[derive(Debug, Clone, Default)]
pub struct Kinds(Vec<Served>);

impl Kinds {
    /// Asks the API server.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn read(objects: &Objects) -> Result<Self, String> {
        let mut found = Vec::new();
        for path in ["/api", "/apis"] {
            let answer = objects.get_as(path, AGGREGATED).await?;
            for group in items(&answer, "items") {
                found.extend(served(group));
            }
        }
        Ok(Self(found))
    }

    /// The kind of that name; Kubernetes' own before others of the same name.
    #[must_use]
    pub fn named(&self, kind: &str) -> Option<&Served> {
        let mut all = self.0.iter().filter(|served| served.kind == kind);
        all.clone().find(|served| !served.is_custom()).or_else(|| all.next())
    }

    /// The kind of an object.
    #[must_use]
    pub fn of(&self, object: &Value) -> Option<&Served> {
        let [api, kind] = ["apiVersion", "kind"].map(|field| text(object, field));
        self.0.iter().find(|served| served.api_version == api && served.kind == kind)
    }

    /// All that come from definitions.
    pub fn custom(&self) -> impl Iterator<Item = &Served> {
        self.0.iter().filter(|served| served.is_custom())
    }
}

/// The kinds of one group, in the version that it prefers, which comes first.
fn served(group: &Value) -> Vec<Served> {
    let name = text(group, "metadata.name");
    let mut found: Vec<Served> = Vec::new();
    for version in items(group, "versions") {
        let version_name = text(version, "version");
        let api_version = if name.is_empty() { version_name.to_owned() } else { format!("{name}/{version_name}") };
        for resource in items(version, "resources") {
            found.push(Served {
                api_version: api_version.clone(),
                kind: text(resource, "responseKind.kind").to_owned(),
                plural: text(resource, "resource").to_owned(),
                namespaced: text(resource, "scope") == "Namespaced",
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_discovery_is_read() {
        let group = json!({"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [
            {"resource": "deployments", "responseKind": {"kind": "Deployment"}, "scope": "Namespaced"},
        ]}]});
        let found = served(&group);
        assert_eq!(found[0].one("a", "b"), "/apis/apps/v1/namespaces/a/deployments/b");
        assert!(!found[0].is_custom());
        let core = json!({"metadata": {}, "versions": [{"version": "v1", "resources": [
            {"resource": "nodes", "responseKind": {"kind": "Node"}, "scope": "Cluster"},
        ]}]});
        assert_eq!(served(&core)[0].one("", "b"), "/api/v1/nodes/b");
    }
}
