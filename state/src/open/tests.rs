//! Files that are ours, and files that are not.

use std::{collections::BTreeMap, fs, os::unix::fs::symlink};

use super::*;
use crate::{
    sqlite::{SCHEMA, Sqlite},
    store::Store,
    world,
};

/// Kind, mode, modification time and content of everything in a directory.
fn picture(dir: &Path) -> BTreeMap<PathBuf, (u32, i64, Vec<u8>)> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            let found = path.symlink_metadata().unwrap();
            let content = if found.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            (path, (found.mode(), found.mtime_nsec(), content))
        })
        .collect()
}

/// A fresh 0700 directory with a file made by `make`, which must be refused with nothing touched.
fn refused(make: impl FnOnce(&Path)) -> Error {
    let dir = tempfile::tempdir().unwrap();
    make(&dir.path().join("runs.db"));
    let before = picture(dir.path());
    let error = Sqlite::open(dir.path()).err().unwrap();
    assert_eq!(picture(dir.path()), before, "{error}");
    assert!(error.to_string().contains("runs.db"), "{error}");
    error
}

/// A database of ours, changed by SQL and closed.
fn ours(path: &Path, sql: &str) {
    drop(Sqlite::open(path.parent().unwrap()).unwrap());
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn what_is_not_ours_is_named_and_left_alone() {
    type Make = fn(&Path);
    let cases: [(&str, Make); 9] = [
        ("it is empty", |path| fs::write(path, "").unwrap()),
        ("it is not a SQLite database", |path| fs::write(path, "x".repeat(5_000)).unwrap()),
        ("it is not a SQLite database", |path| fs::write(path, MAGIC).unwrap()),
        ("it is a directory", |path| fs::create_dir(path).unwrap()),
        ("it is a symbolic link", |path| symlink("/nowhere", path).unwrap()),
        ("it is not a regular file", |path| {
            rustix::fs::mknodat(CWD, path, rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        }),
        ("of another program", |path| {
            Connection::open(path).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
        }),
        ("of another program", |path| {
            drop(world::World::open(path.parent().unwrap()).unwrap());
            fs::rename(path.with_file_name("sandbox.db"), path).unwrap();
        }),
        ("a hard link", |path| {
            ours(path, "SELECT 1");
            fs::hard_link(path, path.with_file_name("second")).unwrap();
        }),
    ];
    for (why, make) in cases {
        let error = refused(make);
        assert!(matches!(&error, Error::Foreign { .. }) && error.to_string().contains(why), "{why}: {error}");
    }
}

#[test]
fn a_newer_schema_is_left_alone() {
    let error = refused(|path| ours(path, "PRAGMA user_version = 99; CREATE TABLE later (x)"));
    assert!(matches!(error, Error::TooNew { found: 99, .. }), "{error}");
}

#[test]
fn a_newer_schema_that_is_only_in_the_log_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("runs.db");
    ours(&path, "SELECT 1");
    let other = Connection::open(&path).unwrap();
    other.execute_batch("PRAGMA user_version = 99").unwrap();
    let (file, log) = (fs::read(&path).unwrap(), fs::read(dir.path().join("runs.db-wal")).unwrap());
    assert!(matches!(Sqlite::open(dir.path()), Err(Error::TooNew { found: 99, .. })));
    assert_eq!(fs::read(&path).unwrap(), file);
    assert_eq!(fs::read(dir.path().join("runs.db-wal")).unwrap(), log);
}

#[test]
fn a_directory_that_is_not_ours_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("link");
    symlink(dir.path(), &link).unwrap();
    assert!(matches!(Sqlite::open(&link), Err(Error::Foreign { .. })));
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    assert!(matches!(Sqlite::open(&file), Err(Error::Foreign { .. })));
    let busy = dir.path().join("busy");
    fs::create_dir(&busy).unwrap();
    fs::set_permissions(&busy, Permissions::from_mode(0o755)).unwrap();
    fs::write(busy.join("x"), "x").unwrap();
    assert!(matches!(Sqlite::open(&busy), Err(Error::Io { .. })));
    assert_eq!(busy.metadata().unwrap().mode() & 0o777, 0o755);
}

