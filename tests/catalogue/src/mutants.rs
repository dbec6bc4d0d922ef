//! The mutation gate: faults seeded into our own engine, each of which some test must find. A catalogue that finds none proves nothing.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{
    Section,
    bench::Bench,
    programs::{CATALOGUE, Ran, Tests, programs},
    sheet::Part,
};

/// The gate.
pub const SECTION: Section = Section {
    name: "mutants",
    title: "Faults of our own",
    how: "The tests are built once with the feature `mutants`; then each seeded fault is switched on alone and the tests that should find it \
          are run until one fails. Killed means that a named test failed, or that it did not end in its time; first all of these tests must \
          pass without a fault.",
    limits: &[
        "The SDK's own retries are live code, whose tests are not built here: no fault is seeded there. With the retries switched on by \
         hand, modules/aws's `the_sdk_sends_nothing_again_by_itself` and tests/e2e's \
         `a_creation_without_an_answer_is_looked_for_before_it_is_sent_again` fail (2026-11-23).",
    ],
    measure,
};

/// A seeded fault, and the tests that should find it.
struct Mutant {
    /// As `mutant!` names it.
    name: &'static str,
    /// Test programs and filters, the likeliest first.
    tests: &'static [Tests],
}

const fn mutant(name: &'static str, tests: &'static [Tests]) -> Mutant {
    Mutant { name, tests }
}

const ENGINE: &str = "runbook_engine";
const STORE: &str = "runbook_state";
const EFFECTS: Tests = (ENGINE, "effect::");
const RUN: Tests = (ENGINE, "run::");
const UNDO: Tests = (ENGINE, "undo::");
const SCRIPT: Tests = (ENGINE, "script::");
const STATE: Tests = (STORE, "");
/// Sections of this catalogue itself.
const CRASH: Tests = (CATALOGUE, "crash");

/// Those whose switching off the promise cannot survive: their killer is named on the sheet by itself.
const PILLARS: [(&str, &str); 4] = [
    ("no-intent", "the intent record"),
    ("random-token", "the derived token"),
    ("no-fence", "the fence"),
    ("synchronous-off", "synchronous=FULL"),
];

const MUTANTS: &[Mutant] = &[
    mutant("no-intent", &[(ENGINE, "nothing_is_sent_before_its_intent_is_written"), EFFECTS, CRASH]),
    mutant("commits-not-awaited", &[(ENGINE, "one_resource_whenever_it_dies"), EFFECTS]),
    mutant("random-token", &[(ENGINE, "the_token_is_the_same_after_a_crash"), EFFECTS, CRASH]),
    mutant("token-without-step", &[(ENGINE, "every_part_counts_and_none_runs_into_the_next"), EFFECTS, CRASH]),
    mutant("skip-look-up", &[(ENGINE, "one_resource_whenever_it_dies"), EFFECTS, CRASH]),
    mutant("resend-not-noted", &[(ENGINE, "one_resource_when_it_is_sent_long_after_its_intent"), EFFECTS]),
    mutant("token-from-last-send", &[(ENGINE, "one_resource_when_it_is_sent_long_after_its_intent"), EFFECTS]),
    mutant("settle-skipped", &[(ENGINE, "that_is_executed_later_makes_no_second_one"), EFFECTS]),
    mutant("one-miss", &[EFFECTS]),
    mutant("lost-answer-is-no-answer", &[EFFECTS, CRASH]),
    mutant("journal-taken-for-whole", &[(ENGINE, "effect::tests::older::"), EFFECTS]),
    mutant("clock-trusted", &[(ENGINE, "effect::tests::clock::"), EFFECTS]),
    mutant("adopts-foreign", &[(ENGINE, "what_is_foreign_is_never_taken_over"), EFFECTS]),
    mutant("adopts-unverified", &[EFFECTS]),
    mutant("adopted-as-found", &[(ENGINE, "the_script_sees_of_an_adopted_one_what_it_would_have_seen"), EFFECTS]),
    mutant(
        "met-not-looked-for",
        &[(ENGINE, "what_the_first_request_makes_a_moment_before_the_second_one_is_the_runs"), EFFECTS],
    ),
    mutant("retired-is-owned", &[(ENGINE, "beyond_the_settle_time_a_second_one_is_found_by_the_audit"), EFFECTS]),
    mutant("ready-not-awaited", &[EFFECTS]),
    mutant("remains-forgotten", &[(ENGINE, "a_broken_one_is_deleted_before_the_next_generation"), EFFECTS]),
    mutant("shared-is-ours", &[EFFECTS, UNDO]),
    mutant("exec-repeated", &[EFFECTS]),
    mutant("request-not-compared", &[EFFECTS, RUN]),
    mutant("digest-ignores-a-field", &[EFFECTS, RUN]),
    mutant("no-redaction", &[EFFECTS, RUN]),
    mutant("no-checksum", &[RUN]),
    mutant("sealed-in-clear", &[(ENGINE, "a_sealed_value_opens_only_for_its_run_name_and_key"), RUN]),
    mutant("prior-forgotten", &[EFFECTS, UNDO]),
    mutant(
        "puts-back-over-others",
        &[(ENGINE, "what_stood_there_is_put_back_unless_somebody_else_changed_it"), EFFECTS, UNDO],
    ),
    mutant("puts-back-again", &[(ENGINE, "it_is_put_back_once_whenever_the_process_dies"), EFFECTS, UNDO]),
    mutant("not-found-is-gone", &[EFFECTS, UNDO]),
    mutant("gone-not-awaited", &[(ENGINE, "undo::tests::everything_is_gone_whenever_the_process_dies"), EFFECTS, UNDO]),
    mutant("blocked-is-gone", &[EFFECTS, UNDO]),
    mutant("undo-in-creation-order", &[UNDO]),
    mutant("undo-ignores-parents", &[UNDO]),
    mutant("undo-deletes-shared", &[UNDO]),
    mutant("finished-step-again", &[(ENGINE, "a_finished_step_answers_and_its_body_does_not_run"), RUN]),
    mutant("caught-failure-again", &[RUN]),
    mutant("reads-again", &[RUN, EFFECTS]),
    mutant("caught-read-again", &[RUN, EFFECTS]),
    mutant("captures-not-compared", &[RUN]),
    mutant("resume-uses-the-edited-script", &[(ENGINE, "the_runs_own_copy_is_gone_on_with")]),
    mutant("edits-not-compared", &[RUN, SCRIPT]),
    mutant("branches-begin-after-a-failure", &[RUN]),
    mutant("no-account-guard", &[RUN, EFFECTS]),
    mutant("not-confined", &[SCRIPT]),
    mutant("links-followed", &[SCRIPT]),
    mutant("no-fence", &[(STORE, "a_dead_holder_is_taken_over_and_can_write_no_more"), STATE]),
    mutant("lease-not-checked", &[STATE]),
    mutant("sends-without-the-lease", &[(ENGINE, "who_was_stopped_for_long_looks_before_it_sends"), RUN]),
    mutant("pid-alone", &[STATE]),
    mutant("chain-not-verified", &[STATE]),
    mutant("end-not-verified", &[STATE]),
    mutant("synchronous-off", &[STATE]),
    mutant("commit-retried", &[(STORE, "after_a_disk_error_nothing_is_written_any_more"), STATE]),
    mutant("newer-schema-opened", &[STATE]),
    mutant("foreign-database-opened", &[STATE]),
    mutant("loose-modes-left", &[STATE]),
];

