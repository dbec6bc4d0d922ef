//! An old run is told again by the same events as the live one.

use std::{collections::BTreeSet, sync::Arc};

use runbook_state::{record::Ending, store::Store};
use serde_json::json;

use super::bed::{Bed, RUN, boom, effect, plain, read, seconds, site, tries};
use crate::{
    error::{Failure, Halt, Stop},
    event::{What, replay},
    run::{
        check::check,
        output::output,
        parallel::{Branch, parallel},
        scope::Scope,
        step::step,
    },
};

#[test]
fn the_journal_tells_what_the_run_told() {
    let bed = Bed::new();
    let world = bed.world.clone();
    bed.drive(|scope| {
        step(scope, "a", &tries(2), &site(1), "", &mut |inner| {
            effect(inner, &world, "make")?;
            read(inner, "look", || json!(1))?;
            if inner.attempt == 1 { Err(boom("not yet")) } else { Ok(json!(1)) }
        })?;
        check(scope, "fine", seconds(60), seconds(5), &site(2), "", &mut |inner| Ok(json!(inner.attempt == 1)))?;
        output(scope, "zone", json!("Z1"))?;
        plain(scope, "b", |_| Err(boom("broken"))).map(drop)
    });
    let live: Vec<What> = world.events();
    let run = bed.store.run(RUN).expect("the run");
    let told = replay(&run, &bed.entries());
    assert!(told.iter().all(|event| event.simulated && event.run == RUN));
    assert_eq!(told.iter().map(|event| event.seq).collect::<Vec<_>>(), (1..=told.len() as u64).collect::<Vec<_>>());
    // Not kept: that the first failure was to be retried, how much wall time was taken, the effect helper's own events.
    let comparable = |what: What| match what {
        What::StepFailed { step, failure, .. } => What::StepFailed { step, failure, retry_ms: None },
        mut ended @ What::Ended { .. } => {
            if let What::Ended { real_ms, whole_real_ms, .. } = &mut ended {
                (*real_ms, *whole_real_ms) = (0, 0);
            }
            ended
        }
        other => other,
    };
    let own = |what: &What| !matches!(what, What::Intent { .. } | What::EffectDone { .. } | What::Observed { .. });
    let told: Vec<What> = told.into_iter().map(|event| event.what).collect();
    assert_eq!(told.iter().filter(|what| !own(what)).count(), 4);
    let told: Vec<What> = told.into_iter().filter(own).map(comparable).collect();
    let live: Vec<What> = live.into_iter().map(comparable).collect();
    assert_eq!(told, live);
}

#[test]
fn what_was_parked_is_told_again() {
    let bed = Bed::new();
    let drive = || {
        bed.drive(|scope| {
            let branch = |name: &'static str| Branch {
                name: name.to_owned(),
                body: Box::new(move |scope: &Arc<Scope>| {
                    plain(scope, "outer", |outer| {
                        plain(outer, "inner", |inner| {
                            inner.sleep(seconds(if name == "one" { 10 } else { 60 }))?;
                            if name == "one" { Err(decide(inner)) } else { Ok(json!(1)) }
                        })
                    })
                }),
            };
            parallel(scope, &site(1), vec![branch("one"), branch("two")], None).map(drop)
        })
    };
    let decided = drive();
    assert!(matches!(decided.ending, Ending::Stopped { .. }), "{:?}", decided.ending);
    let parked = |events: Vec<What>| -> BTreeSet<(String, String)> {
        let parked = events.into_iter().filter_map(|what| match what {
            What::StepParked { step, why } => Some((step, why)),
            _ => None,
        });
        parked.collect()
    };
    let live = parked(bed.world.events());
    assert_eq!(live.len(), 4, "{live:?}");
    let run = bed.store.run(RUN).expect("the run");
    let told: Vec<What> = replay(&run, &bed.entries()).into_iter().map(|event| event.what).collect();
    let Some(What::Ended { failures, .. }) = told.last() else { panic!("no end: {told:?}") };
    assert_eq!((failures.len(), failures[0].code.as_str(), &failures[0].hints[0]), (1, "RB0415", &"look".to_owned()));
    assert_eq!(parked(told), live);
    drive();
    let told: Vec<What> = replay(&run, &bed.entries()).into_iter().map(|event| event.what).collect();
    let Some(What::Ended { took_ms, whole_ms, own_steps, .. }) = told.last() else { panic!("no end: {told:?}") };
    assert_eq!((*took_ms, *whole_ms, *own_steps), (10_000, 20_000, 0));
}

fn decide(scope: &Scope) -> Halt {
    let mut failure = Failure::new("RB0415", "whether it was done is not known").hint("look");
    failure.step.clone_from(&scope.key);
    Stop::Unresolved(Box::new(failure)).into()
}
