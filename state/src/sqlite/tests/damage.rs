//! A journal that somebody or something has changed: the first entry that does not fit is named, and nothing is guessed.

use std::path::PathBuf;

use super::*;

/// A store with five entries, closed, and its file.
fn five() -> (tempfile::TempDir, PathBuf) {
    let (dir, store) = on_disk();
    let lease = lease(&store);
    for n in 1..=5 {
        store.append(&lease, n, Some(n), vec![output(n)], When::Now).unwrap();
    }
    let state = dir.path().join("state");
    (dir, state)
}

/// What the journal says after a change by hand.
fn after(sql: &str) -> Result<Vec<Entry>> {
    let (_dir, state) = five();
    let connection = Connection::open(state.join("runs.db")).unwrap();
    connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    connection.execute_batch(sql).unwrap();
    drop(connection);
    Sqlite::open(&state).unwrap().journal(RUN)
}

/// The entry that is named.
fn damaged_at(sql: &str) -> u64 {
    match after(sql) {
        Err(Error::Damaged { run, seq, .. }) if run == RUN => seq,
        other => panic!("{sql}: {other:?}"),
    }
}

#[test]
fn an_untouched_journal_is_whole() {
    assert_eq!(after("SELECT 1").unwrap().len(), 5);
}

#[test]
fn a_change_in_any_column_of_an_entry_is_named() {
    let changes = [
        "UPDATE entries SET run = 9 WHERE seq = 3",
        "UPDATE entries SET seq = 30 WHERE seq = 3",
        "UPDATE entries SET at_ms = at_ms + 1 WHERE seq = 3",
        "UPDATE entries SET sim_ms = sim_ms + 1 WHERE seq = 3",
        "UPDATE entries SET sim_ms = NULL WHERE seq = 3",
        "UPDATE entries SET payload = replace(payload, ':3', ':4') WHERE seq = 3",
        "UPDATE entries SET payload = payload || ' ' WHERE seq = 3",
        "UPDATE entries SET payload = '' WHERE seq = 3",
        "UPDATE entries SET hash = zeroblob(32) WHERE seq = 3",
        "UPDATE entries SET hash = x'' WHERE seq = 3",
    ];
    for change in changes {
        assert_eq!(damaged_at(change), 3, "{change}");
    }
}

#[test]
fn a_missing_entry_is_named() {
    for seq in 1..=5 {
        assert_eq!(damaged_at(&format!("DELETE FROM entries WHERE seq = {seq}")), seq);
    }
    assert_eq!(damaged_at("DELETE FROM entries WHERE seq >= 3"), 3);
    assert_eq!(damaged_at("DELETE FROM entries"), 1);
}

#[test]
fn swapped_entries_are_named() {
    let swap = "UPDATE entries SET seq = 99 WHERE seq = 2; UPDATE entries SET seq = 2 WHERE seq = 4; \
                UPDATE entries SET seq = 4 WHERE seq = 99;";
    assert_eq!(damaged_at(swap), 2);
}

#[test]
fn an_added_entry_is_named() {
    let add = "INSERT INTO entries SELECT run, 6, at_ms, sim_ms, payload, hash FROM entries WHERE seq = 5";
    assert_eq!(damaged_at(add), 6);
}

#[test]
fn a_changed_end_or_run_is_named() {
    assert_eq!(damaged_at("UPDATE heads SET seq = 6"), 6);
    assert_eq!(damaged_at("UPDATE heads SET seq = 4"), 5);
    assert_eq!(damaged_at("UPDATE heads SET hash = zeroblob(32)"), 5);
    assert_eq!(damaged_at("UPDATE runs SET target = 'aws'"), 1);
    assert_eq!(damaged_at("UPDATE runs SET settings = '{}'"), 1);
}

#[test]
fn no_inventory_comes_out_of_a_damaged_journal() {
    let (_dir, state) = five();
    let connection = Connection::open(state.join("runs.db")).unwrap();
    connection.execute("DELETE FROM entries WHERE seq = 5", []).unwrap();
    drop(connection);
    assert!(matches!(Sqlite::open(&state).unwrap().inventory(RUN), Err(Error::Damaged { seq: 5, .. })));
}

#[test]
fn damage_in_one_run_harms_no_other() {
    let (_dir, state) = five();
    let other = "f".repeat(32);
    Sqlite::open(&state).unwrap().create(&new_run(&other)).unwrap();
    let connection = Connection::open(state.join("runs.db")).unwrap();
    connection.execute("UPDATE entries SET payload = '{' WHERE seq = 1", []).unwrap();
    connection.execute("UPDATE runs SET settings = '{' WHERE id = ?1", [RUN]).unwrap();
    drop(connection);
    let store = Sqlite::open(&state).unwrap();
    assert!(store.journal(RUN).is_err());
    assert!(matches!(store.run(RUN), Err(Error::Damaged { .. })));
    assert_eq!(store.journal(&other).unwrap(), []);
    assert_eq!(store.runs().unwrap().len(), 2);
}

#[test]
fn a_run_and_its_head_miss_each_other() {
    let after = |sql: &str| {
        let (dir, state) = five();
        let connection = Connection::open(state.join("runs.db")).unwrap();
        connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        connection.execute_batch(sql).unwrap();
        drop(connection);
        (dir, Sqlite::open(&state).unwrap())
    };
    let (_dir, headless) = after("DELETE FROM heads");
    assert_eq!(headless.runs().unwrap().len(), 1);
    assert!(matches!(headless.run(RUN), Err(Error::Damaged { run, seq: 0, .. }) if run == RUN));
    for lost in ["DELETE FROM runs", "UPDATE heads SET run = 9"] {
        let (_dir, store) = after(lost);
        assert!(matches!(store.runs(), Err(Error::Damaged { .. })), "{lost}");
    }
}

#[test]
fn a_changed_script_is_named() {
    let (_dir, state) = five();
    let connection = Connection::open(state.join("runs.db")).unwrap();
    connection.execute("UPDATE files SET content = x'00'", []).unwrap();
    drop(connection);
    let error = Sqlite::open(&state).unwrap().run_files(RUN).unwrap_err();
    assert!(error.to_string().contains("redis-ha.rhai does not fit its digest"), "{error}");
}
