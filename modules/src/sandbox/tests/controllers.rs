//! Releases, and what controllers make.

use serde_json::{Value, json};

use super::Bench;
use crate::{
    error::Class,
    helm::{operations as helm, release::Release},
    k8s::{object::Object, operations},
    resource::{Health, Kind},
    sandbox::world::Object as Thing,
};

const RELEASES: &str = r#"
makes:
  - when: { helm: "db-*" }
    objects:
      - apiVersion: apps/v1
        kind: StatefulSet
        metadata: { name: "${release}-node", namespace: "${namespace}" }
        spec:
          replicas: "${values.nodes}"
          selector: { matchLabels: { app: "${release}" } }
          template: { metadata: { labels: { app: "${release}" } }, spec: { containers: [ { name: main, image: "i" } ] } }
          volumeClaimTemplates: [ { metadata: { name: data }, spec: { resources: { requests: { storage: 1Gi } } } } ]
  - when: { helm: "db-*", ready: true }
    needs: ["Deployment/default/dns"]
    on_delete: remove after 60s
    aws:
      - kind: route53.record_set
        each: "Pod/*/${release}-node-*"
        id: "${id of route53.hosted_zone z.internal}/${each.metadata.name}"
        body: { name: "${each.metadata.name}.z.internal.", hosted_zone_id: "${id of route53.hosted_zone z.internal}", resource_records: ["${each.status.podIP}"] }
        refs: ["route53.hosted_zone z.internal"]
"#;

fn chart(release: &str, nodes: u32) -> Value {
    json!({"release": release, "chart": "oci://x/db", "version": "1.0.0", "values": {"nodes": nodes}})
}

fn zone(bench: &Bench) {
    bench.edit(|world, now| {
        world.put(Thing {
            kind: "route53.hosted_zone".into(),
            place: String::new(),
            id: "Z1".into(),
            body: json!({"name": "z.internal."}),
            tags: Default::default(),
            token: String::new(),
            input: Value::Null,
            refs: Vec::new(),
            owner: None,
            states: vec![(now, String::new())],
            gone_at: None,
        });
    });
}

fn records(bench: &Bench) -> Vec<String> {
    let mut found = Vec::new();
    bench.read(&Release, &json!({"release": "db-1", "namespace": "default"}));
    bench.edit(|world, now| found = world.list("route53.record_set", "", now).map(|o| o.id.clone()).collect());
    found
}

fn dns(bench: &Bench) {
    let labels = json!({"app": "dns"});
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "dns"}, "spec": {"selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "dns", "image": "i"}]}}},
    });
    bench.create(&Object, "dns", deployment).unwrap();
}

#[test]
fn a_release_is_deployed_when_what_it_made_is_ready() {
    let bench = Bench::with_cluster(RELEASES);
    let made = bench.create(&Release, "r1", chart("db-1", 2)).unwrap();
    assert_eq!((made["status"].as_str(), made["revision"].as_u64()), (Some("pending-install"), Some(1)));
    let at = Release.locate(&chart("db-1", 2), &Value::Null).unwrap();
    let Health::Pending(why) = Release.judge(&bench.read(&Release, &at).unwrap()) else { panic!() };
    assert!(why.starts_with("pending-install: StatefulSet db-1-node: pod db-1-node-0: "), "{why}");
    let took = bench.until_ready(&Release, &at);
    assert!((55..70).contains(&took), "two pods of 30 s, one after the other: {took}");
    let set = bench.call(&operations::GET, json!({"kind": "StatefulSet", "name": "db-1-node"})).unwrap();
    assert_eq!(set["metadata"]["labels"]["app.kubernetes.io/managed-by"], "Helm");

    bench.delete(&Release, &at, None).unwrap();
    assert_eq!(bench.read(&Release, &at).unwrap()["status"], "uninstalling");
    bench.pass(10);
    assert_eq!(bench.read(&Release, &at), None);
    assert!(bench.call(&operations::GET, json!({"kind": "StatefulSet", "name": "db-1-node"})).unwrap().is_null());
    let claims = bench.call(&operations::LIST, json!({"kind": "PersistentVolumeClaim"})).unwrap();
    assert_eq!(claims.as_array().map(Vec::len), Some(2), "claims outlive the release");
    assert_eq!(bench.call(&helm::UNINSTALL, json!({"release": "db-1"})).unwrap_err().class, Class::NotFound);
}

