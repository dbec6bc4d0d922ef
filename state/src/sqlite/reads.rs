//! Connections that read. They see what was committed last and never wait for the writer.

use std::path::PathBuf;

use runbook_seeded::sync::{Arc, Mutex, PoisonError};
use rusqlite::Connection;

use crate::{error::Result, open};

/// As many idle connections are kept.
const IDLE: usize = 4;

/// Where reads go.
pub(super) enum Reads {
    /// A file: each read has a connection to itself.
    File {
        /// The database.
        path: PathBuf,
        /// Connections that nobody uses.
        idle: Mutex<Vec<Connection>>,
    },
    /// A database in memory: it has one connection, which the writer holds for the length of a transaction.
    Memory(Arc<Mutex<Connection>>),
}

impl Reads {
    /// Reads with a connection of its own.
    pub(super) fn with<T>(&self, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        match self {
            Reads::Memory(connection) => read(&connection.lock().unwrap_or_else(PoisonError::into_inner)),
            Reads::File { path, idle } => {
                let waiting = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let connection = match waiting {
                    Some(connection) => connection,
                    None => open::reader(path)?,
                };
                let answer = read(&connection).map_err(|error| error.at(path));
                let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
                if idle.len() < IDLE {
                    idle.push(connection);
                }
                answer
            }
        }
    }
}
