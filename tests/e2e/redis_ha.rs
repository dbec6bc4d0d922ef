//! The main job on the sandbox: redis-ha from nothing to everything, and back to nothing.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{harness::Place, table};

/// The events of an NDJSON output.
fn events(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[test]
fn it_runs_shows_and_is_undone() {
    let place = Place::new();
    let said = place.expect(0, ["run", "redis-ha.rhai", "--sandbox", "--speed", "0", "--json"]);
    let events = events(&said.out);
    let steps: BTreeSet<&str> = events
        .iter()
        .filter(|e| e["event"] == "step.done")
        .filter_map(|e| e["step"].as_str())
        .filter(|step| step.matches('/').count() <= 1)
        .collect();
    assert!(steps.len() >= 26, "{} top-level and second-level steps: {steps:#?}", steps.len());
    let effects = said.effects().len();
    assert!(effects > 120, "{effects} effects");
    assert!(events.iter().all(|e| e["simulated"] == true && e["v"] == 1));
    assert_eq!(events.last().map(|e| &e["event"]), Some(&Value::from("run.ended")));

    let runs = place.expect(0, ["runs"]);
    assert!(runs.out.contains("redis-ha") && runs.out.contains("finished"), "{}", runs.out);
    place.expect(0, ["show", "latest"]);
    place.expect(0, ["verify", "latest"]);
    let master = place.expect(0, ["output", "latest", "master"]);
    assert_eq!(master.out.trim(), "redis-cluster-1-node-0.redis-cluster-1.redis-ha.internal");

    let before = world(&place);
    assert!(!before["objects"].as_array().expect("objects").is_empty());
    let said = place.expect(0, ["undo", "latest", "--yes"]);
    assert!(said.err.contains("gone"), "{}", said.err);
    let after = world(&place);
    assert_eq!(after["objects"], serde_json::json!([]), "undo left something");
}

#[test]
fn side_car_and_static_keys_run_too() {
    let place = Place::new();
    place.expect(
        0,
        [
            "run",
            "redis-ha.rhai",
            "--sandbox",
            "--speed",
            "0",
            "-p",
            "dns_mode=side_car",
            "-p",
            "aws_auth_mode=static_keys",
            "-p",
            "aws_access_key_id=AKIAEXAMPLE",
            "-p",
            "aws_secret_access_key=wJalrEXAMPLE",
            "-p",
            "failover_drill=false",
            "-p",
            "external_master=announced",
        ],
    );
    place.expect(0, ["undo", "latest", "--yes"]);
    assert_eq!(world(&place)["objects"], serde_json::json!([]));
}

/// The step keys of the README's rows for which `of` holds.
fn told(of: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let both = |key: String| ["redis1", "redis2"].map(|name| key.replace("redisN", name));
    table::told("redis-ha", of).into_iter().flat_map(both).collect()
}

#[test]
fn every_step_of_the_specification_is_there() {
    const RUN: [&str; 8] = ["run", "redis-ha.rhai", "--sandbox", "--speed", "0", "--json", "-p", "failover_drill=true"];
    table::names_every_step("redis-ha", 26);
    let place = Place::new();
    table::all_done(&told(|spec| !spec.ends_with("beside")), &table::run(&place, &RUN));
    let master = place.expect(0, ["output", "latest", "master"]);
    assert_eq!(
        master.out.trim(),
        "redis-cluster-1-node-1.redis-cluster-1.redis-ha.internal",
        "the one after the drill"
    );
    place.expect(0, ["undo", "latest", "--yes"]);
    assert_eq!(world(&place)["objects"], serde_json::json!([]));

    let beside = table::run(&Place::new(), &[&RUN[..], &["-p", "dns_mode=side_car"]].concat());
    table::all_done(&told(|spec| spec.ends_with("beside")), &beside);
}

#[test]
fn plan_calls_nothing_and_names_the_critical_path() {
    let place = Place::new();
    let said = place.expect(0, ["plan", "redis-ha.rhai"]);
    let text = format!("{}{}", said.out, said.err);
    for part in ["critical path", "EKS control plane", "NAT gateway", "redis1"] {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
    assert!(!place.state().join("sandbox.db").exists(), "plan made a world");
}

/// The sandbox's world, ids normalised.
pub fn world(place: &Place) -> Value {
    serde_json::from_str(&place.expect(0, ["world", "--json"]).out).expect("JSON")
}
