//! A5, A6, A8, A12: no crash; answers are lost, requests get lost, targets are slow to show what they have made.

use std::sync::{Mutex, PoisonError};

use crate::{
    Section,
    bench::Bench,
    harness::Place,
    sheet::Part,
    trial::{self, Count, RUN, calm},
};

/// A5, A6, A8 and A12.
pub const SECTION: Section = Section {
    name: "answers",
    title: "Answers lost and late",
    how: "One call of redis-ha is executed and its answer lost, or executed and answered with an error of the server, or not executed and no \
          answer comes, or is throttled, at every call; a run that stops is resumed. Reads do not show what was made in the last seconds, \
          in every read of a run, with a lost answer at a call as well. The world must be the undisturbed one, and so must be what the \
          script saw of its calls and steps, and the outputs: field by field, where ids, tokens and addresses may be others if each stands \
          for the same one everywhere.",
    limits: &[
        "A lost answer is the same to the engine whatever lost it (reset, timeout, an error of the server, a garbled body): that the SDK's \
         errors are sorted into this class is tested with its own test clients in modules/aws.",
        "Times are not compared.",
        "Reads lag for what AWS makes; Kubernetes reads are consistent, as with a real API server.",
    ],
    measure,
};

fn measure(bench: &Bench, part: &mut Part) {
    let calls = calm(bench).calls.clone();
    let (counts, mut sent) = (Mutex::default(), 0);
    for (id, fault, what) in [
        ("A5", "lost", "calls executed, the answer lost"),
        ("A6", "server-error", "calls executed, and answered with status 500"),
        ("A6", "drop", "calls not executed, and no answer"),
        ("A6", "throttle", "calls throttled"),
    ] {
        let all: Vec<String> = calls.iter().map(|call| format!("{fault}:{}", call.n)).collect();
        let total = all.len();
        let cases = bench.sample(what, all, 5);
        let tried = bench.each(part, &cases, String::clone, |fault| counted(bench, fault, &counts));
        part.all(id, what, tried.len(), total);
        sent += tried.len();
    }
    let mut late = Vec::new();
    for seconds in [1, 5, 30, 60, 100] {
        late.push(format!("stale:{seconds}"));
        let every = bench.pick(40, 4);
        late.extend(calls.iter().step_by(every).map(|call| format!("stale:{seconds},lost:{}", call.n)));
    }
    let total = late.len();
    let cases = bench.sample("late", late, 5);
    let tried = bench.each(part, &cases, String::clone, |fault| counted(bench, fault, &counts));
    part.all("A8", "runs in which reads lag by 1 to 100 s, most with an answer lost too", tried.len(), total);
    let counts = counts.into_inner().unwrap_or_else(PoisonError::into_inner);
    let sum = Count::sum(&counts);
    part.zero("A5", "resources too much (duplicates, orphans)", sum.too_much);
    part.zero("A5", "resources missing", sum.missing);
    part.zero("A5", "finished effects sent again", sum.again);
    part.zero("A5", "runs that needed a person", sum.unresolved);
    part.told("A12", "things taken over after a lost answer", sum.adopted.to_string());
    part.zero("A12", "fields of calls, steps and outputs that the script saw otherwise", sum.unlike);
    part.told("A5", "runs", format!("{}", sent + tried.len()));
    part.zero("A5", "trials that failed in any way", part.failures.len());
}

fn counted(bench: &Bench, fault: &str, counts: &Mutex<Vec<Count>>) -> Result<(), String> {
    let mut count = Count::default();
    let done = one(bench, fault, &mut count);
    counts.lock().unwrap_or_else(PoisonError::into_inner).push(count);
    done
}

fn one(bench: &Bench, fault: &str, count: &mut Count) -> Result<(), String> {
    let place = Place::of(bench.trial());
    let told = place.run(RUN.iter().copied().chain(["--fault", fault]));
    let calm = calm(bench);
    if told.code == 0 { trial::same(&place, calm, count) } else { trial::go_on(&place, calm, count) }
}
