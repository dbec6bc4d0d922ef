//! The tables of runbooks/README.md, which say of every step of a specification where the runbook does it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::Place;

const README: &str = include_str!("../../runbooks/README.md");

/// The rows of a runbook's table: steps of the specification, and where they are done or why they are not.
pub fn rows(runbook: &str) -> Vec<(&'static str, &'static str)> {
    let section = README.split(&format!("\n## {runbook}\n")).nth(1).expect("a section");
    let section = section.split("\n## ").next().expect("an end");
    section.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | ")).collect()
}

/// The step keys that a row gives. Those that end with … are no whole keys.
pub fn keys(row: &'static str) -> impl Iterator<Item = &'static str> {
    row.split('`').skip(1).step_by(2)
}

/// The whole step keys of the rows for which `of` holds.
pub fn told(runbook: &str, of: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let rows = rows(runbook).into_iter().filter(|(spec, _)| of(spec));
    rows.flat_map(|(_, row)| keys(row)).filter(|key| !key.ends_with('…')).map(str::to_owned).collect()
}

/// Insists that there is a row with a step key for every step of the specification up to `last`.
pub fn names_every_step(runbook: &str, last: u32) {
    let rows = rows(runbook);
    for number in 1..=last {
        let of_it = |spec: &str| {
            let mut parts = spec.split(", ").map(|part| part.trim_end_matches(|c: char| c.is_ascii_lowercase()));
            parts.any(|part| part == number.to_string())
        };
        let row = rows.iter().find(|(spec, row)| of_it(spec) && keys(row).next().is_some());
        assert!(row.is_some(), "no row for step {number} of {runbook}");
    }
}

/// Runs it, and gives the steps and checks that ended well.
pub fn run(place: &Place, args: &[&str]) -> BTreeSet<String> {
    let said = place.expect(0, args.iter().copied());
    let events = said.out.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
    events.filter(|e| e["event"] == "step.done").filter_map(|e| e["step"].as_str().map(str::to_owned)).collect()
}

/// Insists that all of these steps were done.
pub fn all_done(told: &BTreeSet<String>, done: &BTreeSet<String>) {
    let missing: Vec<&String> = told.difference(done).collect();
    assert!(missing.is_empty(), "told in the README, not done: {missing:#?} of {done:#?}");
}
