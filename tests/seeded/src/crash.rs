//! Where the process kills itself (SIGKILL, nothing is cleaned up), or is sent another signal. `RUNBOOK_CRASH` says where:
//!
//! * `SIDE RECORD PLACE`, e.g. `before done redis1/network/vpc#0.0`: at the commit of this record, named as the journal names it. PLACE
//!   is a step's key, with `#ordinal.generation` for an effect, and empty for records of the whole run.
//! * `nth N`: at the Nth point that this process passes, whichever it is.
//!
//! `RUNBOOK_CRASH_SIGNAL` names other signals that the process sends itself there, one after the other and commas between them: `INT`,
//! `INT,INT`, `TSTP`, `STOP`. `RUNBOOK_CRASH_SENT` names a file that is made just before the last of them: its time is that of the signal.
//!
//! `RUNBOOK_CRASH_TRACE` names a file to which every point passed is added, one a line: the list of all points of a run.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rustix::process::{Signal, getpid, kill_process};

use serde::Serialize;
use serde_json::Value;

static WHERE: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("RUNBOOK_CRASH").ok());
static TRACE: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("RUNBOOK_CRASH_TRACE").ok());
static PASSED: AtomicU64 = AtomicU64::new(0);

/// Between two signals, so that the first one has been heard: two of one kind that wait are one.
const BETWEEN: Duration = Duration::from_millis(100);

/// The points of a commit, before it is made. Dies if one of them is meant.
pub fn before<T: Serialize>(records: &[T]) -> Vec<String> {
    let points: Vec<String> = records.iter().filter_map(|record| point(&serde_json::to_value(record).ok()?)).collect();
    pass("before", &points);
    points
}

/// The commit was made. Dies if one of its points is meant.
pub fn after(points: &[String]) {
    pass("after", points);
}

fn point(record: &Value) -> Option<String> {
    let what = record.get("record")?.as_str()?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let place = match (record.get("effect"), record.get("step")) {
        (Some(effect), _) => format!("{}#{}.{}", text(&effect["step"]), effect["ordinal"], effect["generation"]),
        (None, Some(step)) => text(step),
        (None, None) => String::new(),
    };
    Some(format!("{what} {place}").trim_end().to_owned())
}

fn pass(side: &str, points: &[String]) {
    for point in points {
        let point = format!("{side} {point}");
        let n = PASSED.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(file) = &*TRACE
            && let Ok(mut file) = OpenOptions::new().append(true).create(true).open(file)
        {
            let _full_disk = file.write_all(format!("{point}\n").as_bytes());
        }
        if WHERE.as_ref().is_some_and(|at| *at == point || *at == format!("nth {n}")) {
            die();
        }
    }
}

fn die() {
    let names = std::env::var("RUNBOOK_CRASH_SIGNAL").unwrap_or_else(|_| "KILL".to_owned());
    let signals: Vec<Signal> = names.split(',').filter_map(named).collect();
    for (nth, signal) in signals.iter().enumerate() {
        if nth > 0 {
            std::thread::sleep(BETWEEN);
        }
        if nth + 1 == signals.len()
            && let Ok(file) = std::env::var("RUNBOOK_CRASH_SENT")
        {
            let _full_disk = fs::write(file, names.as_bytes());
        }
        let _sent = kill_process(getpid(), *signal);
    }
    if signals.contains(&Signal::KILL) {
        loop {
            std::thread::park();
        }
    }
    if signals.iter().any(|signal| [Signal::STOP, Signal::TSTP].contains(signal)) {
        // Another thread takes the signal: this one does nothing more before the whole process stands still.
        std::thread::sleep(BETWEEN);
    }
}

fn named(name: &str) -> Option<Signal> {
    let all = [
        ("KILL", Signal::KILL),
        ("INT", Signal::INT),
        ("TERM", Signal::TERM),
        ("HUP", Signal::HUP),
        ("TSTP", Signal::TSTP),
        ("STOP", Signal::STOP),
    ];
    all.into_iter().find(|(known, _)| *known == name).map(|(_, signal)| signal)
}
