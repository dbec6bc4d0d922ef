//! What a binding may ask of the runner: the time, a wait, the value behind a secret's placeholder, and to be heard.

use std::time::Duration;

use serde_json::Value;

/// The wait was ended early, because the run is being parked or stopped, or another branch failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the wait was ended early")]
pub struct Interrupted;

/// A target's clock: wall time for a live target, simulated time for the sandbox.
pub trait Clock: Send + Sync {
    /// Milliseconds since the Unix epoch, in the target's time.
    fn now_ms(&self) -> i64;

    /// Waits in the target's time.
    ///
    /// # Errors
    /// [`Interrupted`] when the run is parked or stopped before the time is over.
    fn sleep(&self, how_long: Duration) -> Result<(), Interrupted>;
}

/// The runner, as seen by a binding.
pub trait Host: Send + Sync {
    /// The target's clock. It belongs to the calling branch: its `sleep` ends early when this branch must stop.
    fn clock(&self) -> &dyn Clock;

    /// Puts the values of secrets in place of their placeholders, in parsed leaves only. For the last hop of a live call.
    ///
    /// # Errors
    /// A sentence naming the field when a placeholder is broken or its secret unknown.
    fn reveal(&self, value: &Value) -> Result<Value, String>;

    /// Says what the call is waiting for, e.g. `redis1-demo-cluster is CREATING`. Shown, not kept.
    fn progress(&self, text: &str);
}
