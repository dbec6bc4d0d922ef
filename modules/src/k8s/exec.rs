//! Commands in pods.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    input,
    operation::{Class, Operation},
    sandbox::k8s::calls,
};

/// A command in a running container.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exec {
    /// Pod.
    pub pod: String,
    /// Namespace; `default` when it is left out.
    pub namespace: Option<String>,
    /// Container; may be left out when there is only one.
    pub container: Option<String>,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Standard input.
    pub stdin: Option<String>,
    /// Doing it twice is harmless: it is then run afresh on each attempt, and after a crash.
    pub repeatable: Option<bool>,
}

/// A command in a pod of its own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunPod {
    /// Name of the pod. It is deleted when the command has ended.
    pub name: String,
    /// Namespace; `default` when it is left out.
    pub namespace: Option<String>,
    /// Image.
    pub image: String,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Environment, as in a container.
    #[serde(default)]
    pub env: Vec<Map<String, Value>>,
    /// Service account; `default` when it is left out.
    pub service_account: Option<String>,
    /// Labels of the pod.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Doing it twice is harmless: it is then run afresh on each attempt, and after a crash.
    pub repeatable: Option<bool>,
}

/// `k8s.exec`.
pub static EXEC: Operation = Operation {
    name: "k8s.exec",
    operation: "Exec",
    doc: "Runs a command in a running container. Answers `#{stdout, stderr, exit_code}`.

Unless `repeatable: true`, a crash in the middle stops the run and asks, since nobody can tell whether the command ran.

Reference: <https://kubernetes.io/docs/reference/kubectl/generated/kubectl_exec/>.",
    class: Class::Exec,
    schema: input::schema::<Exec>,
    check: input::check::<Exec>,
    token: None,
    settle: None,
    sim: calls::exec,
};

/// `k8s.run_pod`.
pub static RUN_POD: Operation = Operation {
    name: "k8s.run_pod",
    operation: "Run a pod",
    doc: "Runs a command in a pod of its own, waits for its end and deletes the pod. Answers `#{stdout, stderr, exit_code}`.

Kubernetes keeps one log of a container: on a live cluster, what was written to standard error is in `stdout` too. A pod of that \
name that a crash of the same run left is removed first; any other one is an error.

Reference: <https://kubernetes.io/docs/reference/kubectl/generated/kubectl_run/>.",
    class: Class::Exec,
    schema: input::schema::<RunPod>,
    check: input::check::<RunPod>,
    token: None,
    settle: None,
    sim: calls::run_pod,
};
