//! When the lease was last seen to be ours. A process that was stopped, or whose machine slept, may have lost it meanwhile: before
//! it sends anything it looks again.

use std::time::{Duration, Instant};

use runbook_seeded::sync::{Mutex, MutexGuard, PoisonError};

use super::clock::wall_ms;

/// What was seen longer ago does not count. A commit and what is sent after it lie far closer together, and a lease is taken from a
/// living process only after a minute without a heartbeat.
const LONG: Duration = Duration::from_secs(2);

/// A moment, by what has passed and by the system's clock: the one stands still while the machine sleeps, the other may be put.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    passed: Instant,
    wall_ms: i64,
}

impl Moment {
    /// This one.
    pub fn now() -> Self {
        Self { passed: Instant::now(), wall_ms: wall_ms() }
    }
}

/// When the lease was last seen to be ours, by any branch.
pub struct Held(Mutex<Moment>);

impl Default for Held {
    fn default() -> Self {
        Self(Mutex::new(Moment::now()))
    }
}

impl Held {
    /// It was ours then: a commit that began at that moment has gone through.
    pub fn seen(&self, then: Moment) {
        let mut last = self.lock();
        if then.passed > last.passed {
            *last = then;
        }
    }

    /// Whether that is so long ago that it must be looked at again.
    pub fn long_ago(&self) -> bool {
        let last = *self.lock();
        last.passed.elapsed() > LONG || u128::from((wall_ms() - last.wall_ms).unsigned_abs()) > LONG.as_millis()
    }

    fn lock(&self) -> MutexGuard<'_, Moment> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As after a stop of the whole process.
    #[cfg(test)]
    pub(super) fn forget(&self) {
        self.lock().wall_ms = 0;
    }
}
