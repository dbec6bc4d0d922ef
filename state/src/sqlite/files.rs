//! A run's script, stored by content: what the run is carried on with, whatever happens to the files on the disk.

use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    chain,
    error::{Error, Result},
    store::{File, Lease},
};

/// Keeps the contents and lists them as a set of the run.
pub(super) fn store(connection: &Connection, n: i64, set: u32, files: &[File]) -> Result<()> {
    let mut keep =
        connection.prepare_cached("INSERT INTO files (digest, content) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
    let mut list = connection
        .prepare_cached("INSERT INTO run_files (run, file_set, ord, name, digest) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (ord, file) in files.iter().enumerate() {
        let digest = chain::content(&file.content);
        keep.execute(params![digest, file.content])?;
        list.execute(params![n, set, ord as i64, file.name, digest])?;
    }
    Ok(())
}

/// A new set, which from now on is the run's.
pub(super) fn replace(connection: &Connection, lease: &Lease, files: &[File]) -> Result<()> {
    let n = super::lease::check(connection, lease)?;
    connection.prepare_cached("UPDATE heads SET file_set = file_set + 1 WHERE run = ?1")?.execute([n])?;
    let set =
        connection.prepare_cached("SELECT file_set FROM heads WHERE run = ?1")?.query_row([n], |row| row.get(0))?;
    store(connection, n, set, files)
}

/// The newest set, each content checked against its digest.
pub(super) fn load(connection: &Connection, run: &str) -> Result<Vec<File>> {
    let (n, set) = newest(connection, run)?;
    one(connection, run, n, set)
}

/// All sets, oldest first.
pub(super) fn all(connection: &Connection, run: &str) -> Result<Vec<Vec<File>>> {
    let (n, newest) = newest(connection, run)?;
    let mut sets =
        connection.prepare_cached("SELECT DISTINCT file_set FROM run_files WHERE run = ?1 ORDER BY file_set")?;
    let sets: Vec<u32> = sets.query_map([n], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    sets.into_iter().filter(|set| *set <= newest).map(|set| one(connection, run, n, set)).collect()
}

fn newest(connection: &Connection, run: &str) -> Result<(i64, u32)> {
    let found: Option<(i64, u32)> = connection
        .prepare_cached("SELECT h.run, h.file_set FROM runs r JOIN heads h ON h.run = r.n WHERE r.id = ?1")?
        .query_row([run], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found.ok_or_else(|| super::no_such_run(run))
}

fn one(connection: &Connection, run: &str, n: i64, set: u32) -> Result<Vec<File>> {
    let mut statement = connection.prepare_cached(
        "SELECT l.name, l.digest, f.content FROM run_files l JOIN files f ON f.digest = l.digest \
         WHERE l.run = ?1 AND l.file_set = ?2 ORDER BY l.ord",
    )?;
    let rows = statement.query_map(params![n, set], |row| {
        Ok((row.get::<_, String>(1)?, File { name: row.get(0)?, content: row.get(2)? }))
    })?;
    let mut files = Vec::new();
    for row in rows {
        let (digest, file) = row?;
        if chain::content(&file.content) != digest {
            return Err(Error::Damaged {
                run: run.to_owned(),
                seq: 0,
                why: format!("the stored content of {} does not fit its digest", file.name),
            });
        }
        files.push(file);
    }
    Ok(files)
}
