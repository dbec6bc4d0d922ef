//! Opens a database of ours and nothing else: owner, modes, kind of file and schema are judged before a byte is written.
//!
//! A new database is made complete under another name and then renamed, so that a database that exists is never half made;
//! an empty one is therefore not ours.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs::{DirBuilder, File, Permissions},
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use runbook_seeded::mutant;
use rusqlite::{Connection, OpenFlags, config::DbConfig};
use rustix::fs::{CWD, Mode, OFlags, RenameFlags};

use crate::{
    error::{Error, Result},
    migrate::{self, Schema},
};

/// How long a statement waits for another process to let go of the database.
const BUSY: Duration = Duration::from_secs(10);

/// A write-ahead log that grew beyond so many bytes, since somebody read an old state for long, is cut to it when it is begun anew.
const LOG: i64 = 16 << 20;

/// The first bytes of every SQLite file.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Opens the database of this schema in a directory, makes it when there is none, and brings it to the newest schema.
pub(crate) fn open(dir: &Path, schema: &Schema) -> Result<(PathBuf, Connection)> {
    let dir = directory(dir, schema)?;
    let path = dir.join(schema.file);
    if let Err(error) = path.symlink_metadata() {
        if error.kind() != ErrorKind::NotFound {
            return Err(io(&path, error));
        }
        create(&dir, &path, schema)?;
    }
    inspect(&path, schema)?;
    let connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    judged(&connection, &path, schema).map_err(|error| error.at(&path))?;
    tighten(&path)?;
    Ok((path, connection))
}

/// A database in memory with the same schema.
pub(crate) fn in_memory(schema: &Schema) -> Result<(PathBuf, Connection)> {
    let path = PathBuf::from(":memory:");
    let connection = Connection::open_in_memory()?;
    migrate::upgrade(&connection, &path, schema)?;
    settings(&connection)?;
    Ok((path, connection))
}

/// One more connection, which can only read.
pub(crate) fn reader(path: &Path) -> Result<Connection> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    settings(&connection).map_err(|error| error.at(path))?;
    Ok(connection)
}

fn connect(path: &Path, mode: OpenFlags) -> Result<Connection> {
    let flags = mode | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| Error::from(error).at(path))?;
    connection.busy_timeout(BUSY).map_err(|error| Error::from(error).at(path))?;
    Ok(connection)
}

/// Until the schema is known to be ours, closing must not move the write-ahead log into the file.
fn judged(connection: &Connection, path: &Path, schema: &Schema) -> Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    migrate::upgrade(connection, path, schema)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    settings(connection)
}

fn settings(connection: &Connection) -> Result<()> {
    connection.set_prepared_statement_cache_capacity(64);
    let synchronous = if mutant!("synchronous-off") { "OFF" } else { "FULL" };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "journal_size_limit", LOG)?;
    connection.execute_batch("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")?;
    Ok(())
}

/// The state directory: ours alone, made when it is missing. Its path without links, as SQLite wants it.
fn directory(dir: &Path, schema: &Schema) -> Result<PathBuf> {
    match dir.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| io(dir, error))?;
            std::fs::set_permissions(dir, Permissions::from_mode(0o700)).map_err(|error| io(dir, error))?;
        }
        Err(error) => return Err(io(dir, error)),
        Ok(found) if found.is_symlink() => return Err(foreign(dir, "it is a symbolic link")),
        Ok(found) if !found.is_dir() => return Err(foreign(dir, "it is not a directory")),
        Ok(found) => {
            owned(dir, found.uid())?;
            if found.mode() & 0o077 != 0 {
                close_to_others(dir, schema)?;
            }
        }
    }
    dir.canonicalize().map_err(|error| io(dir, error))
}

/// Takes the others' rights from a loose directory, but only from one that is surely ours: `--state /tmp` must not lock `/tmp`.
fn close_to_others(dir: &Path, schema: &Schema) -> Result<()> {
    let ours = dir.join(schema.file).symlink_metadata().is_ok();
    let mut inside = dir.read_dir().map_err(|error| io(dir, error))?;
    if !ours && inside.next().is_some() {
        return Err(Error::Io {
            path: dir.to_owned(),
            why: "other users may enter this directory and it holds other files; give runbook one of its own or chmod 700 it"
                .to_owned(),
        });
    }
    std::fs::set_permissions(dir, Permissions::from_mode(0o700)).map_err(|error| io(dir, error))
}

