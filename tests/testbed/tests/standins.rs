//! The stand-ins do what a kubelet and EKS's controllers do, and fail as they fail. Real API servers, real Redis; AWS is moto.

use std::{sync::Arc, time::Duration};

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client, api::AttachParams};
use runbook_modules::sandbox::rehearsal::Rehearsal;
use runbook_testbed::{
    clusters::NodeGroup,
    control_plane::{ControlPlane, Options},
    process::free_port,
    rehearsed::{Rehearsed, completed::completed},
    standins::{
        Cluster, Facts, Shared,
        aws::Aws,
        kube_objects::{at, condition, is_going, items, label, text},
    },
    tools::{self, Tools},
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A control plane with its stand-ins.
struct Site {
    cluster: Cluster,
    plane: ControlPlane,
}

async fn site(tools: &Tools, name: &str, proxy_url: &str, shared: &Arc<Shared>) -> Site {
    let kubelet_port = free_port().expect("a port");
    let options = Options { kubelet_port, ..Options::named(name) };
    let tools = tools.clone();
    let plane =
        tokio::task::spawn_blocking(move || ControlPlane::start(&tools, options)).await.unwrap().expect("starts");
    let facts = Facts {
        name: name.into(),
        region: "us-east-1".into(),
        client: plane.client(),
        proxy_url: proxy_url.into(),
        kubelet_port,
        shared: shared.clone(),
    };
    let cluster = Cluster::attach(facts).await.expect("attached");
    cluster.boot().await.expect("booted");
    Site { cluster, plane }
}

fn group(nodes: usize) -> NodeGroup {
    NodeGroup {
        name: "workers".into(),
        nodes,
        labels: [("team".to_owned(), "red".to_owned())].into(),
        taints: Vec::new(),
    }
}

impl Site {
    async fn get(&self, path: &str) -> Value {
        self.cluster.inside().objects.get(path).await.expect("answered").unwrap_or_default()
    }

    /// Asks until a field is there and good, at most a minute; the object then.
    async fn until(&self, path: &str, good: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..300 {
            last = self.get(path).await;
            if good(&last) {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("{path} never came to be so: {last:#}\n{}", self.plane.log("kwok"));
    }

    /// Runs a pod with one command to its end: its exit code and log.
    async fn run_pod(&self, name: &str, image: &str, command: &[&str], env: Value) -> (i64, String) {
        let path = format!("/api/v1/namespaces/default/pods/{name}");
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": image, "command": command, "env": env}]},
        });
        self.cluster.inside().objects.apply(&path, &pod).await.expect("made");
        let ended = |pod: &Value| matches!(text(pod, "status.phase"), "Succeeded" | "Failed");
        let pod = self.until(&path, ended).await;
        let log = http::Request::get(format!("{path}/log")).body(Vec::new()).expect("a request");
        let log = self.client().request_text(log).await.expect("a log");
        self.cluster.inside().objects.delete(&path, true).await.expect("deleted");
        let status = &items(&pod, "status.containerStatuses")[0];
        (at(status, "state.terminated.exitCode").as_i64().expect("an exit code"), log)
    }

    fn client(&self) -> Client {
        self.plane.client()
    }
}

async fn exec_is_answered_by_a_real_shell(site: &Site) {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "box", "namespace": "default"},
        "spec": {"containers": [{"name": "main", "image": "busybox:1"}, {"name": "bare", "image": "example/distroless:1"}]},
    });
    let path = "/api/v1/namespaces/default/pods/box";
    site.cluster.inside().objects.apply(path, &pod).await.expect("made");
    site.until(path, |pod| condition(pod, "Ready")).await;
    let pods: Api<Pod> = Api::default_namespaced(site.client());
    let ask = AttachParams::default().container("main").stdin(true);
    let mut process = pods.exec("box", ["sh", "-c", "cat; echo $HOSTNAME >&2; exit 3"], &ask).await.expect("begun");
    let mut stdin = process.stdin().expect("stdin");
    stdin.write_all(b"hello").await.expect("written");
    drop(stdin);
    let (mut out, mut err) = (String::new(), String::new());
    process.stdout().expect("stdout").read_to_string(&mut out).await.expect("read");
    process.stderr().expect("stderr").read_to_string(&mut err).await.expect("read");
    assert_eq!((out.as_str(), err.as_str()), ("hello", "box\n"));
    let status = process.take_status().expect("a status").await.expect("the status");
    let message = status.message.unwrap_or_default();
    assert!(status.reason.as_deref() == Some("NonZeroExitCode") && message.ends_with("exit code 3"), "{message}");
    let ask = AttachParams::default().container("bare");
    let mut process = pods.exec("box", ["sh"], &ask).await.expect("begun");
    let status = process.take_status().expect("a status").await.expect("the status");
    assert!(status.message.clone().unwrap_or_default().contains("executable file not found in $PATH"), "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_begins_as_on_eks_and_its_pods_answer() {
    let Some(tools) = tools::require() else { return };
    let shared = Shared::start(&tools.kubelet_standin).await.expect("started");
    // Nobody listens there: this cluster has no AWS.
    let site = site(&tools, "alone", "http://127.0.0.1:9", &shared).await;

    let pending = site.get("/apis/apps/v1/namespaces/kube-system/deployments/coredns").await;
    assert_eq!(at(&pending, "status.readyReplicas"), &Value::Null, "nothing runs before there are nodes");
    site.cluster.add_nodes(&group(2)).await.expect("nodes");
    let nodes = site.get("/api/v1/nodes").await;
    let blocks: Vec<&str> = items(&nodes, "items").iter().map(|node| text(node, "spec.podCIDR")).collect();
    assert_eq!(
        (blocks.len(), label(&nodes["items"][0], "eks.amazonaws.com/nodegroup"), label(&nodes["items"][0], "team")),
        (2, "workers", "red")
    );

    let coredns = "/apis/apps/v1/namespaces/kube-system/deployments/coredns";
    site.until(coredns, |found| at(found, "status.availableReplicas") == 2).await;
    for name in ["aws-node", "kube-proxy"] {
        let path = format!("/apis/apps/v1/namespaces/kube-system/daemonsets/{name}");
        site.until(&path, |found| at(found, "status.numberReady") == 2).await;
    }

    let image = "registry.k8s.io/e2e-test-images/agnhost:2.47";
    let (code, said) =
        site.run_pod("dns", image, &["nslookup", "kubernetes.default.svc.cluster.local"], json!([])).await;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("Address: 172.20.0.1"), "{said}");
    let (code, said) = site.run_pod("dns", image, &["nslookup", "nothing.default.svc.cluster.local."], json!([])).await;
    assert_eq!((code, said.contains("NXDOMAIN")), (1, true), "{said}");
    let (code, said) =
        site.run_pod("connect", image, &["/agnhost", "connect", "kube-dns.kube-system:53"], json!([])).await;
    assert_eq!(code, 0, "{said}");
    let (code, said) = site
        .run_pod("connect", image, &["/agnhost", "connect", "kube-dns.kube-system:54", "--timeout=5s"], json!([]))
        .await;
    assert_eq!((code, said.as_str()), (1, "REFUSED\n"));
    let (code, _) =
        site.run_pod("shell", image, &["sh", "-c", "exit $CODE"], json!([{"name": "CODE", "value": "7"}])).await;
    assert_eq!(code, 7);
    let (code, said) = site.run_pod("tool", image, &["redis-cli", "ping"], json!([])).await;
    assert_eq!((code, said.contains("executable file not found")), (128, true), "{said}");

    exec_is_answered_by_a_real_shell(&site).await;

    // Without its plugin's image, CoreDNS does not start with this Corefile, and every name of the cluster is lost.
    let map = "/api/v1/namespaces/kube-system/configmaps/coredns";
    let corefile = text(&site.get(map).await, "data.Corefile").to_owned();
    let broken = corefile.replacen("    kubernetes", "    multicluster clusterset.local\n    kubernetes", 1);
    site.cluster.inside().objects.merge(map, &json!({"data": {"Corefile": broken}})).await.expect("patched");
    let (code, said) = site.run_pod("dns", image, &["nslookup", "kubernetes.default"], json!([])).await;
    assert_eq!((code, said.contains("no servers could be reached")), (1, true), "{said}");

    site.cluster.remove_nodes("workers").await.expect("removed");
    site.until(coredns, |found| at(found, "status.availableReplicas") == &Value::Null).await;
    assert!(!condition(&site.get(coredns).await, "Available"));
}

