//! Reads the journal.

use runbook_seeded::mutant;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{
    chain::{self, Hash},
    error::{Error, Result},
    store::Entry,
};

/// What a run's chain begins and ends with.
struct Ends {
    n: i64,
    root: Hash,
    seq: u64,
    hash: Vec<u8>,
}

/// The whole journal, its chain checked from the root to the end that the last append left.
pub(super) fn checked(connection: &Connection, run: &str, take: &mut dyn FnMut(Entry)) -> Result<()> {
    let snapshot = connection.unchecked_transaction()?;
    let ends = ends(&snapshot, run)?;
    let mut statement =
        snapshot.prepare_cached("SELECT seq, at_ms, sim_ms, payload, hash FROM entries WHERE run = ?1 ORDER BY seq")?;
    let mut rows = statement.query([ends.n])?;
    let (mut last, mut seq) = (ends.root, 0);
    while let Some(row) = rows.next()? {
        let expected = seq + 1;
        let damaged = |why: String| Error::Damaged { run: run.to_owned(), seq: expected, why };
        let entry = raw(row).map_err(|error| damaged(error.to_string()))?;
        if entry.seq != expected {
            return Err(damaged(format!("entry {} stands in its place", entry.seq)));
        }
        let hash = chain::link(&last, run, entry.seq, entry.at_ms, entry.sim_ms, entry.payload);
        if hash != entry.hash && !mutant!("chain-not-verified") {
            return Err(damaged("its content does not fit its hash and the entry before it".to_owned()));
        }
        (last, seq) = (hash, expected);
        take(entry.parse().map_err(|error| damaged(error.to_string()))?);
    }
    if seq < ends.seq && !mutant!("end-not-verified") {
        let why = format!("it is missing; the journal was written up to entry {}", ends.seq);
        return Err(Error::Damaged { run: run.to_owned(), seq: seq + 1, why });
    }
    if (seq > ends.seq || last[..] != ends.hash) && !mutant!("end-not-verified") {
        let why = "the journal's end is not the one that was written last".to_owned();
        return Err(Error::Damaged { run: run.to_owned(), seq, why });
    }
    Ok(())
}

/// The entries after `seq`, their chain not checked.
pub(super) fn after(connection: &Connection, run: &str, seq: u64) -> Result<Vec<Entry>> {
    let n = super::number(connection, run)?;
    let mut statement = connection.prepare_cached(
        "SELECT seq, at_ms, sim_ms, payload, hash FROM entries WHERE run = ?1 AND seq > ?2 ORDER BY seq",
    )?;
    let mut rows = statement.query(params![n, seq])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let at = seq + entries.len() as u64 + 1;
        let damaged = |why: String| Error::Damaged { run: run.to_owned(), seq: at, why };
        let entry = raw(row).map_err(|error| damaged(error.to_string()))?;
        entries.push(entry.parse().map_err(|error| damaged(error.to_string()))?);
    }
    Ok(entries)
}

fn ends(connection: &Connection, run: &str) -> Result<Ends> {
    connection
        .prepare_cached(
            "SELECT r.n, r.runbook, r.customer, r.target, r.settings, r.created_ms, h.seq, h.hash \
             FROM runs r JOIN heads h ON h.run = r.n WHERE r.id = ?1",
        )?
        .query_row([run], |row| {
            let (runbook, customer): (String, Option<String>) = (row.get(1)?, row.get(2)?);
            let (target, settings): (String, String) = (row.get(3)?, row.get(4)?);
            let root = chain::root(run, &runbook, customer.as_deref(), &target, &settings, row.get(5)?);
            Ok(Ends { n: row.get(0)?, root, seq: row.get(6)?, hash: row.get(7)? })
        })
        .optional()?
        .ok_or_else(|| super::no_such_run(run))
}

/// An entry as it stands in the table.
struct Raw<'a> {
    seq: u64,
    at_ms: i64,
    sim_ms: Option<i64>,
    payload: &'a str,
    hash: &'a [u8],
}

fn raw<'a>(row: &'a Row<'_>) -> rusqlite::Result<Raw<'a>> {
    Ok(Raw {
        seq: row.get(0)?,
        at_ms: row.get(1)?,
        sim_ms: row.get(2)?,
        payload: row.get_ref(3)?.as_str()?,
        hash: row.get_ref(4)?.as_blob()?,
    })
}

impl Raw<'_> {
    fn parse(&self) -> serde_json::Result<Entry> {
        let record = serde_json::from_str(self.payload)?;
        Ok(Entry { seq: self.seq, at_ms: self.at_ms, sim_ms: self.sim_ms, record })
    }
}
