//! Every class of failure at every creation, without a crash.

use std::time::Duration;

use runbook_modules::{error::Class, resource::Kind as _};
use runbook_state::record::Record;
use serde_json::json;

use super::{
    cloud::{Fault, IDENTITIES, KEY, SHARED, TAG, creates},
    rig::{Rig, failure, site, stop},
};
use crate::{effect::token::tag, run::clock::Time as _};

fn rig(faults: &[Fault]) -> Rig {
    let rig = Rig::new();
    rig.cloud.state().faults.extend(faults.iter().map(|fault| Some(*fault)));
    rig
}

#[test]
fn a_lost_answer_makes_one_resource() {
    for kind in IDENTITIES {
        for faults in [
            vec![Fault::Lost(Class::Unknown)],
            vec![Fault::Lost(Class::Unknown); 3],
            vec![Fault::Fails(Class::Unknown), Fault::Lost(Class::Unknown)],
            vec![Fault::Ghost(20)],
        ] {
            let rig = rig(&faults);
            let name = format!("t.{}", kind.meta().create);
            let value = rig.call(&name, json!({"name": "n", "size": 1})).unwrap();
            rig.pass(Duration::from_secs(10_000));
            let standing = rig.cloud.standing();
            assert_eq!(standing.len(), 1, "{name} {faults:?}");
            assert_eq!(value["id"], standing[0].id.as_str());
            assert_eq!(rig.inventory().len(), 1);
        }
    }
}

#[test]
fn what_was_not_executed_is_sent_again_with_the_same_token() {
    for class in [Class::NotSent, Class::Throttled, Class::NotYet] {
        let rig = rig(&[Fault::Fails(class); 3]);
        rig.call("t.create_tag", json!({"name": "n"})).unwrap();
        let tokens = creates(&rig.calls());
        assert_eq!(tokens.len(), 4, "{class:?}");
        assert!(tokens.iter().all(|token| *token == tokens[0]));
        assert_eq!(rig.cloud.standing().len(), 1);
    }
}

#[test]
fn a_target_that_cannot_be_reached_is_a_definite_failure_after_five_tries() {
    let rig = rig(&[Fault::Fails(Class::NotSent); 9]);
    let failure = failure(rig.call("t.create_tag", json!({"name": "n"})));
    assert_eq!((failure.code.as_str(), failure.attempts), ("RB0411", 5));
    assert!(matches!(
        rig.records().iter().rev().find(|r| matches!(r, Record::Failed { .. })),
        Some(Record::Failed { remains: false, .. })
    ));
}

#[test]
fn a_target_that_never_answers_is_not_asked_for_ever() {
    for kind in IDENTITIES {
        let rig = rig(&[Fault::Fails(Class::Unknown); 30]);
        let name = format!("t.{}", kind.meta().create);
        let asked = json!({"name": "n", "size": 1});
        assert!(rig.call(&name, asked.clone()).is_err(), "{name}");
        let sent = creates(&rig.calls()).len();
        assert!((2..12).contains(&sent), "{name} was sent {sent} times");
        rig.cloud.state().faults.clear();
        rig.call(&name, asked).unwrap();
        assert_eq!((rig.cloud.standing().len(), rig.inventory().len()), (1, 1), "{name}");
    }
}

#[test]
fn a_tagged_one_that_was_never_made_is_a_definite_failure() {
    let rig = rig(&[Fault::Fails(Class::Unknown); 30]);
    let failed = failure(rig.call("t.create_tag", json!({"name": "n"})));
    assert_eq!((failed.code.as_str(), failed.attempts), ("RB0411", 8));
    assert_eq!(failed.outcome, "definite: nothing was made");
    assert!(failed.cause.contains("as it was told"), "{failed:?}");
}