/// For each of two objects something is made that another finalizer holds.
const HELD: &str = r#"
makes:
  - when: { k8s: "ConfigMap/default/release" }
    finalizers: [t.io/clean]
    objects: [ { apiVersion: v1, kind: ConfigMap, metadata: { name: of-release, finalizers: [t.io/held] } } ]
  - when: { k8s: "Kustomization/default/part" }
    finalizers: [t.io/clean]
    objects: [ { apiVersion: v1, kind: ConfigMap, metadata: { name: of-part, finalizers: [t.io/held] } } ]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_controller_made_holds_its_object_until_it_is_gone_but_not_a_kustomization() {
    let Some(tools) = tools::require() else { return };
    let shared = Shared::start(&tools.kubelet_standin).await.expect("started");
    let nowhere = "http://127.0.0.1:9";
    let rehearsal = Rehearsal::parse(HELD, "held").expect("a rehearsal file");
    let rehearsed = Rehearsed::begin(rehearsal, &Aws::new(nowhere, "us-east-1", "given")).await.expect("begun");
    shared.rehearse(Arc::new(rehearsed));
    let site = site(&tools, "held", nowhere, &shared).await;
    let objects = &site.cluster.inside().objects;

    let definition = completed(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "kustomizations.kustomize.toolkit.fluxcd.io"},
        "spec": {
            "group": "kustomize.toolkit.fluxcd.io", "scope": "Namespaced", "versions": [{"name": "v1"}],
            "names": {"kind": "Kustomization", "plural": "kustomizations"},
        },
    }));
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/kustomizations.kustomize.toolkit.fluxcd.io";
    objects.apply(path, &definition).await.expect("defined");
    site.until(path, |definition| condition(definition, "Established")).await;

    let map = |name: &str| format!("/api/v1/namespaces/default/configmaps/{name}");
    let (release, part) =
        (map("release"), "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/default/kustomizations/part");
    let object =
        |api: &str, kind: &str, name: &str| json!({"apiVersion": api, "kind": kind, "metadata": {"name": name}});
    objects.apply(&release, &object("v1", "ConfigMap", "release")).await.expect("made");
    objects.apply(part, &object("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "part")).await.expect("made");
    for (trigger, made) in [(release.as_str(), map("of-release")), (part, map("of-part"))] {
        site.until(&made, Value::is_object).await;
        assert_eq!(site.get(trigger).await["metadata"]["finalizers"], json!(["t.io/clean"]), "held before it is made");
        objects.delete(trigger, false).await.expect("deleted");
    }

    site.until(part, Value::is_null).await;
    site.until(&map("of-part"), is_going).await;
    site.until(&map("of-release"), is_going).await;
    assert!(is_going(&site.get(&release).await), "it waits for what was made");
    objects.merge(&map("of-release"), &json!({"metadata": {"finalizers": []}})).await.expect("let go");
    site.until(&release, Value::is_null).await;
}
