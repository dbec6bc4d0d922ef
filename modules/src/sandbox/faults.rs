//! Calls that fail on purpose: for the trials that fail, lose or kill each mutating call of a run in turn.

use std::{collections::BTreeMap, str::FromStr};

use crate::error::{CallError, Class};

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Refused for good; not executed.
    Refuse,
    /// Refused because the caller may not do it; not executed.
    Deny,
    /// Told to slow down; not executed.
    Throttle,
    /// Taken, and what it makes never becomes usable. A call whose work cannot end so is refused.
    Fail,
    /// Executed, but the answer is lost.
    Lose,
    /// Executed, but the answer is an error of the server.
    Break,
    /// Not executed, and no answer comes.
    Drop,
    /// The process dies before the call is executed.
    KillBefore,
    /// The process dies after the call was executed, before it answers.
    KillAfter,
    /// The process dies while the call is on its way: it is executed so many seconds later, whoever works with the world then.
    KillLate(u32),
}

/// Faults by the number of the mutating call in the world (see [`super::world::Call::n`]).
///
/// As a text: `refuse:37`, `throttle:37`, `lost:37`, `server-error:37`, `drop:37`, `kill-before:37`, `kill-after:37`; several with commas.
/// `fails:37`: what call 37 makes ends as failed (`CREATE_FAILED`, `incompatible-network`), some time after it was taken.
/// `kill-late:37+90`: the process dies with call 37 on its way, which is executed 90 seconds later.
/// `denied:37`: call 37 and all later ones are refused, as after somebody took the permission away.
/// `stale:30`: in the whole run, reads of AWS do not show what was made in the last 30 seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    at: BTreeMap<u64, Fault>,
    /// The first call that is denied.
    denied_from: Option<u64>,
    /// Reads do not show what was made within so many milliseconds.
    lag_ms: i64,
}

/// A text that does not name a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no fault; say refuse:N, denied:N, throttle:N, fails:N, lost:N, server-error:N, drop:N, kill-before:N, \
     kill-after:N, kill-late:N+SECONDS or stale:SECONDS"
)]
pub struct NotAFault(String);

impl Faults {
    /// One fault.
    pub fn one(fault: Fault, n: u64) -> Self {
        Self { at: BTreeMap::from([(n, fault)]), ..Self::default() }
    }

    /// How far reads lag behind, in milliseconds.
    pub fn lag_ms(&self) -> i64 {
        self.lag_ms
    }

    /// What happens to call number `n`.
    pub fn get(&self, n: u64) -> Option<Fault> {
        let denied = self.denied_from.is_some_and(|from| from <= n).then_some(Fault::Deny);
        self.at.get(&n).copied().or(denied)
    }
}

impl FromStr for Faults {
    type Err = NotAFault;

    fn from_str(text: &str) -> Result<Self, NotAFault> {
        let mut faults = Self::default();
        for part in text.split(',') {
            let wrong = || NotAFault(part.to_owned());
            let (name, n) = part.trim().split_once(':').ok_or_else(wrong)?;
            let (n, later) = n.split_once('+').map_or((n, None), |(n, later)| (n, Some(later)));
            let n: u64 = n.parse().map_err(|_| wrong())?;
            if (name == "kill-late") != later.is_some() {
                return Err(wrong());
            }
            let fault = match name {
                "refuse" => Fault::Refuse,
                "throttle" => Fault::Throttle,
                "fails" => Fault::Fail,
                "lost" => Fault::Lose,
                "server-error" => Fault::Break,
                "drop" => Fault::Drop,
                "kill-before" => Fault::KillBefore,
                "kill-after" => Fault::KillAfter,
                "kill-late" => Fault::KillLate(later.unwrap_or_default().parse().map_err(|_| wrong())?),
                "denied" => {
                    faults.denied_from = Some(n);
                    continue;
                }
                "stale" => {
                    faults.lag_ms = i64::try_from(n.saturating_mul(1000)).map_err(|_| wrong())?;
                    continue;
                }
                _ => return Err(wrong()),
            };
            faults.at.insert(n, fault);
        }
        Ok(faults)
    }
}

impl Fault {
    /// The error that the caller sees; None for a fault that kills or shows later.
    pub fn error(self, n: u64) -> Option<CallError> {
        let (class, code, text) = match self {
            Self::Refuse => (Class::Refused, "InjectedFault", "was refused on purpose"),
            Self::Deny => (Class::Refused, "AccessDenied", "is not authorized, on purpose"),
            Self::Throttle => (Class::Throttled, "Throttling", "was throttled on purpose"),
            Self::Lose | Self::Drop => (Class::Unknown, "ConnectionReset", "got no answer, on purpose"),
            Self::Break => (Class::Unknown, "InternalFailure", "was answered with status 500, on purpose"),
            Self::Fail | Self::KillBefore | Self::KillAfter | Self::KillLate(_) => return None,
        };
        Some(CallError::new(class, code, format!("call {n} of the sandbox {text}")))
    }

    /// What the log says of the call.
    pub fn outcome(self) -> &'static str {
        match self {
            Self::Refuse => "InjectedFault",
            Self::Deny => "AccessDenied",
            Self::Throttle => "Throttling",
            Self::Fail => "doomed",
            Self::Lose => "lost",
            Self::Break => "broken",
            Self::Drop => "dropped",
            Self::KillBefore | Self::KillAfter => "killed",
            Self::KillLate(_) => "late",
        }
    }
}
