//! Wall time for a live target; simulated time for the sandbox.
//!
//! Simulated time stands still while a branch works and jumps to the earliest wake-up when all branches wait. So a run's
//! simulated length is exactly its critical path, whatever the machine. `speed` paces the jumps for people to watch;
//! without it they take no time.
//!
//! * `wall`: [`WallClock`], which trials let run faster ([`Scale`]); `sim`: [`SimClock`].

mod sim;
#[cfg(test)]
mod tests;
mod wall;

use std::{sync::Arc, time::Duration};

use runbook_modules::host::Interrupted;

pub use self::{
    sim::SimClock,
    wall::{Scale, WallClock},
};

/// The target's time for all branches.
pub trait Time: Send + Sync {
    /// Whether it is simulated.
    fn simulated(&self) -> bool;

    /// Simulated time per real time, when it is paced.
    fn speed(&self) -> Option<f64> {
        None
    }

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

    /// Simulated time does not run backwards over several processes: it goes on from here at the earliest.
    fn not_before(&self, ms: i64) {
        let _ = ms;
    }
}

/// A thread that works under a clock, from [`Working::begin`] until it is dropped, a panic included.
pub struct Working {
    time: Arc<dyn Time>,
}

impl Working {
    /// This thread begins to work.
    pub fn begin(time: &Arc<dyn Time>) -> Self {
        time.enter();
        Self { time: time.clone() }
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.time.leave();
    }
}

/// Wall time, milliseconds since the Unix epoch. The only place that asks the system for it.
pub fn wall_ms() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the one place")]
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}
