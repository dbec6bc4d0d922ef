//! Retry policies and durations as data: a policy becomes an iterator of delays, testable without a clock.

use std::time::Duration;

use serde_json::Value;

/// How often a failed step is tried, and how long apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// Tries altogether, the first one included; at least 1.
    pub attempts: u32,
    /// Before the second try.
    pub delay: Duration,
    /// Each delay is the one before times this; at least 1.
    pub backoff: f64,
    /// No delay is longer.
    pub max_delay: Duration,
}

impl Default for Policy {
    /// One try.
    fn default() -> Self {
        Self { attempts: 1, delay: Duration::from_secs(5), backoff: 2.0, max_delay: Duration::from_secs(60) }
    }
}

impl Policy {
    /// The delays before the second and later tries.
    pub fn delays(self) -> impl Iterator<Item = Duration> {
        let mut next = self.delay.min(self.max_delay);
        (1..self.attempts.max(1)).map(move |_| {
            let this = next;
            next = Duration::try_from_secs_f64(next.as_secs_f64() * self.backoff)
                .map_or(self.max_delay, |d| d.min(self.max_delay));
            this
        })
    }

    /// Reads `3` or `#{ attempts: 3, delay: "5s", backoff: 2, max_delay: "1m" }`.
    ///
    /// # Errors
    /// A sentence naming the field.
    pub fn from_json(value: &Value) -> Result<Self, String> {
        let attempts = |value: &Value| {
            let n = value.as_u64().filter(|n| (1..=1000).contains(n)).and_then(|n| u32::try_from(n).ok());
            n.ok_or_else(|| format!("retry: attempts must be a whole number from 1 to 1000, not {value}"))
        };
        let Some(fields) = value.as_object() else {
            return Ok(Self { attempts: attempts(value)?, ..Self::default() });
        };
        let mut policy = Self { attempts: 3, ..Self::default() };
        for (name, value) in fields {
            match name.as_str() {
                "attempts" => policy.attempts = attempts(value)?,
                "delay" => policy.delay = read("retry: delay", value)?,
                "max_delay" => policy.max_delay = read("retry: max_delay", value)?,
                "backoff" => {
                    let factor = value.as_f64().filter(|f| f.is_finite() && *f >= 1.0);
                    policy.backoff = factor.ok_or_else(|| format!("retry: backoff must be 1 or more, not {value}"))?;
                }
                other => {
                    return Err(format!(
                        "retry: unknown field {other:?} (there are attempts, delay, backoff, max_delay)"
                    ));
                }
            }
        }
        Ok(policy)
    }
}

/// Reads a duration field of a script: `"500ms"`, `"30s"`, `"5m"`, `"2h"`, `"1h30m"`.
///
/// # Errors
/// A sentence beginning with the field.
pub fn read(field: &str, value: &Value) -> Result<Duration, String> {
    let text = value.as_str().ok_or_else(|| format!("{field} must be a text like \"30s\" or \"5m\", not {value}"))?;
    parse(text).map_err(|why| format!("{field}: {why}"))
}

/// Parses a duration.
///
/// # Errors
/// A sentence that quotes the text.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a duration like \"500ms\", \"30s\", \"5m\", \"2h\" or \"1h30m\"");
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, after) = rest.split_at(digits);
        let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let scale = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        let part = number.checked_mul(scale).filter(|ms| *ms <= 366 * 86_400_000).ok_or_else(wrong)?;
        total += Duration::from_millis(part);
        rest = after;
    }
    Ok(total)
}

/// Writes a duration as a script would: `1h30m`, `45s`, `250ms`.
pub fn text(duration: Duration) -> String {
    let ms = duration.as_millis();
    if ms == 0 {
        return "0s".to_owned();
    }
    let parts = [(ms / 3_600_000, "h"), (ms / 60_000 % 60, "m"), (ms / 1000 % 60, "s"), (ms % 1000, "ms")];
    parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn delays_grow_up_to_the_cap() {
        let policy =
            Policy { attempts: 5, delay: Duration::from_secs(5), backoff: 2.0, max_delay: Duration::from_secs(15) };
        let delays: Vec<u64> = policy.delays().map(|d| d.as_secs()).collect();
        assert_eq!(delays, [5, 10, 15, 15]);
        assert_eq!(Policy::default().delays().count(), 0);
    }

    #[test]
    fn a_policy_is_a_number_or_a_map() {
        assert_eq!(Policy::from_json(&json!(3)).map(|p| p.attempts), Ok(3));
        let policy = Policy::from_json(&json!({"attempts": 4, "delay": "1m30s", "backoff": 1.5, "max_delay": "2m"}));
        let policy = policy.unwrap_or_default();
        assert_eq!((policy.attempts, policy.delay.as_secs(), policy.max_delay.as_secs()), (4, 90, 120));
        for wrong in [json!(0), json!("3"), json!({"delay": 3}), json!({"tries": 3}), json!({"backoff": 0.5})] {
            assert!(Policy::from_json(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_are_read_and_written() {
        for (text_, ms) in [("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("2h", 7_200_000), ("1h30m", 5_400_000)] {
            assert_eq!(parse(text_), Ok(Duration::from_millis(ms)));
            assert_eq!(text(Duration::from_millis(ms)), text_);
        }
        for wrong in ["", "5", "m", "5x", "-5s", "1.5h", "99999999999999999999s", "5 m", "9999999h"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
