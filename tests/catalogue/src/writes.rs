//! A2: killed at the calls by which the program changes its journal's files.

use std::sync::{Mutex, PoisonError};

use crate::{
    Section,
    bench::Bench,
    harness::Place,
    sheet::Part,
    trial::{self, Count, RUN, calm},
    trials::{
        killed::{self, Write},
        power,
    },
};

/// A2.
pub const SECTION: Section = Section {
    name: "writes",
    title: "Killed while it writes",
    how: "strace kills (SIGKILL) the program, built as it is shipped, at a call by which it writes, syncs, cuts, moves or removes a file of its journal, before \
          that is executed: a small run at every such call, redis-ha at calls chosen by the seed. The databases must be whole, what the \
          run had told must be in the journal, and it must go on to the world of an undisturbed run.",
    limits: &[
        "strace counts the calls of each thread: one that another thread always comes to first cannot be met, and is counted as out of \
         reach.",
        "How many commits become one is a matter of time: a run that ended before it came to its last calls was tried three times.",
        "Of redis-ha's calls a part is tried: all of them would take hours.",
    ],
    measure,
};

fn measure(bench: &Bench, part: &mut Part) {
    match power::strace() {
        Ok(true) => {}
        Ok(false) => return part.not_measured("A2", "calls killed", "all", "strace is not installed"),
        Err(why) => return part.failed(bench, "strace", &why),
    }
    let make = || Place::of(bench.shipped());
    match killed::calm(&make) {
        Ok((writes, wanted)) => {
            let (reached, all) = (writes.places.len(), writes.total);
            let cases = bench.sample("writes", writes.places, 12);
            let tried = bench.each(part, &cases, Write::name, |write| killed::one(&make, &wanted, write));
            part.all("A2", "calls of a small run at which it was to be killed", tried.len(), reached);
            ended(bench, part, &tried);
            part.told("A2", "of its calls, out of reach", (all - reached).to_string());
        }
        Err(why) => part.failed(bench, "small", &why),
    }
    match killed::all(&make(), &RUN) {
        Ok(writes) => {
            let all = writes.total;
            let cases = chosen(bench, writes.places, bench.pick(4, 600));
            let wanted = cases.len();
            let counts: Mutex<Vec<Count>> = Mutex::default();
            let name = |write: &Write| format!("redis-ha {}", write.name());
            let tried = bench.each(part, &cases, name, |write| {
                let mut count = Count::default();
                let done = redis_ha(bench, write, &mut count);
                counts.lock().unwrap_or_else(PoisonError::into_inner).push(count);
                done
            });
            part.all("A2", "calls of redis-ha at which it was to be killed, chosen by the seed", tried.len(), wanted);
            ended(bench, part, &tried);
            part.told("A2", "calls of redis-ha that change the journal", all.to_string());
            let sum = Count::sum(&counts.into_inner().unwrap_or_else(PoisonError::into_inner));
            part.zero("A2", "resources of redis-ha too much, or missing", sum.too_much + sum.missing);
            part.zero("A2", "finished effects sent again", sum.again);
        }
        Err(why) => part.failed(bench, "redis-ha", &why),
    }
    part.zero("A2", "databases damaged, records lost that had been told, other worlds", part.failures.len());
}

/// So many of them, also in a full run.
fn chosen(bench: &Bench, mut all: Vec<Write>, count: usize) -> Vec<Write> {
    let mut dice = bench.dice("writes of redis-ha");
    let mut some = Vec::new();
    while some.len() < count && !all.is_empty() {
        some.push(all.swap_remove(dice.up_to(all.len() as u64) as usize));
    }
    some
}

fn redis_ha(bench: &Bench, write: &Write, count: &mut Count) -> Result<bool, String> {
    let Some(place) = killed::kill(|| Place::of(bench.shipped()), &RUN, write)? else { return Ok(false) };
    trial::go_on(&place, calm(bench), count).map(|()| true)
}

/// Tells how many of the runs were not killed.
fn ended(bench: &Bench, part: &mut Part, killed: &[bool]) {
    let not = killed.iter().filter(|killed| !**killed).count();
    part.insist(bench, not < killed.len(), "no run came to the call at which it was to be killed");
    part.told("A2", "of these, runs that ended before they came to the call", not.to_string());
}
