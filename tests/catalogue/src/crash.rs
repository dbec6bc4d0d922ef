//! A1, A4: the process is killed at every call and around every commit of redis-ha, then resumed; and killed again while it
//! resumes.

use std::sync::{Mutex, PoisonError};

use crate::{
    Section,
    bench::Bench,
    harness::Place,
    sheet::Part,
    trial::{self, Calm, Count, RUN, calm},
};

/// A1.
pub const SECTION: Section = Section {
    name: "crash",
    title: "Killed at every call, then resumed",
    how: "redis-ha on the sandbox is killed (SIGKILL; within the sandbox an abort) at one call, resumed, and its world is held against that of \
          an undisturbed run. What was executed is counted by the sandbox's own log of calls, never by our journal. The four moments of a \
          call: its intent is committed and it is not sent; it is executed and the answer is withheld; the answer came and is not committed; \
          it is committed. An answer may be two commits: taken, and ready.",
    limits: &[
        "The calls are those of the sandbox's redis-ha. Reads are no calls here; killed reads are among the commits of the next section.",
    ],
    measure: calls,
};

/// A1, what is no call.
pub const COMMITS: Section = Section {
    name: "commits",
    title: "Killed around every other commit, then resumed",
    how: "The same, before and after every commit that is not the answer to a call: steps, reads, intents, outputs, the beginning and the end.",
    limits: &[],
    measure: commits,
};

/// A4.
pub const AGAIN: Section = Section {
    name: "again",
    title: "Killed again while it resumes",
    how: "redis-ha is killed at a random point around a commit, and its resume is killed at a random point too, once or twice; half of \
          these near the place where it went on. Then it is resumed to its end and compared as above.",
    limits: &[],
    measure: again,
};

/// Where it dies.
#[derive(Debug, Clone)]
enum Death {
    /// At a call of the sandbox: `kill-before:N` or `kill-after:N`.
    Call(&'static str, u64),
    /// Around a commit.
    Point(String),
}

impl Death {
    fn name(&self) -> String {
        match self {
            Self::Call(when, n) => format!("{when}:{n}"),
            Self::Point(point) => point.clone(),
        }
    }
}

fn calls(bench: &Bench, part: &mut Part) {
    let calm = calm(bench);
    let counts = Mutex::default();
    for (when, what) in [
        ("kill-before", "calls killed with the intent committed and nothing sent"),
        ("kill-after", "calls killed after they were executed, the answer withheld"),
    ] {
        let all: Vec<Death> = calm.calls.iter().map(|call| Death::Call(when, call.n)).collect();
        deaths(bench, part, &counts, what, all, 4);
    }
    let answers = |side: &str| -> Vec<Death> {
        let of_this_side = |point: &&String| answer(point) && point.starts_with(side);
        calm.points.iter().filter(of_this_side).cloned().map(Death::Point).collect()
    };
    deaths(bench, part, &counts, "answers killed before they were committed", answers("before"), 4);
    deaths(bench, part, &counts, "answers killed after they were committed", answers("after"), 4);
    told(part, "A1", counts);
}

fn commits(bench: &Bench, part: &mut Part) {
    let counts = Mutex::default();
    let rest = calm(bench).points.iter().filter(|point| !answer(point)).cloned().map(Death::Point).collect();
    deaths(bench, part, &counts, "points around other commits", rest, 8);
    told(part, "A1", counts);
}

/// Whether a point is around the commit of a call's answer.
fn answer(point: &str) -> bool {
    point.split(' ').nth(1).is_some_and(|record| ["done", "accepted"].contains(&record))
}

fn again(bench: &Bench, part: &mut Part) {
    let counts = Mutex::default();
    for (deaths, full) in [(2, 500), (3, 200)] {
        let cases: Vec<usize> = (0..bench.pick(4, full)).collect();
        let name = |case: &usize| format!("{deaths} deaths, {case}");
        let tried = bench.each(part, &cases, name, |case| {
            let (count, done) = several(bench, calm(bench), deaths, *case);
            noted(&counts, count);
            done
        });
        part.at_least("A4", &format!("runs killed {deaths} times, at random points"), tried.len(), full);
    }
    told(part, "A4", counts);
}

fn noted(counts: &Mutex<Vec<Count>>, count: Count) {
    counts.lock().unwrap_or_else(PoisonError::into_inner).push(count);
}

fn told(part: &mut Part, id: &'static str, counts: Mutex<Vec<Count>>) {
    let counts = counts.into_inner().unwrap_or_else(PoisonError::into_inner);
    let sum = Count::sum(&counts);
    part.told(id, "runs, and resumes of them", format!("{}, {}", counts.len(), sum.resumes));
    part.zero(id, "resources too much (duplicates, orphans)", sum.too_much);
    part.zero(id, "resources missing", sum.missing);
    part.zero(id, "inventories that do not fit the world (ghosts)", sum.ghosts);
    part.zero(id, "finished effects sent again", sum.again);
    part.zero(id, "runs that needed a person", sum.unresolved);
    part.told("A12", "things taken over after a death", sum.adopted.to_string());
    part.zero("A12", "fields of calls, steps and outputs that the script saw otherwise", sum.unlike);
    part.zero(id, "trials that failed in any way", part.failures.len());
}

fn deaths(bench: &Bench, part: &mut Part, counts: &Mutex<Vec<Count>>, what: &str, all: Vec<Death>, sample: usize) {
    let (calm, total) = (calm(bench), all.len());
    let cases = bench.sample(what, all, sample);
    let tried = bench.each(part, &cases, Death::name, |death| {
        let mut count = Count::default();
        let done = one(bench, calm, death, &mut count);
        noted(counts, count);
        done
    });
    part.all("A1", what, tried.len(), total);
}

fn one(bench: &Bench, calm: &Calm, death: &Death, count: &mut Count) -> Result<(), String> {
    let place = Place::of(bench.trial());
    let told = match death {
        Death::Call(..) => trial::with(&place, &RUN, "RUNBOOK_FAULT", &death.name()),
        Death::Point(point) => trial::with(&place, &RUN, "RUNBOOK_CRASH", point),
    };
    if told.code != -1 {
        return Err(format!("it was not killed there, it ended with {}:\n{}", told.code, told.err));
    }
    trial::go_on(&place, calm, count)
}

/// Killed at a random point of the run, and again while it resumes.
fn several(bench: &Bench, calm: &Calm, deaths: usize, case: usize) -> (Count, Result<(), String>) {
    let mut dice = bench.dice(&format!("{deaths} deaths, {case}"));
    let place = Place::of(bench.trial());
    let first = 1 + dice.up_to(calm.points.len() as u64);
    trial::with(&place, &RUN, "RUNBOOK_CRASH", &format!("nth {first}"));
    for _ in 1..deaths {
        if place.run(["show", "latest"]).code == 0 {
            // Near the place where it goes on: that is where a resume is in doubt.
            let reach = if dice.up_to(2) == 0 { 12 } else { 200 };
            let next = 1 + dice.up_to(reach);
            trial::with(&place, &["resume", "latest"], "RUNBOOK_CRASH", &format!("nth {next}"));
        }
    }
    let mut count = Count::default();
    let done = trial::go_on(&place, calm, &mut count);
    (count, done)
}
