//! Apply, patch and delete.

use runbook_modules::error::Class;
use serde_json::json;

use super::bed::{Live, Others, config_map, config_map_path, plane};

#[tokio::test]
async fn an_applied_object_is_described_found_and_deleted() {
    let Some(plane) = plane() else { return };
    let live = Live::new(plane);
    let space = live.namespace("changes-round").await;
    let wanted = config_map(&space, "one", json!({"a": "1"}));
    let made = live.apply(wanted.clone()).await.expect("applied");
    assert_eq!(made["id"], format!("v1/ConfigMap/{space}/one"));
    assert_eq!((&made["name"], &made["tags"]["runbook:run"]), (&json!("one"), &json!("run-1")));
    assert_eq!(made["metadata"]["annotations"]["runbook/step"], "a step");
    assert!(made["metadata"].get("managedFields").is_none());
    assert_eq!(live.read(&made).await.expect("read"), Some(made.clone()));
    assert_eq!(live.find(&wanted).await, std::slice::from_ref(&made));
    let one = json!({"kind": "ConfigMap", "name": "one", "namespace": space});
    assert_eq!(live.call("k8s.get", one.clone()).await.expect("got"), made);
    let all = json!({"kind": "ConfigMap", "namespace": space, "label_selector": "runbook/run=run-1"});
    assert_eq!(live.call("k8s.list", all).await.expect("listed"), json!([made.clone()]));
    live.undo("k8s.apply", &wanted, &made, None).await.expect("deleted");
    assert_eq!(live.read(&made).await.expect("read"), None);
    assert!(live.find(&wanted).await.is_empty());
    let again = live.undo("k8s.apply", &wanted, &made, None).await;
    assert_eq!(again.map_err(|error| error.class), Err(Class::NotFound));
}

#[tokio::test]
async fn fields_of_another_manager_are_named_and_not_taken() {
    let Some(plane) = plane() else { return };
    let (live, others) = (Live::new(plane), Others::of(plane));
    let space = live.namespace("changes-conflict").await;
    let path = config_map_path(&space, "theirs");
    others.apply(&path, "kubectl", config_map(&space, "theirs", json!({"a": "1", "b": "2"}))).await;
    let error = live.apply(config_map(&space, "theirs", json!({"a": "9", "c": "3"}))).await.expect_err("a conflict");
    assert_eq!((error.class, error.code.as_str()), (Class::Refused, "FieldConflict"));
    for part in ["kubectl", "data.a"] {
        assert!(error.message.contains(part), "{part} in {error}");
    }
    assert!(!error.message.contains("data.b"), "{error}");
    assert_eq!(others.get(&path).await["data"], json!({"a": "1", "b": "2"}));
}

#[tokio::test]
async fn undo_puts_back_what_stood_there_and_leaves_what_others_changed_since() {
    let Some(plane) = plane() else { return };
    let (live, others) = (Live::new(plane), Others::of(plane));
    let space = live.namespace("changes-back").await;
    let path = config_map_path(&space, "shared");
    others
        .post(&format!("/api/v1/namespaces/{space}/configmaps"), config_map(&space, "shared", json!({"a": "1"})))
        .await;
    let wanted = config_map(&space, "shared", json!({"b": "2"}));
    let before = live.find(&wanted).await.remove(0);
    let made = live.apply(wanted.clone()).await.expect("applied");
    assert_eq!(made["data"], json!({"a": "1", "b": "2"}));
    others.merge(&path, json!({"data": {"later": "3"}})).await;
    live.undo("k8s.apply", &wanted, &made, Some(&before)).await.expect("put back");
    let now = others.get(&path).await;
    assert_eq!(now["data"], json!({"a": "1", "later": "3"}));
    assert!(now["metadata"].get("labels").is_none(), "{now:#}");
}

