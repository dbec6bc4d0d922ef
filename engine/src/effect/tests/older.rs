//! The journal is older than the target: a backup was put back, or a copy of the state directory is driven too. What the run made and
//! its journal does not have is taken over or refused; nothing is made a second time.

use std::{sync::Arc, time::Duration};

use runbook_modules::{resource::Kind as _, target::EFFECT_TAG};
use serde_json::{Value, json};

use super::{
    cloud::{BOTH, Cloud, Fake, IDENTITIES, KEY, PUT, TAG, creates, table},
    rig::{Rig, stop},
};
use crate::{effect::token::tag, error::Halt};

/// The same run over the same target, with a journal that ends before the first intent.
fn older(cloud: &Arc<Cloud>) -> Rig {
    let rig = Rig::over(cloud.clone(), Arc::new(table()));
    // Began, Target, StepStarted: it dies with the intent.
    rig.cut.after(3, false);
    assert!(rig.call("t.create_tag", json!({"name": "n"})).is_err());
    rig.cut.never();
    rig
}

fn create(rig: &Rig, kind: &Fake, input: Value) -> Result<Value, Halt> {
    rig.call(&format!("t.{}", kind.meta().create), input)
}

#[test]
fn what_the_journal_lacks_is_not_made_again() {
    for kind in IDENTITIES.into_iter().filter(|kind| !kind.meta().replaces) {
        // The target knows the tokens still, or no longer.
        for rest_s in [0, 400_000] {
            let first = Rig::new();
            let made = create(&first, kind, json!({"name": "n", "size": 3})).unwrap();
            first.pass(Duration::from_secs(rest_s));
            let again = older(&first.cloud);
            let what = format!("{} after {rest_s} s", kind.meta().name);
            assert_eq!(create(&again, kind, json!({"name": "n", "size": 3})), Ok(made), "{what}");
            let standing = first.cloud.standing();
            assert_eq!(standing.len(), 1, "{what}: {standing:?}");
            assert_eq!(again.inventory(), [standing[0].id.clone()], "{what}");
        }
    }
}

#[test]
fn what_is_taken_over_must_be_what_is_asked_for() {
    let first = Rig::new();
    create(&first, &TAG, json!({"name": "n", "size": 1})).unwrap();
    let (what, failed) = stop(create(&older(&first.cloud), &TAG, json!({"name": "n", "size": 2})));
    assert_eq!(what, "unresolved");
    assert!(failed.cause.contains("size is 1 instead of 2"), "{}", failed.cause);
    assert_eq!(first.cloud.standing().len(), 1);
}

/// What stood there before the run is in the journal that was lost: undo could neither put it back nor delete what stands.
#[test]
fn what_was_replaced_is_refused() {
    let first = Rig::new();
    create(&first, &PUT, json!({"name": "n", "size": 1})).unwrap();
    first.calls();
    let again = older(&first.cloud);
    let (what, failed) = stop(create(&again, &PUT, json!({"name": "n", "size": 1})));
    assert_eq!((what, failed.code.as_str()), ("unresolved", "RB0415"));
    assert!(failed.cause.contains("older than the target"), "{}", failed.cause);
    assert_eq!((creates(&first.calls()), again.inventory()), (vec![], vec![]));
}

/// An attachment bears no tags. Between things of the run's own it is the run's own; anywhere else it is not taken over.
#[test]
fn what_bears_no_tags_is_ours_between_our_own() {
    for own in [true, false] {
        let first = Rig::new();
        let parent = create(&first, &TAG, json!({"name": "parent"})).unwrap();
        let parent = if own { parent["id"].clone() } else { json!("theirs") };
        first.cloud.foreign(&KEY, "bare", json!({"name": "n", "parent": parent}), true);
        let again = older(&first.cloud);
        let got = again.step("s", |scope| {
            again.bind(scope, "t.create_tag", json!({"name": "parent"}))?;
            again.bind(scope, "t.create_key", json!({"name": "n", "parent": parent}))
        });
        match got {
            Ok(value) => assert!(own && value["id"] == "bare", "{value}"),
            Err(Halt::Failure(failure)) => assert!(!own && failure.code == "RB0410", "{failure:?}"),
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[test]
fn only_a_process_that_goes_on_looks_and_only_where_a_second_one_could_be_made() {
    let rig = Rig::new();
    create(&rig, &TAG, json!({"name": "n"})).unwrap();
    assert_eq!(names(&rig), ["CreateTag"]);
    let resumed = Rig::new();
    // Began, Target, StepStarted: it dies with the intent.
    resumed.cut.after(3, true);
    assert!(create(&resumed, &BOTH, json!({"name": "n"})).is_err());
    resumed.cut.never();
    create(&resumed, &BOTH, json!({"name": "n"})).unwrap();
    assert_eq!(names(&resumed), ["CreateTag"], "the provider refuses a second one of that name");
}

fn names(rig: &Rig) -> Vec<String> {
    rig.calls().into_iter().map(|(what, _)| what).collect()
}

#[test]
fn two_of_one_tag_stop_it() {
    let first = Rig::new();
    create(&first, &TAG, json!({"name": "n"})).unwrap();
    let mut twin = first.cloud.standing()[0].clone();
    assert_eq!(twin.tags[EFFECT_TAG], tag(&twin.token));
    twin.id = "twin".to_owned();
    first.cloud.state().things.push(twin);
    let (_, failed) = stop(create(&older(&first.cloud), &TAG, json!({"name": "n"})));
    assert!(failed.cause.contains("2 of them bear its tag"), "{}", failed.cause);
    assert_eq!(first.cloud.standing().len(), 2);
}
