//! Wall time.

use std::time::{Duration, Instant};

use runbook_modules::host::Interrupted;
use runbook_seeded::{
    sync::{Condvar, Mutex, PoisonError},
    wait_timeout_while,
};

use super::{Time, wall_ms};

/// How often a sleeper asks whether it must stop, without a nudge.
const LOOK: Duration = Duration::from_millis(500);

/// The system's time. When the system's clock is put back, time goes on from where it was: a wait ends when its length is over.
pub struct WallClock {
    /// The system's time and the moment at which this clock was made.
    made: (i64, Instant),
    nudges: Mutex<u64>,
    nudged: Condvar,
    scale: Scale,
}

/// Time that runs faster than the system's, for trials: the same in every process that has the same scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Time per system time, 1 or more.
    pub speed: f64,
    /// When both stand at the same, milliseconds since the Unix epoch.
    pub anchor_ms: i64,
}

impl Default for Scale {
    fn default() -> Self {
        Self { speed: 1.0, anchor_ms: 0 }
    }
}

impl Scale {
    fn at(self, system_ms: i64) -> i64 {
        if self.speed == 1.0 {
            return system_ms;
        }
        let since = (system_ms - self.anchor_ms) as f64 * self.speed;
        self.anchor_ms.saturating_add(since as i64)
    }

    fn real(self, how_long: Duration) -> Duration {
        if self.speed == 1.0 { how_long } else { how_long.div_f64(self.speed) }
    }
}

impl Default for WallClock {
    fn default() -> Self {
        Self {
            made: (wall_ms(), Instant::now()),
            nudges: Mutex::default(),
            nudged: Condvar::new(),
            scale: Scale::default(),
        }
    }
}

/// The time, by the system's clock and by what has passed since both were looked at. A clock that is ahead counts: the machine may
/// have slept, which `Instant` does not see.
fn forward(system_ms: i64, (made_ms, passed): (i64, Duration)) -> i64 {
    system_ms.max(made_ms.saturating_add(i64::try_from(passed.as_millis()).unwrap_or(i64::MAX)))
}

impl WallClock {
    /// A clock that runs faster than the system's.
    pub fn scaled(scale: Scale) -> Self {
        Self { scale, ..Self::default() }
    }
}

impl Time for WallClock {
    fn simulated(&self) -> bool {
        false
    }

    fn now_ms(&self) -> i64 {
        self.scale.at(forward(wall_ms(), (self.made.0, self.made.1.elapsed())))
    }

    fn sleep(&self, how_long: Duration, stop: &dyn Fn() -> bool) -> Result<(), Interrupted> {
        let began = Instant::now();
        let how_long = self.scale.real(how_long);
        loop {
            let before = *self.nudges.lock().unwrap_or_else(PoisonError::into_inner);
            if stop() {
                return Err(Interrupted);
            }
            let left = how_long.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            let nudges = self.nudges.lock().unwrap_or_else(PoisonError::into_inner);
            // A nudge between the look and here is not missed: the number has changed.
            drop(wait_timeout_while(&self.nudges, &self.nudged, nudges, left.min(LOOK), |now| *now == before));
        }
    }

    fn enter(&self) {}

    fn leave(&self) {}

    fn nudge(&self) {
        *self.nudges.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.nudged.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaled_clock_runs_faster_from_its_anchor_on() {
        let scale = Scale { speed: 10.0, anchor_ms: 1_763_740_000_000 };
        assert_eq!(scale.at(1_763_740_000_000), 1_763_740_000_000);
        assert_eq!(scale.at(1_763_740_001_000), 1_763_740_010_000);
        assert_eq!(scale.real(Duration::from_secs(5)), Duration::from_millis(500));
    }

    #[test]
    fn the_systems_time_is_left_alone() {
        let scale = Scale::default();
        assert_eq!(scale.at(1_763_740_001_001), 1_763_740_001_001);
        assert_eq!(scale.real(Duration::from_nanos(7)), Duration::from_nanos(7));
    }

    #[test]
    fn a_clock_that_is_put_back_does_not_stop_time() {
        let day_ms = 86_400_000;
        assert_eq!(forward(5_000, (1_000, Duration::from_secs(4))), 5_000);
        assert_eq!(forward(5_000 - day_ms, (1_000, Duration::from_secs(4))), 5_000);
        assert_eq!(forward(5_000 + day_ms, (1_000, Duration::from_secs(4))), 5_000 + day_ms);
    }

    #[test]
    fn a_scaled_sleep_ends_and_the_time_has_passed() {
        let clock = WallClock::scaled(Scale { speed: 1000.0, anchor_ms: 1_763_740_000_000 });
        let before = clock.now_ms();
        assert_eq!(clock.sleep(Duration::from_secs(20), &|| false), Ok(()));
        assert!(clock.now_ms() - before >= 19_000, "{}", clock.now_ms() - before);
    }
}