/// Makes a complete, empty database. Another process may be first; then theirs is as good.
fn create(dir: &Path, path: &Path, schema: &Schema) -> Result<()> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let new = dir.join(format!("{}.{}-{count}.new", schema.file, std::process::id()));
    if new.symlink_metadata().is_ok() {
        std::fs::remove_file(&new).map_err(|error| io(&new, error))?;
    }
    let made = fill(&new, schema).and_then(|()| {
        match rustix::fs::renameat_with(CWD, &new, CWD, path, RenameFlags::NOREPLACE) {
            Err(rustix::io::Errno::EXIST) => std::fs::remove_file(&new).map_err(|error| io(&new, error)),
            Err(error) => Err(io(path, error.into())),
            Ok(()) => File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| io(dir, error)),
        }
    });
    if made.is_err() && new.exists() {
        std::fs::remove_file(&new).map_err(|error| io(&new, error))?;
    }
    made
}

fn fill(new: &Path, schema: &Schema) -> Result<()> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::WRONLY | OFlags::CLOEXEC;
    let fd = rustix::fs::open(new, flags, Mode::from_raw_mode(0o600)).map_err(|error| io(new, error.into()))?;
    rustix::fs::fchmod(&fd, Mode::from_raw_mode(0o600)).map_err(|error| io(new, error.into()))?;
    drop(fd);
    let connection = connect(new, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let filled = settings(&connection)
        .and_then(|()| migrate::upgrade(&connection, new, schema))
        .and_then(|()| Ok(connection.pragma_update(None, "journal_mode", "WAL")?));
    filled.map_err(|error| error.at(new))?;
    connection.close().map_err(|(_, error)| Error::from(error).at(new))
}

/// Judges the file without SQLite: kind, owner, links and header.
fn inspect(path: &Path, schema: &Schema) -> Result<()> {
    let found = path.symlink_metadata().map_err(|error| io(path, error))?;
    let kind = found.file_type();
    if kind.is_symlink() {
        return Err(foreign(path, "it is a symbolic link"));
    }
    if !kind.is_file() {
        return Err(foreign(path, if kind.is_dir() { "it is a directory" } else { "it is not a regular file" }));
    }
    owned(path, found.uid())?;
    if found.nlink() > 1 {
        return Err(foreign(path, "it has a second name (a hard link)"));
    }
    let header = header(path)?;
    if header.is_empty() {
        return Err(foreign(path, "it is empty"));
    }
    if header.len() < 100 || !header.starts_with(MAGIC) {
        return Err(foreign(path, "it is not a SQLite database"));
    }
    let number = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if number(68) != schema.application_id && !mutant!("foreign-database-opened") {
        return Err(foreign(path, "it is a SQLite database of another program"));
    }
    if number(60) > schema.newest() && !mutant!("newer-schema-opened") {
        return Err(Error::TooNew { path: path.to_owned(), found: number(60), known: schema.newest() });
    }
    Ok(())
}

/// The first bytes. The file stays open for the life of the process: closing it would drop the locks that SQLite holds on
/// the same file through another connection of this process (POSIX locks belong to the process).
fn header(path: &Path) -> Result<Vec<u8>> {
    static OPENED: Mutex<BTreeMap<(u64, u64), File>> = Mutex::new(BTreeMap::new());
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    let found = path.symlink_metadata().map_err(|error| io(path, error))?;
    let file = match opened.entry((found.dev(), found.ino())) {
        Entry::Occupied(open) => open.into_mut(),
        Entry::Vacant(free) => {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let fd = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| io(path, error.into()))?;
            free.insert(File::from(fd))
        }
    };
    let mut header = vec![0; 100];
    let read = file.read_at(&mut header, 0).map_err(|error| io(path, error))?;
    header.truncate(read);
    Ok(header)
}

/// Takes the others' rights from the database and the files beside it.
fn tighten(path: &Path) -> Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let file = PathBuf::from(name);
        match file.symlink_metadata() {
            Ok(found) if found.is_file() && found.mode() & 0o177 != 0 && !mutant!("loose-modes-left") => {
                std::fs::set_permissions(&file, Permissions::from_mode(0o600)).map_err(|error| io(&file, error))?;
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(io(&file, error)),
        }
    }
    Ok(())
}

fn owned(path: &Path, uid: u32) -> Result<()> {
    let own = rustix::process::geteuid().as_raw();
    if uid == own {
        return Ok(());
    }
    Err(Error::Io { path: path.to_owned(), why: format!("it belongs to user {uid}, and this is user {own}") })
}

fn foreign(path: &Path, why: &str) -> Error {
    Error::Foreign { path: path.to_owned(), why: why.to_owned() }
}

fn io(path: &Path, error: std::io::Error) -> Error {
    Error::Io { path: path.to_owned(), why: error.to_string() }
}

#[cfg(test)]
mod tests;