#[test]
fn a_refused_one_fails_and_the_next_try_is_a_new_generation() {
    let rig = rig(&[Fault::Fails(Class::Refused)]);
    let failed = failure(rig.call("t.create_token", json!({"name": "n"})));
    assert_eq!((failed.code.as_str(), failed.outcome.as_str()), ("RB0412", "definite: nothing was made"));
    assert_eq!((failed.op.as_str(), failed.step.as_str(), &failed.sites[0]), ("t.create_token", "s", &site(7)));
    rig.call("t.create_token", json!({"name": "n", "size": 2})).unwrap();
    let tokens = creates(&rig.calls());
    assert_eq!(tokens.len(), 2);
    assert_ne!(tokens[0], tokens[1]);
}

#[test]
fn a_caught_refusal_is_replayed_within_the_attempt() {
    let rig = rig(&[Fault::Fails(Class::Refused)]);
    let body = |scope: &std::sync::Arc<crate::run::scope::Scope>| {
        let first = rig.bind(scope, "t.create_token", json!({"name": "n"}));
        let code = failure(first).code;
        rig.bind(scope, "t.modify", json!({ "code": code }))
    };
    // Began, Target, StepStarted, Intent, Failed, Intent; dies before Done.
    rig.cut.after(6, false);
    assert!(rig.step("s", body).is_err());
    rig.cut.never();
    rig.step("s", body).unwrap();
    assert_eq!(creates(&rig.calls()).len(), 1);
}

#[test]
fn what_is_foreign_is_never_taken_over() {
    for (kind, name) in [(&KEY, "t.create_key"), (&super::cloud::BOTH, "t.create_both")] {
        for untagged in [false, true] {
            let rig = Rig::new();
            rig.cloud.foreign(kind, "theirs", json!({"name": "n", "size": 1}), untagged);
            let failed = failure(rig.call(name, json!({"name": "n", "size": 1})));
            assert_eq!(failed.code, "RB0410");
            assert!(untagged || failed.cause.contains("owner=somebody"), "{failed:?}");
            assert_eq!(rig.inventory(), [""; 0]);
        }
    }
}

#[test]
fn what_is_foreign_stops_an_unknown_outcome() {
    let rig = Rig::new();
    rig.cut.after(4, true);
    assert!(rig.call("t.create_key", json!({"name": "n"})).is_err());
    rig.cut.never();
    rig.cloud.foreign(&KEY, "theirs", json!({"name": "n"}), false);
    let (what, failed) = stop(rig.call("t.create_key", json!({"name": "n"})));
    assert_eq!((what, failed.code.as_str()), ("unresolved", "RB0410"));
    assert_eq!(rig.inventory(), [""; 0]);
    assert_eq!(creates(&rig.calls()).len(), 0);
}

#[test]
fn an_untagged_one_is_ours_only_after_our_own_intent_and_as_asked() {
    for (size, ours) in [(1, true), (2, false)] {
        let rig = Rig::new();
        rig.cut.after(4, true);
        assert!(rig.call("t.create_key", json!({"name": "n", "size": 1})).is_err());
        rig.cut.never();
        rig.cloud.foreign(&KEY, "bare", json!({"name": "n", "size": size}), true);
        let again = rig.call("t.create_key", json!({"name": "n", "size": 1}));
        assert_eq!(again.is_ok(), ours, "{again:?}");
    }
}

#[test]
fn two_that_bear_our_tag_stop_the_run_and_are_named() {
    let rig = rig(&[Fault::Lost(Class::Unknown)]);
    rig.cut.after(4, false);
    assert!(rig.call("t.create_tag", json!({"name": "n"})).is_err());
    rig.cut.never();
    let mut twin = rig.cloud.standing()[0].clone();
    twin.id = "twin".to_owned();
    rig.cloud.state().things.push(twin);
    let (what, failed) = stop(rig.call("t.create_tag", json!({"name": "n"})));
    assert_eq!((what, failed.code.as_str()), ("unresolved", "RB0415"));
    assert!(failed.cause.contains("twin") && failed.cause.contains("tag-1"), "{}", failed.cause);
}

