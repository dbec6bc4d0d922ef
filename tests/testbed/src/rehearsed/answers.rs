//! What programs in pods answer: exec, run_pod and logs, out of the rehearsal file.

use std::{collections::BTreeMap, time::Duration};

use runbook_modules::sandbox::{
    answers::{Answered, first},
    template::Scope,
};
use serde_json::Value;

use super::{
    facts::{Found, rendered},
    kinds::Kinds,
};
use crate::{
    bed::SPEED,
    standins::{
        cluster::Inside,
        container::Done,
        kube_objects::{items, name, namespace, text},
    },
};

/// The age of what has always been there.
const LONG_AGO: Duration = Duration::from_secs(1_000_000);

/// A command in a running container (`k8s.exec`); None when the file has no answer.
///
/// # Errors
/// The file's answer cannot be rendered.
pub async fn exec(inside: &Inside, pod: &Value, container: &str, command: &[String]) -> Result<Option<Done>, String> {
    let fields = [("pod", name(pod)), ("container", container), ("command", &command.join(" "))];
    asked(inside, "k8s.exec", pod, &fields, age(pod)).await
}

/// The only command of a pod that was made for it (`k8s.run_pod`). Its `after:` counts from the start of the cluster, long ago by then.
///
/// # Errors
/// As [`exec`].
pub async fn run_pod(inside: &Inside, pod: &Value, command: &[String]) -> Result<Option<Done>, String> {
    let image = text(&items(pod, "spec.containers")[0], "image");
    let fields = [("name", name(pod)), ("pod", name(pod)), ("image", image), ("command", &command.join(" "))];
    asked(inside, "k8s.run_pod", pod, &fields, LONG_AGO).await
}

/// What a container has logged (`k8s.logs`). A pod of a workload is meant by the workload's name.
///
/// # Errors
/// As [`exec`].
pub async fn logs(inside: &Inside, pod: &Value, container: &str) -> Result<Option<Done>, String> {
    for owner in [name(pod), owner(pod)] {
        let fields = [("name", owner), ("pod", name(pod)), ("container", container)];
        let found = asked(inside, "k8s.logs", pod, &fields, age(pod)).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// What a chart renders to (`helm.template`).
///
/// # Errors
/// As [`exec`].
pub async fn template(inside: &Inside, release: &str) -> Result<Option<String>, String> {
    let found = asked(inside, "helm.template", &Value::Null, &[("name", release)], LONG_AGO).await?;
    Ok(found.map(|said| said.stdout))
}

/// The workload that a pod is of: a ReplicaSet's name is its Deployment's and a hash.
fn owner(pod: &Value) -> &str {
    let owner = items(pod, "metadata.ownerReferences").first();
    let called = owner.map(|owner| text(owner, "name")).unwrap_or_default();
    match owner.map(|owner| text(owner, "kind")) {
        Some("ReplicaSet") => called.rsplit_once('-').map_or(called, |(deployment, _)| deployment),
        _ => called,
    }
}

async fn asked(
    inside: &Inside, call: &str, pod: &Value, fields: &[(&str, &str)], age: Duration,
) -> Result<Option<Done>, String> {
    let Some(rehearsed) = inside.shared.rehearsed() else { return Ok(None) };
    if !rehearsed.rehearsal.answers.iter().any(|answer| answer.call == call) {
        return Ok(None);
    }
    let mut all: BTreeMap<String, String> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    all.insert("cluster".to_owned(), inside.name.clone());
    all.insert("region".to_owned(), inside.region.clone());
    all.insert("namespace".to_owned(), namespace(pod).to_owned());
    let age = i64::try_from((age * SPEED).as_millis()).unwrap_or(i64::MAX);
    let kinds = Kinds::read(&inside.objects).await?;
    let mut found = Found::default();
    let answer = rendered(inside, rehearsed, &kinds, &mut found, |live| {
        first(&rehearsed.rehearsal.answers, Scope::new(live, &inside.name), call, &all, age)
    });
    let Some(Answered { answer, adds }) = answer.await? else { return Ok(None) };
    if !adds.is_null() {
        let path = format!("/api/v1/namespaces/{}/pods/{}", namespace(pod), name(pod));
        inside.objects.merge(&path, &adds).await?;
    }
    let exit_code = answer["exit_code"].as_i64().and_then(|code| i32::try_from(code).ok()).unwrap_or(1);
    Ok(Some(Done { stdout: text(&answer, "stdout").to_owned(), stderr: text(&answer, "stderr").to_owned(), exit_code }))
}

fn age(pod: &Value) -> Duration {
    let made: Option<jiff::Timestamp> = text(pod, "status.startTime").parse().ok();
    made.and_then(|made| Duration::try_from(jiff::Timestamp::now().duration_since(made)).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_is_of_its_deployment() {
        let pod = |kind: &str, name: &str| json!({"metadata": {"ownerReferences": [{"kind": kind, "name": name}]}});
        assert_eq!(owner(&pod("ReplicaSet", "web-app-5d9f")), "web-app");
        assert_eq!(owner(&pod("StatefulSet", "db")), "db");
        assert_eq!(owner(&json!({})), "");
    }
}
