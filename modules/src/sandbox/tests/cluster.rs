//! Simulated clusters: what the API server refuses, how workloads become ready, how things go.

use serde_json::{Value, json};

use super::Bench;
use crate::{
    error::Class,
    k8s::{exec, health, object::Object, operations, patch::Patch},
    resource::{Health, Kind},
};

fn object(api: &str, kind: &str, namespace: &str, name: &str) -> Value {
    let mut object = json!({"apiVersion": api, "kind": kind, "metadata": {"name": name}});
    if !namespace.is_empty() {
        object["metadata"]["namespace"] = namespace.into();
    }
    object
}

fn at(of: &Value) -> Value {
    Object.locate(of, &Value::Null).unwrap()
}

fn workload(kind: &str, name: &str, replicas: u32) -> Value {
    let labels = json!({"app": name});
    let mut made = object("apps/v1", kind, "default", name);
    made["spec"] = json!({"replicas": replicas, "selector": {"matchLabels": labels}, "template": {
        "metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "i:1"}]},
    }});
    made
}

fn pods(bench: &Bench, selector: &str) -> Vec<Value> {
    let list =
        bench.call(&operations::LIST, json!({"kind": "Pod", "namespace": "default", "label_selector": selector}));
    list.unwrap().as_array().unwrap().clone()
}

fn refused(bench: &Bench, object: Value) -> (Class, String, String) {
    let error = bench.create(&Object, "x", object).unwrap_err();
    (error.class, error.code, error.message)
}

fn crd(scope: &str) -> Value {
    let mut crd = object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "things.t.io");
    crd["spec"] = json!({
        "group": "t.io", "scope": scope, "names": {"kind": "Thing", "plural": "things"}, "versions": [{"name": "v1"}],
    });
    crd
}

#[test]
fn a_new_cluster_has_what_eks_puts_into_it() {
    let bench = Bench::with_cluster("");
    let ready = |api: &str, kind: &str, name: &str| {
        bench.until_ready(&Object, &at(&object(api, kind, "kube-system", name)));
    };
    ready("apps/v1", "Deployment", "coredns");
    ready("apps/v1", "DaemonSet", "aws-node");
    ready("apps/v1", "DaemonSet", "kube-proxy");
    let map = bench
        .call(&operations::GET, json!({"kind": "ConfigMap", "namespace": "kube-system", "name": "coredns"}))
        .unwrap();
    assert!(map["data"]["Corefile"].as_str().unwrap().contains("kubernetes cluster.local"));
    assert!(!bench.call(&operations::GET, json!({"kind": "StorageClass", "name": "gp2"})).unwrap().is_null());
    let nodes = bench.call(&operations::LIST, json!({"kind": "Node"})).unwrap();
    assert!(nodes.as_array().unwrap().iter().all(|node| health::judge(node) == Health::Ready) && nodes[1].is_object());
    let dns = bench
        .call(
            &operations::LIST,
            json!({"kind": "Pod", "namespace": "kube-system", "label_selector": "k8s-app=kube-dns"}),
        )
        .unwrap();
    assert!(!dns[0]["status"]["podIP"].as_str().unwrap().is_empty());
}

#[test]
fn the_api_server_refuses_what_does_not_fit() {
    let bench = Bench::with_cluster("");
    let thing = object("t.io/v1", "Thing", "", "a");
    assert_eq!(refused(&bench, thing.clone()).2, "no matches for kind \"Thing\" in version \"t.io/v1\"");
    assert_eq!(refused(&bench, object("v1", "ConfigMap", "nowhere", "a")).2, "namespaces \"nowhere\" not found");
    assert_eq!(refused(&bench, object("v1", "Namespace", "default", "a")).1, "Invalid");
    let error = bench.create(&Object, "x", object("apps/v1", "Deploymint", "", "a")).unwrap_err();
    assert_eq!(error.hints, ["did you mean `Deployment`?"]);

    bench.create(&Object, "crd", crd("Namespaced")).unwrap();
    assert_eq!(refused(&bench, thing.clone()).0, Class::NotYet, "not established yet: tried again");
    bench.until_ready(&Object, &at(&crd("Namespaced")));
    let made = bench.create(&Object, "thing", thing).unwrap();
    assert_eq!(
        (made["id"].as_str(), made["metadata"]["namespace"].as_str()),
        (Some("t.io/v1/Thing/default/a"), Some("default"))
    );

    let mut elsewhere = Bench::with_cluster("");
    elsewhere.place.cluster = Some("c9".into());
    assert_eq!(refused(&elsewhere, object("v1", "ConfigMap", "", "a")).1, "ClusterNotFound");
    assert_eq!(
        elsewhere.read(&Object, &at(&object("v1", "ConfigMap", "", "a"))),
        None,
        "with its cluster, all in it is gone"
    );
}

