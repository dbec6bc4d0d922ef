//! The catalogue of reliability: what the program promises, tried at every point, and the figures of it.
//!
//! ```text
//! cargo catalogue                      a stratified sample with a fixed seed, at most ten minutes on two cores
//! cargo catalogue --full               everything; writes RELIABILITY.md
//! cargo catalogue --only crash,undo    some sections; with --full only their part of RELIABILITY.md is written anew
//! cargo catalogue --only crash --case 'before done redis1/network/vpc#0.0'     one case: what every failure prints
//! cargo catalogue --list               the sections
//! ```
//!
//! Also `--seed N`, `--workers N` (trials side by side; 2) and `--tested` (the engine's own tests have been run, and are not run
//! again). Exit code 1: a figure missed its target.
//!
//! * [`sheet`]: figures, targets, and the page they are written to.
//! * [`bench`]: size, seed, cases side by side, the two builds of the program.
//! * [`programs`]: the engine's own tests, with and without a seeded fault.
//! * A section is a file with a `SECTION`; the list below is all that knows it. [`trial`]: redis-ha disturbed, resumed and compared.

#![expect(clippy::print_stderr, reason = "failures and progress")]

mod answers;
mod bench;
mod changed;
mod clocks;
mod cluster;
mod crash;
mod ghosts;
#[path = "../../e2e/harness.rs"]
#[expect(dead_code, reason = "the end-to-end tests use the rest of it")]
mod harness;
mod load;
mod mutants;
mod network;
mod programs;
mod protocol;
mod running;
mod schedules;
mod seen;
mod several;
mod sheet;
mod sheet_text;
mod shifted;
mod signals;
mod stopped;
mod storage;
mod testbed;
mod trial;
#[path = "../../trials/mod.rs"]
mod trials;
mod trust;
mod undo;
mod wedges;
mod writes;

use std::process::ExitCode;

use bench::{Bench, Options};
use sheet::Part;

/// A part of the catalogue.
pub struct Section {
    /// The word that selects it.
    pub name: &'static str,
    /// Its heading on the sheet.
    pub title: &'static str,
    /// What is done, and how it is counted: one paragraph for the sheet.
    pub how: &'static str,
    /// What its figures do not say; printed beside them.
    pub limits: &'static [&'static str],
    /// Measures.
    pub measure: fn(&Bench, &mut Part),
}

/// In the order of the sheet.
const SECTIONS: &[Section] = &[
    crash::SECTION,
    crash::COMMITS,
    crash::AGAIN,
    answers::SECTION,
    ghosts::SECTION,
    ghosts::UNDONE,
    several::SECTION,
    undo::SECTION,
    wedges::SECTION,
    protocol::SECTION,
    writes::SECTION,
    storage::POWER,
    storage::DISK,
    storage::OLDER,
    storage::LEASES,
    stopped::SECTION,
    signals::SECTION,
    clocks::SECTION,
    schedules::SECTION,
    load::LARGE,
    load::SAME,
    trust::EDITS,
    changed::SURROUNDINGS,
    changed::BUILDS,
    trust::AUDIT,
    trust::SECRETS,
    trust::ATTACKS,
    network::SECTION,
    cluster::SECTION,
    mutants::SECTION,
];

/// Those that run tests of cargo test and nothing else, as they are or in a build of their own.
const OF_TESTS: [&str; 5] = [
    protocol::SECTION.name,
    schedules::SECTION.name,
    network::SECTION.name,
    cluster::SECTION.name,
    mutants::SECTION.name,
];

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    if options.list {
        for section in SECTIONS {
            eprintln!("{:12} {}", section.name, section.title);
        }
        return ExitCode::SUCCESS;
    }
    if let Some(unknown) = options.only.iter().find(|name| SECTIONS.iter().all(|section| section.name != **name)) {
        eprintln!("there is no section {unknown}; --list tells them");
        return ExitCode::from(2);
    }
    let bench = Bench::new(options);
    let mut parts = Vec::new();
    let mut written = None;
    let left_out = |section: &Section| bench.tested() && OF_TESTS.contains(&section.name);
    for section in SECTIONS.iter().filter(|section| bench.wanted(section.name) && !left_out(section)) {
        eprintln!("== {}: {}", section.name, section.title);
        let mut part = Part::new(section, bench.full());
        (section.measure)(&bench, &mut part);
        part.end();
        parts.push(part);
        // A run that is broken off leaves what it has measured.
        match sheet_text::write(&bench, &parts) {
            Ok(sheet) => written = sheet,
            Err(why) => {
                eprintln!("the sheet could not be written: {why}");
                return ExitCode::FAILURE;
            }
        }
    }
    if let Some(sheet) = written {
        eprintln!("the sheet: {}", sheet.display());
    }
    let missed = parts.iter().map(Part::missed).sum::<usize>();
    if missed == 0 {
        return ExitCode::SUCCESS;
    }
    eprintln!("{missed} figures missed their target, seed {}", bench.seed());
    ExitCode::FAILURE
}
