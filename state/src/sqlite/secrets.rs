//! Sealed secrets: ciphertext by run and name.

use rusqlite::{Connection, OptionalExtension, params};

use crate::error::Result;

pub(super) fn put(connection: &Connection, run: &str, name: &str, sealed: &[u8]) -> Result<()> {
    let n = super::number(connection, run)?;
    connection
        .prepare_cached(
            "INSERT INTO secrets (run, name, sealed) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET sealed = excluded.sealed",
        )?
        .execute(params![n, name, sealed])?;
    Ok(())
}

pub(super) fn get(connection: &Connection, run: &str, name: &str) -> Result<Option<Vec<u8>>> {
    let n = super::number(connection, run)?;
    let mut statement = connection.prepare_cached("SELECT sealed FROM secrets WHERE run = ?1 AND name = ?2")?;
    Ok(statement.query_row(params![n, name], |row| row.get(0)).optional()?)
}

pub(super) fn names(connection: &Connection, run: &str) -> Result<Vec<String>> {
    let n = super::number(connection, run)?;
    let mut statement = connection.prepare_cached("SELECT name FROM secrets WHERE run = ?1 ORDER BY name")?;
    let names = statement.query_map([n], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(names)
}