#[test]
fn inputs_are_checked_without_a_cluster() {
    let error = |object: Value| Object.check(&object).unwrap_err().to_string();
    assert_eq!(error(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {}})), "metadata.name: missing");
    let generated = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "generateName": "a-"}});
    assert!(error(generated).starts_with("metadata.generateName: is refused"));
    assert_eq!(error(json!({"kind": "Pod", "metadata": {"name": "a"}})), "apiVersion: missing");
    assert_eq!(
        error(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": 5})),
        "spec: must be a map, not 5"
    );
}

#[test]
fn an_object_carries_whose_it_is() {
    let bench = Bench::with_cluster("");
    let made = bench.create(&Object, "e1", object("v1", "ConfigMap", "default", "a")).unwrap();
    assert_eq!(made["metadata"]["labels"], json!({"runbook/run": "run-1", "runbook/effect": "e1"}));
    assert_eq!(made["tags"]["runbook:effect"], "e1");
    assert_eq!(bench.find(&Object, "e1", object("v1", "ConfigMap", "default", "a")).len(), 1);
}

#[test]
fn a_deployment_waits_for_its_pods_and_names_them() {
    let bench = Bench::with_cluster("");
    let mut web = workload("Deployment", "web", 2);
    web["spec"]["template"]["spec"]["containers"][0]["envFrom"] = json!([{"configMapRef": {"name": "settings"}}]);
    let made = bench.create(&Object, "w", web.clone()).unwrap();
    let Health::Pending(why) = Object.judge(&made) else { panic!("{made}") };
    assert!(
        why.starts_with("pod web-") && why.contains("CreateContainerConfigError (configmap \"settings\" not found)"),
        "{why}"
    );
    bench.create(&Object, "s", object("v1", "ConfigMap", "default", "settings")).unwrap();
    assert!(bench.until_ready(&Object, &at(&web)) >= 10);
    assert_eq!(pods(&bench, "app=web").len(), 2);

    // A new image replaces the pods, one more replica only adds one.
    let before: Vec<Value> = pods(&bench, "app=web").iter().map(|pod| pod["name"].clone()).collect();
    web["spec"]["template"]["spec"]["containers"][0]["image"] = "i:2".into();
    bench.create(&Object, "w2", web.clone()).unwrap();
    bench.until_ready(&Object, &at(&web));
    bench.pass(10);
    let after = pods(&bench, "app=web");
    assert!(after.len() == 2 && after.iter().all(|pod| !before.contains(&pod["name"])));
}

#[test]
fn without_nodes_pods_stay_pending() {
    let bench = Bench::new("", "");
    bench.edit(|world, now| crate::sandbox::k8s::boot_cluster(world, "us-east-1", "c1", now));
    let web = workload("Deployment", "web", 1);
    bench.create(&Object, "w", web.clone()).unwrap();
    let Health::Pending(why) = Object.judge(&bench.read(&Object, &at(&web)).unwrap()) else { panic!() };
    assert!(why.contains("0/0 nodes are available"), "{why}");
    bench.edit(|world, now| {
        crate::sandbox::k8s::boot_nodes(world, "c1", "g", &[("n1".into(), "us-east-1a".into())], now + 60_000);
    });
    assert!(bench.until_ready(&Object, &at(&web)) >= 60);
}

/// A StatefulSet of three pods with a volume each.
fn with_claims() -> Value {
    let mut db = workload("StatefulSet", "db", 3);
    db["spec"]["volumeClaimTemplates"] = json!([{
        "metadata": {"name": "data"}, "spec": {"storageClassName": "gp2", "resources": {"requests": {"storage": "8Gi"}}},
    }]);
    db
}

