//! The kind `helm.release`: a chart, installed or upgraded under a name.
//!
//! Source: <https://helm.sh/docs/helm/helm_upgrade/>.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    input::{self, InputError},
    k8s::types::text,
    resource::{Health, Identity, Kind, Meta},
    sandbox::sim::Sim,
};

/// A chart, its values and the release's name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Name of the release.
    pub release: String,
    /// Namespace; `default` when it is left out.
    pub namespace: Option<String>,
    /// Chart: `oci://…`, a URL, `repo/name` or a path.
    pub chart: String,
    /// Version of the chart. Pin it: without it, another day gives another chart.
    pub version: Option<String>,
    /// URL of the chart's repository.
    pub repo: Option<String>,
    /// The chart's values.
    #[serde(default)]
    pub values: Map<String, Value>,
    /// Make the namespace when it does not exist.
    pub create_namespace: Option<bool>,
}

/// The kind.
pub struct Release;

static META: Meta = Meta {
    name: "helm.release",
    create: "upgrade_install",
    operations: ("helm upgrade --install", "helm uninstall"),
    doc: "Installs a chart, or upgrades the release of that name, and waits until all that it made is ready.

Release name and namespace identify it. A release that another run made is never taken over. Values go to helm through standard \
input, so that a secret among them is in no argument and no file.

Reference: <https://helm.sh/docs/helm/helm_upgrade/>.",
    identity: Identity::Key,
    usual: (Duration::from_secs(120), Duration::from_secs(30)),
    cost: None,
    replaces: false,
    shared: false,
};

impl Kind for Release {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn schema(&self) -> Value {
        input::schema::<Input>()
    }

    fn check(&self, input: &Value) -> Result<(), InputError> {
        input::check::<Input>(input)?;
        let release = text(input, "release");
        let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        if release.is_empty() || release.len() > 53 || !release.chars().all(letters) {
            let why = "must be 1 to 53 lower-case letters, digits, `-` or `.`";
            return Err(InputError::new("release", why));
        }
        if text(input, "chart").is_empty() {
            return Err(InputError::new("chart", "must not be empty"));
        }
        Ok(())
    }

    fn locate(&self, input: &Value, described: &Value) -> Option<Value> {
        let from = if described.is_object() { described } else { input };
        let namespace = match text(from, "namespace") {
            "" => "default",
            namespace => namespace,
        };
        Some(json!({"release": text(from, "release"), "namespace": namespace}))
    }

    fn judge(&self, described: &Value) -> Health {
        let waiting = described["waiting_for"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let waiting = waiting.collect::<Vec<_>>().join("; ");
        let status = text(described, "status");
        let why = if waiting.is_empty() { status.to_owned() } else { format!("{status}: {waiting}") };
        match status {
            "deployed" => Health::Ready,
            "failed" => Health::Failed(why),
            "uninstalling" | "uninstalled" => Health::Deleting(why),
            _ => Health::Pending(why),
        }
    }

    fn sim(&self) -> &dyn Sim {
        &crate::sandbox::helm::Installed
    }
}
