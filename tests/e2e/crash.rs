//! `kill -9` at random moments, then resume: the same world as the undisturbed run. Nothing twice, nothing lost.
//!
//! RUNBOOK_TRIALS sets how many kills (default 8); the seed is printed and RUNBOOK_SEED repeats it.

use std::time::Duration;

use serde_json::Value;

use crate::{harness::Place, redis_ha::world};

const RUN: [&str; 5] = ["run", "redis-ha.rhai", "--sandbox", "--speed", "0"];

/// A small generator (xorshift): reproducible from the printed seed.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let seed = std::env::var("RUNBOOK_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(0x5eed_1234_abcd);
        println!("RUNBOOK_SEED={seed}");
        Self(seed)
    }

    fn up_to(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most.max(1)
    }
}

fn trials() -> u32 {
    std::env::var("RUNBOOK_TRIALS").ok().and_then(|s| s.parse().ok()).unwrap_or(8)
}

/// How many times each creating call was executed, by token: more than once is a duplicate.
fn executed_twice(world: &Value) -> Vec<String> {
    world["executed"]
        .as_object()
        .map(|tokens| tokens.iter().filter(|(_, n)| n.as_u64() > Some(1)).map(|(token, n)| format!("{token}: {n}")).collect())
        .unwrap_or_default()
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

#[test]
fn killed_anywhere_it_ends_in_the_same_world() {
    let calm = Place::new();
    let began = std::time::Instant::now();
    calm.expect(0, RUN);
    let whole = began.elapsed();
    let wanted = world(&calm);
    let mut dice = Dice::new();
    let mut killed = 0;
    let mut resumes = 0;
    while killed < trials() {
        let place = Place::new();
        if kill_within(&place, &RUN, whole, &mut dice) {
            killed += 1;
        }
        // Kill a few resumes too, then let one through. A run killed before it was stored begins anew.
        for round in 0.. {
            if place.run(["show", "latest"]).code != 0 {
                place.expect(0, RUN);
                break;
            }
            if round < 2 && dice.up_to(2) == 0 && killed < trials() {
                killed += u32::from(kill_within(&place, &["resume", "latest"], whole, &mut dice));
                continue;
            }
            let said = place.run(["resume", "latest"]);
            resumes += 1;
            assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
            break;
        }
        let got = world(&place);
        assert_eq!(executed_twice(&got), Vec::<String>::new());
        assert_eq!(got["objects"], wanted["objects"], "the world differs from the undisturbed run's");
    }
    println!("{killed} kills, {resumes} resumes: duplicates 0, orphans 0");
}

#[test]
fn undo_killed_anywhere_empties_the_world() {
    let mut dice = Dice::new();
    for _ in 0..trials().div_ceil(4) {
        let place = Place::new();
        place.expect(0, RUN);
        let began = std::time::Instant::now();
        for _ in 0..3 {
            kill_within(&place, &["undo", "latest", "--yes"], Duration::from_millis(900), &mut dice);
        }
        place.expect(0, ["undo", "latest", "--yes"]);
        assert_eq!(world(&place)["objects"], serde_json::json!([]), "after {:?}", began.elapsed());
    }
}

#[test]
fn an_error_at_any_effect_stops_clearly_and_is_undone() {
    let calm = Place::new();
    calm.expect(0, RUN);
    let calls = world(&calm)["calls"].as_u64().expect("a count");
    let mut dice = Dice::new();
    let sample: Vec<u64> = if trials() >= 200 {
        (1..=calls).collect()
    } else {
        (0..u64::from(trials())).map(|_| 1 + dice.up_to(calls)).collect()
    };
    for n in sample {
        let place = Place::new();
        let fault = format!("refuse:{n}");
        let said = place.run(RUN.iter().copied().chain(["--fault", &fault]));
        assert_eq!(said.code, 1, "call {n}: {}\n{}", said.out, said.err);
        assert!(said.err.contains("runbook resume") && said.err.contains("runbook undo"), "call {n}:\n{}", said.err);
        place.expect(0, ["undo", "latest", "--yes"]);
        assert_eq!(world(&place)["objects"], serde_json::json!([]), "call {n}");
    }
}

#[test]
fn a_lost_answer_makes_nothing_twice() {
    let calm = Place::new();
    calm.expect(0, RUN);
    let wanted = world(&calm);
    let calls = wanted["calls"].as_u64().expect("a count");
    let mut dice = Dice::new();
    for _ in 0..trials() {
        let n = 1 + dice.up_to(calls);
        for fault in [format!("lost:{n}"), format!("drop:{n}")] {
            let place = Place::new();
            let said = place.run(RUN.iter().copied().chain(["--fault", &fault]));
            if said.code != 0 {
                place.expect(0, ["resume", "latest"]);
            }
            let got = world(&place);
            assert_eq!(executed_twice(&got), Vec::<String>::new(), "{fault}");
            assert_eq!(got["objects"], wanted["objects"], "{fault}: {}", said.err);
        }
    }
}
