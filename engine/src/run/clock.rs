//! Wall time for a live target; simulated time for the sandbox.
//!
//! Simulated time stands still while a branch works and jumps to the earliest wake-up when all branches wait. So a run's
//! simulated length is exactly its critical path, whatever the machine. `speed` paces the jumps for people to watch;
//! without it they take no time.

use std::time::Duration;

use runbook_modules::host::Interrupted;

/// The target's time for all branches.
pub trait Time: Send + Sync {
    /// Whether it is simulated.
    fn simulated(&self) -> bool;

    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> i64;

    /// Waits; `stop` is asked now and then and at every wake-up.
    ///
    /// # Errors
    /// [`Interrupted`] as soon as `stop` says so.
    fn sleep(&self, how_long: Duration, stop: &dyn Fn() -> bool) -> Result<(), Interrupted>;

    /// A thread begins to work under this clock.
    fn enter(&self);

    /// A thread no longer works under it (it ended, or waits for other threads).
    fn leave(&self);

    /// Something that `stop` looks at has changed: sleepers look again at once.
    fn nudge(&self);
}

/// Wall time, milliseconds since the Unix epoch. The only place that asks the system for it.
pub fn wall_ms() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the one place")]
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}
