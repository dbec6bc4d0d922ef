//! The process dies after every record, before and after what follows it is sent. At the end there is exactly one resource.

use std::{sync::atomic::Ordering, time::Duration};

use serde_json::{Value, json};

use super::{
    cloud::{Fake, Fault, IDENTITIES, KEY, TAG, TOKEN, UPGRADE, creates},
    rig::{Rig, failure},
};
use runbook_modules::{error::Class, resource::Kind as _};
use runbook_state::record::Record;

use crate::error::Halt;

fn op(kind: &Fake) -> String {
    format!("t.{}", kind.meta().create)
}

/// Kills a creation after `cut` records, and creates again. False: it was over before.
fn die(
    kind: &'static Fake, cut: i64, at_once: bool, lag_s: i64, rest: Duration, fault: Option<Fault>, slow: u32,
) -> bool {
    let what =
        format!("{} cut {cut} at once {at_once} lag {lag_s} rest {rest:?} fault {fault:?} slow {slow}", op(kind));
    let rig = Rig::new();
    rig.cloud.state().lag_s = lag_s;
    rig.cloud.state().faults.push_back(fault);
    let input = json!({"name": "n", "size": 3, "slow": slow});
    rig.cut.after(cut, at_once);
    let first = rig.call(&op(kind), input.clone());
    rig.cut.never();
    rig.pass(rest);
    let second = rig.call(&op(kind), input.clone());
    ends_as_one(&rig, kind, &input, second, &what);
    first.is_err()
}

/// One resource stands, the inventory names it, and it is never sent again.
fn ends_as_one(rig: &Rig, kind: &'static Fake, input: &Value, ended: Result<Value, Halt>, what: &str) {
    let value = ended.unwrap_or_else(|halt| panic!("{what}: {halt:?}"));
    assert!(value["id"].is_string() && value["size"] == 3 && value["state"] == "ready", "{what}: {value}");
    // Long after everything that may still be under way.
    rig.pass(Duration::from_secs(100_000));
    let standing = rig.cloud.standing();
    assert_eq!(standing.len(), 1, "{what}: {standing:?}");
    assert_eq!(rig.inventory(), [standing[0].id.clone()], "{what}");
    rig.calls();
    assert_eq!(rig.call(&op(kind), input.clone()).as_ref(), Ok(&value), "{what}");
    assert_eq!(rig.calls(), [], "{what}: a finished effect is sent never again");
}

pub(super) fn die_everywhere(
    kind: &'static Fake, at_once: bool, lag_s: i64, rest_s: u64, fault: Option<Fault>, slow: u32,
) {
    // `Began` and `Target` are one commit of two records.
    let mut cut = 2;
    while die(kind, cut, at_once, lag_s, Duration::from_secs(rest_s), fault, slow) {
        cut += 1;
        assert!(cut < 40, "it never ends");
    }
    assert!(cut > 4, "{}: only {cut} cuts", op(kind));
}

#[test]
fn one_resource_whenever_it_dies() {
    for kind in IDENTITIES {
        for at_once in [false, true] {
            for slow in [0, 90] {
                die_everywhere(kind, at_once, 0, 0, None, slow);
            }
        }
    }
}

#[test]
fn one_resource_when_reads_lag() {
    for kind in IDENTITIES {
        die_everywhere(kind, false, 100, 0, None, 0);
    }
}

#[test]
fn one_resource_long_after_the_token_is_forgotten() {
    for kind in IDENTITIES {
        die_everywhere(kind, false, 0, 400_000, None, 0);
        die_everywhere(kind, true, 0, 400_000, None, 0);
    }
}

/// It dies before or after the request, is sent (again) much later, and dies again. Reads lag behind what was sent last, and the target
/// has forgotten the token of what was sent first.
#[test]
fn one_resource_when_it_is_sent_long_after_its_intent() {
    for kind in IDENTITIES {
        // The token is good for 43,200 s: that ends between the second process and the third, or before both.
        for (sent, first_s, second_s) in [(false, 43_190, 20), (true, 43_190, 10_000), (false, 400_000, 20)] {
            for (cut, at_once) in (1..10).flat_map(|cut| [(cut, false), (cut, true)]) {
                let what =
                    format!("{} sent {sent} after {first_s} and {second_s} cut {cut} at once {at_once}", op(kind));
                let rig = Rig::new();
                rig.cloud.state().lag_s = 100;
                let input = json!({"name": "n", "size": 3, "slow": 90});
                rig.cut.after(4, !sent);
                assert!(rig.call(&op(kind), input.clone()).is_err(), "{what}");
                rig.cut.after(cut, at_once);
                rig.pass(Duration::from_secs(first_s));
                let _died = rig.call(&op(kind), input.clone());
                rig.cut.never();
                rig.pass(Duration::from_secs(second_s));
                let ended = rig.call(&op(kind), input.clone());
                ends_as_one(&rig, kind, &input, ended, &what);
            }
        }
    }
}

