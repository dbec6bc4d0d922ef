//! What is unready is named with its reason, and what is ready is seen.

use runbook_modules::{error::Class, k8s::finalizers};
use serde_json::{Value, json};

use super::bed::{Live, Others, config_map, config_map_path, plane};

fn workload(kind: &str, space: &str, name: &str, annotations: Value) -> Value {
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": space},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}, "annotations": annotations},
                "spec": {"containers": [{"name": "main", "image": "example/main:1"}]},
            },
        },
    });
    match kind {
        "StatefulSet" => object["spec"]["serviceName"] = name.into(),
        "Deployment" => object["spec"]["replicas"] = 2.into(),
        _ => {}
    }
    object
}

fn job(space: &str, name: &str, annotations: Value) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "namespace": space},
        "spec": {"backoffLimit": 0, "template": {
            "metadata": {"annotations": annotations},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "example/main:1"}]},
        }},
    })
}

#[tokio::test]
async fn workloads_are_waited_for() {
    let Some(plane) = plane() else { return };
    let live = Live::new(plane);
    let space = live.namespace("waits-ready").await;
    for kind in ["Deployment", "StatefulSet", "DaemonSet"] {
        let name = kind.to_lowercase();
        let ready = live.ready(workload(kind, &space, &name, json!({}))).await;
        assert!(ready.get("waiting_for").is_none(), "{ready:#}");
        let wait = json!({"kind": kind, "name": name, "namespace": space});
        assert_eq!(live.call("k8s.wait", wait).await.expect("asked")["done"], true);
    }
    live.ready(job(&space, "job", json!({}))).await;
}

#[tokio::test]
async fn a_deployment_that_is_held_names_pod_container_and_reason() {
    let Some(plane) = plane() else { return };
    let live = Live::new(plane);
    let space = live.namespace("waits-held").await;
    let annotations = json!({"testbed.runbook.dev/hold": "true"});
    let made = live.apply(workload("Deployment", &space, "held", annotations)).await.expect("applied");
    let why = live.waits_for(&made, "not ready").await;
    assert!(why.contains("pod held-") && why.contains("container main"), "{why}");
    let annotations = json!({"testbed.runbook.dev/fail": "ImagePullBackOff"});
    let made = live.apply(workload("StatefulSet", &space, "pull", annotations)).await.expect("applied");
    let why = live.waits_for(&made, "ImagePullBackOff").await;
    assert!(why.contains("pod pull-0: container main: ImagePullBackOff"), "{why}");
    let annotations = json!({"testbed.runbook.dev/fail": "OOMKilled"});
    let made = live.apply(workload("StatefulSet", &space, "loop", annotations)).await.expect("applied");
    let why = live.waits_for(&made, "137").await;
    assert!(why.contains("CrashLoopBackOff (exited with 137, OOMKilled)"), "{why}");
    let wait = json!({"kind": "StatefulSet", "name": "loop", "namespace": space});
    let waiting = live.call("k8s.wait", wait).await.expect("asked");
    assert!(
        waiting["waiting_for"].as_str().is_some_and(|text| text.starts_with("StatefulSet loop: pod loop-0")),
        "{waiting}"
    );
}

#[tokio::test]
async fn a_pod_that_no_node_takes_says_what_the_scheduler_says() {
    let Some(plane) = plane() else { return };
    let live = Live::new(plane);
    let space = live.namespace("waits-nowhere").await;
    let mut nowhere = workload("Deployment", &space, "nowhere", json!({}));
    nowhere["spec"]["template"]["spec"]["nodeSelector"] = json!({"disk": "fast"});
    let made = live.apply(nowhere).await.expect("applied");
    let why = live.waits_for(&made, "Unschedulable").await;
    assert!(why.contains("pod nowhere-") && why.contains("nodes are available"), "{why}");
}

#[tokio::test]
async fn pods_that_are_not_even_made_are_explained_by_their_controller() {
    let Some(plane) = plane() else { return };
    let live = Live::new(plane);
    let space = live.namespace("waits-quota").await;
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none", "namespace": space}, "spec": {"hard": {"pods": "0"}}});
    live.apply(quota).await.expect("applied");
    let made = live.apply(workload("Deployment", &space, "barred", json!({}))).await.expect("applied");
    let why = live.waits_for(&made, "exceeded quota").await;
    assert!(why.contains("FailedCreate"), "{why}");
}