#[test]
fn an_adopted_one_must_be_what_was_asked_for() {
    let rig = rig(&[Fault::Lost(Class::Unknown)]);
    rig.cut.after(4, false);
    assert!(rig.call("t.create_tag", json!({"name": "n", "size": 1})).is_err());
    rig.cut.never();
    rig.cloud.state().things[0].input["size"] = json!(9);
    let (_, failed) = stop(rig.call("t.create_tag", json!({"name": "n", "size": 1})));
    assert!(failed.cause.contains("size is 9 instead of 1"), "{}", failed.cause);
}

#[test]
fn a_shared_one_is_used_and_is_not_ours() {
    let rig = Rig::new();
    rig.cloud.foreign(&SHARED, "role", json!({"name": "n"}), false);
    let value = rig.call("t.create_shared", json!({"name": "n"})).unwrap();
    assert_eq!(value["id"], "role");
    assert!(rig.records().iter().any(|r| matches!(r, Record::Done { owned: Some(owned), .. } if !owned.ours)));
}

#[test]
fn a_token_known_with_other_parameters_stops() {
    let rig = rig(&[Fault::Fails(Class::TokenMismatch)]);
    let (what, failed) = stop(rig.call("t.create_token", json!({"name": "n"})));
    assert_eq!((what, failed.code.as_str()), ("changed", "RB0321"));
}

#[test]
fn refused_credentials_park_the_run_and_nothing_is_in_doubt() {
    let rig = rig(&[Fault::Fails(Class::Credentials)]);
    let (what, _) = stop(rig.call("t.create_tag", json!({"name": "n"})));
    assert_eq!(what, "credentials");
    let before = rig.time.now_ms();
    rig.call("t.create_tag", json!({"name": "n"})).unwrap();
    assert!(rig.time.now_ms() - before < 1000, "it need not settle");
    assert_eq!(rig.cloud.standing().len(), 1);
}

#[test]
fn a_broken_one_is_deleted_before_the_next_generation() {
    for kind in IDENTITIES.into_iter().filter(|kind| !kind.meta().replaces) {
        let rig = Rig::new();
        let name = format!("t.{}", kind.meta().create);
        let failed = failure(rig.call(&name, json!({"name": "n", "broken": true})));
        assert_eq!((failed.code.as_str(), failed.cause.as_str()), ("RB0416", "the subnet is full"));
        assert_eq!(rig.inventory().len(), 1, "what is left is in the inventory");
        rig.call(&name, json!({"name": "n"})).unwrap();
        assert_eq!(rig.cloud.standing().len(), 1);
        assert_eq!(rig.inventory().len(), 1);
        let tokens = creates(&rig.calls());
        assert_ne!(tokens[0], tokens[1]);
    }
}

#[test]
fn a_wait_ends_with_the_obstacle_and_goes_on_later() {
    let rig = Rig::new();
    let failed = failure(rig.call("t.create_tag", json!({"name": "n", "slow": 700, "timeout": "5m"})));
    assert_eq!(failed.code, "RB0418");
    assert!(failed.message.contains("CREATING"), "{}", failed.message);
    let value = rig.call("t.create_tag", json!({"name": "n", "slow": 700, "timeout": "10m"})).unwrap();
    assert_eq!(value["state"], "ready");
    assert_eq!(creates(&rig.calls()).len(), 1);
}

#[test]
fn without_wait_it_answers_at_once() {
    let rig = Rig::new();
    let value = rig.call("t.create_tag", json!({"name": "n", "slow": 700, "wait": false})).unwrap();
    assert_eq!(value["state"], "creating");
    assert_eq!(rig.inventory().len(), 1);
}

#[test]
fn ownership_tags_are_in_the_same_request() {
    let rig = Rig::new();
    rig.call("t.create_tag", json!({"name": "n", "tags": {"team": "data"}})).unwrap();
    let thing = rig.cloud.standing().remove(0);
    assert_eq!(thing.tags["runbook:run"], super::rig::RUN);
    assert_eq!(thing.tags["runbook:step"], "s");
    assert_eq!(thing.tags["runbook:effect"], tag(&thing.token));
    assert_eq!(thing.tags["team"], "data");
    assert_eq!(TAG.meta().operations.0, "CreateTag");
}
