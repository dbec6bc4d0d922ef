//! Delays and limits as data. No jitter: a run must be the same each time it is rehearsed.

use std::time::Duration;

/// Growing delays, and how many of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The first delay.
    pub first: Duration,
    /// Each delay is the one before times this, in percent.
    pub growth: u32,
    /// No delay is longer.
    pub most: Duration,
    /// How many delays there are.
    pub times: u32,
}

const fn backoff(first_s: u64, growth: u32, most_s: u64, times: u32) -> Backoff {
    Backoff { first: Duration::from_secs(first_s), growth, most: Duration::from_secs(most_s), times }
}

/// The request could not be sent: five tries in all.
pub const NOT_SENT: Backoff = backoff(1, 200, 8, 4);
/// The target takes no more requests for now.
pub const THROTTLED: Backoff = backoff(1, 200, 30, 12);
/// A parent still propagates: about two minutes.
pub const NOT_YET: Backoff = backoff(2, 150, 10, 15);
/// The outcome is not known and the request may be sent again.
pub const UNKNOWN: Backoff = backoff(1, 200, 30, 8);
/// How often something is asked for anew, each time without an answer, though nothing was made: with the looking in between, half an hour.
pub const ANEW: u32 = 7;
/// A read did not get through.
pub const READ: Backoff = backoff(1, 200, 15, 8);
/// The target did not say who it is.
pub const WHO: Backoff = NOT_SENT;
/// Something stands already and is looked for.
pub const LOOK: Backoff = backoff(2, 200, 8, 4);
/// Reading again until a state is reached, where the target does not know its next change.
pub const POLL: Backoff = backoff(2, 150, 15, u32::MAX);
/// A deletion is blocked by something else.
pub const BLOCKED: Backoff = backoff(2, 150, 20, u32::MAX);

/// How often fresh credentials are looked for in one call.
pub const RENEWALS: u32 = 2;

/// How old an intent must be before "not found" counts: the request of a dead client may still be executed, and reads lag.
pub const SETTLE: Duration = Duration::from_secs(120);
/// How many times it must not be found after that,
pub const MISSES: u32 = 3;
/// and how far apart.
pub const APART: Duration = Duration::from_secs(10);
/// The shortest limit of a wait; the usual one is three times the usual time.
pub const PATIENCE: Duration = Duration::from_secs(600);

impl Backoff {
    /// The delay before the next try after `tries` of them, from 1; None when it was the last one.
    pub fn after(self, tries: u32) -> Option<Duration> {
        if tries == 0 || tries > self.times {
            return None;
        }
        let mut delay = self.first;
        for _ in 1..tries {
            delay = (delay * self.growth / 100).min(self.most);
            if delay == self.most {
                break;
            }
        }
        Some(delay.min(self.most))
    }
}

/// The limit of a wait for something that usually takes so long.
pub fn limit(usual: Duration) -> Duration {
    (usual * 3).max(PATIENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_a_limit_and_end() {
        let delays: Vec<u64> = (1..).map_while(|n| NOT_SENT.after(n)).map(|d| d.as_secs()).collect();
        assert_eq!(delays, [1, 2, 4, 8]);
        assert_eq!(POLL.after(1), Some(Duration::from_secs(2)));
        assert_eq!(POLL.after(1_000_000), Some(Duration::from_secs(15)));
        assert_eq!(POLL.after(0), None);
    }

    #[test]
    fn a_wait_has_ten_minutes_at_least() {
        assert_eq!(limit(Duration::from_secs(5)), Duration::from_secs(600));
        assert_eq!(limit(Duration::from_secs(900)), Duration::from_secs(2700));
    }
}
