//! A3: the power goes. The file writes of a run are written down by strace; from that log the disk is made as it may be found after a
//! power cut at any of them: what was synced is there, of the rest nothing, all, some, or half a sector-wise torn write. Whatever the run had
//! told by then must be in the journal, and it must go on to the same world.
//!
//! What is assumed of the file system: file names appear, move and go in order, as with a journal of metadata.

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use runbook_state::{record::Record, sqlite::Sqlite, store::Store};

use super::{Dice, Make, Tried, expect, made, world};
use crate::harness::Place;

/// A few effects, each known by a tag alone, by a token, or by a name.
pub const SCRIPT: &str = r#"const AWS = aws(#{ region: "us-east-1" });
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ name: "v", cidr_block: "10.0.0.0/16" }));
parallel(#{
    a: || step("gateway", || AWS.ec2.create_internet_gateway(#{ name: "g" })),
    b: || step("address", || AWS.ec2.allocate_address(#{ name: "a" })),
});
step("subnet", || AWS.ec2.create_subnet(#{ name: "s", vpc_id: vpc.id, cidr_block: "10.0.1.0/24" }));
output("vpc", vpc.id);
"#;

/// The disk's sector: what is torn is torn here.
const SECTOR: usize = 512;

/// What a program did to its disk.
#[derive(Debug)]
enum Done {
    Write { file: PathBuf, at: usize, bytes: Vec<u8> },
    Cut { file: PathBuf, length: usize },
    Synced { file: PathBuf },
    Moved { from: PathBuf, to: PathBuf },
    Removed { file: PathBuf },
    Told { bytes: Vec<u8> },
}

/// The log of a run.
pub struct Log {
    done: Vec<Done>,
    /// What stands after the undisturbed run.
    wanted: Vec<String>,
}

/// Whether strace is there; the tests need it where the testbed is required.
///
/// # Errors
/// When it is missing and must not be.
pub fn strace() -> Tried<bool> {
    if Command::new("strace").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
    {
        return Ok(true);
    }
    if std::env::var("RUNBOOK_TESTBED").is_ok_and(|value| value == "required") {
        return Err("strace is missing (apt-get install strace)".to_owned());
    }
    Ok(false)
}

/// Runs the script under strace. `fault`: one of our own, for a program that was built with the feature `mutants`.
///
/// # Errors
/// When it does not run.
pub fn record(make: Make<'_>, fault: Option<&str>) -> Tried<Log> {
    let place = make();
    place.write("s.rhai", SCRIPT);
    let calls = "trace=openat,write,pwrite64,fsync,fdatasync,ftruncate,rename,renameat,renameat2,unlink,unlinkat";
    let logs = place.root().join("log");
    let mut strace = Command::new("strace");
    strace.args(["-ff", "-y", "-qq", "-ttt", "-T", "-xx", "-s", "4000000", "-e", calls, "-o"]).arg(&logs);
    let mut command = place.under(strace, ["run", "s.rhai", "--sandbox", "--speed", "0", "--json"]);
    command.envs(fault.map(|fault| ("RUNBOOK_MUTANT", fault)));
    let out = File::create(place.root().join("out")).map_err(|error| error.to_string())?;
    let status = command.stdout(out).stderr(Stdio::null()).status().map_err(|error| error.to_string())?;
    if !status.success() {
        return Err(format!("the run under strace ended with {status}"));
    }
    let state = place.state();
    let mut done: Vec<(f64, Done)> = Vec::new();
    for entry in std::fs::read_dir(place.root()).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("log.") {
            let text = std::fs::read_to_string(entry.path()).map_err(|error| error.to_string())?;
            done.extend(text.lines().filter_map(|line| parsed(line, &state)));
        }
    }
    done.sort_by(|a, b| a.0.total_cmp(&b.0));
    let wanted = made(&world(&place)?);
    Ok(Log { done: done.into_iter().map(|(_, done)| done).collect(), wanted })
}

/// One line of strace: when it counts, and what it did below the state directory (names without it).
fn parsed(line: &str, state: &Path) -> Option<(f64, Done)> {
    let (when, rest) = line.split_once(' ')?;
    let began: f64 = when.parse().ok()?;
    let (name, rest) = rest.split_once('(')?;
    let (arguments, answer) = rest.rsplit_once(") = ")?;
    let (answer, took) = answer.split_once(" <")?;
    let result: i64 = answer.split_whitespace().next()?.parse().ok()?;
    if result < 0 {
        return None;
    }
    let ended = began + took.trim_end_matches('>').parse::<f64>().ok()?;
    let of_fd = || {
        Some(PathBuf::from(
            String::from_utf8_lossy(&unescaped(arguments.split_once('<')?.1.split_once('>')?.0)).into_owned(),
        ))
    };
    let below = |path: PathBuf| Some(path.strip_prefix(state).ok()?.to_owned()).filter(|path| path.as_os_str() != "");
    let quoted = || -> Vec<Vec<u8>> { arguments.split('"').skip(1).step_by(2).map(unescaped).collect() };
    let path = |bytes: &[u8]| PathBuf::from(String::from_utf8_lossy(bytes).into_owned());
    let number = |text: &str| text.trim().parse::<usize>().ok();
    let done = match name {
        "pwrite64" => {
            let mut bytes = quoted().pop()?;
            bytes.truncate(usize::try_from(result).ok()?);
            Done::Write { file: below(of_fd()?)?, at: number(arguments.rsplit_once(',')?.1)?, bytes }
        }
        "write" if arguments.starts_with("1<") => Done::Told { bytes: quoted().pop()? },
        "ftruncate" => Done::Cut { file: below(of_fd()?)?, length: number(arguments.rsplit_once(',')?.1)? },
        "fsync" | "fdatasync" => return Some((ended, Done::Synced { file: below(of_fd()?)? })),
        "rename" | "renameat" | "renameat2" => {
            let names = quoted();
            Done::Moved { from: below(path(names.first()?))?, to: below(path(names.get(1)?))? }
        }
        "unlink" | "unlinkat" => Done::Removed { file: below(path(quoted().first()?))? },
        _ => return None,
    };
    Some((began, done))
}

fn unescaped(text: &str) -> Vec<u8> {
    let pairs = text.split("\\x").skip(1);
    pairs.filter_map(|pair| u8::from_str_radix(pair.get(..2)?, 16).ok()).collect()
}

/// A file on a disk: what is surely there, and what was written since.
#[derive(Clone, Default)]
struct Kept {
    synced: Vec<u8>,
    since: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Cut(usize),
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Write(at, bytes) => {
                if to.len() < at + bytes.len() {
                    to.resize(at + bytes.len(), 0);
                }
                to[*at..at + bytes.len()].copy_from_slice(bytes);
            }
            Self::Cut(length) => to.resize(*length, 0),
        }
    }
}

/// What becomes of what was not synced.
#[derive(Debug, Clone, Copy)]
enum Loss {
    All,
    Nothing,
    Some,
    Torn,
}

impl Log {
    /// How many places there are at which the power may go.
    pub fn places(&self) -> usize {
        self.done.len() + 1
    }

    /// The disk after the first `count` calls, in files below `state`; and what had been told by then.
    fn image(&self, count: usize, loss: Loss, dice: &mut Dice, state: &Path) -> Tried<Vec<u8>> {
        let mut files: BTreeMap<&Path, Kept> = BTreeMap::new();
        let mut told = Vec::new();
        for done in &self.done[..count] {
            match done {
                Done::Write { file, at, bytes } => {
                    files.entry(file).or_default().since.push(Change::Write(*at, bytes.clone()));
                }
                Done::Cut { file, length } => files.entry(file).or_default().since.push(Change::Cut(*length)),
                Done::Synced { file } => {
                    let kept = files.entry(file).or_default();
                    for change in std::mem::take(&mut kept.since) {
                        change.apply(&mut kept.synced);
                    }
                }
                Done::Moved { from, to } => {
                    if let Some(kept) = files.remove(from.as_path()) {
                        files.insert(to, kept);
                    }
                }
                Done::Removed { file } => {
                    files.remove(file.as_path());
                }
                Done::Told { bytes } => told.extend_from_slice(bytes),
            }
        }
        std::fs::create_dir_all(state).map_err(|error| error.to_string())?;
        std::fs::set_permissions(state, std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .map_err(|error| error.to_string())?;
        for (name, kept) in files {
            // The index of a write-ahead log is memory, not disk.
            if name.to_string_lossy().ends_with("-shm") {
                continue;
            }
            let mut bytes = kept.synced;
            let last = kept.since.len().saturating_sub(1);
            for (at, change) in kept.since.iter().enumerate() {
                let keep = match loss {
                    Loss::All => false,
                    Loss::Nothing => true,
                    Loss::Some | Loss::Torn => dice.up_to(2) == 0,
                };
                match change {
                    Change::Write(offset, written) if at == last && matches!(loss, Loss::Torn) => {
                        let sectors = (written.len() / SECTOR) as u64;
                        let torn = written[..SECTOR * dice.up_to(sectors + 1) as usize].to_vec();
                        Change::Write(*offset, torn).apply(&mut bytes);
                    }
                    change if keep => change.apply(&mut bytes),
                    _ => {}
                }
            }
            let path = state.join(name);
            std::fs::write(&path, bytes).map_err(|error| error.to_string())?;
            std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
                .map_err(|error| error.to_string())?;
        }
        Ok(told)
    }
}

/// One power cut: the number chooses where and what is lost. Every tenth image is also gone on with to the end.
///
/// # Errors
/// When something that had been told is not there, or it does not go on as it must.
pub fn one(make: Make<'_>, log: &Log, n: u64) -> Tried<()> {
    let mut dice = Dice::new(n);
    let loss = [Loss::All, Loss::Nothing, Loss::Some, Loss::Torn][(n % 4) as usize];
    let count = ((n / 4) as usize).wrapping_mul(7919) % log.places();
    let place = make();
    let state = place.state();
    let told = log.image(count, loss, &mut dice, &state)?;
    let fail = |why: String| format!("{why} (image {n}: after {count} calls, lost: {loss:?})");
    sound(&state, &told).map_err(fail)?;
    if n.is_multiple_of(10) { goes_on(&place, &log.wanted).map_err(fail) } else { Ok(()) }
}

/// The databases are whole, and what was told stands in the journal.
///
/// # Errors
/// What is damaged or missing.
pub(super) fn sound(state: &Path, told: &[u8]) -> Tried<()> {
    let events = String::from_utf8_lossy(told);
    let count = |event: &str| events.lines().filter(|line| line.contains(&format!("\"event\":\"{event}\""))).count();
    // The end of a step may be lost: its effects are not.
    let (intents, answers) = (count("effect.intent"), count("effect.done"));
    if !state.join("runs.db").exists() {
        return if intents == 0 { Ok(()) } else { Err("there is no journal, and intents were told".to_owned()) };
    }
    let store = Sqlite::open(state).map_err(|error| format!("the journal cannot be opened: {error}"))?;
    let Some(run) = store.runs().map_err(|error| error.to_string())?.pop() else {
        return if intents == 0 { Ok(()) } else { Err("there is no run, and intents were told".to_owned()) };
    };
    let journal = store.journal(&run.id).map_err(|error| format!("the journal is damaged: {error}"))?;
    let kept = |wanted: fn(&Record) -> bool| journal.iter().filter(|entry| wanted(&entry.record)).count();
    let intended = kept(|record| matches!(record, Record::Intent { .. }));
    let answered = kept(|record| matches!(record, Record::Done { .. }));
    if intended < intents || answered < answers {
        return Err(format!("{intents} intents and {answers} answers were told, {intended} and {answered} are there"));
    }
    drop(store);
    for name in ["runs.db", "sandbox.db"] {
        if !state.join(name).exists() {
            continue;
        }
        let db = rusqlite::Connection::open(state.join(name)).map_err(|error| error.to_string())?;
        let verdict: String =
            db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(|error| error.to_string())?;
        if verdict != "ok" {
            return Err(format!("{name}: {verdict}"));
        }
    }
    Ok(())
}

/// Goes on with the script's run to what must stand in the end; one that was not stored yet begins anew.
///
/// # Errors
/// When it does not.
pub(super) fn goes_on(place: &Place, wanted: &[String]) -> Tried<()> {
    place.write("s.rhai", SCRIPT);
    let resumed = place.run(["resume", "latest", "--speed", "0"]);
    if resumed.code == 2 && ["RB0203", "RB0218"].iter().any(|code| resumed.err.contains(code)) {
        expect(place, 0, &["run", "s.rhai", "--sandbox", "--speed", "0"])?;
    } else if resumed.code != 0 {
        return Err(format!("it does not go on:\n{}", resumed.err));
    }
    let now = world(place)?;
    if made(&now) == wanted { Ok(()) } else { Err(format!("there stands {:?} and not {wanted:?}", made(&now))) }
}
