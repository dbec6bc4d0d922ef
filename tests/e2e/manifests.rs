//! The manifests that notejam commits for Flux: they apply what direct mode applies, object by object and value by value.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    harness::Place,
    notejam::{FLUX, objects, steps},
    redis_ha::world,
};

/// Objects by kind, namespace and name.
type Objects = BTreeMap<String, Value>;

fn text<'a>(value: &'a Value, at: &str) -> &'a str {
    value.pointer(at).and_then(Value::as_str).unwrap_or_default()
}

fn key(object: &Value) -> String {
    let part = |at: &str| text(object, at).to_owned();
    format!("{} {}/{}", part("/kind"), part("/metadata/namespace"), part("/metadata/name"))
}

/// Lists in the order in which a world is shown.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(list) => {
            let mut list: Vec<Value> = list.into_iter().map(sorted).collect();
            list.sort_by_key(Value::to_string);
            Value::Array(list)
        }
        Value::Object(map) => map.into_iter().map(|(name, value)| (name, sorted(value))).collect(),
        other => other,
    }
}

/// All documents of the repository.
fn committed(world: &Value) -> Vec<Value> {
    let files = objects(world, "github.file");
    let texts = files.iter().map(|file| &file["body"]).filter(|file| file["path"] != "README.md");
    let mut documents = Vec::new();
    for words in texts.map(|file| text(file, "/text").to_owned()) {
        for document in words.split("\n---\n") {
            let value = serde_yaml::from_str(document).unwrap_or_else(|error| panic!("{error} in:\n{document}"));
            documents.push(sorted(value));
        }
    }
    documents
}

/// What the run itself has applied of the cluster's content, as it was asked for.
fn applied(world: &Value) -> Objects {
    let all = world["objects"].as_array().expect("objects");
    let by_the_run = all.iter().map(|object| object["body"].clone()).filter(|body| {
        let step = text(body, "/metadata/annotations/runbook~1step");
        !step.is_empty() && !step.starts_with("cluster/") && !step.starts_with("first backup/")
    });
    let asked = by_the_run.map(|mut body| {
        let metadata = &body["metadata"];
        let mut kept = json!({"name": metadata["name"]});
        for field in ["namespace", "labels", "annotations"] {
            let mut value = metadata[field].clone();
            if let Some(map) = value.as_object_mut() {
                map.retain(|name, _| !name.starts_with("runbook/") && name != "kubernetes.io/metadata.name");
            }
            if !value.is_null() && value != json!({}) {
                kept[field] = value;
            }
        }
        body["metadata"] = kept;
        for told in ["id", "name", "status", "tags"] {
            body.as_object_mut().expect("an object").remove(told);
        }
        if let Some(spec) = body.get_mut("spec").and_then(Value::as_object_mut) {
            spec.remove("clusterIP");
        }
        (key(&body), body)
    });
    asked.collect()
}

/// Releases as chart, version and values; the repository of each chart stands.
fn releases(documents: &[Value]) -> Objects {
    let stands = |name: &str| {
        documents.iter().any(|document| document["kind"] == "HelmRepository" && document["metadata"]["name"] == name)
    };
    let all = documents.iter().filter(|document| document["kind"] == "HelmRelease").map(|release| {
        let spec = &release["spec"]["chart"]["spec"];
        assert!(stands(text(spec, "/sourceRef/name")), "{spec}");
        let told = json!({"chart": spec["chart"], "version": spec["version"], "values": release["spec"]["values"]});
        (format!("{}/{}", text(release, "/metadata/namespace"), text(release, "/metadata/name")), told)
    });
    all.collect()
}

/// The releases of direct mode, in the same form.
fn installed(world: &Value) -> Objects {
    let all = objects(world, "helm.release").into_iter().map(|release| {
        let body = &release["body"];
        let told = json!({"chart": body["chart"], "version": body["version"], "values": body["values"]});
        (text(&release, "/id").to_owned(), told)
    });
    all.collect()
}

fn compare(more: &[&str]) {
    let direct = Place::new();
    steps(&direct, more);
    let flux = Place::new();
    steps(&flux, &[&FLUX[..], more].concat());
    let (direct, documents) = (world(&direct), committed(&world(&flux)));
    assert_eq!(releases(&documents), installed(&direct), "the charts");
    let flux_only = ["HelmRelease", "HelmRepository", "Kustomization"];
    let objects = documents.iter().filter(|document| !flux_only.contains(&text(document, "/kind")));
    let objects: Objects = objects.map(|document| (key(document), document.clone())).collect();
    let applied = applied(&direct);
    assert_eq!(objects.keys().collect::<Vec<_>>(), applied.keys().collect::<Vec<_>>(), "the objects");
    for (name, object) in &objects {
        assert_eq!(*object, applied[name], "{name}");
    }
}

#[test]
fn they_apply_what_direct_mode_applies() {
    compare(&[]);
}

#[test]
fn with_a_certificate_and_the_runs_own_records_too() {
    let certificate = "tls_certificate_arn=arn:aws:acm:eu-west-1:123456789012:certificate/c";
    compare(&["-p", "env=dev", "-p", "dns_mode=route53", "-p", certificate, "-p", "replicas=2"]);
}
