//! A1, A4: the process is killed at every call and around every commit of redis-ha, then resumed; and killed again while it resumes.

use std::sync::{Mutex, PoisonError};

use crate::{
    Section,
    bench::Bench,
    harness::Place,
    sheet::Part,
    trial::{self, Calm, Count, RUN, calm},
};

/// A1 and A4.
pub const SECTION: Section = Section {
    name: "crash",
    title: "Killed anywhere, then resumed",
    how: "redis-ha on the sandbox is killed (SIGKILL, or an abort within the sandbox) at one place, resumed, and its world is held against \
          that of an undisturbed run. What was executed is counted by the sandbox's own log of calls, never by our journal. The four moments \
          of a call: its intent is committed and it is not sent; it is executed and the answer is withheld; the answer came and is not \
          committed; it is committed. The first two are found in the program as it is shipped, the other two in a build with crash points.",
    limits: &[
        "The calls are those of the sandbox's redis-ha; reads are not counted as calls, the commits of their answers are points.",
    ],
    measure,
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

fn measure(bench: &Bench, part: &mut Part) {
    let calm = calm(bench);
    let counts = Mutex::default();
    for (when, what) in [
        ("kill-before", "calls killed with the intent committed and nothing sent"),
        ("kill-after", "calls killed after they were executed, the answer withheld"),
    ] {
        let all: Vec<Death> = calm.calls.iter().map(|call| Death::Call(when, call.n)).collect();
        deaths(bench, part, &counts, what, all, 5);
    }
    let answers = |side: &str| -> Vec<Death> {
        let kinds = ["done", "accepted"].map(|record| format!("{side} {record} "));
        let of_a_call = |point: &&String| kinds.iter().any(|kind| point.starts_with(kind));
        calm.points.iter().filter(of_a_call).cloned().map(Death::Point).collect()
    };
    deaths(bench, part, &counts, "answers killed before they were committed", answers("before"), 5);
    deaths(bench, part, &counts, "answers killed after they were committed", answers("after"), 5);
    let rest = calm.points.iter().filter(|point| !point.contains(" done ") && !point.contains(" accepted "));
    let rest: Vec<Death> = rest.cloned().map(Death::Point).collect();
    deaths(bench, part, &counts, "points around all other commits", rest, 8);
    let failed = part.failures.len();
    told(part, "A1", counts, failed);
    let counts = Mutex::default();
    for (deaths, full) in [(2, 500), (3, 200)] {
        let cases: Vec<usize> = (0..bench.pick(4, full)).collect();
        let name = |case: &usize| format!("{deaths} deaths, {case}");
        let tried = bench.each(part, &cases, name, |case| {
            let (count, done) = several(bench, calm, deaths, *case);
            noted(&counts, count);
            done
        });
        part.at_least("A4", &format!("runs killed {deaths} times, at random points"), tried.len(), full);
    }
    let failed = part.failures.len() - failed;
    told(part, "A4", counts, failed);
}

fn noted(counts: &Mutex<Vec<Count>>, count: Count) {
    counts.lock().unwrap_or_else(PoisonError::into_inner).push(count);
}

fn told(part: &mut Part, id: &'static str, counts: Mutex<Vec<Count>>, failed: usize) {
    let counts = counts.into_inner().unwrap_or_else(PoisonError::into_inner);
    let sum = Count::sum(&counts);
    part.told(id, "runs, and resumes of them", format!("{}, {}", counts.len(), sum.resumes));
    part.zero(id, "resources too much (duplicates, orphans)", sum.too_much);
    part.zero(id, "resources missing", sum.missing);
    part.zero(id, "inventories that do not fit the world (ghosts)", sum.ghosts);
    part.zero(id, "finished effects sent again", sum.again);
    part.zero(id, "runs that needed a person", sum.unresolved);
    part.zero(id, "trials that failed in any way", failed);
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
    let (place, told) = match death {
        Death::Call(..) => {
            let place = Place::of(bench.shipped());
            let fault = death.name();
            let told = place.run(RUN.iter().copied().chain(["--fault", &fault]));
            (place, told)
        }
        Death::Point(point) => {
            let place = Place::of(bench.trial());
            let told = trial::with(&place, &RUN, "RUNBOOK_CRASH", point);
            (place, told)
        }
    };
    if told.code != -1 {
        return Err(format!("it was not killed there, it ended with {}:\n{}", told.code, told.err));
    }
    trial::go_on(&place, count)?;
    trial::same(&place, calm, count)
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
    let done = trial::go_on(&place, &mut count).and_then(|()| trial::same(&place, calm, &mut count));
    (count, done)
}
