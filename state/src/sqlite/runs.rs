//! Creates, lists and finds runs.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{
    chain,
    error::{Error, Result},
    store::{NewRun, Run, Summary},
};

const SELECT: &str = "SELECT r.id, r.runbook, r.customer, r.target, r.settings, r.created_ms, \
    (SELECT l.digest FROM run_files l WHERE l.run = r.n AND l.file_set = h.file_set AND l.ord = 0), \
    h.ending, h.mode, h.steps_done, h.effects_done, h.owned, h.last_ms \
    FROM runs r LEFT JOIN heads h ON h.run = r.n";

pub(super) fn create(connection: &Connection, new: &NewRun) -> Result<()> {
    if new.id.len() != 32 || !new.id.bytes().all(is_lower_hex) {
        let what = "a run's id is 32 lower-hex characters".to_owned();
        return Err(Error::Illegal { run: new.id.clone(), what });
    }
    if super::number(connection, &new.id).is_ok() {
        return Err(Error::Illegal { run: new.id.clone(), what: "a run with this id exists".to_owned() });
    }
    let settings = super::json(&new.id, &new.settings)?;
    connection
        .prepare_cached(
            "INSERT INTO runs (id, runbook, customer, target, settings, created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![new.id, new.runbook, new.customer, new.target, settings, new.created_ms])?;
    let n = connection.last_insert_rowid();
    let root = chain::root(&new.id, &new.runbook, new.customer.as_deref(), &new.target, &settings, new.created_ms);
    connection
        .prepare_cached(
            "INSERT INTO heads (run, seq, hash, last_ms, mode, ending, steps_done, effects_done, owned, file_set, fence, \
             holder, since_ms, beat_ms) VALUES (?1, 0, ?2, ?3, '', NULL, 0, 0, 0, 0, 0, NULL, 0, 0)",
        )?
        .execute(params![n, root, new.created_ms])?;
    super::files::store(connection, n, 0, &new.files)
}

/// All runs, newest first. One whose row or head is damaged is listed without what cannot be read; [`one`] names the damage.
pub(super) fn list(connection: &Connection) -> Result<Vec<Run>> {
    let lost = "SELECT EXISTS (SELECT 1 FROM heads h WHERE NOT EXISTS (SELECT 1 FROM runs r WHERE r.n = h.run))";
    if connection.prepare_cached(lost)?.query_row([], |row| row.get(0))? {
        let why = "its row is missing, its head is there".to_owned();
        return Err(Error::Damaged { run: "of unknown id".to_owned(), seq: 0, why });
    }
    let mut statement = connection.prepare_cached(&format!("{SELECT} ORDER BY r.created_ms DESC, r.n DESC"))?;
    let rows = statement.query_map([], columns)?;
    rows.map(|row| row.map(|row| run(row.clone()).unwrap_or(row.run)).map_err(Error::from)).collect()
}

pub(super) fn one(connection: &Connection, id: &str) -> Result<Run> {
    let found = connection.prepare_cached(&format!("{SELECT} WHERE r.id = ?1"))?.query_row([id], columns).optional()?;
    run(found.ok_or_else(|| super::no_such_run(id))?)
}

/// A run by unique prefix of its id, or the newest one.
pub(super) fn find(connection: &Connection, prefix: &str) -> Result<Run> {
    let none = |what: String| Err(Error::NoSuchRun { what, matches: Vec::new() });
    if prefix == "latest" {
        let sql = format!("{SELECT} ORDER BY r.created_ms DESC, r.n DESC LIMIT 1");
        return match connection.prepare_cached(&sql)?.query_row([], columns).optional()? {
            Some(found) => run(found),
            None => none("there are no runs yet".to_owned()),
        };
    }
    let prefix = prefix.to_ascii_lowercase();
    if prefix.is_empty() || !prefix.bytes().all(is_lower_hex) {
        return none(format!(
            "`{}` is not the beginning of a run's id (0-9, a-f) and not `latest`",
            prefix.escape_debug()
        ));
    }
    let matches = beginning_with(connection, &prefix)?;
    match matches.as_slice() {
        [] => none(format!("no run's id begins with {prefix}")),
        [id] => one(connection, id),
        several => Err(Error::NoSuchRun { what: format!("{} runs begin with {prefix}", several.len()), matches }),
    }
}

fn beginning_with(connection: &Connection, prefix: &str) -> Result<Vec<String>> {
    // `g` comes right after the last hexadecimal digit.
    let mut statement =
        connection.prepare_cached("SELECT id FROM runs WHERE id >= ?1 AND id < ?1 || 'g' ORDER BY id")?;
    let ids = statement.query_map([prefix], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(ids)
}

fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// A row whose JSON columns are still text.
#[derive(Clone)]
struct Read {
    run: Run,
    settings: String,
    ending: Option<String>,
    /// The row of `heads` that belongs to it is not there.
    headless: bool,
}

fn columns(row: &Row<'_>) -> rusqlite::Result<Read> {
    let run = Run {
        id: row.get(0)?,
        runbook: row.get(1)?,
        customer: row.get(2)?,
        target: row.get(3)?,
        settings: serde_json::Value::Null,
        script: row.get::<_, Option<String>>(6)?.unwrap_or_default(),
        created_ms: row.get(5)?,
        summary: Summary {
            ending: None,
            mode: row.get::<_, Option<_>>(8)?.unwrap_or_default(),
            steps_done: row.get::<_, Option<_>>(9)?.unwrap_or_default(),
            effects_done: row.get::<_, Option<_>>(10)?.unwrap_or_default(),
            owned: row.get::<_, Option<_>>(11)?.unwrap_or_default(),
            last_ms: row.get::<_, Option<_>>(12)?.unwrap_or_default(),
        },
    };
    let headless = row.get::<_, Option<String>>(8)?.is_none();
    Ok(Read { run, settings: row.get(4)?, ending: row.get(7)?, headless })
}

fn run(Read { mut run, settings, ending, headless }: Read) -> Result<Run> {
    if headless {
        return Err(Error::Damaged { run: run.id, seq: 0, why: "its head is missing".to_owned() });
    }
    run.settings = super::parsed(&run.id, &settings)?;
    run.summary.ending = ending.map(|ending| super::parsed(&run.id, &ending)).transpose()?;
    Ok(run)
}
