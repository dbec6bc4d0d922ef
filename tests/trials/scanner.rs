//! G1, G2: looks for a secret's value in everything that was written, in the encodings in which it may come back.

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
};

use rusqlite::{Connection, OpenFlags, types::ValueRef};

/// Needles are kept by so many of their first bytes; none is shorter.
const START: usize = 6;

/// Where something was found.
#[derive(Debug)]
pub struct Hit {
    /// The canary.
    pub canary: String,
    /// How it was written.
    pub encoding: &'static str,
    /// Where.
    pub sink: String,
}

impl std::fmt::Display for Hit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}) in {}", self.canary, self.encoding, self.sink)
    }
}

/// Letters that any base64 of a longer text shows of a value at this place in it, modulo three.
fn within_base64(value: &[u8], before: usize, url: bool) -> Vec<u8> {
    let plus_slash: &[u8] = if url { b"-_" } else { b"+/" };
    let alphabet = [b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".as_slice(), plus_slash].concat();
    let bytes: Vec<u8> = std::iter::repeat_n(0, before).chain(value.iter().copied()).collect();
    let bit = |at: usize| (bytes[at / 8] >> (7 - at % 8)) & 1;
    let first = (8 * before).div_ceil(6);
    let letters = first..8 * bytes.len() / 6;
    letters.map(|letter| alphabet[usize::from((0..6).fold(0, |sum, i| sum << 1 | bit(6 * letter + i)))]).collect()
}

/// A value in every encoding that is looked for. What is the same twice stands once.
pub fn encodings(value: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = value.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
    let url = |upper: bool| -> String {
        let escape = |byte: &u8| if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") };
        bytes.iter().map(|byte| if plain(byte) { char::from(*byte).to_string() } else { escape(byte) }).collect()
    };
    let json = serde_json::to_string(value).unwrap_or_default();
    let json = json.trim_matches('"').to_owned();
    let mut all = vec![
        ("plain", bytes.to_vec()),
        ("hexadecimal", hex.clone().into_bytes()),
        ("hexadecimal, upper case", hex.to_uppercase().into_bytes()),
        ("percent", url(true).into_bytes()),
        ("percent, lower case", url(false).into_bytes()),
        ("JSON", json.clone().into_bytes()),
        ("JSON in JSON", json.replace('\\', "\\\\").replace('"', "\\\"").into_bytes()),
        ("UTF-16, little end first", value.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16, big end first", value.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("backwards", bytes.iter().rev().copied().collect()),
        ("the first half", bytes[..bytes.len() / 2].to_vec()),
        ("the second half", bytes[bytes.len() / 2..].to_vec()),
    ];
    for (name, before) in [("base64", 0), ("base64, one byte before", 1), ("base64, two bytes before", 2)] {
        all.push((name, within_base64(bytes, before, false)));
        all.push((name, within_base64(bytes, before, true)));
    }
    for before in 0..3 {
        all.push(("JSON in base64", within_base64(json.as_bytes(), before, false)));
    }
    all.sort_by(|a, b| a.1.cmp(&b.1));
    all.dedup_by(|a, b| a.1 == b.1);
    all
}

/// Everything that was written: what it was called, and its bytes.
#[derive(Default)]
pub struct Sinks {
    all: Vec<(String, Vec<u8>)>,
}

impl Sinks {
    /// Takes in a text or file.
    pub fn add(&mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.all.push((name.into(), bytes.into()));
    }

    /// Takes in all files below a folder. Those of SQLite are read as they lie on the disk, freed pages and all, and once more row by row:
    /// a value that is longer than a page lies there in pieces.
    pub fn add_folder(&mut self, folder: &Path) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                self.add_folder(&path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                self.add(path.display().to_string(), bytes);
                if path.extension().is_some_and(|extension| extension == "db") {
                    // What is no database has no rows.
                    self.add(format!("{}, row by row", path.display()), rows(&path).unwrap_or_default());
                }
            }
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// How many bytes.
    pub fn bytes(&self) -> usize {
        self.all.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// Looks for canaries in every encoding. A lower-case copy of each sink is not made: encodings name their case.
    pub fn hits(&self, canaries: &[String]) -> Vec<Hit> {
        let needles: Vec<(&String, &'static str, Vec<u8>)> = canaries
            .iter()
            .flat_map(|canary| encodings(canary).into_iter().map(move |(name, needle)| (canary, name, needle)))
            .collect();
        let mut found = BTreeSet::new();
        // Most places are none at which a needle begins: two bytes tell it.
        let mut begins = vec![false; 1 << 16];
        let pair = |bytes: &[u8]| usize::from(bytes[0]) << 8 | usize::from(bytes[1]);
        let mut by_start: HashMap<&[u8], Vec<usize>> = HashMap::new();
        for (at, (.., needle)) in needles.iter().enumerate() {
            by_start.entry(&needle[..START]).or_default().push(at);
            begins[pair(needle)] = true;
        }
        for (nth, (_, bytes)) in self.all.iter().enumerate() {
            for (from, start) in bytes.windows(START).enumerate().filter(|(_, start)| begins[pair(start)]) {
                for at in by_start.get(start).into_iter().flatten() {
                    if bytes[from..].starts_with(&needles[*at].2) {
                        found.insert((*at, nth));
                    }
                }
            }
        }
        let hit = |(at, nth): (usize, usize)| {
            let (canary, encoding, _) = &needles[at];
            Hit { canary: (*canary).clone(), encoding, sink: self.all[nth].0.clone() }
        };
        found.into_iter().map(hit).collect()
    }
}

/// All values of all tables, one after the other.
fn rows(path: &Path) -> rusqlite::Result<Vec<u8>> {
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?;
    let tables = tables.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    let mut all = Vec::new();
    for table in tables {
        let mut rows = database.prepare(&format!("SELECT * FROM \"{table}\""))?;
        let columns = rows.column_count();
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) = row.get_ref(column)? {
                    all.extend_from_slice(bytes);
                    all.push(b'\n');
                }
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_none_gives_none() {
        let mut sinks = Sinks::default();
        sinks.add("a text", "nothing of that kind".as_bytes());
        assert!(sinks.hits(&["Cnry-given-7f3a9c0e".to_owned()]).is_empty());
    }
}
