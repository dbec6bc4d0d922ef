//! Numbered migrations, forward only. What is missing is done in one transaction; a newer schema is left untouched.

use std::path::Path;

use rusqlite::Connection;

use crate::error::{Error, Result};

/// A kind of database of ours.
pub(crate) struct Schema {
    /// The file's name in the state directory.
    pub(crate) file: &'static str,
    /// SQLite's `application_id`: tells our files from those of others.
    pub(crate) application_id: u32,
    /// Migration n brings the schema from n to n + 1.
    pub(crate) migrations: &'static [&'static str],
}

impl Schema {
    /// The version that this program writes.
    pub(crate) fn newest(&self) -> u32 {
        self.migrations.len() as u32
    }
}

/// Brings a database to the newest schema. One that is newest already is only read.
pub(crate) fn upgrade(connection: &Connection, path: &Path, schema: &Schema) -> Result<()> {
    if version(connection, path, schema)? == schema.newest() {
        return Ok(());
    }
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let done = missing(connection, path, schema);
    match done {
        Ok(()) => Ok(connection.execute_batch("COMMIT")?),
        Err(error) => {
            connection.execute_batch("ROLLBACK")?;
            Err(error)
        }
    }
}

fn missing(connection: &Connection, path: &Path, schema: &Schema) -> Result<()> {
    let from = version(connection, path, schema)?;
    for migration in schema.migrations.iter().skip(from as usize) {
        connection.execute_batch(migration)?;
    }
    connection.pragma_update(None, "application_id", schema.application_id)?;
    connection.pragma_update(None, "user_version", schema.newest())?;
    Ok(())
}

fn version(connection: &Connection, path: &Path, schema: &Schema) -> Result<u32> {
    let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > schema.newest() {
        return Err(Error::TooNew { path: path.to_owned(), found, known: schema.newest() });
    }
    Ok(found)
}
