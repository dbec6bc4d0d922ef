//! An old run is told again by the same events as the live one.

use runbook_state::store::Store;
use serde_json::json;

use super::bed::{Bed, RUN, boom, effect, plain, read, seconds, site, tries};
use crate::{
    event::{What, replay},
    run::{check::check, output::output, step::step},
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
        What::Ended { ending, failures, steps, effects, retries, took_ms, .. } => {
            What::Ended { ending, failures, steps, effects, retries, took_ms, real_ms: 0 }
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