#[tokio::test]
async fn an_object_that_another_run_applied_is_put_back_too() {
    let Some(plane) = plane() else { return };
    let (first, live, others) = (Live::new(plane).of_run("run-0"), Live::new(plane), Others::of(plane));
    let space = live.namespace("changes-runs").await;
    first.apply(config_map(&space, "both", json!({"a": "1", "b": "2"}))).await.expect("applied");
    let wanted = config_map(&space, "both", json!({"a": "9"}));
    let before = live.find(&wanted).await.remove(0);
    let made = live.apply(wanted.clone()).await.expect("applied");
    assert_eq!((&made["data"], &made["tags"]["runbook:run"]), (&json!({"a": "9"}), &json!("run-1")));
    live.undo("k8s.apply", &wanted, &made, Some(&before)).await.expect("put back");
    let now = others.get(&config_map_path(&space, "both")).await;
    assert_eq!(
        (&now["data"], &now["metadata"]["labels"]["runbook/run"]),
        (&json!({"a": "1", "b": "2"}), &json!("run-0"))
    );
}

#[tokio::test]
async fn only_the_very_object_is_deleted() {
    let Some(plane) = plane() else { return };
    let (live, others) = (Live::new(plane), Others::of(plane));
    let space = live.namespace("changes-uid").await;
    let wanted = config_map(&space, "twin", json!({"a": "1"}));
    let made = live.apply(wanted.clone()).await.expect("applied");
    others.delete(&config_map_path(&space, "twin")).await;
    others.post(&format!("/api/v1/namespaces/{space}/configmaps"), config_map(&space, "twin", json!({"b": "2"}))).await;
    assert_eq!(live.read(&made).await.expect("read"), None, "it is another one");
    let error = live.undo("k8s.apply", &wanted, &made, None).await.expect_err("gone");
    assert_eq!(error.class, Class::NotFound);
    assert_eq!(others.get(&config_map_path(&space, "twin")).await["data"], json!({"b": "2"}));
}

#[tokio::test]
async fn deletes_by_hand_wait_for_that_object_alone() {
    let Some(plane) = plane() else { return };
    let (live, others) = (Live::new(plane), Others::of(plane));
    let space = live.namespace("changes-hand").await;
    let mut held = config_map(&space, "held", json!({}));
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    live.apply(held).await.expect("applied");
    let one = json!({"kind": "ConfigMap", "name": "held", "namespace": space});
    let answer = live.call("k8s.delete", one.clone()).await.expect("deleted");
    assert_eq!(answer["id"], format!("v1/ConfigMap/{space}/held"));
    let mut wait = one.clone();
    wait["for"] = "gone".into();
    wait["uid"] = answer["uid"].clone();
    let waiting = live.call("k8s.wait", wait.clone()).await.expect("asked");
    assert_eq!(waiting["done"], false);
    assert!(waiting["waiting_for"].as_str().is_some_and(|text| text.contains("example.com/hold")), "{waiting}");
    others.merge(&config_map_path(&space, "held"), json!({"metadata": {"finalizers": null}})).await;
    others.post(&format!("/api/v1/namespaces/{space}/configmaps"), config_map(&space, "held", json!({}))).await;
    assert_eq!(live.call("k8s.wait", wait).await.expect("asked")["done"], true);
    let missing = json!({"kind": "ConfigMap", "name": "never", "namespace": space});
    let error = live.call("k8s.delete", missing).await.expect_err("none");
    assert_eq!(error.class, Class::NotFound);
}

