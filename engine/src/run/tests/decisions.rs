use runbook_seeded::sync::{Arc, Mutex};

use runbook_state::{
    record::{Ending, Record},
    store::Store,
};
use serde_json::json;

use super::bed::{Bed, RUN, START, boom, lock, plain, seconds, site, tries};
use crate::{
    error::{Halt, Stop},
    run::{
        approve::approve,
        clock::SimClock,
        decide::{now, random, sleep, uuid},
        output::output,
        scope::Scope,
        step::step,
    },
};

#[test]
fn a_replay_decides_the_same() {
    let bed = Bed::new();
    let seen = Mutex::new(Vec::new());
    let script = |scope: &Arc<Scope>| {
        let outside = (now(scope)?, uuid(scope)?, random(scope, 1, 1_000_000)?);
        sleep(scope, seconds(5))?;
        plain(scope, "a", |inner| {
            lock(&seen).push((outside.clone(), now(inner)?, uuid(inner)?));
            Err(boom("again"))
        })
        .map(drop)
    };
    let first = bed.drive(script);
    let second = bed.drive(script);
    assert_eq!((first.took_ms, second.took_ms), (5_000, 0));
    let seen = lock(&seen).clone();
    assert_eq!(seen[0], seen[1]);
    let uuid = &seen[0].2;
    assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
}

#[test]
fn a_resumed_pause_waits_only_for_the_rest() {
    let bed = Bed::new();
    bed.drive(|scope| {
        let time = scope.session.time.clone();
        let cancel = scope.session.cancel.clone();
        // Parked after 40 of 60 seconds: another thread of the run asks for it.
        time.enter();
        std::thread::scope(|threads| {
            threads.spawn(|| {
                let _ = time.sleep(seconds(40), &|| false);
                cancel.ask("Ctrl-C");
                time.leave();
            });
            sleep(scope, seconds(60))
        })
    });
    let mut next = bed.cut(&bed.entries());
    next.time = Arc::new(SimClock::new(START + 40_000, None));
    let outcome = next.drive(|scope| sleep(scope, seconds(60)));
    assert_eq!((outcome.ending, outcome.took_ms), (Ending::Finished, 20_000));
}

#[test]
fn another_question_at_the_same_place_is_a_change() {
    let bed = Bed::new();
    bed.drive(|scope| now(scope).map(drop));
    let outcome = bed.drive(|scope| uuid(scope).map(drop));
    assert!(
        matches!(outcome.stop, Some(Stop::Changed(f)) if f.message == "the record has now here, the script asks for uuid")
    );
}

#[test]
fn a_retry_may_come_another_way() {
    let bed = Bed::new();
    let outcome = bed.drive(|scope| {
        step(scope, "a", &tries(2), &site(1), "", &mut |inner| {
            if inner.attempt == 1 {
                now(inner)?;
                return Err(boom("first"));
            }
            uuid(inner).map(|uuid| json!(uuid))
        })
        .map(drop)
    });
    assert_eq!(outcome.ending, Ending::Finished);
}

#[test]
fn an_approval_parks_until_somebody_answers() {
    let bed = Bed::new();
    let given = Mutex::new(Vec::new());
    let script = |scope: &Arc<Scope>| {
        let answer = approve(scope, "delete the old one?", &site(4))?;
        lock(&given).push(answer);
        Ok(())
    };
    let key = "delete the old one?";
    let outcome = bed.drive(script);
    assert_eq!(outcome.ending, Ending::Waiting { step: key.into(), question: key.into() });
    let tell = |yes: bool, why: &str| {
        let answer = Record::Approved { step: key.into(), yes, by: "eve".into(), why: why.into() };
        assert!(bed.store.tell(RUN, 1, answer).is_ok());
    };
    tell(false, "not on a Friday");
    let outcome = bed.drive(script);
    assert_eq!(outcome.failures[0].code, "RB0312");
    assert_eq!(outcome.failures[0].message, "eve said no to \"delete the old one?\": not on a Friday");
    tell(true, "Monday");
    assert_eq!(bed.drive(script).ending, Ending::Finished);
    assert_eq!(bed.drive(script).ending, Ending::Finished);
    assert_eq!(*lock(&given), [json!({"by": "eve", "why": "Monday"}), json!({"by": "eve", "why": "Monday"})]);
}

#[test]
fn an_output_is_written_once() {
    let bed = Bed::new();
    let script = |scope: &Arc<Scope>| output(scope, "zone", json!("Z1"));
    bed.drive(script);
    bed.drive(script);
    assert_eq!(bed.records().iter().filter(|r| matches!(r, Record::Output { .. })).count(), 1);
}

#[test]
fn recalling_runs_bodies_sends_nothing_and_ends_with_the_record() {
    let bed = Bed::new();
    let world = bed.world.clone();
    bed.drive(|scope| {
        plain(scope, "a", |inner| super::bed::effect(inner, &world, "make"))?;
        plain(scope, "b", |_| Err(boom("broken"))).map(drop)
    });
    let before = bed.records().len();
    let outcome = bed.drive(|scope| {
        let recalled = Scope::top(Arc::new(scope.session.recall()));
        let a = plain(&recalled, "a", |inner| {
            world.say("a");
            plain(inner, "new", |_| Ok(json!(1)))
        });
        assert_eq!(a, Ok(json!({"id": "a#0 make"})));
        let ended = plain(&recalled, "b", |_| {
            world.say("b");
            Ok(json!(1))
        });
        assert_eq!(ended, Err(Halt::Stop(Stop::EndOfRecord)));
        assert_eq!(plain(&recalled, "c", |_| Ok(json!(1))), Err(Halt::Stop(Stop::EndOfRecord)));
        Ok(())
    });
    assert_eq!(outcome.ending, Ending::Finished);
    assert_eq!(world.heard(), ["a", "b"]);
    // Only `Began` and `Ended`.
    assert_eq!(bed.records().len(), before + 2);
}
