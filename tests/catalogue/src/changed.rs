//! D2, D6: what a run depends on changed between its crash and its resume, or another build of the program began it.

use crate::{
    Section,
    bench::Bench,
    harness::Place,
    programs::passing,
    sheet::Part,
    trials::{between, binaries},
};

/// D2.
pub const SURROUNDINGS: Section = Section {
    name: "between",
    title: "What a run depends on is another when it is resumed",
    how: "A run with a module, a data file, a rehearsal, a customer file, parameters and a secret is killed after one of its calls; then one of \
          these is edited, taken away or replaced, or the resume has another folder, key, home, region, profile, account's keys, \
          kubeconfig, language, time zone or user around it. It must stop with the name of what differs and nothing sent, and go on once \
          that is taken back; or answer out of what it has kept, with the end of the undisturbed run, field by field. That another account, \
          region, endpoint or API server behind a context of the kubeconfig is refused is tried by the engine's own tests.",
    limits: &[
        "A script reads neither environment nor files but those that it names; they are stored with the run before it begins.",
        "A context of the kubeconfig is known by the address of its API server: another cluster behind the same address is noticed by its \
         certificate alone.",
    ],
    measure: surroundings,
};

/// D6.
pub const BUILDS: Section = Section {
    name: "builds",
    title: "Another build of the program began the run",
    how: "The journal of a broken-off run is written anew, as another build would have written it: with bindings that this one does not have or \
          calls otherwise, whose effects are finished or unresolved, with results of another shape, other digests, fewer parameters, \
          another description of the target. It is shown, gone on with, verified and undone: each ends well, or with the name of what is \
          missing, and without a panic. The journals of earlier versions (tests/journals) are carried on by tests/e2e/journals.rs.",
    limits: &["The other builds are made up: one released version stands in tests/journals."],
    measure: builds,
};

/// The engine's own tests of whom a run belongs to.
const GUARDS: [&str; 3] = [
    "another_account_is_refused_before_anything_is_written",
    "another_identity_goes_on_until_the_run_has_made_a_cluster",
    "a_context_that_names_another_api_server_is_refused_and_named",
];

fn surroundings(bench: &Bench, part: &mut Part) {
    let make = || Place::of(bench.shipped());
    let calm = match between::calm(&make) {
        Ok(calm) => calm,
        Err(why) => return part.failed(bench, "calm", &why),
    };
    let cases: Vec<(usize, &between::Change)> =
        between::CHANGES.iter().flat_map(|change| (1..between::CALLS).map(move |n| (n, change))).collect();
    let name = |(n, change): &(usize, &between::Change)| format!("{}, after call {n}", change.name);
    let taken = bench.each(part, &cases, name, |(n, change)| between::one(&make, &calm, *n, change));
    part.all("D2", "changes between a crash and the resume", taken.len(), cases.len());
    let of = |verdict| taken.iter().filter(|taken| **taken == verdict).count().to_string();
    part.told("D2", "of these, stopped with the name of what differs", of(between::Taken::Stopped));
    part.told("D2", "of these, answered out of what the run had kept", of(between::Taken::Kept));
    part.zero("D2", "changes that were accepted without a word", cases.len() - taken.len());
    let guards = GUARDS.map(|filter| ("runbook_engine", filter));
    passing(bench, part, "D2", "tests of another account, region, endpoint, identity, API server", &guards);
}

fn builds(bench: &Bench, part: &mut Part) {
    let make = || Place::of(bench.shipped());
    let cases: Vec<&binaries::Other> = binaries::OTHERS.iter().collect();
    let taken = bench.each(part, &cases, |other| other.name.to_owned(), |other| binaries::one(&make, other));
    part.all("D6", "differences of another build", taken.len(), binaries::OTHERS.len());
    let of = |verdict| taken.iter().filter(|taken| **taken == verdict).count().to_string();
    part.told("D6", "of these, gone on with to the end", of(binaries::Taken::Finished));
    part.told("D6", "of these, stopped with the name of what is missing", of(binaries::Taken::Stopped));
    part.zero("D6", "panics, ends without the name, other worlds", cases.len() - taken.len());
}
