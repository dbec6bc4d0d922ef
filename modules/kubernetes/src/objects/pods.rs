//! Pods by name, their containers, and their logs.

use runbook_modules::{
    error::CallError,
    k8s::types::{Type, builtin, number, text},
};
use serde_json::{Value, json};

use super::{
    api::{Api, encoded, namespace, path},
    waiting::with_waiting,
    workload,
};
use crate::{client::Ask, error::refused_if_missing};

/// A log is read up to here.
const MOST: usize = 4 << 20;

/// The kind of pods.
pub fn kind() -> Type {
    builtin("Pod", None).unwrap_or(Type {
        api_version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        plural: "pods".to_owned(),
        namespaced: true,
    })
}

/// `k8s.logs`.
pub async fn logs(api: Api<'_>, input: &Value) -> Result<Value, CallError> {
    let name = text(input, "name");
    let wanted = match text(input, "kind") {
        "" => "Pod",
        kind => kind,
    };
    let missing = || CallError::refused("NotFound", format!("{wanted} \"{name}\" not found"));
    let version = input.get("api_version").and_then(Value::as_str);
    let known = api.known(wanted, version).await?;
    let object = api.object(&known, namespace(input), name).await?.ok_or_else(missing)?;
    let has_log = |pod: &&Value| matches!(text(pod, "status.phase"), "Running" | "Succeeded" | "Failed");
    let staff = if wanted == "Pod" { vec![object.clone()] } else { workload::staff(api, &object).await?.pods };
    let Some(pod) = staff.iter().find(has_log) else {
        let shown = with_waiting(
            api,
            json!({"kind": wanted, "metadata": object["metadata"], "spec": object["spec"], "status": object["status"]}),
        );
        let waiting = shown.await["waiting_for"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join("; ");
        let why = if waiting.is_empty() { String::new() } else { format!(": {waiting}") };
        return Err(CallError::refused("ContainerNotRunning", format!("no pod of {wanted} {name} is running{why}")));
    };
    let container = container(pod, text(input, "container"))?;
    log(api, pod, &container, number(input, "tail")).await.map(Value::from)
}

/// The log of a pod's container, without the line break at its end.
pub async fn log(api: Api<'_>, pod: &Value, container: &str, tail: Option<i64>) -> Result<String, CallError> {
    let path = path(&kind(), text(pod, "metadata.namespace"), text(pod, "metadata.name"))?;
    let tail = tail.map(|lines| format!("&tailLines={lines}")).unwrap_or_default();
    let path = format!("{path}/log?container={}&limitBytes={MOST}{tail}", encoded(container));
    let mut log = api.text(&Ask::get(path).accept("*/*")).await.map_err(refused_if_missing)?;
    if log.len() >= MOST {
        log.push_str("\n[cut here: the log is longer]");
    }
    Ok(log.lines().collect::<Vec<_>>().join("\n"))
}

/// The pod's container that a call means: the named one, else the first.
pub fn container(pod: &Value, asked: &str) -> Result<String, CallError> {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let names: Vec<&str> = containers.map(|container| text(container, "name")).collect();
    match (asked, names.as_slice()) {
        ("", [first, ..]) => Ok((*first).to_owned()),
        (asked, names) if names.contains(&asked) => Ok(asked.to_owned()),
        (asked, names) => {
            let text = format!("container {asked} is not valid for pod {}", text(pod, "metadata.name"));
            Err(CallError::refused("BadRequest", text).hint(format!("its containers: {}", names.join(", "))))
        }
    }
}

/// The status of a pod's container; null when there is none yet.
pub fn container_status<'a>(pod: &'a Value, name: &str) -> &'a Value {
    let all = pod["status"]["containerStatuses"].as_array().into_iter().flatten();
    all.into_iter().find(|status| text(status, "name") == name).unwrap_or(&Value::Null)
}
