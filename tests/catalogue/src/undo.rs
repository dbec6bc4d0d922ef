//! A15, A16: an error at every call, then undo; the undo killed at every call and around every commit; every deletion twice.

use crate::{
    Section,
    bench::Bench,
    harness::Place,
    sheet::Part,
    trial::{self, RUN, calm},
    trials::UNDO,
};

/// A15 and A16.
pub const SECTION: Section = Section {
    name: "undo",
    title: "Taken down from anywhere",
    how: "redis-ha is refused at one call and then undone; or it is finished and its undo is killed at one place and called again; or a \
          deletion is executed and its answer lost, so that it is sent a second time. The sandbox must then be empty. A refusal that the \
          script tries again by itself ends in the whole world, which is undone as well.",
    limits: &[
        "Nothing foreign stands in this account: that undo leaves what is not ours is tried in the tests of the engine.",
    ],
    measure,
};

fn measure(bench: &Bench, part: &mut Part) {
    let calm = calm(bench);
    let all: Vec<u64> = calm.calls.iter().map(|call| call.n).collect();
    let cases = bench.sample("refused", all.clone(), 6);
    let name = |n: &u64| format!("refuse:{n}");
    let tried = bench.each(part, &cases, name, |n| refused(bench, *n));
    part.all("A15", "calls refused, then undone to nothing", tried.len(), all.len());

    let mut deaths: Vec<String> = calm.undo_points.clone();
    for call in &calm.undo_calls {
        deaths.extend([format!("kill-before:{}", call.n), format!("kill-after:{}", call.n)]);
    }
    let total = deaths.len();
    let cases = bench.sample("undo killed", deaths, 8);
    let tried = bench.each(part, &cases, |death| format!("undo {death}"), |death| killed(bench, death));
    part.all("A16", "places where an undo was killed, then called again to nothing", tried.len(), total);

    let all: Vec<u64> = calm.undo_calls.iter().map(|call| call.n).collect();
    let cases = bench.sample("deleted twice", all.clone(), 5);
    let tried = bench.each(part, &cases, |n| format!("undo lost:{n}"), |n| twice(bench, *n));
    part.all("A16", "deletions that were sent twice", tried.len(), all.len());
    part.zero("A16", "trials that left something", part.failures.len());
}

fn refused(bench: &Bench, n: u64) -> Result<(), String> {
    let place = Place::of(bench.trial());
    let fault = format!("refuse:{n}");
    let told = place.run(RUN.iter().copied().chain(["--fault", &fault]));
    let tells = told.err.contains("runbook resume") && told.err.contains("runbook undo");
    if told.code != 0 && !(told.code == 1 && tells) {
        return Err(format!("it ended with {} and does not say how to go on:\n{}", told.code, told.err));
    }
    trial::emptied(&place)
}

fn killed(bench: &Bench, death: &str) -> Result<(), String> {
    let place = calm(bench).finished(bench.trial());
    let how = if death.starts_with("kill-") { "RUNBOOK_FAULT" } else { "RUNBOOK_CRASH" };
    let told = trial::with(&place, &UNDO, how, death);
    if told.code != -1 {
        return Err(format!("it was not killed there, it ended with {}:\n{}", told.code, told.err));
    }
    trial::emptied(&place)
}

fn twice(bench: &Bench, n: u64) -> Result<(), String> {
    let place = calm(bench).finished(bench.trial());
    let fault = format!("lost:{n}");
    let told = place.run(UNDO.iter().copied().chain(["--fault", &fault]));
    if told.code != 0 {
        return Err(format!("the undo ended with {}:\n{}", told.code, told.err));
    }
    trial::emptied(&place)
}
