//! Processes of this machine, and their end.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

/// The processes that a process has started and that run.
pub fn children(of: u32) -> Vec<u32> {
    let numbers =
        fs::read_dir("/proc").expect("/proc").flatten().filter_map(|it| it.file_name().to_str()?.parse().ok());
    let parent = |pid: &u32| -> Option<u32> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        text.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()
    };
    numbers.filter(|pid| parent(pid) == Some(of)).collect()
}

/// Kills a process, unless it has ended just now.
pub fn kill(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a pid");
    let _ = kill_process(pid, Signal::KILL);
}
