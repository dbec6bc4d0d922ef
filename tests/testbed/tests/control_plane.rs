//! The control planes do what the tests ask of them. What runs in pods is decided by `stages/`.

use std::time::Duration;

use k8s_openapi::api::{
    apps::v1::Deployment,
    batch::v1::Job,
    core::v1::{ConfigMap, Event, Node, Pod, Service},
};
use kube::{
    Api, Client,
    api::{ListParams, Patch, PatchParams, PostParams},
};
use runbook_testbed::{
    control_plane::{ControlPlane, Options},
    tools,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::common::running_in;

/// Asks until the answer is something, at most a minute.
async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("never: {what}");
}

async fn make<K>(api: &Api<K>, object: Value)
where
    K: Clone + DeserializeOwned + Serialize + std::fmt::Debug,
{
    api.create(&PostParams::default(), &serde_json::from_value(object).expect("an object")).await.expect("created");
}

async fn node(client: &Client, name: &str) {
    make(&Api::<Node>::all(client.clone()), json!({ "metadata": { "name": name } })).await;
}

fn deployment(name: &str, annotations: Value) -> Value {
    json!({
        "metadata": { "name": name },
        "spec": {
            "replicas": 2,
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name }, "annotations": annotations },
                "spec": { "containers": [{ "name": "main", "image": "example/main:1" }] },
            },
        },
    })
}

fn job(name: &str, annotations: Value) -> Value {
    json!({
        "metadata": { "name": name },
        "spec": {
            "backoffLimit": 0,
            "template": {
                "metadata": { "annotations": annotations },
                "spec": { "restartPolicy": "Never", "containers": [{ "name": "main", "image": "example/main:1" }] },
            },
        },
    })
}

async fn ready(deployments: &Api<Deployment>, name: &str) -> Option<i32> {
    deployments.get(name).await.ok()?.status?.ready_replicas
}

async fn pods(client: &Client, app: &str) -> Vec<Pod> {
    let pods = Api::<Pod>::default_namespaced(client.clone());
    pods.list(&ListParams::default().labels(&format!("app={app}"))).await.expect("pods").items
}

/// Why the containers of a pod wait, and why they last ended.
async fn reasons(client: &Client, app: &str) -> Option<(String, Option<String>)> {
    let pod = pods(client, app).await.into_iter().next()?;
    let status = pod.status?.container_statuses?.into_iter().next()?;
    let last = status.last_state.and_then(|state| state.terminated?.reason);
    Some((status.state?.waiting?.reason?, last))
}

#[tokio::test(flavor = "multi_thread")]
async fn workloads_become_ready_are_held_and_fail() {
    let Some(tools) = tools::require() else { return };
    let plane = ControlPlane::start(&tools, Options::named("workloads")).expect("a control plane");
    let client = plane.client();
    node(&client, "one").await;
    let deployments = Api::<Deployment>::default_namespaced(client.clone());
    for (name, annotations) in [
        ("good", json!({})),
        ("held", json!({ "testbed.runbook.dev/hold": "true" })),
        ("unpullable", json!({ "testbed.runbook.dev/fail": "ImagePullBackOff" })),
        ("hungry", json!({ "testbed.runbook.dev/fail": "OOMKilled" })),
    ] {
        make(&deployments, deployment(name, annotations)).await;
    }
    until("good is ready", async || ready(&deployments, "good").await.filter(|count| *count == 2)).await;
    until("a pull fails", async || reasons(&client, "unpullable").await.filter(|(why, _)| why == "ImagePullBackOff"))
        .await;
    let (waits, ended) = until("memory runs out", async || reasons(&client, "hungry").await).await;
    assert_eq!((waits.as_str(), ended.as_deref()), ("CrashLoopBackOff", Some("OOMKilled")));
    let events = Api::<Event>::default_namespaced(client.clone());
    until("an event says so", async || {
        events
            .list(&ListParams::default())
            .await
            .ok()?
            .items
            .into_iter()
            .find(|event| event.reason.as_deref() == Some("BackOff"))
    })
    .await;

    let held = until("the held pods run", async || {
        let pods = pods(&client, "held").await;
        let running = |pod: &Pod| pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Running");
        (pods.len() == 2 && pods.iter().all(running)).then_some(pods)
    })
    .await;
    assert_eq!(ready(&deployments, "held").await, None);
    for pod in held {
        let let_go = json!({ "metadata": { "annotations": { "testbed.runbook.dev/hold": null } } });
        let name = pod.metadata.name.expect("a name");
        Api::<Pod>::default_namespaced(client.clone())
            .patch(&name, &PatchParams::default(), &Patch::Merge(let_go))
            .await
            .expect("patched");
    }
    until("the held are let go", async || ready(&deployments, "held").await.filter(|count| *count == 2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_end_and_load_balancers_get_an_address() {
    let Some(tools) = tools::require() else { return };
    let plane = ControlPlane::start(&tools, Options::named("jobs")).expect("a control plane");
    let client = plane.client();
    node(&client, "one").await;
    let jobs = Api::<Job>::default_namespaced(client.clone());
    make(&jobs, job("good", json!({}))).await;
    make(&jobs, job("bad", json!({ "testbed.runbook.dev/exit-code": "3" }))).await;
    let condition = async |name: &str| {
        let conditions = jobs.get(name).await.ok()?.status?.conditions?;
        conditions
            .into_iter()
            .find(|condition| condition.status == "True" && ["Complete", "Failed"].contains(&&*condition.type_))
    };
    assert_eq!(until("good ends", async || condition("good").await).await.type_, "Complete");
    assert_eq!(
        until("bad ends", async || condition("bad").await).await.reason.as_deref(),
        Some("BackoffLimitExceeded")
    );

    let services = Api::<Service>::default_namespaced(client.clone());
    make(
        &services,
        json!({ "metadata": { "name": "web" }, "spec": { "type": "LoadBalancer", "ports": [{ "port": 80 }] } }),
    )
    .await;
    let host = until("an address", async || {
        services.get("web").await.ok()?.status?.load_balancer?.ingress?.into_iter().next()?.hostname
    })
    .await;
    assert_eq!(host, "default-web.elb.us-east-1.amazonaws.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_api_server_keeps_its_data_and_a_stopped_control_plane_leaves_nothing() {
    let Some(tools) = tools::require() else { return };
    let plane = ControlPlane::start(&tools, Options::api_server_alone("restart")).expect("a control plane");
    let maps = Api::<ConfigMap>::default_namespaced(plane.client());
    make(&maps, json!({ "metadata": { "name": "kept" }, "data": { "a": "b" } })).await;
    let endpoint = plane.endpoint();
    plane.stop_api_server();
    assert!(maps.get("kept").await.is_err());
    plane.start_api_server().expect("back again");
    assert_eq!(plane.endpoint(), endpoint);
    let kept = until("it answers", async || maps.get("kept").await.ok()).await;
    assert_eq!(kept.data.expect("data")["a"], "b");

    let folder = plane.admin_kubeconfig().parent().expect("a folder").to_owned();
    assert!(running_in(&folder).len() >= 2);
    plane.stop();
    assert_eq!(running_in(&folder), Vec::<String>::new());
    assert!(!folder.exists());
}
