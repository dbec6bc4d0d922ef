use runbook_seeded::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use runbook_state::record::{Ending, Record};
use serde_json::{Value, json};

use super::bed::{Bed, boom, lock, read, seconds, site};
use crate::{
    error::{Failure, Halt},
    event::What,
    run::{
        check::{NOT_REHEARSED, check},
        scope::Scope,
    },
};

fn ask(scope: &Arc<Scope>, mut body: impl FnMut(&Arc<Scope>) -> Result<Value, Halt>) -> Result<Value, Halt> {
    check(scope, "ready", seconds(60), seconds(10), &site(1), "", &mut body)
}

#[test]
fn a_check_asks_again_with_fresh_reads_until_it_passes() {
    let bed = Bed::new();
    let world = bed.world.clone();
    let asked = AtomicU32::new(0);
    let script = |scope: &Arc<Scope>| {
        let result = ask(scope, |inner| {
            let seen = read(inner, "look", || json!(asked.fetch_add(1, Ordering::Relaxed)))?;
            world.say(format!("{} {seen}", inner.attempt));
            if seen == json!(1) { Err(boom("not a number")) } else { Ok(json!(seen == json!(3))) }
        });
        assert_eq!(result, Ok(json!(true)));
        Ok(())
    };
    let outcome = bed.drive(script);
    assert_eq!((outcome.ending, outcome.took_ms), (Ending::Finished, 30_000));
    assert_eq!(world.heard(), ["1 0", "2 1", "3 2", "4 3"]);
    assert!(world.events().contains(&What::CheckPassed { step: "ready".into(), tries: 4 }));
    bed.drive(script);
    assert!(world.heard().is_empty());
}

#[test]
fn a_check_that_does_not_pass_names_the_last_answer() {
    let bed = Bed::new();
    let outcome = bed.drive(|scope| ask(scope, |_| Ok(json!({"slaves": 1}))).map(drop));
    assert_eq!(outcome.took_ms, 60_000);
    assert_eq!(outcome.failures[0].code, "RB0310");
    assert_eq!(
        outcome.failures[0].message,
        "check \"ready\" did not pass within 1m; the last answer was {\"slaves\":1}"
    );
    assert_eq!(bed.drive(|scope| ask(scope, |_| Ok(json!(true))).map(drop)).ending, Ending::Finished);
}

#[test]
fn a_mistake_in_the_script_is_not_asked_again() {
    let outcome =
        Bed::new().drive(|scope| ask(scope, |_| Err(Failure::new("RB0103", "no such function").into())).map(drop));
    assert_eq!((outcome.took_ms, outcome.failures[0].code.as_str()), (0, "RB0103"));
}

#[test]
fn a_wait_inside_a_check_ends_with_its_time() {
    let outcome =
        Bed::new().drive(|scope| ask(scope, |inner| inner.sleep(seconds(3600)).map(|()| json!(true))).map(drop));
    assert_eq!((outcome.took_ms, outcome.failures[0].code.as_str()), (60_000, "RB0310"));
}

#[test]
fn when_the_time_runs_out_in_an_asking_the_answer_before_it_is_told() {
    let asked = AtomicU32::new(0);
    let outcome = Bed::new().drive(|scope| {
        ask(scope, |inner| {
            if asked.fetch_add(1, Ordering::Relaxed) > 0 {
                inner.sleep(seconds(3600))?;
            }
            Ok(json!("no route"))
        })
        .map(drop)
    });
    let said = &outcome.failures[0].message;
    assert_eq!(said, "check \"ready\" did not pass within 1m; the last answer was \"no route\"");
}

#[test]
fn what_was_not_rehearsed_never_passes() {
    let bed = Bed::new();
    let results = Mutex::new(Vec::new());
    let script = |scope: &Arc<Scope>| {
        let result = ask(scope, |_| Err(Failure::new(NOT_REHEARSED, "exec redis-0 has no answer").into()))?;
        lock(&results).push(result["not_rehearsed"].clone());
        Ok(())
    };
    assert_eq!(bed.drive(script).ending, Ending::Finished);
    bed.drive(script);
    assert_eq!(*lock(&results), [json!(true), json!(true)]);
    let events = bed.world.events();
    assert_eq!(events.iter().filter(|e| matches!(e, What::NotRehearsed { .. })).count(), 1);
    assert!(!events.iter().any(|e| matches!(e, What::CheckPassed { .. })));
    assert!(bed.records().iter().any(|r| matches!(r, Record::NotRehearsed { .. })));
}
