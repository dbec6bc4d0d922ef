//! B1, B2, B3: the disk refuses. strace fails the N-th write, sync or open of each thread of the built program, once or from then on, in each
//! way in which a system may; a file size limit makes writes short. The run must stop with an error and not go on over a hole: no call is sent
//! whose intent is not on the disk, and once there is room again it goes on to the same world. After a commit whose sync failed
//! nothing more is written to the journal: what the disk holds is not known, and a second sync that succeeds says nothing about it.
//!
//! The counter of strace's `when=` is each thread's own. One thread writes each database, so that N-th means N-th there; how many
//! injections fired is counted from the log.

use std::{collections::HashMap, path::Path, process::Command};

use super::{Make, Tried, calls, expect, made, power::SCRIPT, world};
use crate::harness::{Place, Said, said};

/// A refusal.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The system call.
    pub call: &'static str,
    /// Its error.
    pub error: &'static str,
    /// Which one of each thread, from 1.
    pub nth: u32,
    /// All after it too.
    pub lasting: bool,
}

impl Refusal {
    /// For people and `--case`.
    pub fn name(&self) -> String {
        format!("{} {} {}{}", self.call, self.error, self.nth, if self.lasting { "+" } else { "" })
    }
}

/// What is refused, and how: the system call and its error.
pub const KINDS: [(&str, &str); 16] = [
    ("pwrite64", "ENOSPC"),
    ("fsync", "ENOSPC"),
    ("pwrite64", "EDQUOT"),
    ("fsync", "EDQUOT"),
    ("pwrite64", "EIO"),
    ("fsync", "EIO"),
    ("openat", "EIO"),
    ("pwrite64", "EROFS"),
    ("openat", "EROFS"),
    ("openat", "EMFILE"),
    ("pwrite64", "ENOMEM"),
    ("openat", "ENOMEM"),
    ("fsync", "ENOMEM"),
    ("pwrite64", "EINTR"),
    ("fsync", "EINTR"),
    ("openat", "EINTR"),
];

/// All refusals of a kind up to the N-th call. A call that is interrupted is made again, as the system has it: one that always is would
/// never end.
pub fn of((call, error): (&'static str, &'static str), most: u32) -> Vec<Refusal> {
    let lasting: &[bool] = if error == "EINTR" { &[false] } else { &[false, true] };
    (1..=most)
        .flat_map(|nth| lasting.iter().map(move |lasting| Refusal { call, error, nth, lasting: *lasting }))
        .collect()
}

/// Tries one; gives how many injections fired.
///
/// # Errors
/// When the run went on over it, or does not go on after it.
pub fn one(make: Make<'_>, refusal: &Refusal) -> Tried<usize> {
    let place = make();
    place.write("s.rhai", SCRIPT);
    // Only files of the state directory are refused: a loader that is refused says nothing about us.
    let state = place.state();
    std::fs::create_dir(&state).map_err(|error| error.to_string())?;
    std::fs::set_permissions(&state, std::os::unix::fs::PermissionsExt::from_mode(0o700))
        .map_err(|error| error.to_string())?;
    expect(&place, 0, &["runs"])?;
    let log = place.root().join("log");
    let mut command = Command::new("strace");
    let plus = if refusal.lasting { "+" } else { "" };
    command.args(["-f", "-qq", "-y", "-e", &format!("trace={},pwrite64", refusal.call)]);
    command.args(["-e", &format!("inject={}:error={}:when={}{plus}", refusal.call, refusal.error, refusal.nth)]);
    if refusal.call == "openat" {
        for name in ["runs.db", "sandbox.db", "runs.db-wal", "sandbox.db-wal"] {
            command.arg("-P").arg(state.join(name));
        }
    }
    command.arg("-o").arg(&log);
    let said = started(command, &place)?;
    let text = std::fs::read_to_string(&log).unwrap_or_default();
    let fired = text.lines().filter(|line| line.contains("(INJECTED)")).count();
    match unsynced(&text) {
        Some(_) if said.code == 0 => {
            return Err(format!("a commit was not synced, and all is said to be well\n{}", said.err));
        }
        Some(more @ 1..) => return Err(format!("after a commit that was not synced {more} writes followed\n{text}")),
        _ => {}
    }
    after(&place, &said, fired > 0)?;
    Ok(fired)
}

