//! A2: the built program is killed (SIGKILL, by strace) at a call by which it writes, syncs, cuts, moves or removes a file of the journal,
//! before that is executed. The databases must be whole and have all that was told, and the run must go on to the same world.
//!
//! The counter of strace's `when=` is each thread's own: the N-th call kills in the thread that comes to it first. What is killed so is
//! worked out of the log of a run that nobody kills; a call that can be met in no such way is counted as out of reach.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use super::{
    Make, Tried, made,
    power::{SCRIPT, goes_on, sound},
    world,
};
use crate::harness::{Place, Said, said};

/// How files are changed.
const CALLS: [&str; 6] = ["pwrite64", "fsync", "fdatasync", "ftruncate", "renameat2", "unlink"];

/// Of the journal's files those that a thread of its own writes. The others are made under a passing name, at the beginning.
const FILES: [&str; 3] = ["runs.db", "runs.db-wal", "runs.db-shm"];

/// A call at which the program is killed.
#[derive(Debug, Clone, Copy)]
pub struct Write {
    call: &'static str,
    /// Which one of a thread, from 1.
    nth: u32,
    /// Only those on this file are counted; None: all.
    file: Option<&'static str>,
}

impl Write {
    /// For people and `--case`.
    pub fn name(&self) -> String {
        format!("{} {}{}", self.call, self.nth, self.file.map(|file| format!(" {file}")).unwrap_or_default())
    }
}

/// The calls of a run by which the journal is changed.
pub struct Writes {
    /// Those at which it can be killed.
    pub places: Vec<Write>,
    /// All of them.
    pub total: usize,
}

/// One call out of strace's log.
struct Logged {
    thread: String,
    call: &'static str,
    file: Option<&'static str>,
    /// Changes the journal: one of its files, what becomes one, or their folder.
    of_journal: bool,
}

/// Reads them out of the log of an undisturbed run with these arguments.
///
/// # Errors
/// When it does not come to its end.
pub fn all(place: &Place, args: &[&str]) -> Tried<Writes> {
    let told = under(place, args, None)?;
    if told.code != 0 {
        return Err(format!("the run under strace ended with {}\n{}", told.code, told.err));
    }
    let text = std::fs::read_to_string(log(place)).map_err(|error| error.to_string())?;
    let state = place.state();
    let logged: Vec<Logged> = text.lines().filter_map(|line| parsed(line, &state)).collect();
    let total = logged.iter().filter(|one| one.of_journal).count();
    let (mut met, mut places) = (BTreeSet::new(), Vec::new());
    for file in [None].into_iter().chain(FILES.map(Some)) {
        let mut counts: BTreeMap<(&str, &str), u32> = BTreeMap::new();
        let mut first = BTreeSet::new();
        for (at, one) in logged.iter().enumerate().filter(|(_, one)| file.is_none() || one.file == file) {
            let count = counts.entry((&one.thread, one.call)).or_default();
            *count += 1;
            let nth = *count;
            if first.insert((one.call, nth)) && one.of_journal && met.insert(at) {
                places.push(Write { call: one.call, nth, file });
            }
        }
    }
    Ok(Writes { places, total })
}

fn parsed(line: &str, state: &Path) -> Option<Logged> {
    let (thread, rest) = line.split_once(' ')?;
    let (name, rest) = rest.trim_start().split_once('(')?;
    let call = CALLS.into_iter().find(|call| *call == name)?;
    // A descriptor is followed by its path, a path stands in quotes; the last one of several is what a file is moved to.
    let state = state.to_string_lossy();
    let path = rest.rsplit_once(state.as_ref())?.1.split(['>', '"']).next()?;
    let of_journal = path.is_empty() || path.starts_with("/runs.db");
    Some(Logged {
        thread: thread.to_owned(),
        call,
        file: FILES.into_iter().find(|file| path.strip_prefix('/') == Some(*file)),
        of_journal,
    })
}

fn log(place: &Place) -> std::path::PathBuf {
    place.root().join("log")
}

/// Runs the program under strace, killed there.
fn under(place: &Place, args: &[&str], write: Option<&Write>) -> Tried<Said> {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-y", "-s", "0", "-o"]).arg(log(place));
    match write {
        None => strace.args(["-e", &format!("trace={}", CALLS.join(","))]),
        Some(Write { call, nth, file }) => {
            strace.args(["-e", &format!("trace={call}"), "-e", &format!("inject={call}:signal=KILL:when={nth}")]);
            file.map(|file| strace.arg("-P").arg(place.state().join(file)));
            &mut strace
        }
    };
    Ok(said(place.under(strace, args).output().map_err(|error| error.to_string())?))
}

/// Kills a run with these arguments and `--json` there, and looks at what is on the disk. Gives where that was done. None: it came to its
/// end without that call, three times; how many commits become one is a matter of time.
///
/// # Errors
/// When it failed by itself, a database is damaged, or something that had been told is not in the journal.
pub fn kill(place: impl Fn() -> Place, args: &[&str], write: &Write) -> Tried<Option<Place>> {
    for _ in 0..3 {
        let place = place();
        let told = under(&place, &[args, &["--json"]].concat(), Some(write))?;
        match told.code {
            // strace ends as what it watches.
            -1 => return sound(&place.state(), told.out.as_bytes()).map(|()| Some(place)),
            0 => {}
            code => return Err(format!("it was not killed there, it ended with {code}\n{}", told.err)),
        }
    }
    Ok(None)
}

/// The run that is killed everywhere.
pub const RUN: [&str; 5] = ["run", "s.rhai", "--sandbox", "--speed", "0"];

/// A place with its script.
pub fn prepared(make: Make<'_>) -> Place {
    let place = make();
    place.write("s.rhai", SCRIPT);
    place
}

/// The calls of that run, and what stands after it.
///
/// # Errors
/// As [`all`].
pub fn calm(make: Make<'_>) -> Tried<(Writes, Vec<String>)> {
    let place = prepared(make);
    Ok((all(&place, &RUN)?, made(&world(&place)?)))
}

/// Kills it at one call, and goes on to the same world. Gives whether it came to that call.
///
/// # Errors
/// As [`kill`], or when another world stands in the end.
pub fn one(make: Make<'_>, wanted: &[String], write: &Write) -> Tried<bool> {
    let Some(place) = kill(|| prepared(make), &RUN, write)? else { return Ok(false) };
    goes_on(&place, wanted).map(|()| true)
}
