//! What a script asks of Helm beside installing.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::release::{Registry, check_registry};
use crate::{
    input,
    k8s::types::text,
    operation::{Class, Operation, Settle},
    resource::Health,
    sandbox::helm,
};

/// A release.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Name of the release.
    pub release: String,
    /// Namespace; `default` when it is left out.
    pub namespace: Option<String>,
}

/// A chart and its values.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Chart {
    /// Name of the release.
    pub release: String,
    /// Namespace; `default` when it is left out.
    pub namespace: Option<String>,
    /// Chart: `oci://…`, a URL, `repo/name` or a path.
    pub chart: String,
    /// Version of the chart.
    pub version: Option<String>,
    /// URL of the chart's repository.
    pub repo: Option<String>,
    /// The chart's values.
    #[serde(default)]
    pub values: Map<String, Value>,
    /// Who asks the registry of an `oci://` chart; helm's own login without.
    pub registry: Option<Registry>,
}

/// `helm.status`.
pub static STATUS: Operation = Operation {
    name: "helm.status",
    operation: "helm status",
    doc: "Reads a release: status, revision, chart, values; `()` when there is none.

Reference: <https://helm.sh/docs/helm/helm_status/>.",
    class: Class::Read,
    schema: input::schema::<Named>,
    check: input::check::<Named>,
    token: None,
    settle: None,
    sim: helm::read_status,
};

/// `helm.template`.
pub static TEMPLATE: Operation = Operation {
    name: "helm.template",
    operation: "helm template",
    doc: "Renders a chart without installing it. Answers the text. The cluster need not stand yet: so a chart that is not there, or not \
given to us, is found out before anything is made.

Reference: <https://helm.sh/docs/helm/helm_template/>.",
    class: Class::Read,
    schema: input::schema::<Chart>,
    check: |value| {
        let asked = input::parse::<Chart>(value)?;
        check_registry(&asked.chart, asked.registry.as_ref())
    },
    token: None,
    settle: None,
    sim: helm::template,
};

/// `helm.uninstall`.
pub static UNINSTALL: Operation = Operation {
    name: "helm.uninstall",
    operation: "helm uninstall",
    doc: "Uninstalls a release and waits until it is gone. What Helm leaves (claims of StatefulSets, CRDs) stays.

Reference: <https://helm.sh/docs/helm/helm_uninstall/>.",
    class: Class::Delete,
    schema: input::schema::<Named>,
    check: input::check::<Named>,
    token: None,
    settle: Some(Settle { poll: "helm.status", input: |input, _| input.clone(), judge: gone }),
    sim: helm::uninstall,
};

fn gone(status: &Value) -> Health {
    if status.is_null() { Health::Ready } else { Health::Pending(text(status, "status").to_owned()) }
}
