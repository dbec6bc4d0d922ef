//! The exit codes: the whole list, and what each stop maps to.

use std::process::ExitCode;

use runbook_state::record::Ending;

/// What the program's exit code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All went well.
    Ok = 0,
    /// A step failed.
    Failed = 1,
    /// Usage, parameters or the script are wrong; nothing happened.
    Usage = 2,
    /// The run waits for an approval.
    Waiting = 3,
    /// The run was parked or interrupted.
    Parked = 4,
    /// Another process drives the run.
    Held = 5,
    /// A person must decide: an unknown outcome, a changed script.
    Decide = 6,
    /// Undo is stuck: something is left.
    Stuck = 7,
    /// The world differs from the inventory.
    Drift = 8,
    /// The store cannot be used: newer, damaged, disk full.
    Store = 9,
    /// The credentials no longer work.
    Credentials = 10,
    /// A mistake in the program itself.
    Bug = 70,
}

/// Every code with its sentence, for `runbook help exit-codes` and the documentation.
pub const ALL: [(Exit, &str); 12] = [
    (Exit::Ok, "all went well"),
    (Exit::Failed, "a step failed; the run is kept and can be resumed"),
    (Exit::Usage, "usage, parameters or the script are wrong; nothing happened"),
    (Exit::Waiting, "the run waits for an approval"),
    (Exit::Parked, "the run was parked or interrupted; it can be resumed"),
    (Exit::Held, "another process drives the run"),
    (Exit::Decide, "a person must decide: an unknown outcome, a changed script"),
    (Exit::Stuck, "undo is stuck: something is left"),
    (Exit::Drift, "the world differs from the inventory"),
    (Exit::Store, "the store cannot be used: written by a newer program, damaged, disk full"),
    (Exit::Credentials, "the credentials no longer work; the run is parked and can be resumed with fresh ones"),
    (Exit::Bug, "a mistake in runbook itself; nothing recorded is lost"),
];

impl Exit {
    /// The code of an ending.
    pub fn of(ending: &Ending) -> Self {
        match ending {
            Ending::Finished | Ending::Undone => Self::Ok,
            Ending::Failed { .. } => Self::Failed,
            Ending::Parked { .. } => Self::Parked,
            Ending::Waiting { .. } => Self::Waiting,
            Ending::Stopped { .. } => Self::Decide,
            Ending::Stuck { .. } => Self::Stuck,
        }
    }

    /// The code of a failure outside any run, by its number's range.
    pub fn of_code(code: &str) -> Self {
        match code.get(..4) {
            Some("RB06") => Self::Store,
            Some("RB09") => Self::Bug,
            Some("RB04" | "RB05" | "RB08") => Self::Failed,
            Some("RB03") => Self::Decide,
            _ => Self::Usage,
        }
    }

    /// For the system.
    pub fn code(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}

/// The list as text.
pub fn list() -> String {
    let lines = ALL.iter().map(|(exit, text)| format!("  {:>2}  {text}\n", *exit as u8));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_complete_and_in_order() {
        let codes: Vec<u8> = ALL.iter().map(|(exit, _)| *exit as u8).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 70]);
    }
}
