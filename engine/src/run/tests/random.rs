//! Random scripts that die at random places, twice: the end is the one of an undisturbed run, and nothing is sent twice.

use std::sync::Arc;

use proptest::prelude::*;
use runbook_state::record::{Ending, Record};
use serde_json::{Value, json};

use super::bed::{Bed, World, boom, effect, read, seconds, site, tries};
use crate::{
    error::Halt,
    run::{
        parallel::{Branch, parallel},
        scope::Scope,
        step::step,
    },
};

/// A part of a script. Its name is its place among its siblings.
#[derive(Debug, Clone)]
enum Part {
    /// Effects, a read, a wait, parts inside; fails so many times before it is done (3 tries).
    Step { effects: u32, wait: u64, fails: u32, inside: Vec<Part> },
    /// Fails always, and the script catches it.
    Caught { effects: u32 },
    /// Branches; only inside them parts.
    Branches(Vec<Vec<Part>>),
}

fn part() -> impl Strategy<Value = Part> {
    let leaf = prop_oneof![
        (0..3u32, 0..90u64, 0..3u32).prop_map(|(effects, wait, fails)| Part::Step {
            effects,
            wait,
            fails,
            inside: Vec::new()
        }),
        (0..3u32).prop_map(|effects| Part::Caught { effects }),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        let parts = prop::collection::vec(inner, 1..3);
        prop_oneof![
            (0..2u32, 0..90u64, 0..2u32, parts.clone()).prop_map(|(effects, wait, fails, inside)| Part::Step {
                effects,
                wait,
                fails,
                inside
            }),
            prop::collection::vec(parts, 1..4).prop_map(Part::Branches),
        ]
    })
}

fn play(scope: &Arc<Scope>, world: &World, parts: &[Part]) -> Result<Value, Halt> {
    let mut results = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        let name = format!("p{place}");
        let result = match part {
            Part::Step { effects, wait, fails, inside } => step(scope, &name, &tries(3), &site(1), "", &mut |inner| {
                world.say(&inner.key);
                for _ in 0..*effects {
                    effect(inner, world, "make")?;
                }
                inner.sleep(seconds(*wait))?;
                let seen = read(inner, "look", || json!("ACTIVE"))?;
                let inside = play(inner, world, inside)?;
                if inner.attempt <= *fails { Err(boom("not yet")) } else { Ok(json!([inner.key, seen, inside])) }
            })?,
            Part::Caught { effects } => {
                let caught = step(scope, &name, &tries(1), &site(1), "", &mut |inner| {
                    world.say(&inner.key);
                    for _ in 0..*effects {
                        effect(inner, world, "make")?;
                    }
                    Err(boom("broken"))
                });
                match caught {
                    Err(Halt::Failure(failure)) => json!(failure.message),
                    other => return other,
                }
            }
            Part::Branches(branches) => {
                let branches = branches.iter().enumerate().map(|(n, parts)| Branch {
                    name: format!("p{place}b{n}"),
                    body: Box::new(move |scope: &Arc<Scope>| play(scope, world, parts)),
                });
                json!(parallel(scope, &site(1), branches.collect(), None)?)
            }
        };
        results.push(result);
    }
    Ok(json!(results))
}

fn drive(bed: &Bed, parts: &[Part]) -> Result<(Value, i64), TestCaseError> {
    let mut result = Value::Null;
    let outcome = bed.drive(|scope| {
        result = play(scope, &bed.world, parts)?;
        Ok(())
    });
    prop_assert_eq!(outcome.ending, Ending::Finished);
    Ok((result, outcome.took_ms))
}

fn ended(records: &[Record]) -> Vec<String> {
    let ended = |record: &Record| match record {
        Record::StepDone { step, .. } | Record::StepFailed { step, caught: true, .. } => Some(step.clone()),
        _ => None,
    };
    records.iter().filter_map(ended).collect()
}

/// RUNBOOK_CASES sets how many scripts.
fn cases() -> u32 {
    std::env::var("RUNBOOK_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(48)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]
    #[test]
    fn two_deaths_change_nothing(
        parts in prop::collection::vec(part(), 1..4), first in 0.0..1.0f64, second in 0.0..1.0f64, sent: bool,
    ) {
        let whole = Bed::new();
        let (expected, took) = drive(&whole, &parts)?;
        prop_assert_eq!(drive(&Bed::new(), &parts)?, (expected.clone(), took), "the same time every time");
        let things = whole.world.things();
        let mut bed = whole;
        for death in [first, second] {
            let entries = bed.entries();
            let length = (entries.len() as f64 * death) as usize;
            let next = bed.died(&entries[..length], sent);
            let known: Vec<Record> = entries[..length].iter().map(|entry| entry.record.clone()).collect();
            prop_assert_eq!(&drive(&next, &parts)?.0, &expected);
            let ended = ended(&known);
            prop_assert!(next.world.heard().iter().all(|key| !ended.contains(key)));
            prop_assert!(next.world.twice().is_empty());
            prop_assert_eq!(&next.world.things(), &things);
            bed = next;
        }
    }
}