#[test]
fn modes_are_tight_and_loose_ones_are_repaired() {
    let outside = tempfile::tempdir().unwrap();
    let dir = outside.path().join("a/b");
    let store = Sqlite::open(&dir).unwrap();
    store.create(&crate::sqlite::tests::new_run(crate::sqlite::tests::RUN)).unwrap();
    let modes = || {
        let files = picture(&dir).into_iter();
        files.map(|(path, found)| (path.file_name().unwrap().to_owned(), found.0 & 0o777)).collect::<Vec<_>>()
    };
    assert_eq!(modes().len(), 3, "the database, its log and its index");
    let loose = || {
        fs::set_permissions(&dir, Permissions::from_mode(0o755)).unwrap();
        for path in picture(&dir).into_keys() {
            fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
        }
    };
    for _ in 0..2 {
        assert_eq!(dir.metadata().unwrap().mode() & 0o777, 0o700);
        assert!(modes().iter().all(|(_, mode)| *mode == 0o600), "{:?}", modes());
        loose();
        drop(Sqlite::open(&dir).unwrap());
    }
}

#[test]
fn opening_again_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    drop(Sqlite::open(dir.path()).unwrap());
    let first = fs::read(dir.path().join("runs.db")).unwrap();
    drop(Sqlite::open(dir.path()).unwrap());
    assert_eq!(fs::read(dir.path().join("runs.db")).unwrap(), first);
    assert_eq!(picture(dir.path()).len(), 1, "nothing is left beside it");
}

#[test]
fn many_may_make_the_same_database_at_once() {
    let dir = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| Sqlite::open(dir.path()).unwrap().runs().unwrap());
        }
    });
    assert_eq!(picture(dir.path()).len(), 1);
}

/// Every object of a schema, without the white space that only a person sees.
fn objects(connection: &Connection) -> Vec<String> {
    let mut statement = connection.prepare("SELECT sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY name").unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(|sql| sql.unwrap().split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn the_schema_in_one_piece_equals_the_migrations() {
    let (_, migrated) = in_memory(&SCHEMA).unwrap();
    let whole = Connection::open_in_memory().unwrap();
    whole.execute_batch(include_str!("../../schema.sql")).unwrap();
    assert_eq!(objects(&migrated), objects(&whole));
}

#[test]
fn a_migration_that_fails_leaves_the_old_schema() {
    let one = Schema { file: "x.db", application_id: 7, migrations: &["CREATE TABLE a (x)"] };
    let two = Schema { migrations: &["CREATE TABLE a (x)", "CREATE TABLE b (x); CREATE TABLE a (x)"], ..one };
    let good = Schema { migrations: &["CREATE TABLE a (x)", "CREATE TABLE b (x)"], ..one };
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path(), &one).unwrap());
    assert!(open(dir.path(), &two).is_err());
    let (_, connection) = open(dir.path(), &one).unwrap();
    assert_eq!(objects(&connection).len(), 1);
    drop(connection);
    for _ in 0..2 {
        let (_, connection) = open(dir.path(), &good).unwrap();
        assert_eq!(objects(&connection).len(), 2);
    }
    assert!(matches!(open(dir.path(), &one), Err(Error::TooNew { found: 2, known: 1, .. })));
}

#[test]
fn every_commit_is_on_the_disk_before_it_is_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    for schema in [&SCHEMA, &world::SCHEMA] {
        let (_, connection) = open(&dir.path().join("state"), schema).unwrap();
        let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, String>(0));
        let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        // With the log in WAL mode only FULL (2) syncs it at every commit: NORMAL would lose acknowledged intents with the power.
        assert_eq!((pragma("journal_mode").unwrap().as_str(), number("synchronous").unwrap()), ("wal", 2));
    }
}

#[test]
fn a_log_that_a_reader_let_grow_is_cut_when_it_has_gone() {
    let dir = tempfile::tempdir().unwrap();
    let (path, writer) = open(&dir.path().join("state"), &SCHEMA).unwrap();
    let log = || fs::metadata(path.with_file_name("runs.db-wal")).unwrap().len();
    writer.execute_batch("CREATE TABLE t (x)").unwrap();
    let reader = reader(&path).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let _old: i64 = reader.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
    for _ in 0..24 {
        writer.execute("INSERT INTO t VALUES (zeroblob(1048576))", []).unwrap();
    }
    let grown = log();
    reader.execute_batch("ROLLBACK").unwrap();
    for _ in 0..3 {
        writer.execute("INSERT INTO t VALUES (1)", []).unwrap();
    }
    assert!(grown > 24 << 20 && log() <= u64::try_from(LOG).unwrap(), "{grown}, then {}", log());
}
