//! The standard trials of a shipped runbook: `kill -9` at random moments, then resume; an error or a lost answer at its calls; undo,
//! killed too. It ends in the same world as the undisturbed run, or in an empty one: nothing twice, nothing lost.
//!
//! [`crate::systems`] runs them for each runbook. RUNBOOK_TRIALS sets how many kills (default 8 for redis-ha, 3 for the others); the
//! seed is printed and RUNBOOK_SEED repeats it.

#![expect(clippy::print_stdout, reason = "the seed and the figures of a trial")]

use std::{collections::HashSet, time::Duration};

use serde_json::Value;

use crate::{harness::Place, redis_ha::world, trials::Dice};

/// The arguments that run a shipped runbook on the sandbox without waiting.
pub(crate) fn run<'a>(system: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["run", system[0], "--sandbox", "--speed", "0"];
    args.extend(&system[1..]);
    args
}

/// Dice whose seed is printed; the environment may name another.
fn dice() -> Dice {
    let seed = std::env::var("RUNBOOK_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(0x5eed_1234_abcd);
    println!("RUNBOOK_SEED={seed}");
    Dice::new(seed)
}

/// How many trials of a system: the main job is tried more often.
fn trials(system: &[&str]) -> u32 {
    let usual = if system[0] == "redis-ha.rhai" { 8 } else { 3 };
    std::env::var("RUNBOOK_TRIALS").ok().and_then(|s| s.parse().ok()).unwrap_or(usual)
}

/// The mutating calls that the world has seen, but for those of checks, which are made anew at every try.
fn calls(world: &Value) -> Vec<Value> {
    let all = world["calls"].as_array().cloned().unwrap_or_default();
    all.into_iter().filter(|call| !in_a_check(call)).collect()
}

fn in_a_check(call: &Value) -> bool {
    ["k8s.exec", "k8s.run_pod"].iter().any(|op| call["op"] == *op)
}

/// The tokens of the effects that the journal has as done.
fn finished(place: &Place) -> HashSet<String> {
    let said = place.expect(0, ["logs", "latest", "--json"]);
    let events = said.out.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let tokens = events.filter(|e| e["event"] == "effect.done").filter_map(|e| Some(e["token"].as_str()?.to_owned()));
    tokens.filter(|token| !token.is_empty()).collect()
}

/// Insists that none of the calls after the first `before` belongs to an effect that was finished by then.
fn nothing_again(world: &Value, before: usize, finished: &HashSet<String>) {
    let later: Vec<&Value> = world["calls"].as_array().into_iter().flatten().skip(before).collect();
    let again: Vec<_> = later.iter().filter(|c| c["token"].as_str().is_some_and(|t| finished.contains(t))).collect();
    assert!(again.is_empty(), "finished effects were sent again: {again:#?}");
}

/// Insists that two worlds are the same, and otherwise names what is missing and what is too much.
fn same_world(got: &Value, wanted: &Value, when: &str) {
    let list = |world: &Value| world["objects"].as_array().cloned().unwrap_or_default();
    let (got, wanted) = (list(got), list(wanted));
    let missing: Vec<&Value> = wanted.iter().filter(|object| !got.contains(object)).collect();
    let extra: Vec<&Value> = got.iter().filter(|object| !wanted.contains(object)).collect();
    assert!(missing.is_empty() && extra.is_empty(), "{when}\nmissing: {missing:#?}\ntoo much: {extra:#?}");
    assert_eq!(got.len(), wanted.len(), "{when}: something stands twice");
}

/// Starts the program, kills it after a random part of `whole`, and says whether it was still running.
fn kill_within(place: &Place, args: &[&str], whole: Duration, dice: &mut Dice) -> bool {
    let mut child = place.start(args);
    std::thread::sleep(Duration::from_millis(dice.up_to(whole.as_millis() as u64)));
    let running = child.try_wait().expect("a child").is_none();
    child.kill().expect("a kill");
    child.wait().expect("a child");
    running
}

/// Killed up to three times in each run, which is then resumed.
pub(crate) fn killed_anywhere_it_ends_in_the_same_world(system: &[&str]) {
    let run = run(system);
    let calm = Place::new();
    let began = std::time::Instant::now();
    calm.expect(0, &run);
    let whole = began.elapsed();
    let wanted = world(&calm);
    let mut dice = dice();
    let mut killed = 0;
    let mut resumes = 0;
    while killed < trials(system) {
        let place = Place::new();
        if kill_within(&place, &run, whole, &mut dice) {
            killed += 1;
        }
        // Kill a few resumes too, then let one through. A run killed before it was stored begins anew.
        for round in 0.. {
            if place.run(["show", "latest"]).code != 0 {
                place.expect(0, &run);
                break;
            }
            if round < 2 && dice.up_to(2) == 0 && killed < trials(system) {
                killed += u32::from(kill_within(&place, &["resume", "latest"], whole, &mut dice));
                continue;
            }
            let done = finished(&place);
            let before = world(&place)["calls"].as_array().map_or(0, Vec::len);
            let said = place.run(["resume", "latest"]);
            resumes += 1;
            if said.code == 2 && said.err.contains("RB0218") {
                // Killed before its parameters were kept, so before anything was made.
                assert_eq!(before, 0);
                place.expect(0, &run);
                break;
            }
            assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
            nothing_again(&world(&place), before, &done);
            break;
        }
        let got = world(&place);
        same_world(&got, &wanted, "killed and resumed");
    }
    println!("{killed} kills, {resumes} resumes: duplicates 0, orphans 0");
}

/// Killed up to three times in each undo.
pub(crate) fn undo_killed_anywhere_empties_the_world(system: &[&str]) {
    let run = run(system);
    let mut dice = dice();
    for _ in 0..trials(system).div_ceil(4) {
        let place = Place::new();
        place.expect(0, &run);
        let began = std::time::Instant::now();
        for _ in 0..3 {
            kill_within(&place, &["undo", "latest", "--yes"], Duration::from_millis(900), &mut dice);
        }
        place.expect(0, ["undo", "latest", "--yes"]);
        assert_eq!(world(&place)["objects"], serde_json::json!([]), "after {:?}", began.elapsed());
    }
}

/// Refused at a call, the run stops with what to do next, and undo empties the world.
pub(crate) fn an_error_at_any_effect_stops_clearly_and_is_undone(system: &[&str]) {
    let run = run(system);
    let calm = Place::new();
    calm.expect(0, &run);
    let mut calls = calls(&world(&calm));
    // The step that makes a cluster tries again by itself.
    calls.retain(|call| call["op"] != "eks.create_cluster");
    let mut dice = dice();
    let sample: Vec<usize> = if trials(system) >= 200 {
        (0..calls.len()).collect()
    } else {
        (0..trials(system)).map(|_| dice.up_to(calls.len() as u64) as usize).collect()
    };
    for call in sample.into_iter().map(|at| &calls[at]) {
        let n = &call["n"];
        let place = Place::new();
        let fault = format!("refuse:{n}");
        let said = place.run(run.iter().copied().chain(["--fault", &fault]));
        assert_eq!(said.code, 1, "call {n}: {}\n{}", said.out, said.err);
        assert!(said.err.contains("runbook resume") && said.err.contains("runbook undo"), "call {n}:\n{}", said.err);
        place.expect(0, ["undo", "latest", "--yes"]);
        assert_eq!(world(&place)["objects"], serde_json::json!([]), "call {n}");
    }
}

/// An answer that never comes, after the call was executed or instead of it.
pub(crate) fn a_lost_answer_makes_nothing_twice(system: &[&str]) {
    let run = run(system);
    let calm = Place::new();
    calm.expect(0, &run);
    let wanted = world(&calm);
    let calls = calls(&wanted);
    let mut dice = dice();
    for _ in 0..trials(system) {
        let n = &calls[dice.up_to(calls.len() as u64) as usize]["n"];
        for fault in [format!("lost:{n}"), format!("drop:{n}")] {
            let place = Place::new();
            let said = place.run(run.iter().copied().chain(["--fault", &fault]));
            if said.code != 0 {
                place.expect(0, ["resume", "latest"]);
            }
            let got = world(&place);
            same_world(&got, &wanted, &format!("{fault}: {}", said.err));
        }
    }
}
