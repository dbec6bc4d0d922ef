//! The budgets of the design that need no other program, measured as ratios within one run.
//!
//! ```text
//! cargo bench -p runbook --bench budgets --no-default-features
//! ```
//!
//! Without `--no-default-features` the AWS SDK is built too, which takes long and changes no figure here. Ratios are of trimmed means;
//! a durable step is measured in turn with a bare SQLite commit on the same file system, so that a busy machine slows
//! both. Nothing is asserted: a time is no test. Names of parts as arguments (`-- store steps branches resuming
//! program`) choose what is measured.
//!
//! * `measure`: samples, the bare commit, the table.
//! * `store`: the journal alone.
//! * `engine`: steps, effects and branches as the engine drives them.
//! * `program`: the built program, seen from outside.

mod engine;
mod measure;
mod program;
mod store;

use std::io::Write;

use measure::Table;

/// A part of the measurement, by the name that selects it.
type Part = (&'static str, fn(&mut Table));

fn main() -> std::io::Result<()> {
    let (flags, names): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    let mut out = std::io::stdout().lock();
    if !flags.iter().any(|flag| flag == "--bench") {
        return writeln!(out, "budgets are measured with cargo bench");
    }
    let mut table = Table::default();
    let parts: [Part; 5] = [
        ("store", store::measure),
        ("steps", engine::measure),
        ("branches", engine::branches),
        ("resuming", engine::resuming),
        ("program", program::measure),
    ];
    for (name, part) in parts {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            part(&mut table);
        }
    }
    write!(out, "{table}")
}
