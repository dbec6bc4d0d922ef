//! A journal that was read before the run is driven is not read again, unless its head has moved.

use runbook_state::record::{Ending, Record};
use serde_json::{Value, json};

use crate::{
    effect::tests::rig::{RUN, Rig},
    error::Halt,
    run::{drive::Refused, history::History},
};

fn make(rig: &Rig, name: &str) -> Result<Value, Halt> {
    rig.call("t.create_key", json!({ "name": name }))
}

/// A run with one finished step, and its journal as read now.
fn begun() -> (Rig, History) {
    let rig = Rig::new();
    make(&rig, "a").unwrap();
    rig.calls();
    let known = History::load(rig.store().as_ref(), RUN).unwrap();
    rig.reads();
    (rig, known)
}

#[test]
fn what_was_read_is_handed_over() {
    let (rig, known) = begun();
    *rig.known.lock().unwrap() = Some(known);
    make(&rig, "a").unwrap();
    assert_eq!((rig.reads(), rig.calls()), (0, Vec::new()));
    make(&rig, "a").unwrap();
    assert_eq!(rig.reads(), 1);
}

#[test]
fn what_was_said_meanwhile_is_read() {
    let (rig, known) = begun();
    let said = Record::Approved { step: "ask".into(), yes: true, by: "eve".into(), why: String::new() };
    rig.store().tell(RUN, 1, said).unwrap();
    *rig.known.lock().unwrap() = Some(known);
    let outcome = rig.drive(|scope| {
        assert!(scope.session.history.approval("ask").is_some());
        Ok(())
    });
    assert_eq!((outcome.ending, rig.reads()), (Ending::Finished, 1));
}

#[test]
fn a_run_that_was_driven_meanwhile_is_refused_and_nothing_is_written() {
    let (rig, known) = begun();
    rig.drive(|_| Ok(()));
    let before = rig.records().len();
    *rig.known.lock().unwrap() = Some(known);
    assert!(matches!(rig.try_drive(|_| Ok(())), Err(Refused::Overtaken)));
    assert_eq!(rig.records().len(), before);
    assert_eq!(rig.drive(|_| Ok(())).ending, Ending::Finished);
}
