//! Drives a run to its outcome.
//!
//! * [`script`]: the Rhai host: what a script can say, limits, parameters, secrets, errors with file, line and caret.
//! * [`run`]: one open run: scopes, steps, branches, checks, decisions, replay, the clock, cancelling.
//! * [`effect`]: the effect protocol: intent, call, outcome, resolve, wait (idempotency.md §2).
//! * [`undo`]: deleting the inventory; verifying it.
//! * [`event`]: what happened, for the terminal tree, NDJSON and `show` alike.
//! * [`bug`]: where a panic happened.
//! * [`error`]: failures a script can catch, and stops that it cannot.
//! * [`plan`]: the rehearsal of a whole run, and what it tells.
//! * [`targets`]: all bindings, and the target that a run goes to.
//! * [`cli`]: arguments in, text and exit code out; [`ui`] draws the events.

pub mod bug;
pub mod cli;
pub mod effect;
pub mod error;
pub mod event;
pub mod plan;
pub mod run;
pub mod script;
pub mod targets;
pub mod ui;
pub mod undo;
