//! A run of the built program against a context of a kubeconfig: manifests of several documents, a custom resource right after its
//! definition, a patch, waits; then its undo.

use std::{
    path::Path,
    process::{Command, Output},
};

use serde_json::json;

use super::bed::{Others, config_map, config_map_path, plane};
use crate::canned::{CALLER, Canned};

const SCRIPT: &str = r#"
const K = k8s(#{ context: "testbed" });
step("manifests", || K.apply(file("all.yaml")));
step("web", || K.apply(#{
    apiVersion: "apps/v1", kind: "Deployment", metadata: #{ name: "web", namespace: "whole" },
    spec: #{ replicas: 2, selector: #{ matchLabels: #{ app: "web" } }, template: #{
        metadata: #{ labels: #{ app: "web" } },
        spec: #{ containers: [#{ name: "main", image: "example/main:1", resources: #{ requests: #{ cpu: "1000m" } } }] },
    } },
}));
step("theirs", || K.patch(#{ kind: "ConfigMap", name: "theirs", namespace: "default", patch: #{ data: #{ a: "2", b: "3" } } }));
let web = step("look", || K.get(#{ kind: "Deployment", name: "web", namespace: "whole" }));
output("ready", web.status.readyReplicas);
"#;

const MANIFESTS: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: whole}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: wholes.whole.example.com}
spec:
  group: whole.example.com
  scope: Namespaced
  names: {kind: Whole, plural: wholes, singular: whole}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
# An empty document is left out.
---
apiVersion: whole.example.com/v1
kind: Whole
metadata: {name: one, namespace: whole}
spec: {size: 1}
"#;

fn program(folder: &Path, kubeconfig: &Path, sts: &str, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runbook"));
    command.args(args).current_dir(folder).env_clear().env("HOME", folder).env("PATH", "/usr/bin:/bin");
    command
        .env("RUNBOOK_STATE", folder.join("state"))
        .env("KUBECONFIG", kubeconfig)
        .env("RUNBOOK_TEST_CLOCK", "10@1763740000000");
    command.env("AWS_ENDPOINT_URL", sts).env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    command.env("AWS_REGION", "us-east-1").env("AWS_EC2_METADATA_DISABLED", "true");
    command.output().expect("the program starts")
}

fn good(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "stdout:\n{out}\nstderr:\n{err}");
    format!("{out}{err}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_over_a_context_and_its_undo() {
    let Some(plane) = plane() else { return };
    let others = Others::of(plane);
    let theirs = config_map("default", "theirs", json!({"a": "1", "c": "4"}));
    others.post("/api/v1/namespaces/default/configmaps", theirs).await;
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [("whole.rhai", SCRIPT), ("all.yaml", MANIFESTS)] {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    // An STS that knows everybody.
    let (kubeconfig, sts) = (plane.admin_kubeconfig(), Canned::new(|_| (200, CALLER.to_owned())));
    let run = |args: &[&str]| program(folder.path(), &kubeconfig, &sts.url, args);
    good(&run(&["run", "whole.rhai", "--yes"]));
    assert_eq!(good(&run(&["output", "latest", "ready"])).trim(), "2");
    let one = others.get("/apis/whole.example.com/v1/namespaces/whole/wholes/one").await;
    assert_eq!(one["spec"]["size"], 1);
    assert_eq!(others.get(&config_map_path("default", "theirs")).await["data"], json!({"a": "2", "b": "3", "c": "4"}));
    good(&run(&["verify", "latest"]));
    good(&run(&["undo", "latest", "--yes"]));
    assert_eq!(others.get(&config_map_path("default", "theirs")).await["data"], json!({"a": "1", "c": "4"}));
    let spaces = others.get("/api/v1/namespaces").await.to_string();
    assert!(!spaces.contains("\"whole\""), "{spaces}");
    let definitions = others.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions").await.to_string();
    assert!(!definitions.contains("whole.example.com"), "{definitions}");
}
