//! A program that is watched until it ends: how it ended, how long it took, and the most memory that it had.

use std::{
    process::{Command, ExitStatus},
    time::{Duration, Instant},
};

use super::Tried;

/// A program that has ended.
pub struct Watched {
    /// How it ended.
    pub status: ExitStatus,
    /// Real time.
    pub took: Duration,
    /// The most memory that it had, in KiB.
    pub peak_kib: u64,
}

/// Starts it and waits for its end.
///
/// # Errors
/// When it does not start, or had not ended after so long; it is killed then.
pub fn watched(command: &mut Command, most: Duration) -> Tried<Watched> {
    let began = Instant::now();
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let mut peak_kib = 0;
    loop {
        peak_kib = peak_kib.max(peak(child.id()));
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok(Watched { status, took: began.elapsed(), peak_kib });
        }
        if began.elapsed() > most {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("it had not ended after {most:?}"));
        }
        std::thread::sleep(Duration::from_millis(4));
    }
}

/// The most memory that a process has had so far, in KiB.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or_default()
}