/// Tries a limit of the size of files, in bytes: the write that reaches it is short, the next one is refused.
///
/// # Errors
/// As [`one`].
pub fn limited(make: Make<'_>, kib: u64) -> Tried<bool> {
    let place = make();
    place.write("s.rhai", SCRIPT);
    let mut command = Command::new("/bin/bash");
    command.args(["-c", &format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\" \"$@\"")]);
    let said = started(command, &place)?;
    let refused = said.code != 0;
    after(&place, &said, refused)?;
    Ok(refused)
}

fn started(outer: Command, place: &Place) -> Tried<Said> {
    let mut command = place.under(outer, ["run", "s.rhai", "--sandbox", "--speed", "0"]);
    Ok(said(command.output().map_err(|error| error.to_string())?))
}

/// Reads strace's log: when a sync of the journal failed by which a commit was to become durable, how many writes to the journal
/// followed. A sync with nothing new to write before it is a checkpoint's, and what it failed to move is still in the log.
fn unsynced(log: &str) -> Option<usize> {
    let (mut written, mut failed) = (false, None);
    let mut begun = HashMap::new();
    for line in log.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        // A call that another thread interrupts is told in two lines; only the first one names the file.
        let whole = if call.starts_with("<... ") { begun.remove(thread).unwrap_or_default() } else { call };
        if call.ends_with("<unfinished ...>") {
            begun.insert(thread, call);
        }
        let refused = call.ends_with("(INJECTED)");
        let of_log = whole.contains("/runs.db-wal>");
        if whole.starts_with("pwrite64(") && (of_log || whole.contains("/runs.db>")) && !call.starts_with("<... ") {
            written |= of_log;
            failed = failed.map(|more: usize| more + 1);
        } else if whole.starts_with("fsync(") && of_log && !call.ends_with("<unfinished ...>") {
            if refused && written && failed.is_none() {
                failed = Some(0);
            }
            written = false;
        }
    }
    failed
}

/// What must be true after it, and that it goes on when there is room again.
fn after(place: &Place, told: &Said, refused: bool) -> Tried<()> {
    let fail = |why: &str| Err(format!("{why}; it ended with {}\n{}", told.code, told.err));
    if told.err.contains("panicked") || told.code == 70 || told.code == -1 {
        return fail("it broke");
    }
    if told.code != 0 && !refused {
        return fail("nothing was refused, and it failed");
    }
    let says = ["RB0", "the journal can no longer be written"].iter().any(|text| told.err.contains(text));
    if told.code != 0 && !says {
        return fail("it does not say what is wrong");
    }
    let state = place.state();
    let executed = if state.join("sandbox.db").exists() { calls(&world(place)?) } else { Vec::new() };
    let journal = text_of(&state.join("runs.db"))?;
    for call in &executed {
        let token = call["token"].as_str().unwrap_or_default();
        if !token.is_empty() && !journal.contains(token) {
            return Err(format!("a call was sent whose intent is not in the journal: {call}\n{}", told.err));
        }
    }
    if told.code != 0 {
        let resumed = place.run(["resume", "latest", "--speed", "0"]);
        if resumed.code == 2 && ["RB0203", "RB0218"].iter().any(|code| resumed.err.contains(code)) {
            expect(place, 0, &["run", "s.rhai", "--sandbox", "--speed", "0"])?;
        } else if resumed.code != 0 {
            return Err(format!("it does not go on:\n{}\nafter:\n{}", resumed.err, told.err));
        }
    }
    let now = made(&world(place)?);
    let wanted = ["ec2.address a", "ec2.internet_gateway g", "ec2.subnet s", "ec2.vpc v"];
    if now == wanted { Ok(()) } else { Err(format!("there stands {now:?}\n{}", told.err)) }
}

/// All entries of all journals in one text.
fn text_of(db: &Path) -> Tried<String> {
    if !db.exists() {
        return Ok(String::new());
    }
    let db = rusqlite::Connection::open(db).map_err(|error| error.to_string())?;
    let mut all = db.prepare("SELECT payload FROM entries").map_err(|error| error.to_string())?;
    let rows = all.query_map([], |row| row.get::<_, String>(0)).map_err(|error| error.to_string())?;
    Ok(rows.flatten().collect::<Vec<_>>().join("\n"))
}
