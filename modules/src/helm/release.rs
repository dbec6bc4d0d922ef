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
    target::RUN_TAG,
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
    /// Who asks the registry of an `oci://` chart; helm's own login without.
    pub registry: Option<Registry>,
}

/// Who asks a registry for a chart.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// The user.
    pub username: String,
    /// The password: a secret.
    pub password: String,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Refuses a login for a chart that is in no registry.
///
/// # Errors
/// The field.
pub(super) fn check_registry(chart: &str, registry: Option<&Registry>) -> Result<(), InputError> {
    match registry {
        Some(_) if !chart.starts_with("oci://") => Err(InputError::new("registry", "is for an oci:// chart")),
        _ => Ok(()),
    }
}

/// The kind.
pub struct Release;

static META: Meta = Meta {
    name: "helm.release",
    create: "upgrade_install",
    operations: ("helm upgrade --install", "helm uninstall"),
    doc: "Installs a chart, or upgrades the release of that name, and waits until all that it made is ready.

Release name and namespace identify it. A release that another run or a person made is never taken over. What a killed helm of \
this run left half-done is repaired; an upgrade that fails is rolled back to the revision before it. Values go to helm through standard \
input, so that a secret among them is in no argument and no file. They replace those of the revision before.

Helm itself waits (`--wait`) only for a chart with hooks that run after the install; `timeout` of the call is for the wait after helm, \
the step's `timeout` for all of it. A registry on `localhost` or another loopback address is spoken to over plain HTTP.

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
        let asked = input::parse::<Input>(input)?;
        check_registry(&asked.chart, asked.registry.as_ref())?;
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
        let mut at = json!({"release": text(from, "release"), "namespace": namespace, "chart": text(input, "chart")});
        // Whose it was: what another run or a person installs later under the same name is another one.
        if let Some(run) = described.get("tags").and_then(|tags| tags.get(RUN_TAG)) {
            at["run"] = run.clone();
        }
        Some(at)
    }

    fn judge(&self, described: &Value) -> Health {
        let waiting = described["waiting_for"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let waiting = waiting.collect::<Vec<_>>().join("; ");
        let status = text(described, "status");
        let why = if waiting.is_empty() { status.to_owned() } else { format!("{status}: {waiting}") };
        match status {
            _ if described["interrupted"] == true => Health::Failed(why),
            "deployed" => Health::Ready,
            "failed" => Health::Failed(why),
            "uninstalling" | "uninstalled" => Health::Deleting(why),
            _ => Health::Pending(why),
        }
    }

    fn unfinished(&self, described: &Value) -> bool {
        described["interrupted"] == true || described["upgrading"] == true
    }

    fn upgrades(&self) -> bool {
        true
    }

    fn differences(&self, input: &Value, described: &Value) -> Vec<(String, Value, Value)> {
        let mut found = Vec::new();
        // The chart is kept under its name; a name within the reference is the same chart.
        let (asked, has) = (text(input, "chart"), text(described, "chart"));
        if asked != has && !same_chart(asked, has) {
            found.push(("chart".to_owned(), asked.into(), has.into()));
        }
        let (asked, has) = (text(input, "version"), text(described, "version"));
        if is_exact(asked) && !has.is_empty() && asked.trim_start_matches('v') != has.trim_start_matches('v') {
            found.push(("version".to_owned(), asked.into(), has.into()));
        }
        differing_values("values", &input["values"], &described["values"], &mut found);
        found
    }

    fn sim(&self) -> &dyn Sim {
        &crate::sandbox::helm::Installed
    }
}

/// Whether a version is one, and no range: three parts that begin with digits.
fn is_exact(version: &str) -> bool {
    let parts: Vec<&str> = version.trim_start_matches('v').splitn(3, '.').collect();
    parts.len() == 3
        && parts.iter().all(|part| part.starts_with(|c: char| c.is_ascii_digit()))
        && !version.contains([' ', '|', '<', '>', '*', 'x'])
}