#[test]
fn a_release_keeps_its_name_and_counts_its_revisions() {
    let mut bench = Bench::with_cluster(RELEASES);
    bench.create(&Release, "r1", chart("db-1", 1)).unwrap();
    assert_eq!(bench.create(&Release, "r1", chart("db-1", 1)).unwrap()["revision"], 1, "the same effect again");
    let at = Release.locate(&chart("db-1", 1), &Value::Null).unwrap();
    bench.until_ready(&Release, &at);
    assert_eq!(bench.create(&Release, "r2", chart("db-1", 2)).unwrap()["revision"], 2);
    bench.until_ready(&Release, &at);
    let set = bench.call(&operations::GET, json!({"kind": "StatefulSet", "name": "db-1-node"})).unwrap();
    assert_eq!(set["spec"]["replicas"], 2);
    bench.run = "another".into();
    assert_eq!(bench.create(&Release, "r3", chart("db-1", 1)).unwrap_err().class, Class::AlreadyExists);
    let mut lost = chart("db-2", 1);
    lost["namespace"] = "team".into();
    assert_eq!(bench.create(&Release, "r4", lost.clone()).unwrap_err().code, "NotFound");
    lost["create_namespace"] = true.into();
    bench.create(&Release, "r4", lost).unwrap();
}

#[test]
fn a_controller_works_only_while_it_runs() {
    let bench = Bench::with_cluster(RELEASES);
    zone(&bench);
    bench.create(&Release, "r1", chart("db-1", 2)).unwrap();
    let at = Release.locate(&chart("db-1", 2), &Value::Null).unwrap();
    bench.until_ready(&Release, &at);
    assert!(records(&bench).is_empty(), "nobody is there to write them");
    dns(&bench);
    bench.pass(15);
    assert_eq!(records(&bench), ["Z1/db-1-node-0", "Z1/db-1-node-1"]);

    bench.delete(&Release, &at, None).unwrap();
    bench.pass(30);
    assert_eq!(records(&bench).len(), 2, "not yet");
    bench.pass(40);
    assert!(records(&bench).is_empty());
}

const EXPORTS: &str = r#"
makes:
  - when: { k8s: "Export/*/*" }
    needs: ["Deployment/default/dns"]
    after: 5s
    finalizers: [t.io/clean]
    adds: { metadata: { annotations: { seen: "${name} in ${cluster}" } } }
    on_delete: remove after 6s
    aws: [ { kind: servicediscovery.instance, id: "i-${name}", body: { service_id: s } } ]
    objects: [ { cluster: "*", apiVersion: v1, kind: Service, metadata: { name: "imported-${name}", namespace: "${namespace}" } } ]
"#;

fn exported(bench: &Bench) -> (bool, bool) {
    let imported = bench.call(&operations::GET, json!({"kind": "Service", "name": "imported-a"})).unwrap();
    let mut found = false;
    bench.edit(|world, now| found = world.get("servicediscovery.instance", "us-east-1", "i-a", now).is_some());
    (!imported.is_null(), found)
}

#[test]
fn an_export_is_kept_by_its_finalizer_until_the_controller_has_cleaned_up() {
    let mut bench = Bench::with_cluster(EXPORTS);
    bench.edit(|world, now| crate::sandbox::k8s::boot_cluster(world, "us-east-1", "c2", now));
    dns(&bench);
    let crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "exports.t.io"},
        "spec": {"group": "t.io", "scope": "Namespaced", "names": {"kind": "Export", "plural": "exports"}, "versions": [{"name": "v1"}]},
    });
    bench.create(&Object, "crd", crd).unwrap();
    bench.pass(20);
    let export = json!({"apiVersion": "t.io/v1", "kind": "Export", "metadata": {"name": "a"}});
    bench.create(&Object, "e", export.clone()).unwrap();
    assert_eq!(exported(&bench), (false, false));
    bench.pass(6);
    assert_eq!(exported(&bench), (true, true));
    bench.place.cluster = Some("c2".into());
    assert_eq!(exported(&bench), (true, true), "in the other cluster too");
    bench.place.cluster = Some("c1".into());
    let at = Object.locate(&export, &Value::Null).unwrap();
    let seen = bench.read(&Object, &at).unwrap();
    assert_eq!(seen["metadata"]["finalizers"], json!(["t.io/clean"]));
    assert_eq!(seen["metadata"]["annotations"]["seen"], "a in c1");

    bench.delete(&Object, &at, None).unwrap();
    bench.pass(3);
    assert_eq!(bench.obstacles(&Object, &at)[0], "finalizer t.io/clean");
    assert_eq!(exported(&bench), (true, true));
    bench.pass(4);
    assert_eq!((bench.read(&Object, &at), exported(&bench)), (None, (false, false)));
}

#[test]
fn without_its_controller_an_export_stays_for_ever() {
    let bench = Bench::with_cluster(EXPORTS);
    dns(&bench);
    let crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "exports.t.io"},
        "spec": {"group": "t.io", "scope": "Namespaced", "names": {"kind": "Export", "plural": "exports"}, "versions": [{"name": "v1"}]},
    });
    bench.create(&Object, "crd", crd).unwrap();
    bench.pass(20);
    let export = json!({"apiVersion": "t.io/v1", "kind": "Export", "metadata": {"name": "a"}});
    bench.create(&Object, "e", export.clone()).unwrap();
    bench.pass(10);
    assert_eq!(exported(&bench), (true, true));
    bench.call(&operations::DELETE, json!({"kind": "Deployment", "name": "dns"})).unwrap();
    let at = Object.locate(&export, &Value::Null).unwrap();
    bench.delete(&Object, &at, None).unwrap();
    bench.pass(3600);
    assert_eq!(bench.obstacles(&Object, &at)[0], "finalizer t.io/clean");
}