#[test]
fn a_stateful_set_starts_one_pod_after_the_other_and_its_claims_outlive_it() {
    let bench = Bench::with_cluster("");
    let db = with_claims();
    bench.create(&Object, "d", db.clone()).unwrap();
    bench.pass(35);
    assert_eq!(pods(&bench, "app=db").len(), 2, "the third waits for the second");
    let took = bench.until_ready(&Object, &at(&db));
    assert!((50..65).contains(&took), "{took}");
    let claim = object("v1", "PersistentVolumeClaim", "default", "data-db-0");
    let bound = bench.read(&Object, &at(&claim)).unwrap();
    assert_eq!(bound["status"]["phase"], "Bound");
    let disks = |bench: &Bench| bench_count(bench, "ec2.volume");
    assert_eq!(disks(&bench), 3);

    // A claim in use stays until its pod is gone; its volume and disk go after it.
    bench.call(&operations::DELETE, json!({"kind": "PersistentVolumeClaim", "name": "data-db-0"})).unwrap();
    let held = bench.read(&Object, &at(&claim)).unwrap();
    let Health::Deleting(why) = Object.judge(&held) else { panic!("{held:#}") };
    assert!(why.starts_with("finalizers kubernetes.io/pvc-protection"), "{why}");
    bench.delete(&Object, &at(&db), None).unwrap();
    bench.pass(60);
    assert_eq!(bench.read(&Object, &at(&db)), None);
    assert!(pods(&bench, "app=db").is_empty());
    assert_eq!(bench.read(&Object, &at(&claim)), None);
    assert_eq!(disks(&bench), 2);
    let volume = bound["spec"]["volumeName"].clone();
    assert!(bench.call(&operations::GET, json!({"kind": "PersistentVolume", "name": volume})).unwrap().is_null());
}

#[test]
fn a_stateful_set_that_goes_early_claims_nothing_more() {
    let bench = Bench::with_cluster("");
    let db = with_claims();
    bench.create(&Object, "d", db.clone()).unwrap();
    bench.pass(5);
    bench.delete(&Object, &at(&db), None).unwrap();
    bench.pass(300);
    let claims = bench.call(&operations::LIST, json!({"kind": "PersistentVolumeClaim", "api_version": "v1"})).unwrap();
    let named: Vec<&str> =
        claims.as_array().into_iter().flatten().filter_map(|claim| claim["metadata"]["name"].as_str()).collect();
    assert_eq!((named, bench_count(&bench, "ec2.volume")), (vec!["data-db-0"], 1));
}

fn bench_count(bench: &Bench, kind: &str) -> usize {
    let mut count = 0;
    bench.edit(|world, now| count = world.list(kind, "us-east-1", now).count());
    count
}

#[test]
fn a_job_is_ready_when_it_is_complete() {
    let bench = Bench::with_cluster("");
    let mut job = workload("Job", "once", 1);
    job["apiVersion"] = "batch/v1".into();
    bench.create(&Object, "j", job.clone()).unwrap();
    assert!(bench.until_ready(&Object, &at(&job)) > 15);
}

#[test]
fn finalizers_keep_an_object_and_a_namespace_names_them() {
    let bench = Bench::with_cluster("");
    bench.create(&Object, "n", object("v1", "Namespace", "", "team")).unwrap();
    let mut held = object("v1", "ConfigMap", "team", "a");
    held["metadata"]["finalizers"] = json!(["t.io/keep"]);
    bench.create(&Object, "a", held.clone()).unwrap();
    bench.create(&Object, "b", object("v1", "ConfigMap", "team", "b")).unwrap();
    let space = at(&object("v1", "Namespace", "", "team"));
    bench.delete(&Object, &space, None).unwrap();
    bench.pass(60);
    let held_by = bench.obstacles(&Object, &space);
    assert!(held_by.len() == 1 && held_by[0].starts_with("ConfigMap a (finalizer t.io/keep, "), "{held_by:?}");
    assert!(held_by[0].contains("--also k8s://c1/v1/ConfigMap/team/a"), "{held_by:?}");
    assert_eq!(refused(&bench, object("v1", "ConfigMap", "team", "c")).1, "Forbidden");
    bench
        .create(
            &Patch,
            "p",
            json!({"kind": "ConfigMap", "namespace": "team", "name": "a", "patch": {"metadata": {"finalizers": []}}}),
        )
        .unwrap();
    bench.pass(1);
    assert_eq!(bench.read(&Object, &space), None);
}

