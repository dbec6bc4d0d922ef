//! B4: files of a run that was broken off are damaged: bits flipped, stretches overwritten, cut at the edges of pages. It is noticed, or
//! harmless, or the newest entries of the write-ahead log are lost as a whole: SQLite ends a log where its checksums do not fit, and
//! says nothing. What is read is then the beginning of what was recorded, never something else; going on with such a journal is a
//! trial of its own (`restored`).

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use runbook_state::{
    record::Record,
    sqlite::Sqlite,
    store::{Store, version},
};

use super::{Dice, Make, Tried, expect, power::SCRIPT};
use crate::harness::Place;

const PAGE: usize = 4096;

/// What became of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was refused.
    Noticed,
    /// A beginning of the journal is read, without an error: entries that were acknowledged are lost.
    Earlier,
    /// All that is read is as before.
    Harmless,
}

/// The state of a broken-off run, and what it says.
pub struct Sound {
    files: Vec<(String, Vec<u8>)>,
    meaning: String,
    _place: Place,
}

impl Sound {
    /// A run that was killed in the middle, its write-ahead log not yet moved into the file.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(make: Make<'_>, log: bool) -> Tried<Self> {
        let place = make();
        place.write("s.rhai", SCRIPT);
        let said = place.run(["run", "s.rhai", "--sandbox", "--speed", "0", "--fault", "kill-after:3"]);
        if said.code != -1 {
            return Err(format!("it was not killed: {}", said.err));
        }
        let state = place.state();
        if !log {
            expect(&place, 0, &["runs"])?;
        }
        let mut files = Vec::new();
        for name in ["runs.db", "runs.db-wal"] {
            if let Ok(bytes) = fs::read(state.join(name)) {
                files.push((name.to_owned(), bytes));
            }
        }
        let copy = tempfile::tempdir().map_err(|error| error.to_string())?;
        write(copy.path(), &files)?;
        let meaning = meaning(copy.path()).map_err(|why| format!("the sound one cannot be read: {why}"))?;
        Ok(Self { files, meaning, _place: place })
    }

    /// One damage, by number.
    ///
    /// # Errors
    /// When what is read is something else, without an error; or when reading panics.
    pub fn damaged(&self, n: u64) -> Tried<Verdict> {
        let mut dice = Dice::new(n);
        let mut files = self.files.clone();
        let at = dice.up_to(files.len() as u64) as usize;
        let (name, bytes) = &mut files[at];
        let what = match n % 8 {
            0 => {
                let pages = (bytes.len() / PAGE) as u64;
                let edge = PAGE * dice.up_to(pages + 1) as usize;
                let cut = (edge + [0, 1, PAGE - 1][dice.up_to(3) as usize]).min(bytes.len());
                bytes.truncate(cut);
                format!("{name} cut to {cut} bytes")
            }
            1 => {
                let from = dice.up_to(bytes.len() as u64) as usize;
                let to = (from + 1 + dice.up_to(600) as usize).min(bytes.len());
                bytes[from..to].fill(dice.up_to(256) as u8);
                format!("{name} overwritten from {from} to {to}")
            }
            _ => {
                let (byte, bit) = (dice.up_to(bytes.len() as u64) as usize, dice.up_to(8));
                bytes[byte] ^= 1 << bit;
                format!("{name}, byte {byte}, bit {bit}")
            }
        };
        let log = name.ends_with("-wal");
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        write(folder.path(), &files)?;
        let read = catch_unwind(AssertUnwindSafe(|| meaning(folder.path())))
            .map_err(|_| format!("{what}: reading panicked"))?;
        match read {
            Err(_) => Ok(Verdict::Noticed),
            Ok(same) if same == self.meaning => Ok(Verdict::Harmless),
            Ok(earlier) if log && self.earlier(&earlier) => Ok(Verdict::Earlier),
            Ok(other) => {
                Err(format!("{what}: it reads otherwise, without an error\n{}", difference(&self.meaning, &other)))
            }
        }
    }

    /// A beginning of the same journal, or no run at all.
    fn earlier(&self, other: &str) -> bool {
        let entries =
            |text: &str| text.lines().filter(|line| line.starts_with("entry ")).map(str::to_owned).collect::<Vec<_>>();
        entries(&self.meaning).starts_with(&entries(other))
    }
}

fn write(folder: &Path, files: &[(String, Vec<u8>)]) -> Tried<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let io = |error: std::io::Error| error.to_string();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(io)?;
    for (name, bytes) in files {
        let path: PathBuf = folder.join(name);
        fs::write(&path, bytes).map_err(io)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(io)?;
    }
    Ok(())
}

/// Everything from which a run is gone on with: its row, its journal, its scripts, its sealed secrets. The summary for lists is not:
/// it is only shown, and can be counted anew.
fn meaning(folder: &Path) -> Tried<String> {
    let told = |error: runbook_state::error::Error| error.to_string();
    let store = Sqlite::open(folder).map_err(told)?;
    let mut out = String::new();
    for run in store.runs().map_err(told)? {
        out += &format!(
            "run {} {} {:?} {} {} {}\n",
            run.id, run.runbook, run.customer, run.target, run.settings, run.created_ms
        );
        for entry in store.journal(&run.id).map_err(told)? {
            out += &format!("entry {entry:?}\n");
        }
        let scripts = store.scripts(&run.id).map_err(told)?;
        // As a resume insists on it: names and order of the files are held by the journal.
        let driven = store.journal(&run.id).map_err(told)?.into_iter().rev().find_map(|entry| match entry.record {
            Record::Began { script, .. } => script,
            _ => None,
        });
        if driven.is_some_and(|driven| !scripts.iter().any(|files| version(files) == driven)) {
            return Err("the script is not the one that the run was driven with".to_owned());
        }
        for files in scripts {
            out += &format!("script {files:?}\n");
        }
        for name in store.secret_names(&run.id).map_err(told)? {
            out += &format!("secret {name} {:?}\n", store.secret(&run.id, &name).map_err(told)?);
        }
    }
    Ok(out)
}

fn difference(before: &str, now: &str) -> String {
    let (before, now): (Vec<&str>, Vec<&str>) = (before.lines().collect(), now.lines().collect());
    let at = before.iter().zip(&now).position(|(a, b)| a != b).unwrap_or(before.len().min(now.len()));
    let short =
        |lines: &[&str]| lines.get(at).map(|line| line.chars().take(600).collect::<String>()).unwrap_or_default();
    format!("before: {}\nnow:    {}", short(&before), short(&now))
}
