//! Brings a testbed up that stands until it is taken down, tells where it is, and takes it down. `tests/testbed/up` and
//! `tests/testbed/down` call it; the tests start parts of their own.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what it says to people and shells")]

mod standing;

use std::process::ExitCode;

const USAGE: &str = "testbed up [RUNBOOK [NAME=VALUE]...] | serve [RUNBOOK [NAME=VALUE]...] | status | down";

fn main() -> ExitCode {
    let about: Vec<String> = std::env::args().skip(2).collect();
    let done = match std::env::args().nth(1).as_deref() {
        Some("up") => standing::up(&about),
        Some("serve") => standing::serve(&about),
        Some("status") => standing::status(),
        Some("down") => standing::down(),
        _ => Err(format!("usage: {USAGE}")),
    };
    match done {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("testbed: {error}");
            ExitCode::FAILURE
        }
    }
}
