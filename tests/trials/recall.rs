//! G8: the scanner's check of itself. Canaries are written where a run writes, by other encoders than the scanner's own: into a row of the
//! journal and a document of the world, wherever in them a page may end; into a line of the events; into a file of the working
//! folder. Each must be found.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use rusqlite::{Connection, params};

use super::{Make, Tried, canaries::canary, expect, power::SCRIPT, scanner::Sinks};

/// What was planted, and what of it was found.
#[derive(Debug)]
pub struct Recall {
    /// Canaries.
    pub planted: usize,
    /// Those that were not found: encoding and place.
    pub missed: Vec<String>,
}

/// What is written before a canary in a row: with a step shorter than any of its encodings, each end of a page cuts one of them.
const BEFORE: std::ops::Range<usize> = 0..5_000;
const STEP: usize = 17;

/// Plants and looks.
///
/// # Errors
/// When the run does not come to its end, or something is found before anything was planted.
pub fn one(make: Make<'_>) -> Tried<Recall> {
    let place = make();
    place.write("s.rhai", SCRIPT);
    let told = expect(&place, 0, &["run", "s.rhai", "--sandbox", "--speed", "0", "--json"])?;
    place.write("events.json", &told.out);
    let planted = canary("planted");
    let found = |folder: &Path| {
        let mut sinks = Sinks::default();
        sinks.add_folder(folder);
        !sinks.hits(std::slice::from_ref(&planted)).is_empty()
    };
    if found(place.root()) {
        return Err("a canary is found that was never planted".to_owned());
    }
    let mut recall = Recall { planted: 0, missed: Vec::new() };
    let mut look = |what: String, folder: &Path| {
        recall.planted += 1;
        if !found(folder) {
            recall.missed.push(what);
        }
    };
    let (state, events) = (place.state(), place.work().join("events.json"));
    for (encoding, bytes) in encoded(&planted)? {
        let rows = [
            ("runs.db", "UPDATE entries SET payload = CAST(?1 AS TEXT) WHERE seq = (SELECT max(seq) FROM entries)"),
            ("sandbox.db", "UPDATE documents SET body = CAST(?1 AS TEXT) WHERE key = (SELECT max(key) FROM documents)"),
        ];
        for (name, update) in rows {
            let copy = Copy::of(&state.join(name))?;
            let database = copy.database()?;
            // One encoding is tried at every place; the pages' ends are the same for all of them.
            let step = if encoding == "base64" { STEP } else { 1_000 };
            for before in BEFORE.step_by(step) {
                let row = [&vec![b'.'; before][..], &bytes, &[b'.'; 3_000]].concat();
                database.execute(update, params![row]).map_err(|error| error.to_string())?;
                look(format!("{encoding} in {name} after {before} bytes"), copy.folder.path());
            }
        }
        let copy = Copy::of(&events)?;
        copy.append(&[&b"{\"event\":\"note\",\"text\":\""[..], &bytes, b"\"}\n"].concat())?;
        look(format!("{encoding} in a line of the events"), copy.folder.path());
        let copy = Copy::of(&place.work().join("s.rhai"))?;
        copy.append(&bytes)?;
        look(format!("{encoding} in a file"), copy.folder.path());
    }
    Ok(recall)
}

/// A file by itself in a folder of its own.
struct Copy {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl Copy {
    fn of(file: &Path) -> Tried<Self> {
        let io = |error: std::io::Error| error.to_string();
        let folder = tempfile::tempdir().map_err(io)?;
        let path = folder.path().join(file.file_name().unwrap_or_default());
        fs::copy(file, &path).map_err(io)?;
        Ok(Self { folder, path })
    }

    fn append(&self, bytes: &[u8]) -> Tried<()> {
        let file = fs::OpenOptions::new().append(true).open(&self.path);
        file.and_then(|mut file| file.write_all(bytes)).map_err(|error| error.to_string())
    }

    /// The database: what is written is in its file at once.
    fn database(&self) -> Tried<Connection> {
        let open = || {
            let database = Connection::open(&self.path)?;
            database
                .execute_batch("PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; PRAGMA secure_delete = ON;")?;
            Ok(database)
        };
        open().map_err(|error: rusqlite::Error| error.to_string())
    }
}

/// A value as the usual encoders write it.
fn encoded(value: &str) -> Tried<Vec<(&'static str, Vec<u8>)>> {
    let database = Connection::open_in_memory().map_err(|error| error.to_string())?;
    let asked = |sql: &str| {
        let hex: rusqlite::Result<String> = database.query_row(sql, [value.as_bytes()], |row| row.get(0));
        hex.map(String::into_bytes).map_err(|error| error.to_string())
    };
    let json = serde_json::to_string(value).map_err(|error| error.to_string())?;
    let json_twice = serde_json::to_string(&json).map_err(|error| error.to_string())?;
    let longer = |before: &str| format!("{before}{value} and more");
    Ok(vec![
        ("plain", value.as_bytes().to_vec()),
        ("hexadecimal", asked("SELECT lower(hex(?1))")?),
        ("hexadecimal, upper case", asked("SELECT hex(?1)")?),
        ("JSON", json.clone().into_bytes()),
        ("JSON in JSON", json_twice.into_bytes()),
        ("UTF-16, little end first", value.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16, big end first", value.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("base64", STANDARD.encode(value).into_bytes()),
        ("base64, one byte before", STANDARD.encode(longer("x")).into_bytes()),
        ("base64, two bytes before", STANDARD.encode(longer("xy")).into_bytes()),
        ("base64 for URLs", URL_SAFE.encode(longer("xyz")).into_bytes()),
        ("JSON in base64", STANDARD.encode(json).into_bytes()),
        ("its first half", value.as_bytes()[..value.len() / 2].to_vec()),
        ("its second half", value.as_bytes()[value.len() / 2..].to_vec()),
    ])
}