/// No test of these takes longer, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// What became of a mutant.
struct Fate {
    name: &'static str,
    /// The test that failed; None: it lives.
    killer: Option<String>,
}

fn measure(bench: &Bench, part: &mut Part) {
    let programs = programs(bench);
    let run = |tests: Tests, mutant: &str| {
        let environment = [("RUNBOOK_MUTANT", mutant), ("RUNBOOK_TRIALS", "4")];
        programs.run(bench, tests, &environment, PATIENCE)
    };
    let mutants: Vec<&Mutant> = MUTANTS.iter().collect();
    let sample = bench.sample("mutants", mutants, 25);
    let mut used: Vec<Tests> = sample.iter().filter_map(|mutant| mutant.tests.first()).copied().collect();
    used.sort_unstable();
    used.dedup();
    let sound = bench.each(
        part,
        &used,
        |(program, filter)| format!("{program} {filter}"),
        |tests| match run(*tests, "") {
            Ran { failed: Some(test), .. } => Err(format!("{test} fails without any fault")),
            Ran { passed: 0, .. } => Err("no test is of that name: it would find nothing".to_owned()),
            Ran { .. } => Ok(()),
        },
    );
    if bench.case().is_none() {
        part.all("gate", "groups of tests that pass without a fault", sound.len(), used.len());
    }
    let fates = Mutex::new(Vec::new());
    let killed = bench.each(
        part,
        &sample,
        |mutant| mutant.name.to_owned(),
        |mutant| {
            let killer = mutant.tests.iter().find_map(|tests| run(*tests, mutant.name).failed);
            let lives = killer.is_none();
            fates.lock().unwrap_or_else(PoisonError::into_inner).push(Fate { name: mutant.name, killer });
            if lives { Err(format!("no test finds {}", mutant.name)) } else { Ok(()) }
        },
    );
    part.all("gate", "mutants killed", killed.len(), MUTANTS.len());
    part.at_least("gate", "mutants killed, of the 25 that must be", killed.len(), 25);
    let mut fates = fates.into_inner().unwrap_or_else(PoisonError::into_inner);
    fates.sort_by_key(|fate| fate.name);
    for (name, what) in PILLARS {
        if let Some(fate) = fates.iter().find(|fate| fate.name == name) {
            part.named("gate", &format!("the test that fails without {what}"), fate.killer.as_deref());
        }
    }
    for Fate { name, killer } in fates {
        let fate = killer.map_or_else(|| "lives".to_owned(), |test| format!("killed by `{test}`"));
        part.told("gate", &format!("`{name}`"), fate);
    }
}
