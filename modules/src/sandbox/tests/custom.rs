//! Objects of well-known controllers: ready when what their controllers make is, or as the rehearsal file says.

use serde_json::{Value, json};

use super::Bench;
use crate::{
    helm::release::Release,
    k8s::object::Object,
    resource::{Health, Kind},
};

const ARGO: &str = r#"
makes:
  - when: { helm: argocd }
    objects:
      - { apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: { name: applications.argoproj.io }, spec: { group: argoproj.io, scope: Namespaced, names: { kind: Application, plural: applications }, versions: [ { name: v1alpha1, served: true, storage: true } ] } }
      - { apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: { name: argocd-server }, spec: { ingressClassName: traefik } }
  - when: { k8s: "Application/*/web" }
    finalizers: [resources-finalizer.argocd.argoproj.io]
    on_delete: remove after 5s
    objects:
      - apiVersion: apps/v1
        kind: Deployment
        metadata: { name: web }
        spec: { selector: { matchLabels: { app: web } }, template: { metadata: { labels: { app: web } }, spec: { containers: [ { name: web, image: i } ] } } }
  - when: { k8s: "Application/*/broken" }
    adds: { status: { sync: { status: Unknown }, health: { status: Healthy }, conditions: [ { type: ComparisonError, message: "no such chart" } ] } }
"#;

fn application(name: &str) -> Value {
    let source = json!({"repoURL": "https://charts", "chart": name, "targetRevision": "1.0.0"});
    json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name, "finalizers": ["resources-finalizer.argocd.argoproj.io"]}, "spec": {"source": source}})
}

fn bench() -> Bench {
    let bench = Bench::with_cluster(ARGO);
    let chart = json!({"release": "argocd", "chart": "argo-cd", "version": "6.0.14"});
    bench.create(&Release, "r", chart.clone()).unwrap();
    let at = Release.locate(&chart, &Value::Null).unwrap();
    bench.until_ready(&Release, &at);
    bench.pass(5);
    bench
}

#[test]
fn an_application_is_healthy_when_what_it_made_is_ready() {
    let bench = bench();
    let made = bench.create(&Object, "a", application("web")).unwrap();
    assert_eq!(Object.judge(&made), Health::Pending("Argo CD has not looked at it yet".to_owned()));
    let at = Object.locate(&application("web"), &made).unwrap();
    bench.pass(8);
    let Health::Pending(why) = Object.judge(&bench.read(&Object, &at).unwrap()) else { panic!("not yet") };
    assert!(why.starts_with("Synced, Progressing; Deployment web: pod web-"), "{why}");
    bench.until_ready(&Object, &at);

    bench.delete(&Object, &at, None).unwrap();
    let Health::Deleting(why) = Object.judge(&bench.read(&Object, &at).unwrap()) else { panic!("it stays") };
    assert!(why.contains("resources-finalizer.argocd.argoproj.io"), "{why}");
    bench.pass(20);
    assert_eq!(bench.read(&Object, &at), None);
}

#[test]
fn a_rehearsed_status_is_taken() {
    let bench = bench();
    let made = bench.create(&Object, "a", application("broken")).unwrap();
    let at = Object.locate(&application("broken"), &made).unwrap();
    bench.pass(60);
    let found = bench.read(&Object, &at).unwrap();
    assert_eq!(Object.judge(&found), Health::Pending("Unknown, Healthy; ComparisonError: no such chart".to_owned()));
}
