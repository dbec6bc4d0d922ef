//! C10: the threads of a run in orders that dice choose.

use std::process::Stdio;

use crate::{
    Section,
    bench::{Bench, cargo},
    sheet::Part,
};

/// Orders of threads.
pub const SECTION: Section = Section {
    name: "schedules",
    title: "Threads in any order",
    how: "The engine and the store are built with the threads, locks and channels of shuttle, which runs one thread at a time and rolls dice \
          at each lock, send and wait. Six scenes are played in many orders: branches side by side; one of them fails and the run is gone on \
          with; a wish to park at any moment; a lease that is taken over while its holder writes; writers that wait for their commits and \
          writers that do not; sleepers on the simulated clock. Each order must come to an end, do the same things, take the same \
          simulated time, and do nothing twice. The test is engine/src/run/tests/schedules.rs.",
    limits: &[
        "The orders are chosen at random with a fixed seed, not all of them; memory is sequentially consistent in all of them.",
        "A time that is waited for may be over at any moment. SQLite, the script language and the AWS SDK have threads and locks of their own, \
         which are not played.",
    ],
    measure,
};

fn measure(bench: &Bench, part: &mut Part) {
    let each = bench.pick(300, 20_000);
    let mut command = cargo("test");
    bench.optimise(&mut command);
    command.args([
        "--quiet",
        "--package",
        "runbook-engine",
        "--no-default-features",
        "--features",
        "schedules",
        "--lib",
    ]);
    command.arg("--target-dir").arg(bench.folder()).args(["--", "run::tests::schedules"]);
    let played =
        command.env("RUNBOOK_SCHEDULES", each.to_string()).stdin(Stdio::null()).output().expect("cargo starts");
    let text = String::from_utf8_lossy(&played.stdout);
    // `test result: ok. 6 passed; 0 failed; …`
    let count = |what: &str| {
        let words: Vec<&str> = text.lines().find(|line| line.starts_with("test result:"))?.split_whitespace().collect();
        let at = words.iter().position(|word| word.starts_with(what))?;
        words.get(at.checked_sub(1)?)?.parse::<usize>().ok()
    };
    let (held, broken) = (count("passed").unwrap_or(0), count("failed").unwrap_or(1));
    part.all("C10", "scenes that hold in every order", held, 6);
    part.at_least("C10", "orders played", held * each, if bench.full() { 100_000 } else { 1_800 });
    if broken > 0 || held == 0 {
        part.failed(bench, "schedules", &format!("{text}\n{}", String::from_utf8_lossy(&played.stderr)));
    }
}
