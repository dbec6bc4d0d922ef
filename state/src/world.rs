//! The sandbox's world: documents by key in `sandbox.db`.
//!
//! A file and a connection of its own: a simulated call is committed before it answers and never together with the journal, so
//! that the crash window between cloud and journal is as real as with AWS.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use serde_json::Value;

use crate::{
    error::{Error, Result},
    migrate::Schema,
    open,
};

/// The file in a state directory.
pub const FILE: &str = "sandbox.db";

/// The schema of `sandbox.db`.
pub(crate) const SCHEMA: Schema = Schema {
    file: FILE,
    application_id: u32::from_be_bytes(*b"RBKs"),
    migrations: &[include_str!("../migrations/sandbox/0001_initial.sql")],
};

/// The stored world. Several processes may use one; the version tells who was first.
pub struct World {
    connection: Mutex<Connection>,
    path: PathBuf,
}

impl World {
    /// Opens `sandbox.db` in a directory, made when it is missing, under the same rules as the runs.
    ///
    /// # Errors
    /// `Foreign`, `TooNew` or `Io` when the file or directory is not ours; then nothing was written.
    pub fn open(dir: &Path) -> Result<Self> {
        let (path, connection) = open::open(dir, &SCHEMA)?;
        Ok(Self { connection: Mutex::new(connection), path })
    }

    /// A world in memory.
    ///
    /// # Errors
    /// When SQLite has no memory.
    pub fn open_in_memory() -> Result<Self> {
        let (path, connection) = open::in_memory(&SCHEMA)?;
        Ok(Self { connection: Mutex::new(connection), path })
    }

    /// A number that every commit raises.
    ///
    /// # Errors
    /// `Sql` when it cannot be read.
    pub fn version(&self) -> Result<u64> {
        version(&self.connection()).map_err(|error| error.at(&self.path))
    }

    /// All documents, by key, with the version they belong to.
    ///
    /// # Errors
    /// `Sql`, or `Foreign` when a document is not JSON.
    pub fn load(&self) -> Result<(u64, Vec<(String, Value)>)> {
        let mut connection = self.connection();
        let transaction =
            begin(&mut connection, TransactionBehavior::Deferred).map_err(|error| error.at(&self.path))?;
        self.documents(&transaction).map_err(|error| error.at(&self.path))
    }

    /// Writes documents (None removes) if the version is still `base`, durably, and gives the new version; None when another
    /// process was first.
    ///
    /// # Errors
    /// `Sql` when the disk refuses; then nothing was written.
    pub fn commit(&self, base: u64, changes: &[(String, Option<Value>)]) -> Result<Option<u64>> {
        let mut connection = self.connection();
        let transaction =
            begin(&mut connection, TransactionBehavior::Immediate).map_err(|error| error.at(&self.path))?;
        write(transaction, base, changes).map_err(|error| error.at(&self.path))
    }

    fn documents(&self, connection: &Connection) -> Result<(u64, Vec<(String, Value)>)> {
        let mut statement = connection.prepare_cached("SELECT key, body FROM documents ORDER BY key")?;
        let mut rows = statement.query([])?;
        let mut documents = Vec::new();
        while let Some(row) = rows.next()? {
            let key: String = row.get(0)?;
            let body = serde_json::from_str(row.get_ref(1)?.as_str().unwrap_or_default())
                .map_err(|error| Error::Foreign { path: self.path.clone(), why: format!("document {key}: {error}") })?;
            documents.push((key, body));
        }
        Ok((version(connection)?, documents))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn begin(connection: &mut Connection, behavior: TransactionBehavior) -> Result<Transaction<'_>> {
    Ok(connection.transaction_with_behavior(behavior)?)
}

fn version(connection: &Connection) -> Result<u64> {
    Ok(connection.prepare_cached("SELECT version FROM world")?.query_row([], |row| row.get(0))?)
}

fn write(transaction: Transaction<'_>, base: u64, changes: &[(String, Option<Value>)]) -> Result<Option<u64>> {
    if version(&transaction)? != base {
        return Ok(None);
    }
    for (key, body) in changes {
        match body {
            Some(body) => transaction
                .prepare_cached(
                    "INSERT INTO documents (key, body) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = excluded.body",
                )?
                .execute(params![key, body.to_string()])?,
            None => transaction.prepare_cached("DELETE FROM documents WHERE key = ?1")?.execute([key])?,
        };
    }
    transaction.prepare_cached("UPDATE world SET version = version + 1")?.execute([])?;
    transaction.commit()?;
    Ok(Some(base + 1))
}

#[cfg(test)]
mod tests;