#[test]
fn one_resource_when_answers_are_lost_too() {
    for kind in IDENTITIES {
        for class in [Class::Unknown, Class::Throttled, Class::NotSent] {
            die_everywhere(kind, false, 0, 0, Some(Fault::Fails(class)), 0);
        }
        die_everywhere(kind, false, 0, 0, Some(Fault::Lost(Class::Unknown)), 0);
        die_everywhere(kind, true, 30, 0, Some(Fault::Lost(Class::Unknown)), 0);
    }
}

#[test]
fn the_request_of_a_dead_process_that_is_executed_later_makes_no_second_one() {
    for kind in IDENTITIES {
        for after in [1, 30, 110] {
            let rig = Rig::new();
            rig.cloud.state().faults.push_back(Some(Fault::Ghost(after)));
            // It dies with the lost answer.
            rig.cut.after(4, false);
            let input = json!({"name": "n", "size": 3});
            assert!(rig.call(&op(kind), input.clone()).is_err());
            rig.cut.never();
            rig.call(&op(kind), input).unwrap();
            rig.pass(Duration::from_secs(10_000));
            assert_eq!(rig.cloud.standing().len(), 1, "{} after {after}", op(kind));
        }
    }
}

#[test]
fn nothing_is_sent_before_its_intent_is_written() {
    let rig = Rig::new();
    // Began, Target, StepStarted; the disk is full, the intent cannot be written.
    rig.cut.full.store(true, Ordering::SeqCst);
    rig.cut.after(3, false);
    assert!(rig.call("t.create_tag", json!({"name": "n"})).is_err());
    assert_eq!(rig.calls(), []);
}

#[test]
fn the_token_is_the_same_after_a_crash() {
    for kind in [&TOKEN, &KEY] {
        let rig = Rig::new();
        rig.cut.after(4, false);
        assert!(rig.call(&op(kind), json!({"name": "n"})).is_err());
        let first = creates(&rig.calls());
        rig.cloud.state().things.clear();
        rig.cut.never();
        rig.call(&op(kind), json!({"name": "n"})).unwrap();
        let second = creates(&rig.calls());
        assert_eq!((first.len(), &first), (1, &second));
        assert_eq!(first[0].len(), 64);
    }
}

#[test]
fn an_absent_one_is_retired_only_after_the_settle_time_and_three_spaced_looks() {
    let rig = Rig::new();
    rig.cut.after(4, true);
    assert!(rig.call("t.create_tag", json!({"name": "n"})).is_err());
    rig.cut.never();
    let before = crate::run::clock::Time::now_ms(&*rig.time);
    rig.calls();
    rig.call("t.create_tag", json!({"name": "n"})).unwrap();
    let took = crate::run::clock::Time::now_ms(&*rig.time) - before;
    assert!(took >= 140_000, "{took}");
    let calls: Vec<String> = rig.calls().into_iter().map(|(what, _)| what).collect();
    assert_eq!(calls, ["find", "find", "find", "find", "CreateTag"]);
    let records = rig.records();
    let retired = records.iter().position(|r| matches!(r, Record::Retired { effect, .. } if effect.generation == 0));
    let anew = records.iter().position(|r| matches!(r, Record::Intent { effect, .. } if effect.generation == 1));
    assert!(retired.is_some() && retired < anew, "{records:?}");
    assert_eq!(TAG.meta().name, "t.tag");
}

/// Makes it, then changes it by making it again, in one step.
fn upgraded(rig: &Rig, broken: bool) -> Result<Value, Halt> {
    rig.step("s", |scope| {
        rig.bind(scope, &op(&UPGRADE), json!({"name": "n", "size": 1}))?;
        rig.bind(scope, &op(&UPGRADE), json!({"name": "n", "size": 3, "broken": broken}))
    })
}

#[test]
fn what_an_earlier_call_made_is_changed_whenever_it_dies() {
    for (at_once, fault) in [(false, None), (true, None), (false, Some(Fault::Lost(Class::Unknown)))] {
        for cut in 2.. {
            let what = format!("cut {cut} at once {at_once} fault {fault:?}");
            let rig = Rig::new();
            rig.cloud.state().faults.extend([None, fault]);
            rig.cut.after(cut, at_once);
            let first = upgraded(&rig, false);
            rig.cut.never();
            let value = upgraded(&rig, false).unwrap_or_else(|halt| panic!("{what}: {halt:?}"));
            assert_eq!((&value["size"], &value["state"]), (&json!(3), &json!("ready")), "{what}");
            let standing = rig.cloud.standing();
            assert_eq!(standing.len(), 1, "{what}");
            assert!(rig.inventory().iter().all(|id| *id == standing[0].id), "{what}: {:?}", rig.inventory());
            if first.is_ok() {
                assert!(cut > 7, "only {cut} cuts");
                break;
            }
        }
    }
}

#[test]
fn a_change_that_fails_does_not_delete_what_an_earlier_call_made() {
    let rig = Rig::new();
    assert_eq!(failure(upgraded(&rig, true)).code, failure(upgraded(&rig, true)).code);
    assert_eq!(rig.cloud.standing().len(), 1);
    assert!(rig.calls().iter().all(|(what, _)| what != "DeleteTag"));
}