#[test]
fn a_definition_takes_its_objects_with_it() {
    let bench = Bench::with_cluster("");
    bench.create(&Object, "crd", crd("Cluster")).unwrap();
    bench.pass(5);
    bench.create(&Object, "t", object("t.io/v1", "Thing", "", "a")).unwrap();
    bench.delete(&Object, &at(&crd("Cluster")), None).unwrap();
    bench.pass(1);
    assert_eq!(bench.read(&Object, &at(&crd("Cluster"))), None);
    assert_eq!(refused(&bench, object("t.io/v1", "Thing", "", "a")).1, "NoKindMatch");
}

#[test]
fn what_stood_before_is_put_back() {
    let bench = Bench::with_cluster("");
    let corefile = object("v1", "ConfigMap", "kube-system", "coredns");
    let before = bench.read(&Object, &at(&corefile)).unwrap();
    let mut mine = corefile.clone();
    mine["data"] = json!({"Corefile": "mine"});
    let made = bench.create(&Object, "c", mine.clone()).unwrap();
    assert_eq!((made["data"]["Corefile"].as_str(), made["tags"]["runbook:effect"].as_str()), (Some("mine"), Some("c")));
    bench.delete(&Object, &Object.locate(&mine, &made).unwrap(), Some(&before)).unwrap();
    let after = bench.read(&Object, &at(&corefile)).unwrap();
    assert_eq!(
        (&after["data"], &after["tags"], &after["metadata"]["labels"]),
        (&before["data"], &before["tags"], &before["metadata"]["labels"])
    );
}

#[test]
fn a_patch_merges_by_name_and_is_taken_back_field_by_field() {
    let bench = Bench::with_cluster("");
    let dns = object("apps/v1", "Deployment", "kube-system", "coredns");
    let before = bench.read(&Object, &at(&dns)).unwrap();
    let patch = json!({"kind": "Deployment", "namespace": "kube-system", "name": "coredns", "patch": {"spec": {
        "replicas": 3, "paused": true, "template": {"spec": {"containers": [{"name": "coredns", "image": "mine:1"}]}},
    }}});
    let locator = Patch.locate(&patch, &Value::Null).unwrap();
    let prior = bench.read(&Patch, &locator).unwrap();
    let made = bench.create(&Patch, "p", patch.clone()).unwrap();
    assert_eq!(made["patch"], patch["patch"]);
    assert!(Patch.differences(&patch, &made).is_empty());
    let patched = bench.read(&Object, &at(&dns)).unwrap();
    let container = &patched["spec"]["template"]["spec"]["containers"][0];
    assert_eq!((container["image"].as_str(), container["args"][0].as_str()), (Some("mine:1"), Some("-conf")));
    bench.delete(&Patch, &Patch.locate(&patch, &made).unwrap(), Some(&prior)).unwrap();
    assert_eq!(bench.read(&Object, &at(&dns)).unwrap()["spec"], before["spec"]);
    let missing = json!({"kind": "ConfigMap", "name": "none", "patch": {"data": {"a": "b"}}});
    assert_eq!(bench.create(&Patch, "q", missing).unwrap_err().code, "NotFound");
}

#[test]
fn a_difference_is_only_what_was_asked_for_and_is_not_so() {
    let asked = json!({"spec": {"replicas": 2, "ports": [{"port": 80}], "args": ["a"]}, "stringData": {"a": "b"}});
    let has =
        json!({"spec": {"replicas": 2, "ports": [{"port": 80, "protocol": "TCP"}], "args": ["a", "b"]}, "data": {}});
    assert_eq!(Object.differences(&asked, &has), [("spec.args".to_owned(), json!(["a"]), json!(["a", "b"]))]);
}

#[test]
fn a_load_balancer_leaves_network_interfaces_for_a_while() {
    let bench = Bench::with_cluster("");
    bench.edit(|world, _| {
        for node in ["n1", "n2"] {
            world.change("k8s.object", "c1", &format!("v1/Node//{node}"), |o| {
                o.body["spec"]["subnet"] = "subnet-1".into()
            });
        }
    });
    let mut service = object("v1", "Service", "default", "web");
    service["spec"] = json!({"type": "LoadBalancer", "ports": [{"port": 80}]});
    bench.create(&Object, "s", service.clone()).unwrap();
    assert!(bench.until_ready(&Object, &at(&service)) >= 59);
    assert_eq!(bench_count(&bench, "ec2.network_interface"), 1);
    bench.delete(&Object, &at(&service), None).unwrap();
    bench.pass(25);
    assert_eq!(bench.read(&Object, &at(&service)), None);
    assert_eq!(bench_count(&bench, "ec2.network_interface"), 1);
    bench.pass(30);
    assert_eq!(bench_count(&bench, "ec2.network_interface"), 0);
}

