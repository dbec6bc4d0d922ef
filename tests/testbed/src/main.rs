//! Brings a testbed up that stands until it is taken down, tells where it is, and takes it down. `tests/testbed/up` and
//! `tests/testbed/down` call it; the tests start parts of their own.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what it says to people and shells")]

mod standing;

use std::process::ExitCode;

const USAGE: &str = "testbed up | serve | status | down";

fn main() -> ExitCode {
    let done = match std::env::args().nth(1).as_deref() {
        Some("up") => standing::up(),
        Some("serve") => standing::serve(),
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
