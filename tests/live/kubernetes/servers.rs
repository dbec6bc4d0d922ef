//! Servers that end and come back, tokens that end, and clusters that are made anew under the same name.

use std::{sync::atomic::Ordering, time::Duration};

use runbook_kubernetes::Identity;
use runbook_modules::error::Class;
use runbook_testbed::control_plane::Options;
use serde_json::json;

use super::bed::{Live, Others, admin, config_map, connection, plane, start};

fn in_default(name: &str) -> serde_json::Value {
    config_map("default", name, json!({"a": "1"}))
}

#[tokio::test]
async fn a_wait_outlives_a_restart_of_the_api_server() {
    let Some(plane) = start(Options::api_server_alone("restarts")) else { return };
    let live = Live::over(vec![admin(&plane)]);
    let mut made = live.apply(in_default("one")).await;
    while made.as_ref().is_err_and(|error| error.message.contains("\"default\" not found")) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        made = live.apply(in_default("one")).await;
    }
    let made = made.expect("applied");
    plane.stop_api_server();
    let error = live.read(&made).await.expect_err("nobody there");
    assert!(matches!(error.class, Class::NotSent | Class::Unknown), "{error}");
    let error = live.apply(in_default("two")).await.expect_err("nobody there");
    assert_eq!(error.class, Class::NotSent, "{error}");
    std::thread::scope(|scope| scope.spawn(|| plane.start_api_server()).join()).expect("no panic").expect("started");
    assert_eq!(live.read(&made).await.expect("read").map(|now| now["data"].clone()), Some(json!({"a": "1"})));
}

#[tokio::test]
async fn a_cluster_that_was_made_anew_is_not_taken_for_the_old_one() {
    let (Some(old), Some(new)) = (start(Options::api_server_alone("old")), start(Options::api_server_alone("new")))
    else {
        return;
    };
    let live = Live::over(vec![admin(&old), admin(&new)]);
    let at = json!({"kind": "Namespace", "name": "default"});
    let uid = async || loop {
        match live.call("k8s.get", at.clone()).await {
            Ok(found) if found.is_object() => return found["metadata"]["uid"].clone(),
            answer => drop(answer.expect("an answer")),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let first = uid().await;
    assert_eq!(uid().await, first);
    live.forget();
    let second = uid().await;
    assert_ne!(second, first, "the old one still runs, and is not asked");
    assert_eq!(live.access.asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_is_looked_for_anew() {
    let (Some(old), Some(new)) = (start(Options::api_server_alone("gone")), start(Options::api_server_alone("back")))
    else {
        return;
    };
    let mut impostor = admin(&new);
    impostor.ca_pem = Some(old.ca_pem().to_owned());
    let live = Live::over(vec![impostor, admin(&new)]);
    let error = live.call("k8s.list", json!({"kind": "Node"})).await.expect_err("another certificate");
    assert_eq!(error.class, Class::NotSent, "{error}");
    assert_eq!(live.call("k8s.list", json!({"kind": "Node"})).await.expect("listed"), json!([]));
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_of_a_wait_is_renewed_at_once() {
    let Some(plane) = plane() else { return };
    let (live, others) = (Live::new(plane), Others::of(plane));
    let space = live.namespace("servers-token").await;
    let accounts = format!("/api/v1/namespaces/{space}/serviceaccounts");
    others.post(&accounts, json!({"metadata": {"name": "short"}})).await;
    let binding = json!({
        "metadata": {"name": "servers-token"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "short", "namespace": space}],
    });
    others.post("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding).await;
    let asked = json!({"spec": {"expirationSeconds": 3600}});
    let token = others.post(&format!("{accounts}/short/token"), asked).await["status"]["token"].clone();
    let token = token.as_str().expect("a token").to_owned();
    let live = Live::over(vec![connection(plane, Identity::token(token)), admin(plane)]);
    let made = live.apply(config_map(&space, "one", json!({}))).await.expect("applied with the token");
    others.delete(&format!("{accounts}/short")).await;
    // The server keeps what it knows of a token for some seconds.
    for _ in 0..300 {
        assert!(live.read(&made).await.expect("a wait goes on").is_some());
        if live.access.asked.load(Ordering::Relaxed) == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(live.access.asked.load(Ordering::Relaxed), 2, "never refused");
    assert!(live.apply(config_map(&space, "two", json!({}))).await.is_ok());
}

#[tokio::test]
async fn credentials_that_nobody_knows_stop_the_run() {
    let Some(plane) = plane() else { return };
    let live = Live::over(vec![connection(plane, Identity::token("nobody".to_owned()))]);
    let error = live.apply(in_default("never")).await.expect_err("unauthorized");
    assert_eq!((error.class, error.code.as_str()), (Class::Credentials, "Unauthorized"));
    assert_eq!(live.access.asked.load(Ordering::Relaxed), 2, "once more with fresh ones");
    let error = live.call("k8s.list", json!({"kind": "Pod"})).await.expect_err("unauthorized");
    assert_eq!(error.class, Class::Credentials);
}
