//! C7: the wall clock is put forward and back.

use crate::{
    Section,
    bench::Bench,
    harness::Place,
    programs::passing,
    sheet::Part,
    shifted::{self, CALLS, SHIFTS, When},
};

/// C7.
pub const SECTION: Section = Section {
    name: "clocks",
    title: "The clock is put",
    how: "libfaketime puts the wall clock of the built program forward by an hour, a day and ten years, and back by an hour, a day and a year: \
          while a run waits, between its death after one of its calls and its resume, and for other processes that want to resume or \
          undo it while it works. A pause must take the time that it takes; who wants the run of a living process must be refused; each \
          request must be executed once; the run must be shown, verified and undone afterwards, the clock right again. Waits on a live \
          target, and what is still under way when the clock was put back, are tried by the engine's own tests.",
    limits: &[
        "Summer time and leap seconds are none to the program: all times are UTC, and a leap second is a clock put back by one.",
        "A holder on another host is judged by its heartbeat and this machine's clock: to one that is a minute ahead a living holder \
         looks dead. What it then writes is refused (C2).",
    ],
    measure,
};

/// The engine's and the store's own tests of time.
const TESTS: [(&str, &str); 4] = [
    ("runbook_engine", "effect::tests::clock::"),
    ("runbook_engine", "a_clock_that_is_put_back_does_not_stop_time"),
    ("runbook_engine", "time_goes_on_from_an_earlier_process"),
    ("runbook_state", "another_host_is_judged_by_its_heartbeat"),
];

fn measure(bench: &Bench, part: &mut Part) {
    match shifted::library() {
        Some(library) => {
            let make = || Place::of(bench.shipped());
            let mut all: Vec<(&str, When)> = Vec::new();
            for shift in SHIFTS {
                all.extend([(shift, When::Waiting), (shift, When::Wanted)]);
                all.extend((1..=CALLS).map(|n| (shift, When::Crashed(n))));
            }
            let total = all.len();
            let cases = bench.sample("clocks", all, 12);
            let name = |(shift, when): &(&str, When)| format!("{shift} {when:?}");
            let tried = bench
                .each(part, &cases, name, |(shift, when)| shifted::one(&make, &library, shift, *when).map(|()| *when));
            part.all("C7", "clocks put while a run waits, after its death, before others want it", tried.len(), total);
            let of = |wanted: When| tried.iter().filter(|when| **when == wanted).count().to_string();
            part.told("C7", "of these, waits that took their time", of(When::Waiting));
            part.told("C7", "of these, living runs that others were refused", of(When::Wanted));
            part.zero("C7", "wrong waits, stolen leases, requests executed twice, hangs", cases.len() - tried.len());
        }
        None => part.not_measured("C7", "clocks put", "all", "libfaketime is not installed (apt-get install faketime)"),
    }
    passing(bench, part, "C7", "tests of time", &TESTS);
}
