//! OpenRemote on the sandbox: both entries, what the traps of the original were, and back to nothing.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{harness::Place, redis_ha::world, table};

/// Undo may delete the data unasked; a later `-p` says otherwise.
const RUN: [&str; 8] =
    ["run", "openremote.rhai", "--sandbox", "--speed", "0", "--json", "-p", "volumes_on_undo=delete"];

/// The steps of a run that ended well.
fn steps(place: &Place, more: &[&str]) -> BTreeSet<String> {
    table::run(place, &[&RUN[..], more].concat())
}

/// The objects of a kind in the world.
fn objects(world: &Value, kind: &str) -> Vec<Value> {
    let all = world["objects"].as_array().expect("objects");
    all.iter().filter(|o| o["kind"] == kind).cloned().collect()
}

fn output(place: &Place, name: &str) -> String {
    place.expect(0, ["output", "latest", name]).out.trim().to_owned()
}

fn undone(place: &Place) {
    place.expect(0, ["undo", "latest", "--yes"]);
    assert_eq!(world(place)["objects"], json!([]), "undo left something");
}

#[test]
fn behind_haproxy_it_runs_and_is_undone() {
    let place = Place::new();
    let done = steps(&place, &[]);
    let told = table::told("openremote", |spec| !spec.contains("variant B"));
    assert!(told.len() > 30, "{told:#?}");
    table::names_every_step("openremote", 24);
    table::all_done(&told, &done);
    let world = world(&place);
    let balancers = objects(&world, "elbv2.load_balancer");
    assert_eq!(balancers.len(), 1, "the metrics stay inside the cluster: {balancers:#?}");
    assert_eq!(balancers[0]["body"]["scheme"], "internet-facing");
    assert_eq!(objects(&world, "elbv2.listener").len(), 3);
    assert_eq!(output(&place, "manager"), "https://testmanager.openremote.app");
    assert_eq!(output(&place, "mqtts"), "testmanager.openremote.app:8883");
    assert!(output(&place, "load balancer name").starts_with("k8s-default-proxy-"));
    assert_eq!(objects(&world, "route53.record_set").len(), 1);

    place.expect(0, ["verify", "latest"]);
    undone(&place);
    let calls = world_calls(&place);
    let gone = |op: &str| calls.iter().position(|call| call == op).unwrap_or_else(|| panic!("no {op} in {calls:#?}"));
    assert!(gone("delete route53.record_set") < gone("delete helm.release"), "the record goes first: {calls:#?}");
    assert!(!calls.iter().any(|call| call == "elbv2.delete_load_balancer"), "the controller took it down itself");
}

fn world_calls(place: &Place) -> Vec<String> {
    let calls = world(place)["calls"].as_array().cloned().unwrap_or_default();
    calls.iter().filter_map(|call| call["op"].as_str().map(str::to_owned)).collect()
}

