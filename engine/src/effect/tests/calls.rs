//! Inputs, operations, reads, secrets.

use std::sync::Arc;

use runbook_modules::{error::Class, target::Place};
use runbook_state::record::Record;
use serde_json::{Value, json};

use super::{
    cloud::Fault,
    rig::{Rig, failure, site, stop},
};
use crate::{
    error::{Halt, Stop},
    run::scope::Scope,
};

fn sent(rig: &Rig) -> Vec<String> {
    rig.calls().into_iter().map(|(what, _)| what).collect()
}

#[test]
fn an_unknown_field_is_named_and_nothing_is_sent() {
    let rig = Rig::new();
    let failed = failure(rig.call("t.create_tag", json!({"name": "n", "szie": 1})));
    assert_eq!((failed.code.as_str(), failed.cause.as_str()), ("RB0401", "szie: unknown field"));
    assert_eq!(failed.hints, ["did you mean size?"]);
    assert_eq!(failed.sites, [site(7)]);
    assert_eq!(sent(&rig), [""; 0]);
    for wrong in [json!([1]), json!({"tags": 1}), json!({"tags": {"runbook:run": "x"}}), json!({"timeout": "soon"})] {
        assert_eq!(failure(rig.call("t.create_tag", wrong)).code, "RB0401");
    }
}

#[test]
fn outside_a_step_nothing_is_sent() {
    let rig = Rig::new();
    let outcome = rig.drive(|scope| rig.bind(scope, "t.create_tag", json!({"name": "n"})).map(|_| ()));
    assert!(matches!(outcome.stop, Some(Stop::Script(failure)) if failure.code == "RB0402"));
    assert_eq!(sent(&rig), [""; 0]);
}

#[test]
fn a_changed_input_stops_naming_the_field_and_both_places() {
    let rig = Rig::new();
    let make = |size: u32| {
        move |scope: &Arc<Scope>, rig: &Rig| rig.bind(scope, "t.create_tag", json!({"name": "n", "size": size}))
    };
    rig.cut.after(5, false);
    assert!(rig.step("s", |scope| make(1)(scope, &rig)).is_err());
    rig.cut.never();
    let (what, failed) = stop(rig.step("s", |scope| make(2)(scope, &rig)));
    assert_eq!((what, failed.code.as_str()), ("changed", "RB0320"));
    assert_eq!(failed.cause, "size: recorded 1, now 2");
    assert_eq!(failed.sites, [site(7), site(7)]);
}

#[test]
fn secrets_are_placeholders_wherever_they_are_kept() {
    let rig = Rig::new();
    let placeholder = rig.vault.insert("password", "hunter2hunter2").unwrap();
    rig.cloud.state().echo = Some(json!({"echo": "got hunter2hunter2", "b64": "aHVudGVyMmh1bnRlcjI="}));
    let value = rig.call("t.modify", json!({"secret": placeholder})).unwrap();
    assert_eq!(value["echo"], format!("got {placeholder}"));
    let text = format!("{:?}{:?}", rig.records(), rig.events());
    assert!(!text.contains("hunter2") && !text.contains("aHVudGVyMmh1bnRlcjI"), "{text}");
    let cut = json!({"name": "n", "secret": &placeholder[..20]});
    let failed = failure(rig.step("another", |scope| rig.bind(scope, "t.create_tag", cut.clone())));
    assert_eq!(failed.code, "RB0703");
}

#[test]
fn an_update_is_sent_again_after_a_lost_answer_and_never_when_done() {
    let rig = Rig::new();
    rig.cloud.state().faults.push_back(Some(Fault::Lost(Class::Unknown)));
    let value = rig.call("t.modify", json!({"x": 1})).unwrap();
    assert_eq!(sent(&rig), ["Modify", "Modify"]);
    assert_eq!(rig.call("t.modify", json!({"x": 1})), Ok(value));
    assert_eq!(sent(&rig), [""; 0]);
}

#[test]
fn an_update_that_goes_on_is_followed_by_reads() {
    let rig = Rig::new();
    // Dies after `Accepted`: the update is not sent again.
    rig.cut.after(5, false);
    assert!(rig.call("t.modify_slowly", json!({"x": 1})).is_err());
    rig.cut.never();
    assert_eq!(rig.call("t.modify_slowly", json!({"x": 1})), Ok(json!({"n": 1})));
    assert_eq!(sent(&rig).iter().filter(|what| *what == "ModifySlowly").count(), 1);
}

#[test]
fn a_delete_of_what_is_gone_is_done() {
    let rig = Rig::new();
    let faults = [Fault::Fails(Class::Blocked), Fault::Fails(Class::NotFound)];
    rig.cloud.state().faults.extend(faults.map(Some));
    assert_eq!(rig.call("t.drop", json!({"x": 1})), Ok(Value::Null));
}

