//! Wall time.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use runbook_modules::host::Interrupted;

use super::{Time, wall_ms};

/// How often a sleeper asks whether it must stop, without a nudge.
const LOOK: Duration = Duration::from_millis(500);

/// The system's time.
#[derive(Default)]
pub struct WallClock {
    nudges: Mutex<u64>,
    nudged: Condvar,
}

impl Time for WallClock {
    fn simulated(&self) -> bool {
        false
    }

    fn now_ms(&self) -> i64 {
        wall_ms()
    }

    fn sleep(&self, how_long: Duration, stop: &dyn Fn() -> bool) -> Result<(), Interrupted> {
        let began = Instant::now();
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
            drop(self.nudged.wait_timeout_while(nudges, left.min(LOOK), |now| *now == before));
        }
    }

    fn enter(&self) {}

    fn leave(&self) {}

    fn nudge(&self) {
        *self.nudges.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.nudged.notify_all();
    }
}