#[test]
fn behind_an_application_load_balancer_it_runs_and_is_undone() {
    let place = Place::new();
    let done = steps(&place, &["-p", "entry=alb"]);
    let told = table::told("openremote", |spec| spec.contains("variant B"));
    assert!(told.len() > 5, "{told:#?}");
    table::all_done(&told, &done);
    for name in ["", "mqtt.", "mqtts."] {
        assert!(done.contains(&format!("record {name}testmanager.openremote.app")), "{done:#?}");
    }
    assert!(!done.contains("proxy"));
    let world = world(&place);
    let kinds: BTreeSet<String> = objects(&world, "elbv2.load_balancer")
        .iter()
        .map(|o| o["body"]["type"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!((objects(&world, "elbv2.load_balancer").len(), kinds.len()), (3, 2), "one for the web, two for MQTT");
    assert_eq!(objects(&world, "acm.certificate").len(), 1);
    assert_eq!(objects(&world, "route53.record_set").len(), 5, "two that prove the names, three aliases");
    undone(&place);
}

#[test]
fn metrics_get_load_balancers_only_when_asked_for() {
    let place = Place::new();
    steps(&place, &["-p", "expose_metrics_lb=true", "-p", "acme=off"]);
    let found = objects(&world(&place), "elbv2.load_balancer");
    let public = found.iter().filter(|o| o["body"]["scheme"] == "internet-facing").count();
    assert_eq!((found.len(), public), (3, 1));
    assert!(output(&place, "load balancer name").contains("k8s-default-proxy-"), "the public one, whichever was first");
    undone(&place);
}

#[test]
fn a_snapshot_of_the_data_outlives_undo_when_it_is_asked_for() {
    let place = Place::new();
    steps(&place, &["-p", "volumes_on_undo=snapshot"]);
    place.expect(0, ["undo", "latest", "--yes"]);
    let left = world(&place);
    let kinds: BTreeSet<&str> =
        left["objects"].as_array().expect("objects").iter().filter_map(|o| o["kind"].as_str()).collect();
    assert_eq!(kinds, BTreeSet::from(["ec2.snapshot"]));
    assert_eq!(objects(&left, "ec2.snapshot").len(), 2);
}

#[test]
fn the_data_goes_only_when_a_person_says_so() {
    let place = Place::new();
    place.expect(0, RUN.iter().take(6).copied());
    let asks = |name: &str| {
        let said = place.expect(3, ["undo", "latest", "--yes"]);
        assert!(said.err.contains(&format!("delete the volume {name} (")), "{}", said.err);
        assert!(objects(&world(&place), "ec2.volume").iter().any(|o| o["tags"]["Name"] == name));
    };
    asks("manager-data");
    place.expect(0, ["approve", "latest", "--no", "--why", "precious"]);
    asks("psql-data");
    place.expect(0, ["approve", "latest", "--yes"]);
    let said = place.run(["undo", "latest", "--yes"]);
    assert_ne!(said.code, 0);
    assert!(said.err.contains("precious"), "{}", said.err);
    let left = world(&place);
    let all = left["objects"].as_array().expect("objects");
    assert_eq!((all.len(), &all[0]["tags"]["Name"]), (1, &json!("manager-data")), "a no keeps it, and nothing else");
}

#[test]
fn what_stands_already_stops_it_before_the_first_effect() {
    let place = Place::new();
    steps(&place, &[]);
    let said = place.run(RUN);
    assert_ne!(said.code, 0);
    assert!(said.out.contains("a cluster testcluster already stands"), "{}", said.out);
    let said = place.run(RUN.iter().copied().chain(["-p", "cluster_name=second"]));
    assert!(said.out.contains("testmanager.openremote.app already stands in the zone"), "{}", said.out);
}

#[test]
fn charts_that_are_not_there_stop_it_before_the_first_effect() {
    let place = Place::new();
    let said = place.run(RUN.iter().copied().chain(["-p", "chart_source=openremote/kubernetes"]));
    assert_eq!(said.code, 1);
    assert!(said.out.contains("write a folder as /path or ./path"), "{}", said.out);
    place.expect(0, ["eject", "openremote"]);
    let file = place.work().join("runbooks").join("openremote.rehearsal.yaml");
    let text = std::fs::read_to_string(&file).expect("the ejected rehearsal file");
    std::fs::write(&file, text.replacen("call: helm.template,", "call: helm.template, where: { name: none },", 1))
        .expect("one that knows no chart");
    let said = place.run(RUN);
    assert_ne!(said.code, 0);
    assert!(said.out.contains("preflight/charts"), "{}", said.out);
    assert_eq!(world_calls(&place), [""; 0]);
}

#[test]
fn what_a_broken_controller_leaves_is_swept() {
    let place = Place::new();
    place.expect(0, ["eject", "openremote"]);
    let file = place.work().join("runbooks").join("openremote.rhai");
    let script = std::fs::read_to_string(&file).expect("the ejected runbook");
    let broken = r#"
step("break the controller", || k.delete(#{
    kind: "Deployment", api_version: "apps/v1", namespace: "kube-system", name: "aws-load-balancer-controller",
}));
"#;
    std::fs::write(&file, script + broken).expect("a broken one");
    steps(&place, &[]);
    undone(&place);
    let calls = world_calls(&place);
    let gone = |op: &str| calls.iter().position(|call| call == op).unwrap_or_else(|| panic!("no {op} in {calls:#?}"));
    assert!(gone("elbv2.delete_load_balancer") < gone("elbv2.delete_target_group"), "{calls:#?}");
    assert!(gone("elbv2.delete_target_group") < gone("ec2.delete_security_group"), "{calls:#?}");
}

#[test]
fn a_database_that_was_undone_alone_takes_its_volume_again() {
    let place = Place::new();
    steps(&place, &[]);
    place.expect(0, ["undo", "latest", "--step", "stack/postgresql", "--yes"]);
    let claims = |world: &Value| {
        let found = objects(world, "k8s.object").into_iter().filter(|o| o["body"]["kind"] == "PersistentVolumeClaim");
        found.filter(|o| o["body"]["spec"]["volumeName"] == "postgresql-data-pv").count()
    };
    assert_eq!(claims(&world(&place)), 0);
    place.expect(0, ["resume", "latest"]);
    let after = world(&place);
    assert_eq!(
        (claims(&after), objects(&after, "ec2.volume").len()),
        (1, 3),
        "the same two disks, and the certificates'"
    );
    undone(&place);
}
