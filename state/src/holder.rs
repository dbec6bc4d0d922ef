//! Who drives a run, and whether that process is still alive.
//!
//! A pid alone says nothing: it may be used again, or be from before a reboot. On the same host the kernel's boot id and the
//! process's start time settle it; for another host only the heartbeat speaks.

use crate::error::{Error, Holder, Result};
use runbook_seeded::mutant;

/// This process as a holder of leases. `by` is `user@host`.
///
/// # Errors
/// `Io` when `/proc` does not describe this process.
pub fn this_process(by: &str) -> Result<Holder> {
    let pid = std::process::id();
    let started = started(pid).ok_or_else(|| Error::Io {
        path: format!("/proc/{pid}/stat").into(),
        why: "the start time of this process cannot be read".to_owned(),
    })?;
    Ok(Holder { host: host(), pid, boot: boot(), started, by: by.to_owned() })
}

/// Whether a holder still drives its run, seen from this host at `now_ms`.
pub(crate) fn alive(holder: &Holder, beat_ms: i64, now_ms: i64, stale_ms: i64) -> bool {
    if holder.host != host() {
        return now_ms.saturating_sub(beat_ms) <= stale_ms;
    }
    if mutant!("pid-alone") {
        return started(holder.pid).is_some();
    }
    holder.boot == boot() && started(holder.pid) == Some(holder.started)
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// The start time of a process; None when there is none, or only its corpse.
fn started(pid: u32) -> Option<u64> {
    parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Fields 3 (state) and 22 (start time) of a stat line. The name in parentheses may hold anything.
fn parse(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X" | "x") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_time_is_the_22nd_field_whatever_the_name() {
        let tail = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        assert_eq!(parse(&format!("7 (runbook) {tail}")), Some(4711));
        assert_eq!(parse(&format!("7 (a ) S (b) {tail}")), Some(4711));
        assert_eq!(parse(&format!("7 (dead) {}", tail.replacen('S', "Z", 1))), None);
        assert_eq!(parse("7 (cut"), None);
    }

    #[test]
    fn this_process_is_alive_and_its_lookalikes_are_not() {
        let own = this_process("me@here").unwrap();
        assert!(alive(&own, 0, i64::MAX, 0));
        assert!(!alive(&Holder { started: own.started + 1, ..own.clone() }, 0, 0, 1_000));
        assert!(!alive(&Holder { boot: "another".into(), ..own.clone() }, 0, 0, 1_000));
        assert!(!alive(&Holder { pid: u32::MAX, ..own }, 0, 0, 1_000));
    }

    #[test]
    fn another_host_is_judged_by_its_heartbeat() {
        let away = Holder { host: "elsewhere".into(), ..this_process("me@here").unwrap() };
        assert!(alive(&away, 1_000, 2_000, 1_000));
        assert!(!alive(&away, 1_000, 2_001, 1_000));
        assert!(alive(&away, 5_000, 2_000, 1_000), "a clock that went back makes nobody dead");
    }
}
