//! Reads, waits and deletes of objects.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{health, types::text};
use crate::{
    input,
    operation::{Class, Operation, Settle},
    resource::Health,
    sandbox::k8s::calls,
};

/// One object.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct One {
    /// Kind, e.g. `Deployment`.
    pub kind: String,
    /// API group and version, e.g. `apps/v1`; may be left out for Kubernetes' own kinds.
    pub api_version: Option<String>,
    /// Name.
    pub name: String,
    /// Namespace; `default` when it is left out.
    pub namespace: Option<String>,
}

/// Several objects.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Several {
    /// Kind, e.g. `Pod`.
    pub kind: String,
    /// API group and version; may be left out for Kubernetes' own kinds.
    pub api_version: Option<String>,
    /// Namespace; all namespaces when it is left out.
    pub namespace: Option<String>,
    /// Labels that the objects must have, e.g. `app=web,tier!=db`.
    pub label_selector: Option<String>,
}

/// An object and what to wait for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// Kind, e.g. `StatefulSet`.
    pub kind: String,
    /// API group and version; may be left out for Kubernetes' own kinds.
    pub api_version: Option<String>,
    /// Name.
    pub name: String,
    /// Namespace; `default` when it is left out.
    pub namespace: Option<String>,
    /// `ready` (the default), `exists`, `gone` or `condition=NAME`.
    #[serde(rename = "for")]
    pub what: Option<String>,
}

/// Whose log.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Logs {
    /// Kind: `Pod` (the default), or a workload, of which the first pod's log is read.
    pub kind: Option<String>,
    /// API group and version.
    pub api_version: Option<String>,
    /// Name.
    pub name: String,
    /// Namespace; `default` when it is left out.
    pub namespace: Option<String>,
    /// Container; may be left out when there is only one.
    pub container: Option<String>,
    /// Only the last so many lines.
    pub tail: Option<u32>,
}

/// `k8s.get`.
pub static GET: Operation = Operation {
    name: "k8s.get",
    operation: "Get",
    doc: "Reads one object; `()` when there is none.

Reference: <https://kubernetes.io/docs/reference/using-api/api-concepts/>.",
    class: Class::Read,
    schema: input::schema::<One>,
    check: input::check::<One>,
    token: None,
    settle: None,
    sim: calls::get,
};

/// `k8s.list`.
pub static LIST: Operation = Operation {
    name: "k8s.list",
    operation: "List",
    doc: "Lists the objects of a kind, in one namespace or in all, with certain labels or not.

Reference: <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#api>.",
    class: Class::Read,
    schema: input::schema::<Several>,
    check: input::check::<Several>,
    token: None,
    settle: None,
    sim: calls::list,
};

/// `k8s.wait`.
pub static WAIT: Operation = Operation {
    name: "k8s.wait",
    operation: "Wait",
    doc: "Waits for an object to be ready, to exist, to be gone, or to have a condition. While it waits it names the pods and the reasons.

Answers `#{done, waiting_for, object}`.

Reference: <https://kubernetes.io/docs/reference/kubectl/generated/kubectl_wait/>.",
    class: Class::Read,
    schema: input::schema::<Wait>,
    check: input::check::<Wait>,
    token: None,
    settle: Some(Settle { poll: "k8s.wait", input: |input, _| input.clone(), judge: waited }),
    sim: calls::wait,
};

/// `k8s.logs`.
pub static LOGS: Operation = Operation {
    name: "k8s.logs",
    operation: "Logs",
    doc: "Reads the log of a container.

Reference: <https://kubernetes.io/docs/reference/kubectl/generated/kubectl_logs/>.",
    class: Class::Read,
    schema: input::schema::<Logs>,
    check: input::check::<Logs>,
    token: None,
    settle: None,
    sim: calls::logs,
};

/// `k8s.delete`.
pub static DELETE: Operation = Operation {
    name: "k8s.delete",
    operation: "Delete",
    doc: "Deletes an object and waits until it is gone; while it waits it names the finalizers that are left. Answers `#{id, uid}`.

Reference: <https://kubernetes.io/docs/concepts/architecture/garbage-collection/>.",
    class: Class::Delete,
    schema: input::schema::<One>,
    check: input::check::<One>,
    token: None,
    settle: Some(Settle { poll: "k8s.wait", input: until_gone, judge: waited }),
    sim: calls::delete,
};

/// The object that was deleted is waited for, not another one that takes its name.
fn until_gone(input: &Value, answer: &Value) -> Value {
    let mut wait = input.clone();
    wait["for"] = "gone".into();
    if answer["uid"].is_string() {
        wait["uid"] = answer["uid"].clone();
    }
    wait
}

fn waited(answer: &Value) -> Health {
    let text = text(answer, "waiting_for").to_owned();
    match (answer["done"] == true, answer["failed"] == true) {
        (true, _) => Health::Ready,
        (_, true) => Health::Failed(text),
        _ => Health::Pending(text),
    }
}

/// What `k8s.wait` answers for an object as it is now.
pub fn wait_answer(what: &str, name: &str, object: Option<&Value>) -> Value {
    let answer = |done: bool, waiting_for: String| json!({"done": done, "waiting_for": waiting_for, "object": object});
    let Some(found) = object else {
        return answer(what == "gone", if what == "gone" { String::new() } else { format!("{name} does not exist") });
    };
    match (what, what.strip_prefix("condition=")) {
        ("exists", _) => answer(true, String::new()),
        ("gone", _) => match health::judge(found) {
            Health::Deleting(why) => answer(false, format!("{name}: {why}")),
            _ => answer(false, format!("{name} stands")),
        },
        (_, Some(condition)) => {
            let (condition, _) = condition.split_once('=').unwrap_or((condition, ""));
            answer(health::condition(found, condition), format!("{name}: {condition} is not True"))
        }
        _ => match health::judge(found) {
            Health::Ready => answer(true, String::new()),
            Health::Pending(why) | Health::Deleting(why) => answer(false, format!("{name}: {why}")),
            Health::Failed(why) => {
                let mut failed = answer(false, format!("{name}: {why}"));
                failed["failed"] = true.into();
                failed
            }
        },
    }
}
