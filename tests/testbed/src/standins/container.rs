//! A container's environment, and running a command in it.

use std::{process::Stdio, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{io::AsyncWriteExt, process::Command, time::timeout};

use super::{
    cluster::Inside,
    kube_objects::{annotation, at, items, label, name, namespace, text},
    toolbox,
};

/// No command of a runbook takes longer; one that does is killed as the kubelet's idle timeout would end it.
const LIMIT: Duration = Duration::from_secs(300);

/// What a command did.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Done {
    /// Its output.
    pub stdout: String,
    /// Its errors.
    pub stderr: String,
    /// How it ended.
    pub exit_code: i32,
}

/// The container of that name in a pod's specification; without a name the first.
pub fn find<'a>(pod: &'a Value, container: &str) -> Option<&'a Value> {
    let mut containers = items(pod, "spec.containers").iter();
    containers.find(|c| container.is_empty() || c["name"] == container)
}

/// A container's environment, as the kubelet would compute it.
///
/// # Errors
/// Something that it refers to is missing: the container would wait in `CreateContainerConfigError` with this message.
pub async fn environment(inside: &Inside, pod: &Value, container: &Value) -> Result<Vec<(String, String)>, String> {
    let mut found: Vec<(String, String)> = vec![("HOSTNAME".into(), name(pod).into())];
    for source in items(container, "envFrom") {
        for (reference, kind) in [("configMapRef", "configmap"), ("secretRef", "secret")] {
            if let Some(wanted) = source[reference]["name"].as_str() {
                let data = data(inside, kind, namespace(pod), wanted).await?;
                let missing = || format!("{kind} \"{wanted}\" not found");
                let optional = source[reference]["optional"] == true;
                match data {
                    Some(data) => found.extend(data),
                    None if optional => {}
                    None => return Err(missing()),
                }
            }
        }
    }
    for variable in items(container, "env") {
        let key = variable["name"].as_str().unwrap_or_default();
        if let Some(value) = value_of(inside, pod, variable).await? {
            let value = expanded(&value, &found);
            found.retain(|(standing, _)| standing != key);
            found.push((key.to_owned(), value));
        }
    }
    Ok(found)
}

async fn value_of(inside: &Inside, pod: &Value, variable: &Value) -> Result<Option<String>, String> {
    let from = &variable["valueFrom"];
    if from.is_null() {
        return Ok(Some(variable["value"].as_str().unwrap_or_default().to_owned()));
    }
    if let Some(field) = from["fieldRef"]["fieldPath"].as_str() {
        return Ok(Some(field_of(pod, field)));
    }
    for (reference, kind) in [("secretKeyRef", "secret"), ("configMapKeyRef", "configmap")] {
        let Some(object) = from[reference]["name"].as_str() else { continue };
        let key = from[reference]["key"].as_str().unwrap_or_default();
        let held = data(inside, kind, namespace(pod), object).await?;
        let value = held.iter().flatten().find(|(standing, _)| standing == key).map(|(_, value)| value.clone());
        return match (value, &held) {
            (Some(value), _) => Ok(Some(value)),
            (None, _) if from[reference]["optional"] == true => Ok(None),
            (None, None) => Err(format!("{kind} \"{object}\" not found")),
            (None, Some(_)) => Err(format!("couldn't find key {key} in {kind} {}/{object}", namespace(pod))),
        };
    }
    Ok(None)
}

fn field_of(pod: &Value, field: &str) -> String {
    let in_brackets = |prefix: &str| field.strip_prefix(prefix)?.strip_prefix("['")?.strip_suffix("']");
    if let Some(key) = in_brackets("metadata.labels") {
        return label(pod, key).to_owned();
    }
    if let Some(key) = in_brackets("metadata.annotations") {
        return annotation(pod, key).to_owned();
    }
    text(pod, field).to_owned()
}

/// What a Secret or a ConfigMap holds, as text; none when there is no such object.
pub async fn data(
    inside: &Inside, kind: &str, namespace: &str, name: &str,
) -> Result<Option<Vec<(String, String)>>, String> {
    let Some(object) = inside.objects.get(&format!("/api/v1/namespaces/{namespace}/{kind}s/{name}")).await? else {
        return Ok(None);
    };
    let held = at(&object, "data").as_object().cloned().unwrap_or_default();
    let plain = |value: Value| {
        let text = value.as_str().unwrap_or_default().to_owned();
        if kind == "configmap" {
            return text;
        }
        let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Ok(Some(held.into_iter().map(|(key, value)| (key, plain(value))).collect()))
}

/// `$(NAME)` stands for a variable named before.
pub fn expanded(text: &str, variables: &[(String, String)]) -> String {
    variables.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("$({name})"), value))
}

/// Runs a command in a container of a pod.
///
/// # Errors
/// The image has no such program, or the environment cannot be had.
pub async fn run(
    inside: &Inside, pod: &Value, container: &Value, command: &[String], stdin: &str,
) -> Result<Done, String> {
    let image = container["image"].as_str().unwrap_or_default();
    let called = command.first().map_or("", String::as_str);
    let missing = || format!("exec: {called:?}: executable file not found in $PATH");
    let bin = toolbox::of_image(inside.shared.folder(), image).ok_or_else(missing)?;
    let program = toolbox::program(&bin, called).ok_or_else(missing)?;
    let variables = environment(inside, pod, container).await?;
    let container = container["name"].as_str().unwrap_or_default();
    let here = format!("{} {} {} {container}", inside.shared.answers_of(&inside.name), namespace(pod), name(pod));
    let arguments = command.iter().skip(1).map(|argument| expanded(argument, &variables));
    let started = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(variables.iter().map(|(key, value)| (key, value)))
        .env("PATH", &bin)
        .env("TESTBED_CONTAINER", here)
        .current_dir(inside.shared.folder())
        .stdin(if stdin.is_empty() { Stdio::null() } else { Stdio::piped() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = started.map_err(|error| format!("exec: {called:?}: {error}"))?;
    if let Some(mut pipe) = child.stdin.take() {
        // A program that reads no input closes the pipe; that is no error.
        let _ = pipe.write_all(stdin.as_bytes()).await;
    }
    let ended =
        timeout(LIMIT, child.wait_with_output()).await.map_err(|_| format!("{called} did not end within {LIMIT:?}"))?;
    let output = ended.map_err(|error| format!("{called}: {error}"))?;
    Ok(Done {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        exit_code: output.status.code().unwrap_or(137),
    })
}
