//! One driver at a time.

use super::*;

#[test]
fn a_live_holder_keeps_its_lease_however_old_its_heartbeat() {
    let store = store();
    let lease = lease(&store);
    assert_eq!((lease.fence, &lease.taken_from), (1, &None));
    let error = store.acquire(RUN, &own(), i64::MAX, 0).unwrap_err();
    assert!(matches!(&error, Error::Held { holder, since_ms: 0, .. } if *holder == own()), "{error}");
    assert_eq!(store.holder(RUN, i64::MAX, 0).unwrap(), Some((own(), 0)));
}

#[test]
fn a_dead_holder_is_taken_over_and_can_write_no_more() {
    let lookalikes = [
        Holder { pid: u32::MAX, ..own() },
        Holder { boot: "before the reboot".into(), ..own() },
        Holder { started: own().started + 1, ..own() },
    ];
    for dead in lookalikes {
        let store = store();
        let old = store.acquire(RUN, &dead, 5, 60_000).unwrap();
        assert_eq!(store.holder(RUN, 6, 60_000).unwrap(), None);
        let new = store.acquire(RUN, &own(), 6, 60_000).unwrap();
        assert_eq!((new.fence, &new.taken_from), (2, &Some(dead)));
        let fenced = [
            now(&store, &old, vec![output(1)]),
            store.renew(&old, 7),
            store.release(&old, 7),
            store.set_run_files(&old, &[]),
        ];
        for error in fenced {
            assert!(matches!(error, Err(Error::Fenced { fence: 1, .. })));
        }
        now(&store, &new, vec![output(2)]).unwrap();
        assert_eq!(store.journal(RUN).unwrap().len(), 1);
    }
}

#[test]
fn another_hosts_holder_lives_as_long_as_its_heartbeat() {
    let store = store();
    let away = Holder { host: "elsewhere".into(), ..own() };
    let lease = store.acquire(RUN, &away, 0, 1_000).unwrap();
    store.renew(&lease, 5_000).unwrap();
    assert!(matches!(store.acquire(RUN, &own(), 6_000, 1_000), Err(Error::Held { since_ms: 0, .. })));
    assert_eq!(store.acquire(RUN, &own(), 6_001, 1_000).unwrap().taken_from, Some(away));
}

#[test]
fn a_lease_given_back_is_free_and_void() {
    let store = store();
    let first = lease(&store);
    store.append(&first, 1, None, vec![output(1)], When::Soon).unwrap();
    store.release(&first, 2).unwrap();
    assert_eq!(store.holder(RUN, 2, 0).unwrap(), None);
    assert!(matches!(now(&store, &first, vec![output(2)]), Err(Error::Fenced { .. })));
    let second = lease(&store);
    assert_eq!((second.fence, second.taken_from), (2, None));
    assert_eq!(store.journal(RUN).unwrap().len(), 1);
}

#[test]
fn a_lease_that_was_lost_before_a_record_that_nobody_waits_for_is_told_as_such() {
    let store = store();
    let away = Holder { host: "elsewhere".into(), ..own() };
    let lost = store.acquire(RUN, &away, 0, 1_000).unwrap();
    store.acquire(RUN, &own(), 5_000, 1_000).unwrap();
    store.append(&lost, 6_000, None, vec![output(1)], When::Soon).unwrap();
    assert!(matches!(now(&store, &lost, vec![output(2)]), Err(Error::Fenced { .. })));
    assert!(store.journal(RUN).unwrap().is_empty());
}

#[test]
fn of_sixteen_exactly_one_wins() {
    let dir = tempfile::tempdir().unwrap();
    Sqlite::open(dir.path()).unwrap().create(&new_run(RUN)).unwrap();
    let stores: Vec<_> = (0..4).map(|_| Sqlite::open(dir.path()).unwrap()).collect();
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|n| {
                scope.spawn({
                    let store = &stores[n % 4];
                    move || store.acquire(RUN, &own(), 0, 0)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(_) | Err(Error::Held { .. }))), "{outcomes:?}");
}

#[test]
fn a_run_that_is_not_there_has_no_lease() {
    assert!(matches!(store().acquire("f", &own(), 0, 0), Err(Error::NoSuchRun { .. })));
}