#[tokio::test]
async fn a_job_that_fails_is_broken_and_says_why() {
    let Some(plane) = plane() else { return };
    let live = Live::new(plane);
    let space = live.namespace("waits-job").await;
    let made = live.apply(job(&space, "fails", json!({"testbed.runbook.dev/exit-code": "3"}))).await.expect("applied");
    let why = live.waits_for(&made, "BackoffLimitExceeded").await;
    assert!(why.contains("backoff limit"), "{why}");
    let waiting =
        live.call("k8s.wait", json!({"kind": "Job", "name": "fails", "namespace": space})).await.expect("asked");
    assert_eq!((&waiting["done"], &waiting["failed"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn claims_and_balancers_wait_for_their_providers() {
    let Some(plane) = plane() else { return };
    let (live, others) = (Live::new(plane), Others::of(plane));
    let space = live.namespace("waits-providers").await;
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": space},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "missing", "resources": {"requests": {"storage": "1Gi"}}},
    });
    let made = live.apply(claim).await.expect("applied");
    let why = live.waits_for(&made, "storageclass").await;
    assert!(why.contains("\"missing\" not found"), "{why}");
    let path = format!("/api/v1/namespaces/{space}/persistentvolumeclaims/data/status");
    others.merge(&path, json!({"status": {"phase": "Bound"}})).await;
    live.until("bound", &made, |found| (found?["status"]["phase"] == "Bound").then_some(())).await;
    let class = json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "waits-late"},
        "provisioner": "example.com/none", "volumeBindingMode": "WaitForFirstConsumer",
    });
    live.apply(class).await.expect("applied");
    let late = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "late", "namespace": space},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "waits-late", "resources": {"requests": {"storage": "1Gi"}}},
    });
    live.ready(late).await;
}

#[tokio::test]
async fn a_namespace_that_hangs_names_what_remains_in_it() {
    let Some(plane) = plane() else { return };
    let live = Live::new(plane);
    let space = live.namespace("waits-terminating").await;
    let mut held = config_map(&space, "held", json!({}));
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    live.apply(held).await.expect("applied");
    let made = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}});
    live.undo("k8s.apply", &made, &made, None).await.expect("deleted");
    let why = live.waits_for(&made, "example.com/hold").await;
    assert!(why.contains("configmaps"), "{why}");
    assert!(live.obstacles(&made).await.iter().any(|text| text.contains("example.com/hold")));
    // A second delete is no error, and nothing can be made in it.
    live.undo("k8s.apply", &made, &made, None).await.expect("deleted again");
    let error = live.apply(config_map(&space, "late", json!({}))).await.expect_err("terminating");
    assert_eq!(error.class, Class::Refused, "{error}");
    assert!(error.message.contains("being terminated"), "{error}");
    // A person may let go what is in it, not the namespace over its head.
    let allowed = |mut object: Value| {
        object[finalizers::CONSENT] = true.into();
        object
    };
    let error = live.undo("k8s.apply", &made, &allowed(made.clone()), None).await.expect_err("holds something");
    assert_eq!((error.class, error.code.as_str()), (Class::Blocked, "NamespaceHolds"), "{error}");
    let held = config_map(&space, "held", json!({}));
    let mut another = held.clone();
    another["metadata"]["uid"] = "6d0c4a55-0000-4000-8000-000000000000".into();
    let error = live.undo("k8s.apply", &held, &allowed(another), None).await.expect_err("another one");
    assert_eq!(error.class, Class::NotFound, "{error}");
    assert!(live.read(&held).await.expect("read").is_some());
    live.undo("k8s.apply", &held, &allowed(held.clone()), None).await.expect("let go");
    live.until("gone", &held, |found| found.is_none().then_some(())).await;
    live.until("gone", &made, |found| found.is_none().then_some(())).await;
}

#[tokio::test]
async fn an_object_that_is_being_deleted_is_not_applied_over() {
    let Some(plane) = plane() else { return };
    let (live, others) = (Live::new(plane), Others::of(plane));
    let space = live.namespace("waits-deleting").await;
    let mut held = config_map(&space, "held", json!({}));
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    let made = live.apply(held.clone()).await.expect("applied");
    live.undo("k8s.apply", &held, &made, None).await.expect("deleted");
    assert!(live.find(&held).await.is_empty());
    let error = live.apply(held).await.expect_err("being deleted");
    assert_eq!(error.class, Class::NotYet, "{error}");
    assert!(error.message.contains("is being deleted"), "{error}");
    others.merge(&config_map_path(&space, "held"), json!({"metadata": {"finalizers": null}})).await;
}
