//! Why a pod is not ready, out of its status and the last warning about it.

use std::collections::BTreeMap;

use runbook_modules::k8s::types::{number, text};
use serde_json::Value;

/// Longer messages are cut: they stand in a line for people.
const LONGEST: usize = 300;

/// Why a pod is not ready; None when it is, or has ended well. `warnings`: the last one of each object, by uid.
pub fn pod_reason(pod: &Value, warnings: &BTreeMap<String, String>) -> Option<String> {
    if !text(pod, "metadata.deletionTimestamp").is_empty() {
        return Some("being deleted".to_owned());
    }
    let phase = text(pod, "status.phase");
    let condition = |name: &str| {
        let list = pod["status"]["conditions"].as_array().into_iter().flatten();
        list.into_iter().find(|condition| text(condition, "type") == name)
    };
    let is_true = |name: &str| condition(name).is_some_and(|condition| text(condition, "status") == "True");
    if phase == "Succeeded" || is_true("Ready") {
        return None;
    }
    let why = containers(pod).or_else(|| {
        let scheduled = condition("PodScheduled").filter(|condition| text(condition, "status") == "False");
        scheduled.map(|condition| with_message(text(condition, "reason"), text(condition, "message")))
    });
    let why = why.unwrap_or_else(|| match (text(pod, "status.reason"), phase) {
        ("", "Running") => "not ready".to_owned(),
        ("", "") => "Pending".to_owned(),
        ("", phase) => phase.to_owned(),
        (reason, _) => with_message(reason, text(pod, "status.message")),
    });
    Some(match warnings.get(text(pod, "metadata.uid")) {
        Some(warning) if !said(&why, warning) => format!("{why}; last warning {warning}"),
        _ => why,
    })
}

/// Whether a warning says no more than what is said already.
fn said(why: &str, warning: &str) -> bool {
    let message = warning.split_once(": ").map_or(warning, |(_, message)| message);
    why.contains(message)
}

fn containers(pod: &Value) -> Option<String> {
    let lists = ["initContainerStatuses", "containerStatuses"];
    let all: Vec<&Value> =
        lists.iter().flat_map(|list| pod["status"][*list].as_array().into_iter().flatten()).collect();
    let named = |container: &Value, why: String| format!("container {}: {why}", text(container, "name"));
    // A container that cannot start says more than one that has not started yet.
    let stuck = all.iter().find_map(|container| {
        let reason = text(container, "state.waiting.reason");
        let idle = matches!(reason, "" | "ContainerCreating" | "PodInitializing");
        (!idle).then(|| named(container, waiting(container, reason)))
    });
    let failed = || {
        all.iter().find_map(|container| {
            let code = number(&container["state"], "terminated.exitCode").filter(|code| *code != 0)?;
            let reason = text(container, "state.terminated.reason");
            Some(named(container, with_message(&format!("exited with {code}"), reason)))
        })
    };
    let creating = || {
        let reason = |container: &&Value| text(container, "state.waiting.reason").to_owned();
        all.iter().map(reason).find(|reason| !reason.is_empty())
    };
    let unready = || {
        let runs = |container: &&&Value| container["state"].get("running").is_some() && container["ready"] == false;
        all.iter().find(runs).map(|container| named(container, "runs, but is not ready".to_owned()))
    };
    stuck.or_else(failed).or_else(creating).or_else(unready)
}

fn waiting(container: &Value, reason: &str) -> String {
    let last = &container["lastState"]["terminated"];
    match number(last, "exitCode") {
        Some(code) => with_message(reason, &format!("exited with {code}, {}", text(last, "reason"))),
        None => with_message(reason, text(container, "state.waiting.message")),
    }
}

fn with_message(reason: &str, message: &str) -> String {
    match (reason, message) {
        (reason, "") => reason.to_owned(),
        ("", message) => shortened(message),
        (reason, message) => format!("{reason} ({})", shortened(message)),
    }
}

/// A message in one line.
pub fn shortened(message: &str) -> String {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::pod_reason;

    fn why(status: Value) -> Option<String> {
        let warnings = BTreeMap::from([("u".to_owned(), "Failed: Failed to pull image \"x\": not found".to_owned())]);
        pod_reason(&json!({"metadata": {"uid": "u"}, "status": status}), &warnings)
    }

    fn quiet(status: Value) -> Option<String> {
        pod_reason(&json!({"metadata": {"uid": "u"}, "status": status}), &BTreeMap::new())
    }

    #[test]
    fn container_reason_and_the_last_warning_are_named() {
        let status = json!({"phase": "Pending", "containerStatuses": [
            {"name": "a", "state": {"waiting": {"reason": "ContainerCreating"}}},
            {"name": "redis", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image \"x\""}}},
        ]});
        let text = why(status).unwrap_or_default();
        assert_eq!(
            text,
            "container redis: ImagePullBackOff (Back-off pulling image \"x\"); last warning Failed: Failed to pull image \"x\": not found"
        );
    }

    #[test]
    fn what_cannot_be_scheduled_says_why() {
        let status = json!({"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available: 1 Insufficient cpu."},
        ]});
        assert_eq!(quiet(status), Some("Unschedulable (0/1 nodes are available: 1 Insufficient cpu.)".to_owned()));
    }

    #[test]
    fn a_crash_loop_names_the_exit_code() {
        let status = json!({"phase": "Running", "containerStatuses": [{
            "name": "c", "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
        }]});
        assert_eq!(quiet(status), Some("container c: CrashLoopBackOff (exited with 137, OOMKilled)".to_owned()));
    }

    #[test]
    fn a_ready_pod_waits_for_nothing() {
        assert_eq!(quiet(json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]})), None);
        assert_eq!(quiet(json!({"phase": "Succeeded"})), None);
        assert_eq!(quiet(json!({})), Some("Pending".to_owned()));
    }

    #[test]
    fn a_container_that_runs_unready_is_named() {
        let status =
            json!({"phase": "Running", "containerStatuses": [{"name": "c", "ready": false, "state": {"running": {}}}]});
        assert_eq!(quiet(status), Some("container c: runs, but is not ready".to_owned()));
    }
}
