//! What is fuzzed: for each target a function of any bytes, which panics when something does not hold.
//!
//! `fuzz_targets/` gives them to libFuzzer, `engine/tests/fuzzed.rs` replays the kept corpus through them. Nothing here knows which.
//!
//! * [`parser`]: a script, as `runbook check` reads it. [`params`]: a declaration, and values for it.
//! * [`journal`]: records of a journal. [`database`]: damaged bytes of a stored one.
//! * [`rehearsal`]: a rehearsal file, and what it makes of a small world. [`customer`]: a customer file.
//! * [`told`]: what holds of everything that a person is shown; [`seeds`]: what fuzzing starts from besides the corpus.

pub mod customer;
pub mod database;
pub mod journal;
pub mod params;
pub mod parser;
pub mod rehearsal;
pub mod seeds;
pub mod told;

/// A target: its name, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 6] = [
    ("parser", parser::run),
    ("params", params::run),
    ("journal", journal::run),
    ("database", database::run),
    ("rehearsal", rehearsal::run),
    ("customer", customer::run),
];
