//! A secret that is told once: whatever is lost, what stands at the end is one thing whose secret is in the vault, and nothing that
//! stood before is touched.

use std::time::Duration;

use runbook_modules::error::Class;
use serde_json::{Value, json};

use super::{
    cloud::{Fault, ONCE, told},
    crashes::die_everywhere,
    rig::{Rig, failure, stop},
};

fn create(rig: &Rig) -> Result<Value, crate::error::Halt> {
    rig.call("t.create_once", json!({ "name": "n" }))
}

fn deleted(rig: &Rig) -> Vec<String> {
    rig.calls().into_iter().filter(|(what, _)| what == "DeleteTag").map(|(_, id)| id).collect()
}

#[test]
fn one_of_them_whenever_it_dies() {
    for lag_s in [0, 100] {
        die_everywhere(&ONCE, false, lag_s, 0, None, 0);
        die_everywhere(&ONCE, true, lag_s, 0, None, 0);
    }
    die_everywhere(&ONCE, false, 0, 0, Some(Fault::Ghost(100)), 0);
    die_everywhere(&ONCE, false, 0, 0, Some(Fault::Lost(Class::Unknown)), 0);
}

#[test]
fn the_secret_is_sealed_and_stands_nowhere_else() {
    let rig = Rig::new();
    let value = create(&rig).unwrap();
    assert!(value["told"].as_str().unwrap().starts_with("{{secret:t.once/"), "{value}");
    assert_eq!(rig.vault.reveal(&value).unwrap()["told"], told(value["id"].as_str().unwrap()));
    assert!(!format!("{:?}{:?}", rig.records(), rig.events()).contains("the secret of"));
}

#[test]
fn what_an_unknown_outcome_made_is_deleted_and_what_stood_before_stays() {
    let rig = Rig::new();
    rig.cloud.foreign(&ONCE, "old", json!({ "name": "n" }), true);
    rig.cloud.state().faults.push_back(Some(Fault::Lost(Class::Unknown)));
    let value = create(&rig).unwrap();
    assert_eq!(deleted(&rig), ["once-1"]);
    let standing: Vec<String> = rig.cloud.standing().into_iter().map(|thing| thing.id).collect();
    assert_eq!(standing, ["old", "once-2"]);
    assert_eq!(rig.inventory(), ["once-2"]);
    assert_eq!(rig.vault.reveal(&value).unwrap()["told"], told("once-2"));
}

#[test]
fn one_whose_answer_is_always_lost_is_given_up_and_nothing_is_left() {
    let rig = Rig::new();
    rig.cloud.foreign(&ONCE, "old", json!({ "name": "n" }), true);
    rig.cloud.state().faults.extend([Some(Fault::Lost(Class::Unknown)); 30]);
    let failed = failure(create(&rig));
    assert_eq!((failed.code.as_str(), failed.outcome.as_str()), ("RB0411", "definite: nothing is left"));
    assert!(failed.message.ends_with("asked 8 times, and what was made without its secret is deleted"), "{failed:?}");
    let standing: Vec<String> = rig.cloud.standing().into_iter().map(|thing| thing.id).collect();
    assert_eq!(standing, ["old"]);
}

#[test]
fn two_that_were_added_stop_the_run_and_are_named() {
    let rig = Rig::new();
    rig.cut.after(4, true);
    create(&rig).unwrap_err();
    rig.cut.never();
    rig.cloud.foreign(&ONCE, "one", json!({ "name": "n" }), true);
    rig.cloud.foreign(&ONCE, "two", json!({ "name": "n" }), true);
    let (what, failure) = stop(create(&rig));
    assert_eq!((what, failure.code.as_str()), ("unresolved", "RB0415"));
    assert!(failure.cause.contains("one, two"), "{failure:?}");
    assert_eq!(deleted(&rig), Vec::<String>::new());
}

#[test]
fn another_one_of_the_same_run_is_not_taken_for_the_lost_one() {
    let rig = Rig::new();
    let both = |scope: &std::sync::Arc<crate::run::scope::Scope>| {
        let first = rig.bind(scope, "t.create_once", json!({ "name": "n" }))?;
        let second = rig.bind(scope, "t.create_once", json!({ "name": "n" }))?;
        Ok(json!([first["id"], second["id"]]))
    };
    rig.cloud.state().faults.extend([None, Some(Fault::Lost(Class::Unknown))]);
    assert_eq!(rig.step("s", both).unwrap(), json!(["once-1", "once-3"]));
    rig.pass(Duration::from_secs(1));
    assert_eq!(deleted(&rig), ["once-2"]);
    assert_eq!(rig.inventory(), ["once-1", "once-3"]);
}
