use std::sync::Arc;

use runbook_state::{
    record::{Ending, Record, Site},
    store::{File, Store},
};
use serde_json::{Value, json};

use super::bed::{Bed, RUN, boom, effect, plain, site};
use crate::{
    error::{Halt, Stop},
    run::{
        history::Step,
        parallel::{Branch, parallel},
        scope::Scope,
        session::Edits,
        step::{StepOptions, step},
    },
};

/// The steps whose code differs.
struct Edited(&'static [&'static str]);

impl Edits for Edited {
    fn same_code(&self, step: &str, _: &Step, _: &Site) -> bool {
        !self.0.contains(&step)
    }
}

type Script = fn(&Arc<Scope>, &Bed) -> Result<Value, Halt>;

fn original(scope: &Arc<Scope>, bed: &Bed) -> Result<Value, Halt> {
    plain(scope, "a", |inner| {
        bed.world.say("a");
        effect(inner, &bed.world, "one")?;
        plain(inner, "in", |inner| {
            bed.world.say("in");
            effect(inner, &bed.world, "two")
        })?;
        let branch = |scope: &Arc<Scope>| effect(scope, &bed.world, "three");
        parallel(inner, &site(1), vec![Branch { name: "x".into(), body: Box::new(branch) }], None)?;
        Ok(json!("old"))
    })
}

fn ran() -> Bed {
    let bed = Bed::new();
    assert_eq!(bed.drive(|scope| original(scope, &bed).map(drop)).ending, Ending::Finished);
    bed.world.heard();
    bed
}

fn resumed(edited: &'static [&'static str], script: Script) -> (Bed, Option<Stop>) {
    let mut bed = ran();
    bed.edits = Some(Arc::new(Edited(edited)));
    bed.files = Some(vec![File { name: "test.rhai".into(), content: b"edited".to_vec() }]);
    let stop = bed.drive(|scope| script(scope, &bed).map(drop)).stop;
    assert_eq!(bed.world.things().len(), 3, "nothing was sent");
    (bed, stop)
}

#[test]
fn an_unchanged_step_is_kept() {
    let (bed, stop) = resumed(&[], original);
    assert_eq!(stop, None);
    assert!(bed.world.heard().is_empty());
}

#[test]
fn an_edited_step_that_does_the_same_is_kept_with_its_new_result() {
    let (bed, stop) = resumed(&["a"], |scope, bed| {
        original(scope, bed)?;
        Ok(json!(1))
    });
    assert_eq!(stop, None);
    assert_eq!(bed.world.heard(), ["a"], "the inner step is the same");
    let files = bed.store.run_files(RUN).map(|files| files[0].content.clone()).unwrap_or_default();
    assert_eq!(files, b"edited");
}

#[test]
fn other_captures_are_a_change_too() {
    let mut bed = ran();
    bed.edits = Some(Arc::new(Edited(&[])));
    bed.drive(|scope| {
        let mut body = |_: &Arc<Scope>| {
            bed.world.say("a");
            Ok(json!(1))
        };
        step(scope, "a", &StepOptions::default(), &site(1), "other", &mut body).map(drop)
    });
    assert_eq!(bed.world.heard(), ["a"]);
}

fn refused(edited: &'static [&'static str], script: Script) -> crate::error::Failure {
    let (bed, stop) = resumed(edited, script);
    let files = bed.store.run_files(RUN).map(|files| files[0].content.clone()).unwrap_or_default();
    assert_eq!(files, b"", "a refused edit is not kept");
    match stop {
        Some(Stop::Changed(failure)) => *failure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_added_effect_stops() {
    let failure = refused(&["a"], |scope, bed| {
        plain(scope, "a", |inner| {
            effect(inner, &bed.world, "one")?;
            effect(inner, &bed.world, "more")
        })
    });
    assert_eq!(failure.message, "more was added");
}

#[test]
fn a_different_effect_stops() {
    let failure = refused(&["a"], |scope, bed| plain(scope, "a", |inner| effect(inner, &bed.world, "other")));
    assert_eq!(failure.message, "one became other");
}

#[test]
fn a_missing_effect_stops_and_both_places_are_shown() {
    let failure = refused(&["a"], |scope, _| plain(scope, "a", |_| Ok(json!(1))));
    assert_eq!(failure.message, "finished step \"a\" was edited and no longer does one (number 1)");
    assert_eq!(failure.sites, [site(1), site(7)]);
}

#[test]
fn a_missing_step_or_branch_stops() {
    let failure = refused(&["a"], |scope, bed| plain(scope, "a", |inner| effect(inner, &bed.world, "one")));
    assert_eq!(failure.message, "finished step \"a\" was edited and no longer does step \"a/in\"");
    let failure = refused(&["a"], |scope, bed| {
        plain(scope, "a", |inner| {
            effect(inner, &bed.world, "one")?;
            plain(inner, "in", |inner| effect(inner, &bed.world, "two"))
        })
    });
    assert_eq!(failure.message, "finished step \"a\" was edited and no longer does step \"a/x\"");
}

#[test]
fn an_edit_that_fails_stops() {
    let failure = refused(&["a"], |scope, _| plain(scope, "a", |_| Err(boom("oops"))));
    assert_eq!(failure.message, "finished step \"a\" was edited and its new code fails: oops");
}

#[test]
fn a_kept_step_that_moved_is_compared_from_its_new_place() {
    let mut bed = ran();
    bed.edits = Some(Arc::new(Edited(&[])));
    let moved = |scope: &Arc<Scope>| {
        let mut body = |_: &Arc<Scope>| Err(boom("not run"));
        step(scope, "a", &StepOptions::default(), &site(40), "", &mut body).map(drop)
    };
    assert_eq!(bed.drive(moved).ending, Ending::Finished);
    let sites: Vec<Site> = bed
        .records()
        .into_iter()
        .filter_map(|r| match r {
            Record::StepStarted { step, site, .. } if step == "a" => Some(site),
            _ => None,
        })
        .collect();
    assert_eq!(sites, [site(1), site(40)]);
    assert_eq!(bed.drive(moved).ending, Ending::Finished);
    assert_eq!(
        bed.records().iter().filter(|r| matches!(r, Record::StepStarted { step, .. } if step == "a")).count(),
        2
    );
}
