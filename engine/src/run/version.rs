//! Under which script and which parameters a step was finished.
//!
//! A finished step may be kept without a look only while both are still the same. A `resume --edited` (or `-p`) that is killed
//! half-way leaves steps of both kinds behind: each is compared from where it came, however many edits lie between.

use std::sync::Arc;

use runbook_state::store::{self, File};

/// What was in force when a step was last met.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The digest of all files of the script; None in journals of programs that did not write it down.
    pub script: Option<Arc<str>>,
    /// How many times the parameters had been written down.
    pub params: u32,
}

/// The digest of a script: of the names and contents of all its files, in their order.
pub fn of(files: &[File]) -> Arc<str> {
    store::version(files).into()
}
