//! Custom resources: their definitions, schemas, and the time until they are served.

use std::time::Duration;

use runbook_modules::error::Class;
use serde_json::{Value, json};

use super::bed::{Live, plane};

fn definition(group: &str, kind: &str) -> Value {
    let plural = kind.to_lowercase() + "s";
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced", "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase()},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object",
                "properties": {"spec": {"type": "object", "required": ["size"], "properties": {"size": {"type": "integer", "maximum": 9}}}},
            }}}],
        },
    })
}

fn custom(group: &str, kind: &str, space: &str, spec: Value) -> Value {
    json!({"apiVersion": format!("{group}/v1"), "kind": kind, "metadata": {"name": "one", "namespace": space}, "spec": spec})
}

#[tokio::test]
async fn a_kind_that_is_not_served_yet_is_tried_again_and_then_works() {
    let Some(plane) = plane() else { return };
    let live = Live::new(plane);
    let space = live.namespace("definitions-soon").await;
    let (group, kind) = ("soon.example.com", "Soon");
    let object = custom(group, kind, &space, json!({"size": 3}));
    let error = live.apply(object.clone()).await.expect_err("nothing defines it");
    assert_eq!((error.class, error.code.as_str()), (Class::Refused, "NoKindMatch"));
    assert!(error.hints.iter().any(|hint| hint.contains("CustomResourceDefinition")), "{error:?}");
    let defined = live.apply(definition(group, kind)).await.expect("defined");
    let mut made = None;
    for _ in 0..100 {
        match live.apply(object.clone()).await {
            Ok(applied) => {
                made = Some(applied);
                break;
            }
            Err(error) => assert_eq!(error.class, Class::NotYet, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let made = made.expect("served within ten seconds");
    assert_eq!(made["spec"], json!({"size": 3}));
    // Without a version, the kind is found by its name.
    let by_kind = live.call("k8s.list", json!({"kind": kind, "namespace": space})).await.expect("listed");
    assert_eq!(by_kind, json!([made.clone()]));
    live.undo("k8s.apply", &Value::Null, &defined, None).await.expect("deleted");
    live.until("gone", &defined, |found| found.is_none().then_some(())).await;
    assert_eq!(live.read(&made).await.expect("read"), None, "it went with its definition");
    assert_eq!(
        live.undo("k8s.apply", &Value::Null, &made, None).await.map_err(|error| error.class),
        Err(Class::NotFound)
    );
}

#[tokio::test]
async fn what_the_definition_forbids_is_refused_by_field() {
    let Some(plane) = plane() else { return };
    let live = Live::new(plane);
    let space = live.namespace("definitions-schema").await;
    let (group, kind) = ("strict.example.com", "Strict");
    live.ready(definition(group, kind)).await;
    for (spec, field) in
        [(json!({"size": 12}), "spec.size"), (json!({}), "spec.size"), (json!({"size": 1, "colour": 2}), "colour")]
    {
        let mut answer = live.apply(custom(group, kind, &space, spec.clone())).await;
        for _ in 0..100 {
            if !answer.as_ref().is_err_and(|error| error.class == Class::NotYet) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            answer = live.apply(custom(group, kind, &space, spec.clone())).await;
        }
        let error = answer.expect_err("refused");
        assert_eq!(error.class, Class::Refused, "{error}");
        assert!(error.message.contains(field), "{field} in {error}");
    }
}

#[tokio::test]
async fn a_definition_that_hangs_names_what_it_waits_for() {
    let Some(plane) = plane() else { return };
    let live = Live::new(plane);
    let space = live.namespace("definitions-held").await;
    let (group, kind) = ("held.example.com", "Held");
    let defined = live.ready(definition(group, kind)).await;
    let mut object = custom(group, kind, &space, json!({"size": 1}));
    object["metadata"]["finalizers"] = json!(["example.com/hold"]);
    let mut made = live.apply(object.clone()).await;
    while made.as_ref().is_err_and(|error| error.class == Class::NotYet) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        made = live.apply(object.clone()).await;
    }
    let made = made.expect("applied");
    live.undo("k8s.apply", &Value::Null, &defined, None).await.expect("deleted");
    live.waits_for(&defined, "customresourcecleanup.apiextensions.k8s.io").await;
    live.waits_for(&made, "example.com/hold").await;
    let held = live.obstacles(&made).await;
    assert_eq!(held[0], "finalizer example.com/hold");
    assert!(held[1].contains("--also k8s://") && held[1].contains("/held.example.com/v1/Held/"), "{held:?}");
}
