//! Group commit, and what one request's failure means for the others.

use std::sync::Barrier;

use super::*;

#[test]
fn threads_share_commits_and_each_keeps_its_order() {
    let (_dir, store) = on_disk();
    let lease = lease(&store);
    let (threads, each) = (8, 50);
    let before = store.commits();
    let start = Barrier::new(threads);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (store, lease, start) = (&store, &lease, &start);
            scope.spawn(move || {
                start.wait();
                for n in 0..each {
                    store.append(lease, n, Some(thread as i64), vec![output(n)], When::Now).unwrap();
                }
            });
        }
    });
    let journal = store.journal(RUN).unwrap();
    assert_eq!(journal.len(), threads * each as usize);
    for thread in 0..threads as i64 {
        let own: Vec<_> =
            journal.iter().filter(|entry| entry.sim_ms == Some(thread)).map(|entry| entry.at_ms).collect();
        assert_eq!(own, (0..each).collect::<Vec<_>>());
    }
    let commits = store.commits() - before;
    assert!(commits < threads as u64 * each as u64, "{commits} commits");
}

/// Holds the writer at the door of a transaction while `during` fills the queue.
fn in_one_batch(store: &Sqlite, during: impl FnOnce()) {
    let Reads::Memory(connection) = &store.reads else { panic!("a store in memory") };
    let guard = connection.lock().unwrap();
    during();
    drop(guard);
}

#[test]
fn one_refused_request_harms_no_other_of_its_commit() {
    let store = store();
    let lease = lease(&store);
    let stale = Lease { fence: lease.fence - 1, ..lease.clone() };
    let before = store.commits();
    in_one_batch(&store, || {
        store.append(&lease, 1, None, vec![output(1)], When::Soon).unwrap();
        store.append(&stale, 2, None, vec![output(2)], When::Soon).unwrap();
        store.append(&lease, 3, None, vec![output(3)], When::Soon).unwrap();
    });
    let journal = store.journal(RUN).unwrap();
    assert_eq!(journal.iter().map(|entry| entry.at_ms).collect::<Vec<_>>(), [1, 3]);
    assert!(store.commits() - before <= 2);
}

#[test]
fn after_a_disk_error_nothing_is_written_any_more() {
    let store = store();
    let lease = lease(&store);
    let pages = |most: u32| {
        let Reads::Memory(connection) = &store.reads else { panic!("a store in memory") };
        connection.lock().unwrap().execute_batch(&format!("PRAGMA max_page_count = {most}")).unwrap();
    };
    now(&store, &lease, vec![output(1)]).unwrap();
    pages(1);
    let full = Record::Output { name: "big".into(), value: "x".repeat(1 << 16).into() };
    let error = now(&store, &lease, vec![full]).unwrap_err();
    assert!(matches!(&error, Error::Broken { why } if why.contains("full")), "{error}");
    pages(1 << 20);
    for error in [now(&store, &lease, vec![output(2)]), store.renew(&lease, 0), store.create(&new_run(&"a".repeat(32)))]
    {
        assert!(matches!(error, Err(Error::Broken { .. })));
    }
    assert_eq!(store.journal(RUN).unwrap().len(), 1, "what is there can still be read");
}
