//! Tests of the rules of a run, with a store in memory, simulated time and a make-believe cloud.
//!
//! `bed` is the test bed; one file for each set of rules.

mod bed;
mod branches;
mod checks;
mod crashes;
mod decisions;
mod edited;
mod known;
mod random;
#[cfg(feature = "schedules")]
mod schedules;
mod steps;
mod told_again;
