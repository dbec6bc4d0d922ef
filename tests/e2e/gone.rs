//! Somebody deletes the clusters of a finished run, past it: what stood in them is gone, and what their controllers made outside is left.
//! An undo deletes it, or names it and says how to go on. Whoever deletes what it names (volumes: they may hold data) can undo the rest.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    crash::run,
    harness::Place,
    redis_ha::world,
    trials::wedges::account::{Change, Documents, change, documents, stands, without},
};

/// Whether a deleted cluster leaves it: volumes, load balancers and what those are made of. Its own security group and interfaces go.
fn outlives(object: &Value) -> bool {
    let begins = |field: &str, with: &str| object["body"][field].as_str().is_some_and(|text| text.starts_with(with));
    match object["kind"].as_str().unwrap_or_default() {
        "ec2.volume" | "elbv2.load_balancer" | "elbv2.target_group" => true,
        "ec2.network_interface" => begins("description", "ELB "),
        "ec2.security_group" => begins("group_name", "k8s-"),
        _ => false,
    }
}

/// What goes with the clusters; no volume is attached to a node any more.
fn deleted(there: &Documents) -> Vec<Change> {
    let clusters: BTreeSet<&String> =
        there.iter().filter(|(_, o)| o["kind"] == "eks.cluster").map(|(k, _)| k).collect();
    assert!(!clusters.is_empty(), "no cluster");
    let names: Vec<&Value> = clusters.iter().map(|key| &there[*key]["id"]).collect();
    let inside =
        there.iter().filter(|(_, object)| names.contains(&&object["place"])).map(|(key, _)| (key.clone(), None));
    let below = clusters.iter().flat_map(|key| without(there, key));
    let gone = inside.chain(below).filter(|(key, _)| !outlives(&there[key]));
    let free = there.iter().filter(|(_, object)| object["kind"] == "ec2.volume").map(|(key, object)| {
        let mut volume = object.clone();
        volume["states"] = json!([[0, "available"]]);
        (key.clone(), Some(volume))
    });
    gone.chain(free).collect()
}

pub(crate) fn without_its_clusters_undo_takes_the_rest_down_or_names_it(system: &[&str]) {
    let place = Place::new();
    place.expect(0, run(system));
    change(&place, &deleted(&documents(&place).expect("the world"))).expect("another world");
    let said = place.run(["undo", "latest", "--yes"]);
    assert!(matches!(said.code, 0 | 7), "{}\n{}", said.out, said.err);
    let there = documents(&place).expect("the world");
    let volumes = there.iter().filter(|(_, object)| object["kind"] == "ec2.volume" && stands(object));
    let told: String = said.err.split_whitespace().collect();
    let mut theirs: Vec<Change> = Vec::new();
    for (key, volume) in volumes {
        let id = volume["id"].as_str().expect("an id");
        assert!(told.contains(id), "{id} is left and not named:\n{}", said.err);
        theirs.push((key.clone(), None));
    }
    if said.code == 7 {
        change(&place, &theirs).expect("another world");
        place.expect(0, ["undo", "latest", "--yes"]);
    }
    assert_eq!(world(&place)["objects"], json!([]));
}
