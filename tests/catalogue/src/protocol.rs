//! A7 to A13, A19: what the sandbox cannot play, tried by the engine's own tests on a scripted target.

use std::time::Duration;

use crate::{
    Section,
    bench::Bench,
    programs::{pass, programs},
    sheet::Part,
};

/// The effect protocol.
pub const SECTION: Section = Section {
    name: "protocol",
    title: "The effect protocol on a scripted target",
    how: "The engine's own tests (engine/src/effect/tests, engine/src/run/tests) drive the effect protocol against a target that executes \
          late, forgets, refuses and lags as it is told, for every way in which a resource can be identified (token, key, both, tag, \
          repetition). The random programs come from proptest.",
    limits: &[
        "A request that is executed later than the settle time of 120 s after its process died is not prevented; it is found.",
    ],
    measure,
};

/// A promise, and the tests that hold it.
const TRIED: [(&str, &str, &str); 14] = [
    (
        "A1",
        "a death after every record, before and after what follows is sent",
        "effect::tests::crashes::one_resource_whenever_it_dies",
    ),
    (
        "A3",
        "every commit is synchronised before it is acknowledged",
        "every_commit_is_on_the_disk_before_it_is_acknowledged",
    ),
    ("A5", "answers lost in every way", "effect::tests::outcomes::a_lost_answer_makes_one_resource"),
    (
        "A7",
        "requests of a dead process executed up to 119 s later: no second one",
        "within_the_settle_time_there_is_one_and_the_run_owns_it",
    ),
    (
        "A7",
        "requests of a dead process executed just before they are sent again",
        "what_the_first_request_makes_a_moment_before_the_second_one_is_the_runs",
    ),
    (
        "A7",
        "requests of a dead process executed 130 s to 2.5 h later: what is there twice is found by the audit",
        "beyond_the_settle_time_a_second_one_is_found_by_the_audit",
    ),
    ("A8", "reads lag by 100 s, a death after every record", "effect::tests::crashes::one_resource_when_reads_lag"),
    (
        "A9",
        "tokens forgotten: resumed after 4.6 days, a death after every record",
        "one_resource_long_after_the_token_is_forgotten",
    ),
    ("A10", "the same token with other parameters stops and is named", "a_token_known_with_other_parameters_stops"),
    ("A11", "what is foreign is never taken over", "effect::tests::outcomes::what_is_foreign"),
    ("A12", "what is adopted must be what was asked for", "an_adopted_one_must_be_what_was_asked_for"),
    (
        "A12",
        "what the script sees of an adopted one, a death after every record",
        "the_script_sees_of_an_adopted_one_what_it_would_have_seen",
    ),
    ("A13", "a broken one is deleted before the next generation", "a_broken_one_is_deleted_before_the_next_generation"),
    ("A16", "undo, dead after every record, with and without lost answers", "undo::tests::"),
];

fn measure(bench: &Bench, part: &mut Part) {
    for (id, what, filter) in TRIED {
        let program = if id == "A3" { "runbook_state" } else { "runbook_engine" };
        let tried =
            bench.each(part, &[filter], |filter| (*filter).to_owned(), |filter| pass(bench, (program, *filter)));
        let passed = tried.iter().sum::<usize>();
        part.all(id, &format!("{what} (tests)"), passed, passed.max(1));
    }
    random(bench, part);
}

fn random(bench: &Bench, part: &mut Part) {
    let full = 10_000;
    let cases = bench.pick(100, full);
    for (what, filter) in [
        ("random programs of creations, faults and deaths", "effect::tests::random::"),
        ("random scripts of steps, branches, retries and deaths", "run::tests::random::"),
    ] {
        let tried = bench.each(
            part,
            &[filter],
            |filter| (*filter).to_owned(),
            |filter| {
                let environment = [("RUNBOOK_CASES", cases.to_string())];
                let environment: Vec<(&str, &str)> =
                    environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
                let ran =
                    programs(bench).run(bench, ("runbook_engine", filter), &environment, Duration::from_secs(3600));
                ran.failed.map_or(Ok(cases), |test| {
                    Err(format!("{test}: RUNBOOK_CASES={cases} cargo test -p runbook-engine {filter}"))
                })
            },
        );
        part.at_least("A19", what, tried.iter().sum(), full);
    }
    part.zero("A19", "programs whose end is not the model's", part.failures.len());
}
