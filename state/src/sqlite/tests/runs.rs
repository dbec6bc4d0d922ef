//! Runs, their files and their secrets.

use super::*;

#[test]
fn a_run_is_as_it_was_created() {
    let (_dir, store) = on_disk();
    let run = store.run(RUN).unwrap();
    assert_eq!((run.id.as_str(), run.runbook.as_str(), run.target.as_str()), (RUN, "redis-ha", "sandbox"));
    assert_eq!((run.customer, run.created_ms, run.settings), (None, 1_000, json!({"region": "us-east-1"})));
    assert_eq!(run.script, crate::chain::content(b"step(\"a\")"));
    assert_eq!(store.run_files(RUN).unwrap(), new_run(RUN).files);
}

#[test]
fn an_id_is_used_once_and_is_hexadecimal() {
    let store = store();
    for id in [RUN, "xyz", "", &RUN.to_uppercase()] {
        assert!(matches!(store.create(&new_run(id)), Err(Error::Illegal { .. })), "{id}");
    }
    assert_eq!(store.runs().unwrap().len(), 1);
}

#[test]
fn runs_are_found_by_prefix_and_latest() {
    let store = Sqlite::open_in_memory().unwrap();
    assert_eq!(store.find("latest").unwrap_err().to_string(), "there are no runs yet");
    for (id, created_ms) in [("ab1", 1), ("ab2", 3), ("b", 2)] {
        let id = format!("{id:0<32}");
        store.create(&NewRun { created_ms, ..new_run(&id) }).unwrap();
    }
    let found = |prefix: &str| store.find(prefix).map(|run| run.id.trim_end_matches('0').to_owned());
    assert_eq!(found("latest").unwrap(), "ab2");
    assert_eq!(found("ab1").unwrap(), "ab1");
    assert_eq!(found("B").unwrap(), "b");
    assert_eq!(found(&format!("{:0<32}", "b")).unwrap(), "b");
    match found("ab") {
        Err(Error::NoSuchRun { what, matches }) => {
            assert_eq!(what, "2 runs begin with ab");
            assert_eq!(matches, [format!("{:0<32}", "ab1"), format!("{:0<32}", "ab2")]);
        }
        other => panic!("{other:?}"),
    }
    for none in ["c", "", "%", "ab_", "../x"] {
        assert!(matches!(found(none), Err(Error::NoSuchRun { matches, .. }) if matches.is_empty()), "{none}");
    }
    let newest_first: Vec<_> = store.runs().unwrap().iter().map(|run| run.created_ms).collect();
    assert_eq!(newest_first, [3, 2, 1]);
}

#[test]
fn an_edited_script_is_a_new_set_and_equal_files_are_kept_once() {
    let store = store();
    let lease = lease(&store);
    let mut files = new_run(RUN).files;
    files.push(File { name: "lib/network.rhai".into(), content: b"fn f() {}".to_vec() });
    files.push(File { name: "lib/copy.rhai".into(), content: b"fn f() {}".to_vec() });
    store.set_run_files(&lease, &files).unwrap();
    assert_eq!(store.run_files(RUN).unwrap(), files);
    files.swap(0, 1);
    store.set_run_files(&lease, &files).unwrap();
    assert_eq!(store.run_files(RUN).unwrap(), files);
    assert_eq!(store.run(RUN).unwrap().script, crate::chain::content(b"fn f() {}"));
    let contents: u32 = store.read(|c| Ok(c.query_row("SELECT count(*) FROM files", [], |row| row.get(0))?)).unwrap();
    assert_eq!(contents, 2);
}

#[test]
fn sealed_secrets_are_kept_by_run_and_name() {
    let store = store();
    assert_eq!(store.secret(RUN, "password").unwrap(), None);
    store.put_secret(RUN, "password", b"\0sealed").unwrap();
    store.put_secret(RUN, "a", b"1").unwrap();
    store.put_secret(RUN, "a", b"2").unwrap();
    assert_eq!(store.secret(RUN, "password").unwrap().as_deref(), Some(&b"\0sealed"[..]));
    assert_eq!(store.secret(RUN, "a").unwrap().as_deref(), Some(&b"2"[..]));
    assert_eq!(store.secret_names(RUN).unwrap(), ["a", "password"]);
    assert!(matches!(store.put_secret("f", "a", b""), Err(Error::NoSuchRun { .. })));
}
