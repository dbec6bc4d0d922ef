//! One open run. Rhai-free: a step's body is a Rust closure, so that the rules can be tested without a script.
//!
//! * [`session`]: what all branches share.
//! * [`scope`]: where in the run a thread is: step key, attempt, ordinals.
//! * [`history`]: the journal in memory, as replay asks for it.
//! * `step`: steps, retries, replay, matching mode.
//! * [`retry`]: retry policies and durations.
//! * `parallel`: branches.
//! * `check`, `decide`, `approve`: checks, recorded decisions, approvals.
//! * [`cancel`]: parking and stopping.
//! * [`clock`]: wall time and simulated time.
//! * [`vault`]: secrets: placeholders, sealed values.
//! * [`guard`]: whose account, and as whom.
//! * [`held`]: when the lease was last seen to be ours.
//! * [`drive`]: opens a run, drives it, and ends it.

pub mod approve;
pub mod cancel;
pub mod check;
pub mod clock;
pub mod decide;
pub mod drive;
pub mod guard;
pub mod held;
pub mod history;
pub mod matching;
pub mod output;
pub mod parallel;
pub mod retry;
pub mod scope;
pub mod session;
pub mod step;
pub mod vault;
pub mod version;

#[cfg(test)]
mod tests;