#[test]
fn waits_say_what_they_wait_for() {
    let bench = Bench::with_cluster("");
    let wait =
        |what: &str| bench.call(&operations::WAIT, json!({"kind": "Deployment", "name": "web", "for": what})).unwrap();
    assert_eq!((&wait("ready")["done"], &wait("gone")["done"]), (&json!(false), &json!(true)));
    assert_eq!(wait("exists")["waiting_for"], "Deployment web does not exist");
    bench.create(&Object, "w", workload("Deployment", "web", 1)).unwrap();
    assert!(wait("ready")["waiting_for"].as_str().unwrap().starts_with("Deployment web: pod web-"));
    bench.pass(20);
    assert_eq!(
        (&wait("ready")["done"], &wait("condition=Available")["done"], &wait("gone")["done"]),
        (&json!(true), &json!(true), &json!(false))
    );
    let settle = operations::WAIT.settle.unwrap();
    assert_eq!((settle.judge)(&wait("gone")), Health::Pending("Deployment web stands".into()));
}

#[test]
fn what_a_command_changes_of_its_pod_can_be_told_by_later_answers() {
    let rehearsal = "
answers:
  - { call: k8s.exec, where: { command: elect }, adds: { metadata: { annotations: { master: '${pod}' } } } }
  - { call: k8s.exec, where: { command: who }, stdout: '${metadata.annotations.master of Pod/*/web-*}' }
";
    let bench = Bench::with_cluster(rehearsal);
    let mut web = workload("Deployment", "web", 1);
    web["spec"]["template"]["metadata"]["annotations"] = json!({"master": "nobody"});
    bench.create(&Object, "w", web).unwrap();
    bench.pass(30);
    let pod = pods(&bench, "app=web")[0]["name"].clone();
    let says =
        |command: &str| bench.call(&exec::EXEC, json!({"pod": pod, "command": [command]})).unwrap()["stdout"].clone();
    assert_eq!(says("who"), "nobody");
    says("elect");
    assert_eq!(says("who"), pod);
}

#[test]
fn commands_need_a_running_container_and_an_answer() {
    let rehearsal = "
answers:
  - { call: k8s.exec, where: { pod: 'web-*', command: '* ping' }, after: 30s, stdout: 'PONG ${cluster} ${container}' }
  - { call: k8s.run_pod, where: { image: 'probe:*' }, stdout: ok, exit_code: 3 }
  - { call: k8s.logs, where: { name: web }, stdout: \"a\\nb\\nc\\n\" }
";
    let bench = Bench::with_cluster(rehearsal);
    let exec = |command: &str| {
        let pod = pods(&bench, "app=web")[0]["name"].clone();
        bench.call(&exec::EXEC, json!({"pod": pod, "command": ["redis-cli", command]}))
    };
    let gone = bench.call(&exec::EXEC, json!({"pod": "web-0", "command": ["x"]})).unwrap_err();
    assert_eq!(gone.code, "NotFound");
    bench.create(&Object, "w", workload("Deployment", "web", 1)).unwrap();
    assert_eq!(exec("ping").unwrap_err().code, "ContainerNotRunning");
    bench.pass(15);
    assert_eq!(exec("ping").unwrap_err().code, "NotRehearsed", "too early");
    bench.pass(30);
    assert_eq!(exec("ping").unwrap(), json!({"stdout": "PONG c1 main", "stderr": "", "exit_code": 0}));
    let error = exec("info").unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::Refused, "NotRehearsed"));
    assert!(error.message.contains("command: \"redis-cli info\""), "{error}");
    let probe = bench.call(&exec::RUN_POD, json!({"name": "p", "image": "probe:1", "command": ["x"]})).unwrap();
    assert_eq!((&probe["stdout"], &probe["exit_code"]), (&json!("ok"), &json!(3)));
    let log = bench.call(&operations::LOGS, json!({"kind": "Deployment", "name": "web", "tail": 2})).unwrap();
    assert_eq!(log, "b\nc");
}
