//! `k8s.exec`: a command in a running container, over a websocket.
//!
//! Source: <https://kubernetes.io/docs/reference/kubectl/generated/kubectl_exec/>.

use std::time::Duration;

use futures::{FutureExt, future};
use k8s_openapi::{api::core::v1::Pod, apimachinery::pkg::apis::meta::v1::Status};
use kube::api::{AttachParams, AttachedProcess};
use runbook_modules::{
    error::{CallError, Class},
    k8s::types::text,
};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use super::{
    api::{Api, namespace},
    pods::{self, container, container_status},
    reasons::pod_reason,
};
use crate::error;

/// Until the command has been begun.
const BEGIN: Duration = Duration::from_secs(30);
/// Until it has ended.
const END: Duration = Duration::from_secs(3600);
/// Output is kept up to here.
const MOST: usize = 4 << 20;

/// `k8s.exec`.
pub async fn exec(api: Api<'_>, input: &Value) -> Result<Value, CallError> {
    let (namespace, name) = (namespace(input), text(input, "pod"));
    let pod = api.object(&pods::kind(), namespace, name).await?;
    let pod = pod.ok_or_else(|| CallError::refused("NotFound", format!("pods \"{name}\" not found")))?;
    let container = container(&pod, text(input, "container"))?;
    if container_status(&pod, &container)["state"].get("running").is_none() {
        let why = pod_reason(&pod, &Default::default()).unwrap_or_else(|| text(&pod, "status.phase").to_owned());
        let text = format!("container {container} of pod {name} is not running: {why}");
        return Err(CallError::refused("ContainerNotRunning", text));
    }
    let command: Vec<String> =
        input["command"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let stdin = input.get("stdin").and_then(Value::as_str).map(str::to_owned);
    let fed = stdin.is_some();
    let begin = |client: kube::Client| {
        let pods: kube::Api<Pod> = kube::Api::namespaced(client, namespace);
        let how = AttachParams::default().container(&container).stdin(fed).stdout(true).stderr(true).tty(false);
        let (name, command) = (name.to_owned(), command.clone());
        async move { pods.exec(&name, command, &how).await }.boxed()
    };
    let (clients, place) = api.reach();
    let process = clients.within(place, BEGIN, begin).await.map_err(error::refused_if_missing)?;
    match tokio::time::timeout(END, talk(process, stdin)).await {
        Ok(answer) => answer,
        Err(_) => Err(CallError::new(
            Class::Unknown,
            "Timeout",
            format!("the command in pod {name} did not end within an hour"),
        )),
    }
}

/// Feeds and reads a command until it ends.
async fn talk(mut process: AttachedProcess, stdin: Option<String>) -> Result<Value, CallError> {
    let (input, stdout, stderr) = (process.stdin(), process.stdout(), process.stderr());
    let status = process.take_status();
    let feed = async {
        if let (Some(mut to), Some(text)) = (input, stdin) {
            // A command may end without reading all of it: its exit code says more than the broken pipe.
            drop(to.write_all(text.as_bytes()).await);
            drop(to.shutdown().await);
        }
    };
    let (stdout, stderr, ()) = future::join3(drain(stdout), drain(stderr), feed).await;
    let status = match status {
        Some(status) => status.await,
        None => None,
    };
    let broken = process.join().await.err();
    match status {
        Some(status) => Ok(json!({"stdout": stdout, "stderr": stderr, "exit_code": exit_code(&status)?})),
        None => {
            let why =
                broken.map_or_else(|| "the connection ended before the command".to_owned(), |error| error.to_string());
            Err(CallError::new(Class::Unknown, "ConnectionBroken", why))
        }
    }
}

async fn drain(from: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut from) = from else { return String::new() };
    let mut kept = Vec::new();
    let mut part = vec![0; 8192];
    let mut cut = false;
    while let Ok(read @ 1..) = from.read(&mut part).await {
        let room = MOST.saturating_sub(kept.len()).min(read);
        cut |= room < read;
        kept.extend_from_slice(&part[..room]);
    }
    let mut text = String::from_utf8_lossy(&kept).into_owned();
    if cut {
        text.push_str("\n[cut here: the output is longer]");
    }
    text
}

/// The exit code that a status tells.
fn exit_code(status: &Status) -> Result<i64, CallError> {
    if status.status.as_deref() == Some("Success") {
        return Ok(0);
    }
    let causes = status.details.as_ref().and_then(|details| details.causes.as_ref()).into_iter().flatten();
    let code = causes
        .filter(|cause| cause.reason.as_deref() == Some("ExitCode"))
        .find_map(|cause| cause.message.as_deref()?.parse().ok());
    code.ok_or_else(|| {
        let message = status.message.clone().unwrap_or_default();
        let begun = !["executable file not found", "no such file or directory", "OCI runtime exec failed"]
            .iter()
            .any(|text| message.contains(text));
        let class = if begun { Class::Unknown } else { Class::Refused };
        CallError::new(class, status.reason.clone().unwrap_or_else(|| "ExecFailed".to_owned()), message)
    })
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
    use runbook_modules::error::Class;
    use serde_json::{Value, json};

    use super::exit_code;

    fn status(value: Value) -> Status {
        serde_json::from_value(value).unwrap_or_default()
    }

    #[test]
    fn exit_codes() {
        assert_eq!(exit_code(&status(json!({"status": "Success"}))), Ok(0));
        let failed = json!({"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": [{"reason": "ExitCode", "message": "3"}]}});
        assert_eq!(exit_code(&status(failed)), Ok(3));
    }

    #[test]
    fn a_program_that_is_missing_never_ran() {
        let class = |message: &str| {
            let failed = json!({"status": "Failure", "reason": "InternalError", "message": message});
            exit_code(&status(failed)).map_err(|error| error.class)
        };
        assert_eq!(class("exec: \"nope\": executable file not found in $PATH"), Err(Class::Refused));
        assert_eq!(class("the runtime went away"), Err(Class::Unknown));
    }
}
