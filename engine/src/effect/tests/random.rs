//! Random programs of creations against a target that loses, delays, throttles, refuses and lags at random, driven by processes
//! that die at random: each creation ends as exactly one resource, the inventory names exactly these, and nothing is sent again.
//!
//! The model is one sentence: what stands at the end is what the program asks for. RUNBOOK_CASES sets how many programs (default 48).

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use proptest::prelude::*;
use runbook_modules::{error::Class, resource::Kind as _};
use runbook_state::record::Ending;
use serde_json::{Value, json};

use super::{
    cloud::{Fault, IDENTITIES},
    rig::{Rig, site},
};
use crate::{
    error::Halt,
    run::{
        parallel::{Branch, parallel},
        retry::Policy,
        scope::Scope,
        step::{StepOptions, step},
    },
};

/// One creation.
#[derive(Debug, Clone)]
struct Make {
    /// Which of the identities.
    kind: usize,
    /// How long until it is ready.
    slow: u32,
}

/// What goes wrong.
#[derive(Debug, Clone)]
struct Trouble {
    /// Call by call.
    faults: Vec<Option<Fault>>,
    /// After how many records each process dies, whether at once, and how long nobody goes on.
    deaths: Vec<(i64, bool, u64)>,
    /// How long new things are not seen.
    lag_s: i64,
}

fn fault() -> impl Strategy<Value = Option<Fault>> {
    prop_oneof![
        3 => Just(None),
        2 => Just(Some(Fault::Lost(Class::Unknown))),
        1 => Just(Some(Fault::Fails(Class::Unknown))),
        1 => Just(Some(Fault::Fails(Class::Throttled))),
        1 => Just(Some(Fault::Fails(Class::NotSent))),
        1 => Just(Some(Fault::Fails(Class::NotYet))),
        1 => Just(Some(Fault::Fails(Class::Refused))),
        // With the longest lag it is still seen within the settle time.
        1 => (1..50u64).prop_map(|seconds| Some(Fault::Ghost(seconds))),
    ]
}

fn trouble() -> impl Strategy<Value = Trouble> {
    let death = (2..40i64, any::<bool>(), prop_oneof![Just(0), Just(45), Just(400_000u64)]);
    (prop::collection::vec(fault(), 0..12), prop::collection::vec(death, 0..4), prop_oneof![Just(0), 1..60i64])
        .prop_map(|(faults, deaths, lag_s)| Trouble { faults, deaths, lag_s })
}

/// Series, or branches side by side of series.
fn program() -> impl Strategy<Value = Vec<Vec<Make>>> {
    let make = (0..IDENTITIES.len(), prop_oneof![Just(0), Just(90)]).prop_map(|(kind, slow)| Make { kind, slow });
    prop::collection::vec(prop::collection::vec(make, 1..4), 1..4)
}

fn series(rig: &Rig, scope: &Arc<Scope>, branch: usize, makes: &[Make]) -> Result<Value, Halt> {
    // More tries than there are refusals.
    let options = StepOptions { retry: Policy { attempts: 14, ..Policy::default() }, timeout: None };
    let mut made = Vec::new();
    for (place, make) in makes.iter().enumerate() {
        let op = format!("t.{}", IDENTITIES[make.kind].meta().create);
        let input = json!({"name": format!("n{branch}-{place}"), "size": 1, "slow": make.slow});
        made.push(step(scope, &format!("s{place}"), &options, &site(1), "", &mut |inner| {
            rig.bind(inner, &op, input.clone())
        })?);
    }
    Ok(Value::Array(made))
}

fn play(rig: &Rig, scope: &Arc<Scope>, program: &[Vec<Make>]) -> Result<Value, Halt> {
    let branches = program.iter().enumerate().map(|(n, makes)| Branch {
        name: format!("b{n}"),
        body: Box::new(move |scope: &Arc<Scope>| series(rig, scope, n, makes)),
    });
    Ok(json!(parallel(scope, &site(1), branches.collect(), None)?))
}

/// Drives once; the results when it came to its end.
fn drive(rig: &Rig, program: &[Vec<Make>]) -> Option<Value> {
    let mut results = None;
    let outcome = rig.try_drive(|scope| {
        results = Some(play(rig, scope, program)?);
        Ok(())
    });
    results.filter(|_| outcome.is_ok_and(|outcome| outcome.ending == Ending::Finished))
}

fn cases() -> u32 {
    std::env::var("RUNBOOK_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(48)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn what_stands_is_what_was_asked_for(program in program(), trouble in trouble()) {
        let rig = Rig::new();
        rig.cloud.state().lag_s = trouble.lag_s;
        rig.cloud.state().faults.extend(trouble.faults);
        for (records, at_once, rest) in trouble.deaths {
            rig.cut.after(records, at_once);
            let _died = drive(&rig, &program);
            rig.cut.never();
            rig.pass(Duration::from_secs(rest));
        }
        // A call whose answer is lost again and again stops the run, which is then resumed.
        let results = (0..8).find_map(|_| drive(&rig, &program));
        prop_assert!(results.is_some(), "it never ends: {:#?}", rig.records().last());
        rig.pass(Duration::from_secs(100_000));
        let standing = rig.cloud.standing();
        let asked: usize = program.iter().map(Vec::len).sum();
        prop_assert_eq!(standing.len(), asked, "{:#?}", standing);
        let names: BTreeSet<String> = standing.iter().map(|thing| thing.input["name"].to_string()).collect();
        prop_assert_eq!(names.len(), asked, "one each");
        let (mut owned, mut ids) = (rig.inventory(), standing.iter().map(|thing| thing.id.clone()).collect::<Vec<_>>());
        owned.sort();
        ids.sort();
        prop_assert_eq!(owned, ids, "the inventory is what stands");
        rig.calls();
        prop_assert_eq!(drive(&rig, &program), results, "the same answers again");
        prop_assert_eq!(rig.calls(), vec![], "and nothing is sent again");
    }
}