#[test]
fn an_exec_with_an_unknown_outcome_asks() {
    let rig = Rig::new();
    rig.cloud.state().faults.push_back(Some(Fault::Lost(Class::Unknown)));
    let (what, failed) = stop(rig.call("t.exec", json!({"command": ["x"]})));
    assert_eq!((what, failed.code.as_str()), ("unresolved", "RB0415"));
    let (what, _) = stop(rig.call("t.exec", json!({"command": ["x"]})));
    assert_eq!(what, "unresolved");
    assert_eq!(sent(&rig), ["Exec"]);
}

#[test]
fn a_repeatable_exec_is_sent_again() {
    let rig = Rig::new();
    rig.cloud.state().faults.push_back(Some(Fault::Lost(Class::Unknown)));
    rig.call("t.exec", json!({"command": ["x"], "repeatable": true})).unwrap();
    assert_eq!(sent(&rig), ["Exec", "Exec"]);
}

#[test]
fn reads_answer_from_the_record_within_an_attempt_and_afresh_in_the_next() {
    let rig = Rig::new();
    let body = |scope: &Arc<Scope>| {
        let read = rig.bind(scope, "t.describe", json!({"x": 1}))?;
        rig.bind(scope, "t.create_tag", json!({"name": "n"}))?;
        Ok(read)
    };
    rig.cloud.state().faults.extend([Some(Fault::Fails(Class::Throttled)), None, Some(Fault::Fails(Class::Refused))]);
    // Began, Target, StepStarted, Observed, then the intent; dies with the refused answer.
    rig.cut.after(5, false);
    assert!(rig.step("s", body).is_err());
    assert_eq!(sent(&rig), ["Describe", "Describe", "CreateTag"]);
    rig.cut.never();
    rig.cloud.state().faults.push_back(Some(Fault::Fails(Class::Refused)));
    assert_eq!(failure(rig.step("s", body)).code, "RB0412");
    assert!(!sent(&rig).contains(&"Describe".to_owned()), "the same attempt goes on");
    assert_eq!(rig.step("s", body), Ok(json!({"n": 2})), "a new attempt reads afresh");
}

#[test]
fn a_read_that_failed_and_was_caught_fails_alike_within_the_attempt() {
    let rig = Rig::new();
    let body = |scope: &Arc<Scope>| {
        let read = failure(rig.bind(scope, "t.describe", json!({"x": 1})));
        rig.bind(scope, "t.modify", json!({ "told": read }))
    };
    rig.cloud.state().faults.push_back(Some(Fault::Fails(Class::Refused)));
    // Began, Target, StepStarted, ReadFailed, Intent; dies before Done.
    rig.cut.after(5, false);
    assert!(rig.step("s", body).is_err());
    assert_eq!(sent(&rig), ["Describe", "Modify"]);
    rig.cut.never();
    rig.step("s", body).unwrap();
    assert_eq!(sent(&rig), ["Modify"], "the read is answered from the record, and nothing differs");
}

#[test]
fn a_read_that_failed_uncaught_is_made_again() {
    let rig = Rig::new();
    let body = |scope: &Arc<Scope>| rig.bind(scope, "t.describe", json!({"x": 1}));
    rig.cloud.state().faults.push_back(Some(Fault::Fails(Class::Refused)));
    // Began, Target, StepStarted; dies before StepFailed.
    rig.cut.after(3, false);
    assert!(rig.step("s", body).is_err());
    rig.cut.never();
    assert_eq!(rig.step("s", body), Ok(json!({"n": 1})), "the same attempt");
    assert!(!rig.records().iter().any(|record| matches!(record, Record::ReadFailed { .. })));
}

#[test]
fn a_stop_ends_a_wait_and_leaves_nothing_in_doubt() {
    let rig = Rig::new();
    let body = |scope: &Arc<Scope>| {
        rig.cancel.ask("Ctrl-C");
        rig.bind(scope, "t.create_tag", json!({"name": "n"}))
    };
    assert_eq!(rig.step("s", body), Err(Halt::Stop(Stop::Parked("Ctrl-C".to_owned()))));
    assert_eq!(sent(&rig), [""; 0]);
}

#[test]
fn a_context_that_names_another_api_server_is_refused_and_named() {
    let rig = Rig::new();
    let place = Place { context: Some("prod".to_owned()), ..Place::default() };
    let make = |step: &str| rig.step(step, |scope| rig.bind_at(scope, "t.create_tag", json!({"name": "n"}), &place));
    rig.cloud.state().server = "https://10.0.0.1".to_owned();
    assert!(make("first").is_ok());
    rig.calls();
    rig.cloud.state().server = "https://10.0.0.2".to_owned();
    let refused = make("second");
    let Err(Halt::Stop(Stop::Script(failure))) = refused else { panic!("it is accepted: {refused:?}") };
    assert_eq!(failure.code, "RB0430");
    for server in ["https://10.0.0.1", "https://10.0.0.2"] {
        assert!(failure.message.contains(server), "{}", failure.message);
    }
    assert_eq!(sent(&rig), [""; 0]);
    rig.cloud.state().server = "https://10.0.0.1".to_owned();
    assert!(make("second").is_ok());
}