/// What is made for an export takes 20 s to go, or is held by a finalizer of its own; nothing of a bundle holds it.
const HOLDS: &str = r#"
makes:
  - when: { k8s: "Export/*/*" }
    finalizers: [t.io/clean]
    objects:
      - apiVersion: v1
        kind: Service
        metadata: { name: "of-${name}", namespace: "${namespace}" }
        spec: { type: LoadBalancer }
  - when: { k8s: "Outer/*/*" }
    finalizers: [t.io/outer]
    objects: [ { apiVersion: t.io/v1, kind: Export, metadata: { name: "inner-${name}", namespace: "${namespace}" } } ]
  - when: { k8s: "Kustomization/*/*" }
    finalizers: [t.io/early]
    objects: [ { apiVersion: t.io/v1, kind: Export, metadata: { name: "built-${name}", namespace: "${namespace}" } } ]
"#;

/// A world with these kinds, in which one of a kind stands with what was made for it, and its deletion has begun.
fn going(kind: &str, spec: Value) -> (Bench, Value) {
    let bench = Bench::with_cluster(HOLDS);
    for (kind, plural) in [("Export", "exports"), ("Outer", "outers"), ("Kustomization", "kustomizations")] {
        let crd = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": format!("{plural}.t.io")},
            "spec": {"group": "t.io", "scope": "Namespaced", "names": {"kind": kind, "plural": plural}, "versions": [{"name": "v1"}]},
        });
        bench.create(&Object, kind, crd).unwrap();
    }
    bench.pass(20);
    let trigger = json!({"apiVersion": "t.io/v1", "kind": kind, "metadata": {"name": "a"}, "spec": spec});
    bench.create(&Object, "a", trigger.clone()).unwrap();
    bench.pass(5);
    let at = Object.locate(&trigger, &Value::Null).unwrap();
    assert!(bench.read(&Object, &at).unwrap()["metadata"]["finalizers"].is_array());
    bench.delete(&Object, &at, None).unwrap();
    (bench, at)
}

#[test]
fn the_finalizers_stay_until_what_was_made_is_gone() {
    let (bench, at) = going("Export", json!({}));
    bench.pass(10);
    assert_eq!(bench.obstacles(&Object, &at)[0], "finalizer t.io/clean");
    bench.pass(15);
    assert_eq!(bench.read(&Object, &at), None);

    let (bench, at) = going("Outer", json!({}));
    bench.pass(10);
    assert_eq!(bench.obstacles(&Object, &at)[0], "finalizer t.io/outer", "what it made waits for what that made");
    bench.pass(15);
    assert_eq!(bench.read(&Object, &at), None);
}

#[test]
fn a_kustomization_lets_go_when_what_it_made_is_deleted() {
    let (bench, at) = going("Kustomization", json!({}));
    bench.pass(1);
    assert_eq!(bench.read(&Object, &at), None);
    let (bench, at) = going("Kustomization", json!({"deletionPolicy": "WaitForTermination"}));
    bench.pass(10);
    assert_eq!(bench.obstacles(&Object, &at)[0], "finalizer t.io/early");
    bench.pass(15);
    assert_eq!(bench.read(&Object, &at), None);
}

#[test]
fn a_text_without_a_value_is_told_once_and_blocks_nothing() {
    let bench = Bench::with_cluster(
        "makes: [ { when: { helm: x }, objects: [ { apiVersion: v1, kind: Service, metadata: { name: '${values.none}' } } ] } ]",
    );
    let error = bench.create(&Release, "r", json!({"release": "x", "chart": "c"})).unwrap_err();
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("BadRehearsal", "the rehearsal file: ${values.none} has no value here")
    );
}

#[test]
fn what_controllers_did_is_kept_by_the_next_process() {
    let bench = Bench::with_cluster(RELEASES);
    bench.create(&Release, "r1", chart("db-1", 1)).unwrap();
    bench.pass(60);
    let at = Release.locate(&chart("db-1", 1), &Value::Null).unwrap();
    let later = Bench::over(bench.store, RELEASES, "");
    later.pass(60);
    assert_eq!(later.read(&Release, &at).unwrap()["status"], "deployed");
    later.delete(&Release, &at, None).unwrap();
    later.pass(10);
    assert!(later.call(&operations::GET, json!({"kind": "StatefulSet", "name": "db-1-node"})).unwrap().is_null());
}
