//! Simulated time: a discrete-event clock.
//!
//! It counts the threads that work. When all of them sleep, the earliest sleeper moves the time to its wake-up (at once, or
//! at a pace) and wakes everybody who is due, counting them as working before the first of them runs: so time stands
//! still until the last of them sleeps again, and the order of events does not depend on the machine.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use runbook_modules::host::Interrupted;
use runbook_seeded::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::Time;

/// Simulated time.
pub struct SimClock {
    speed: Option<f64>,
    inner: Mutex<Inner>,
    changed: Condvar,
}

struct Inner {
    now_ms: i64,
    working: usize,
    /// Wake-up and number of every sleeper.
    sleepers: BTreeSet<(i64, u64)>,
    next: u64,
    nudges: u64,
    /// When and from where the time began to move at a pace.
    pace: Option<(Instant, i64)>,
}

impl SimClock {
    /// A clock that starts at `start_ms`. `speed`: simulated per real time (60: a minute in a second); None jumps.
    pub fn new(start_ms: i64, speed: Option<f64>) -> Self {
        let speed = speed.filter(|speed| speed.is_finite() && *speed > 0.0);
        let inner = Inner { now_ms: start_ms, working: 0, sleepers: BTreeSet::new(), next: 0, nudges: 0, pace: None };
        Self { speed, inner: Mutex::new(inner), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much real time a stretch of simulated time takes.
    fn real(&self, simulated_ms: i64) -> Duration {
        let seconds = simulated_ms.max(0) as f64 / 1000.0 / self.speed.unwrap_or(f64::INFINITY);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    /// Where a moving clock stands; it never passes the next wake-up.
    fn shown(&self, inner: &Inner) -> i64 {
        let Some((since, from_ms)) = inner.pace else { return inner.now_ms };
        let moved = since.elapsed().as_secs_f64() * self.speed.unwrap_or_default() * 1000.0;
        let moved = from_ms.saturating_add(moved as i64);
        inner.sleepers.first().map_or(inner.now_ms, |(wake, _)| moved.min(*wake)).max(inner.now_ms)
    }

    /// The clock stops where it stands: somebody works.
    fn halt(&self, inner: &mut Inner) {
        inner.now_ms = self.shown(inner);
        inner.pace = None;
    }

    fn wake_due(&self, inner: &mut Inner) {
        while let Some(first) = inner.sleepers.first().copied().filter(|(wake, _)| *wake <= inner.now_ms) {
            inner.sleepers.remove(&first);
            inner.working += 1;
        }
        self.changed.notify_all();
    }
}

impl Time for SimClock {
    fn simulated(&self) -> bool {
        true
    }

    fn speed(&self) -> Option<f64> {
        self.speed
    }

    fn now_ms(&self) -> i64 {
        let inner = self.lock();
        self.shown(&inner)
    }

    fn sleep(&self, how_long: Duration, stop: &dyn Fn() -> bool) -> Result<(), Interrupted> {
        let mut inner = self.lock();
        let length = i64::try_from(how_long.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX);
        let me = (inner.now_ms.saturating_add(length), inner.next);
        inner.next += 1;
        inner.sleepers.insert(me);
        inner.working = inner.working.saturating_sub(1);
        self.changed.notify_all();
        loop {
            let nudges = inner.nudges;
            // `stop` may ask the clock: it is called without the lock, and a nudge meanwhile shows in the number.
            drop(inner);
            let must_stop = stop();
            inner = self.lock();
            if !inner.sleepers.contains(&me) {
                // Somebody woke us and counted us as working.
                return Ok(());
            }
            if must_stop {
                self.halt(&mut inner);
                inner.sleepers.remove(&me);
                inner.working += 1;
                return Err(Interrupted);
            }
            while inner.nudges == nudges && inner.sleepers.contains(&me) {
                if inner.working > 0 || inner.sleepers.first() != Some(&me) {
                    inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
                let from = inner.pace.unwrap_or((Instant::now(), inner.now_ms));
                inner.pace = Some(from);
                let left = self.real(me.0 - from.1).saturating_sub(from.0.elapsed());
                if !left.is_zero() {
                    inner = self.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
                    continue;
                }
                inner.pace = None;
                inner.now_ms = me.0.max(inner.now_ms);
                self.wake_due(&mut inner);
            }
        }
    }

    fn enter(&self) {
        let mut inner = self.lock();
        self.halt(&mut inner);
        inner.working += 1;
    }

    fn leave(&self) {
        let mut inner = self.lock();
        inner.working = inner.working.saturating_sub(1);
        self.changed.notify_all();
    }

    fn nudge(&self) {
        self.lock().nudges += 1;
        self.changed.notify_all();
    }

    fn not_before(&self, ms: i64) {
        let mut inner = self.lock();
        self.halt(&mut inner);
        inner.now_ms = inner.now_ms.max(ms);
        self.wake_due(&mut inner);
    }
}
