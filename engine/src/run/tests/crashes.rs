//! Crash windows: a process that died after any entry of the journal; the next one comes to the same end.

use std::sync::Arc;

use runbook_state::record::{Ending, Record};
use serde_json::{Value, json};

use super::bed::{Bed, World, boom, effect, plain, read, seconds, site, tries};
use crate::{
    error::Halt,
    run::{
        check::check,
        decide::{sleep, uuid},
        output::output,
        parallel::{Branch, parallel},
        scope::Scope,
        step::step,
    },
};

/// A script with every kind of thing in it. The bodies say their step's key.
fn script(scope: &Arc<Scope>, world: &World) -> Result<(), Halt> {
    let id = uuid(scope)?;
    let site_of = |name: &'static str| Branch {
        name: name.to_owned(),
        body: Box::new(move |scope: &Arc<Scope>| {
            plain(scope, "network", |inner| {
                world.say(&inner.key);
                effect(inner, world, "vpc")?;
                plain(inner, "subnets", |inner| {
                    world.say(&inner.key);
                    effect(inner, world, "a")?;
                    effect(inner, world, "b")
                })?;
                inner.sleep(seconds(60))?;
                read(inner, "describe", || json!("ACTIVE"))
            })?;
            plain(scope, "free of effects", |inner| {
                world.say(&inner.key);
                Ok(json!(inner.key))
            })
        }),
    };
    let sites = parallel(scope, &site(1), vec![site_of("one"), site_of("two")], None)?;
    let tried = step(scope, "tried", &tries(4), &site(2), "", &mut |inner| {
        world.say(&inner.key);
        effect(inner, world, "peering")?;
        if inner.attempt < 3 { Err(boom("not yet")) } else { Ok(json!("at last")) }
    })?;
    let caught = plain(scope, "caught", |inner| {
        world.say(&inner.key);
        effect(inner, world, "half")?;
        Err(boom("broken"))
    });
    let caught = matches!(caught, Err(Halt::Failure(failure)) if failure.message == "broken");
    sleep(scope, seconds(30))?;
    let passed = check(scope, "check", seconds(60), seconds(5), &site(3), "", &mut |inner| {
        world.say(&inner.key);
        Ok(json!(read(inner, "look", || json!(inner.attempt))? == json!(3)))
    })?;
    let last = plain(scope, "last", |inner| {
        world.say(&inner.key);
        effect(inner, world, "zone")
    })?;
    output(scope, "all", json!([id, sites, tried, caught, passed, last]))
}

fn result(bed: &Bed) -> Option<Value> {
    bed.records().into_iter().rev().find_map(|record| match record {
        Record::Output { value, .. } => Some(value),
        _ => None,
    })
}

fn ended_steps(records: &[Record]) -> Vec<String> {
    let ended = |record: &Record| match record {
        Record::StepDone { step, .. } | Record::StepFailed { step, caught: true, .. } => Some(step.clone()),
        _ => None,
    };
    records.iter().filter_map(ended).collect()
}

#[test]
fn whatever_the_last_entry_was_the_end_is_the_same() {
    let whole = Bed::new();
    let outcome = whole.drive(|scope| script(scope, &whole.world));
    assert_eq!(outcome.ending, Ending::Finished);
    let entries = whole.entries();
    let mut expected = result(&whole).unwrap_or_default();
    assert!(entries.len() > 50, "{}", entries.len());
    for length in 0..=entries.len() {
        let bed = whole.cut(&entries[..length]);
        let known: Vec<Record> = entries[..length].iter().map(|entry| entry.record.clone()).collect();
        let outcome = bed.drive(|scope| script(scope, &bed.world));
        assert_eq!(outcome.ending, Ending::Finished, "cut after {length}");
        let mut found = result(&bed).unwrap_or_default();
        if !known.iter().any(|record| matches!(record, Record::Decided { .. })) {
            // Nothing had been made with the old one: a new one is as good.
            (found[0], expected[0]) = (json!(null), json!(null));
        }
        assert_eq!(found, expected, "cut after {length}");
        let ended = ended_steps(&known);
        let again: Vec<String> = bed.world.heard().into_iter().filter(|key| ended.contains(key)).collect();
        assert!(again.is_empty(), "cut after {length}: finished steps ran again: {again:?}");
        let steps = |records: &[Record]| ended_steps(records).into_iter().collect::<std::collections::BTreeSet<_>>();
        assert_eq!(steps(&bed.records()), steps(&whole.records()), "cut after {length}");
        assert_eq!(bed.world.things(), whole.world.things());
        expected = result(&whole).unwrap_or_default();
    }
}

#[test]
fn no_crash_sends_anything_twice() {
    let whole = Bed::new();
    whole.drive(|scope| script(scope, &whole.world));
    let entries = whole.entries();
    for length in 0..=entries.len() {
        for sent in [true, false] {
            let bed = whole.died(&entries[..length], sent);
            bed.drive(|scope| script(scope, &bed.world));
            assert!(bed.world.twice().is_empty(), "cut after {length}, sent {sent}: {:?}", bed.world.twice());
            assert_eq!(bed.world.things(), whole.world.things(), "cut after {length}, sent {sent}");
        }
    }
}
