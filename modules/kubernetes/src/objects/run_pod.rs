//! `k8s.run_pod`: a command in a pod of its own: made, waited for, read, deleted.

use std::time::Duration;

use http::Method;
use runbook_modules::{
    error::{CallError, Class},
    host::Host,
    k8s::{
        object::owned,
        types::{number, text},
    },
    target::{RUN_TAG, Request},
};
use serde_json::{Value, json};

use super::{
    api::{Api, collection, namespace},
    apply::MANAGER,
    delete::remove,
    describe::tags,
    pods,
    reasons::pod_reason,
    waiting::events,
};
use crate::{client::Ask, error::refused_if_missing, target::revealed};

/// How long a pod may take to start, and an old one to go.
const START_MS: i64 = 5 * 60_000;
/// How long its command may run.
const RUN_MS: i64 = 60 * 60_000;
/// Between two looks.
const LOOK: Duration = Duration::from_secs(2);

/// `k8s.run_pod`.
pub async fn run_pod(api: Api<'_>, request: &Request<'_>) -> Result<Value, CallError> {
    let input = revealed(request.host, request.input)?;
    let (namespace, name) = (namespace(&input), text(&input, "name"));
    let run = Run { api, host: request.host, namespace, name };
    if let Some(there) = run.look().await? {
        run.clear(&there, request).await?;
    }
    let pod = run.make(&input, request).await?;
    let ended = run.until_ended(&pod).await;
    let answer = match &ended {
        Ok(pod) => answer(api, pod, &name_of_container(pod)).await,
        Err(error) => Err(error.clone()),
    };
    // The run was stopped: the pod goes on, and is removed when this is done again.
    if !matches!(&ended, Err(error) if error.code == "Interrupted") {
        drop(remove(api, &pods::kind(), namespace, name, text(&pod, "metadata.uid")).await);
    }
    answer
}

struct Run<'a> {
    api: Api<'a>,
    host: &'a dyn Host,
    namespace: &'a str,
    name: &'a str,
}

impl Run<'_> {
    async fn look(&self) -> Result<Option<Value>, CallError> {
        self.api.object(&pods::kind(), self.namespace, self.name).await
    }

    /// Removes what a crash of this run left. A pod of somebody else stays.
    async fn clear(&self, there: &Value, request: &Request<'_>) -> Result<(), CallError> {
        let whose = tags(there).remove(RUN_TAG);
        if whose.is_none() || whose.as_ref() != request.tags.get(RUN_TAG) {
            let whose = whose.map(|run| format!(", of run {run}")).unwrap_or_default();
            let text = format!("pods \"{}\" already exists{whose}; it is not of this run", self.name);
            return Err(CallError::refused("AlreadyExists", text).hint("take another name, or delete that pod"));
        }
        let uid = text(there, "metadata.uid");
        match remove(self.api, &pods::kind(), self.namespace, self.name, uid).await {
            Err(error) if error.class != Class::NotFound => return Err(nothing_begun(error)),
            _ => {}
        }
        let began = self.host.clock().now_ms();
        while self.look().await?.is_some_and(|pod| text(&pod, "metadata.uid") == uid) {
            if self.host.clock().now_ms() - began > START_MS {
                let text = format!("pod {} of an earlier try does not go away", self.name);
                return Err(CallError::refused("AlreadyExists", text));
            }
            self.pause(&format!("pod {} of an earlier try to go", self.name))?;
        }
        Ok(())
    }

    async fn make(&self, input: &Value, request: &Request<'_>) -> Result<Value, CallError> {
        let mut container = json!({"name": "main", "image": input["image"], "command": input["command"]});
        if let Some(env) = input.get("env").filter(|env| env.is_array()) {
            container["env"] = env.clone();
        }
        let mut pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": {"restartPolicy": "Never", "containers": [container]},
        });
        if let Some(labels) = input.get("labels").filter(|labels| labels.is_object()) {
            pod["metadata"]["labels"] = labels.clone();
        }
        if let account @ 1.. = text(input, "service_account").len() {
            pod["spec"]["serviceAccountName"] = text(input, "service_account")[..account].into();
        }
        let body = owned(pod, request.tags).to_string().into_bytes();
        let path =
            format!("{}?fieldManager={MANAGER}&fieldValidation=Strict", collection(&pods::kind(), self.namespace)?);
        let made = self.api.send(&Ask::with(Method::POST, path, "application/json", body)).await;
        made.map_err(|error| match error.class {
            Class::AlreadyExists => CallError { class: Class::Refused, ..error },
            _ => refused_if_missing(error),
        })
    }

    /// Waits for the end of the command. A pod that cannot start ends it too, with the reason.
    async fn until_ended(&self, made: &Value) -> Result<Value, CallError> {
        let clock = self.host.clock();
        let began = clock.now_ms();
        loop {
            let pod = self.look().await.map_err(lost)?.filter(|pod| pod["metadata"]["uid"] == made["metadata"]["uid"]);
            let Some(pod) = pod else {
                let text = format!("pod {} was deleted before its command ended", self.name);
                return Err(CallError::new(Class::Unknown, "PodDeleted", text));
            };
            let waited = clock.now_ms() - began;
            let warnings = match text(&pod, "status.phase") {
                "Succeeded" | "Failed" => return Ok(pod),
                "Running" if waited < RUN_MS => {
                    self.pause(&format!("the command in pod {}", self.name))?;
                    continue;
                }
                "Running" => {
                    return Err(CallError::new(
                        Class::Unknown,
                        "Timeout",
                        format!("pod {} still runs after an hour", self.name),
                    ));
                }
                _ => events(self.api, self.namespace, "type=Warning").await,
            };
            let why = pod_reason(&pod, &warnings).unwrap_or_default();
            if waited > START_MS || why.contains("InvalidImageName") {
                let code = if why.contains("Unschedulable") { "Unschedulable" } else { "PodNotStarted" };
                return Err(CallError::refused(code, format!("pod {} cannot start: {why}", self.name)));
            }
            self.pause(&format!("pod {} to start: {why}", self.name))?;
        }
    }

    fn pause(&self, what: &str) -> Result<(), CallError> {
        self.host.progress(what);
        self.host
            .clock()
            .sleep(LOOK)
            .map_err(|stopped| CallError::new(Class::Unknown, "Interrupted", stopped.to_string()))
    }
}

async fn answer(api: Api<'_>, pod: &Value, container: &str) -> Result<Value, CallError> {
    let state = &pods::container_status(pod, container)["state"];
    let Some(code) = number(state, "terminated.exitCode") else {
        let why = pod_reason(pod, &Default::default()).unwrap_or_default();
        let text = format!("pod {} ended without an exit code: {why}", text(pod, "metadata.name"));
        return Err(CallError::refused("PodFailed", text));
    };
    let stdout = pods::log(api, pod, container, None).await.map_err(lost)?;
    Ok(json!({"stdout": stdout, "stderr": "", "exit_code": code}))
}

fn name_of_container(pod: &Value) -> String {
    pods::container(pod, "").unwrap_or_default()
}

/// The command may have run, whatever keeps us from reading its end.
fn lost(error: CallError) -> CallError {
    match error.class {
        Class::Credentials => error,
        _ => CallError { class: Class::Unknown, ..error },
    }
}

/// The pod was not made yet.
fn nothing_begun(error: CallError) -> CallError {
    match error.class {
        Class::Unknown => CallError { class: Class::NotSent, ..error },
        _ => error,
    }
}