#[tokio::test]
async fn a_patch_changes_named_items_and_is_put_back() {
    let Some(plane) = plane() else { return };
    let (live, others) = (Live::new(plane), Others::of(plane));
    let space = live.namespace("changes-patch").await;
    let container =
        |name: &str, image: &str| json!({"name": name, "image": image, "env": [{"name": "A", "value": "1"}]});
    let deployment = json!({
        "metadata": {"name": "coredns", "namespace": space},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "dns"}}, "template": {
            "metadata": {"labels": {"app": "dns"}},
            "spec": {"containers": [container("coredns", "example/dns:1"), container("other", "example/other:1")]},
        }},
    });
    let path = format!("/apis/apps/v1/namespaces/{space}/deployments");
    others.post(&path, deployment).await;
    let path = format!("{path}/coredns");
    let was = others.get(&path).await["spec"].clone();
    let change = json!({"spec": {"template": {"spec": {
        "containers": [{"name": "coredns", "image": "example/dns:2", "env": [{"name": "B", "value": "2"}]}],
        "nodeSelector": {"disk": "fast"},
    }}}});
    let input = json!({"kind": "Deployment", "name": "coredns", "namespace": space, "patch": change});
    let before = live.find_patch(&input).await;
    let made = live.patch(input.clone()).await.expect("patched");
    assert_eq!(made["patch"]["spec"]["template"]["spec"]["nodeSelector"], json!({"disk": "fast"}));
    let now = others.get(&path).await;
    let containers = &now["spec"]["template"]["spec"]["containers"];
    assert_eq!(
        (&containers[0]["image"], &containers[1]["image"]),
        (&json!("example/dns:2"), &json!("example/other:1"))
    );
    assert_eq!(containers[0]["env"], json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]));
    live.undo("k8s.patch", &input, &made, Some(&before)).await.expect("patched back");
    assert_eq!(others.get(&path).await["spec"], was);
    let missing =
        json!({"kind": "Deployment", "name": "never", "namespace": space, "patch": {"spec": {"replicas": 1}}});
    assert_eq!(live.patch(missing).await.map_err(|error| error.class), Err(Class::Refused));
}

#[tokio::test]
async fn a_secret_beyond_a_megabyte_is_refused_with_the_limit() {
    let Some(plane) = plane() else { return };
    let live = Live::new(plane);
    let space = live.namespace("changes-large").await;
    let secret = |bytes: usize| {
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "large", "namespace": space},
            "stringData": {"value": "x".repeat(bytes)}})
    };
    let error = live.apply(secret((1 << 20) + 1)).await.expect_err("too large");
    assert_eq!(error.class, Class::Refused, "{error}");
    assert!(error.message.contains("1048576"), "{error}");
    let error = live.apply(secret(4 << 20)).await.expect_err("far too large");
    assert_eq!((error.class, error.code.as_str()), (Class::Refused, "TooLarge"), "{error}");
    assert!(error.hints.iter().any(|hint| hint.contains("1 MiB")), "{error:?}");
    assert!(live.apply(secret(1_000_000)).await.is_ok());
}

#[tokio::test]
async fn what_the_schema_does_not_know_is_refused_by_name() {
    let Some(plane) = plane() else { return };
    let live = Live::new(plane);
    let space = live.namespace("changes-schema").await;
    let mut wrong = config_map(&space, "wrong", json!({"a": "1"}));
    wrong["datta"] = json!({"b": "2"});
    let error = live.apply(wrong).await.expect_err("an unknown field");
    assert_eq!(error.class, Class::Refused, "{error}");
    assert!(error.message.contains("datta"), "{error}");
    let nowhere = config_map("no-such-namespace", "one", json!({}));
    let error = live.apply(nowhere).await.expect_err("no namespace");
    assert_eq!(error.class, Class::Refused, "{error}");
    assert!(error.message.contains("no-such-namespace"), "{error}");
    let mut node = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x", "namespace": space}});
    assert_eq!(live.apply(node.take()).await.map_err(|error| error.code), Err("Invalid".to_owned()));
}

#[tokio::test]
async fn a_pod_of_somebody_else_is_left_alone() {
    let Some(plane) = plane() else { return };
    let (live, others) = (Live::new(plane), Others::of(plane));
    let space = live.namespace("changes-foreign-pod").await;
    let pod = json!({"metadata": {"name": "probe"}, "spec": {"containers": [{"name": "c", "image": "example/c:1"}]}});
    let theirs = others.post(&format!("/api/v1/namespaces/{space}/pods"), pod).await;
    let run = json!({"name": "probe", "namespace": space, "image": "example/probe:1", "command": ["true"]});
    let error = live.call("k8s.run_pod", run).await.expect_err("a foreign pod");
    assert_eq!((error.class, error.code.as_str()), (Class::Refused, "AlreadyExists"));
    let now = others.get(&format!("/api/v1/namespaces/{space}/pods/probe")).await;
    assert_eq!(now["metadata"]["uid"], theirs["metadata"]["uid"]);
}
