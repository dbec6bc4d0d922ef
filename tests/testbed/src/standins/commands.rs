//! Pods that run one command and end, such as a runbook's probes: the command really runs, and the pod's status says how it ended.
//! The admission policy of [`super::boot`] keeps kwok from ending them.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{
    cluster::Inside,
    container::{self, Done},
    kube_objects::{annotation, is_going, items, name, namespace, text},
};
use crate::rehearsed::answers;

/// Pods that the policy has marked carry this annotation.
pub const MARK: &str = "testbed.runbook.dev/standin";

/// Looks for such pods until the task is ended.
pub(super) async fn run(inside: Arc<Inside>) {
    let mut begun = BTreeSet::new();
    loop {
        for pod in inside.objects.list("/api/v1/pods").await.unwrap_or_default() {
            if is_command(&pod)
                && text(&pod, "status.phase") == "Running"
                && begun.insert(text(&pod, "metadata.uid").to_owned())
            {
                let inside = inside.clone();
                tokio::spawn(async move { carry_out(&inside, &pod).await });
            }
        }
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}

fn is_command(pod: &Value) -> bool {
    annotation(pod, MARK) == "command" && !is_going(pod)
}

async fn carry_out(inside: &Inside, pod: &Value) {
    let Some(container) = container::find(pod, "") else { return };
    let container_name = text(container, "name");
    let words =
        |field: &str| items(container, field).iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>();
    let command = [words("command"), words("args")].concat();
    let mut ended = run_once(inside, pod, container, &command).await;
    // A Secret may come later; the kubelet tries again as well.
    for _ in 0..600 {
        match &ended {
            Err(why)
                if why.contains("not found") && !why.contains("executable") || why.contains("couldn't find key") =>
            {
                wait(inside, pod, container_name, why).await;
            }
            _ => break,
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        ended = run_once(inside, pod, container, &command).await;
    }
    let (code, reason, output) = match ended {
        Ok(done) => {
            let reason = if done.exit_code == 0 { "Completed" } else { "Error" };
            (done.exit_code, reason, done.stdout + &done.stderr)
        }
        Err(why) => (128, "StartError", why),
    };
    inside.logs.write(pod, container_name, &output);
    let state = json!({"terminated": {
        "exitCode": code, "reason": reason, "message": if reason == "StartError" { output.as_str() } else { "" },
        "startedAt": text(pod, "status.startTime"), "finishedAt": text(pod, "status.startTime"),
    }});
    let phase = if code == 0 { "Succeeded" } else { "Failed" };
    report(inside, pod, container_name, phase, &state).await;
}

/// Its environment must be there; what it says may be rehearsed.
async fn run_once(inside: &Inside, pod: &Value, container: &Value, command: &[String]) -> Result<Done, String> {
    container::environment(inside, pod, container).await?;
    match answers::run_pod(inside, pod, command).await? {
        Some(done) => Ok(done),
        None => container::run(inside, pod, container, command, "").await,
    }
}

async fn wait(inside: &Inside, pod: &Value, container: &str, why: &str) {
    let state = json!({"waiting": {"reason": "CreateContainerConfigError", "message": why}});
    report(inside, pod, container, "Pending", &state).await;
}

async fn report(inside: &Inside, pod: &Value, container: &str, phase: &str, state: &Value) {
    let image = container::find(pod, container).map(|found| found["image"].clone());
    let status = json!({"status": {
        "phase": phase,
        "containerStatuses": [{
            "name": container, "image": image, "imageID": image, "ready": false, "started": false, "restartCount": 0, "state": state,
        }],
    }});
    let path = format!("/api/v1/namespaces/{}/pods/{}/status", namespace(pod), name(pod));
    // The pod may have been deleted meanwhile; a server that does not answer is asked again.
    for _ in 0..50 {
        if inside.objects.merge(&path, &status).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