/// Whether a reference can be of a chart of that name. A path or an archive tells nothing about the name.
fn same_chart(reference: &str, name: &str) -> bool {
    let last = reference.rsplit('/').next().unwrap_or_default();
    name.is_empty()
        || reference.starts_with(['.', '/'])
        || reference.ends_with(".tgz")
        || last.split([':', '@']).next() == Some(name)
}

/// Helm keeps values as JSON: a whole number written as 1.0 comes back as 1.
fn differing_values(path: &str, asked: &Value, has: &Value, found: &mut Vec<(String, Value, Value)>) {
    match (asked, has) {
        (Value::Object(asked), Value::Object(has)) => {
            for (name, asked) in asked {
                match has.get(name) {
                    Some(has) => differing_values(&format!("{path}.{name}"), asked, has, found),
                    None if asked.is_null() => {}
                    None => found.push((format!("{path}.{name}"), asked.clone(), Value::Null)),
                }
            }
        }
        (Value::Array(asked), Value::Array(has)) if asked.len() == has.len() => {
            for (i, (asked, has)) in asked.iter().zip(has).enumerate() {
                differing_values(&format!("{path}.{i}"), asked, has, found);
            }
        }
        (Value::Number(asked), Value::Number(has)) if asked.as_f64() == has.as_f64() => {}
        (Value::Null, _) => {}
        _ if asked == has => {}
        _ => found.push((path.to_owned(), asked.clone(), has.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_differs_in_chart_version_and_values() {
        let input = json!({"release": "web", "chart": "oci://h/c/web", "version": "1.2.3", "values": {"a": 1.0, "b": [{"c": "x"}]}});
        let of = |described: Value| -> Vec<String> {
            Release.differences(&input, &described).into_iter().map(|(field, ..)| field).collect()
        };
        let same = json!({"chart": "web", "version": "1.2.3", "values": {"a": 1, "b": [{"c": "x"}], "more": true}});
        assert_eq!(of(same.clone()), Vec::<String>::new());
        let mut other = same.clone();
        other["chart"] = "nginx".into();
        other["version"] = "1.2.4".into();
        other["values"]["b"][0]["c"] = "y".into();
        assert_eq!(of(other), ["chart", "version", "values.b.0.c"]);
        let range = json!({"chart": "./web", "version": "^1.2.0", "values": {}});
        assert!(Release.differences(&range, &same).is_empty());
        assert_eq!(of(json!({"chart": "oci://h/c/web", "values": {}})), ["values.a", "values.b"]);
    }

    #[test]
    fn a_login_is_for_a_chart_in_a_registry() {
        let of = |chart: &str| {
            let login = json!({"username": "me", "password": "s3cret"});
            Release.check(&json!({"release": "web", "chart": chart, "registry": login})).map_err(|error| error.path)
        };
        assert_eq!((of("oci://h/web"), of("web")), (Ok(()), Err("registry".to_owned())));
    }

    #[test]
    fn what_was_broken_off_is_unfinished_and_not_waited_for() {
        let broken = json!({"status": "pending-install", "interrupted": true, "waiting_for": ["helm"]});
        assert_eq!(Release.judge(&broken), Health::Failed("pending-install: helm".to_owned()));
        assert!(Release.unfinished(&broken) && !Release.unfinished(&json!({"status": "failed"})));
        let at_work = json!({"status": "pending-upgrade", "upgrading": true, "waiting_for": ["helm"]});
        assert!(Release.unfinished(&at_work));
        assert_eq!(Release.judge(&at_work), Health::Pending("pending-upgrade: helm".to_owned()));
    }

    #[test]
    fn a_locator_names_the_run_and_the_chart() {
        let input = json!({"release": "web", "chart": "oci://h/web"});
        let at = json!({"release": "web", "namespace": "default", "chart": "oci://h/web"});
        assert_eq!(Release.locate(&input, &Value::Null), Some(at.clone()));
        let described = json!({"release": "web", "namespace": "default", "tags": {RUN_TAG: "r"}});
        let mut mine = at;
        mine["run"] = "r".into();
        assert_eq!(Release.locate(&input, &described), Some(mine));
    }
}
