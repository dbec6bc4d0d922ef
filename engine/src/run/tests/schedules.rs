//! The run, its branches, its clock, its watch and the writer of the journal, their threads played in orders that dice choose (shuttle).
//!
//! ```text
//! cargo test -p runbook-engine --no-default-features --features schedules --lib -- run::tests::schedules
//! ```
//!
//! `RUNBOOK_SCHEDULES`: in how many orders each scene is played (300). Nothing else runs with this feature.

use std::collections::BTreeMap;

use runbook_seeded::{
    shuttle::{Config, Runner, scheduler::RandomScheduler},
    sync::{Arc, Mutex},
    thread,
};
use runbook_state::{
    error::{Error, Holder},
    record::{Ending, Record, Site},
    sqlite::Sqlite,
    store::{Store, When},
};

use super::bed::{Bed, RUN, boom, branch, effect, lock, plain, seconds, site, tries};
use crate::run::{cancel::Cancel, parallel::parallel, step::step};

/// Plays a scene in as many orders as asked for; the same ones each time.
fn played(scene: impl Fn() + Send + Sync + 'static) {
    let orders = std::env::var("RUNBOOK_SCHEDULES").map_or(300, |number| number.parse().expect("a number"));
    let mut config = Config::new();
    config.stack_size = 1 << 20;
    Runner::new(RandomScheduler::new_from_seed(20_261_121, orders), config).run(scene);
}

fn done(bed: &Bed) -> BTreeMap<String, u32> {
    let mut done = BTreeMap::new();
    for record in bed.records() {
        if let Record::StepDone { step, .. } = record {
            *done.entry(step).or_default() += 1;
        }
    }
    done
}

/// Three branches, two at a time; each changes something, waits, changes something else. The first time one of them fails.
fn drive(bed: &Bed, fails: bool) -> crate::run::drive::Outcome {
    let world = bed.world.clone();
    bed.drive(|scope| {
        let branches = (1..=3_u64).map(|n| {
            let world = &world;
            branch(&format!("b{n}"), move |scope| {
                plain(scope, "first", |inner| effect(inner, world, "one"))?;
                step(scope, "second", &tries(1), &site(2), "", &mut |inner| {
                    inner.sleep(seconds(n))?;
                    if fails && n == 2 {
                        return Err(boom("b2 broke"));
                    }
                    effect(inner, world, "two")
                })
            })
        });
        parallel(scope, &site(1), branches.collect(), Some(2)).map(drop)
    })
}

fn all_done_once(bed: &Bed) {
    let done = done(bed);
    assert_eq!(done.len(), 6, "{done:?}");
    assert!(done.values().all(|times| *times == 1), "{done:?}");
    assert_eq!((bed.world.things().len(), bed.world.twice().len()), (6, 0));
}

#[test]
fn branches_take_as_long_and_do_the_same_in_every_order() {
    played(|| {
        let bed = Bed::new();
        let outcome = drive(&bed, false);
        // Two at a time: 1 s and 2 s, and the third begins when the first has ended.
        assert_eq!((outcome.ending, outcome.took_ms), (Ending::Finished, 4_000));
        all_done_once(&bed);
    });
}

#[test]
fn after_a_failure_the_next_drive_does_what_is_left_and_nothing_again() {
    played(|| {
        let bed = Bed::new();
        let outcome = drive(&bed, true);
        assert!(matches!(outcome.ending, Ending::Failed { .. }), "{:?}", outcome.ending);
        assert!(!bed.world.things().contains("b2/second#0 two"));
        assert_eq!(drive(&bed, false).ending, Ending::Finished);
        all_done_once(&bed);
    });
}

#[test]
fn a_wish_to_park_is_met_at_any_moment() {
    played(|| {
        let mut bed = Bed::new();
        let cancel = bed.cancel.clone();
        let asking = thread::spawn(move || cancel.ask("asked"));
        let parked = drive(&bed, false).ending;
        asking.join().unwrap();
        assert!(matches!(parked, Ending::Parked { .. } | Ending::Finished), "{parked:?}");
        bed.cancel = Cancel::default();
        assert_eq!(drive(&bed, false).ending, Ending::Finished);
        all_done_once(&bed);
    });
}

#[test]
fn a_lease_that_is_taken_over_writes_nothing_any_more() {
    played(|| {
        let store = Bed::new().store;
        let kept: Arc<Mutex<Vec<(u64, String)>>> = Arc::default();
        let drivers: Vec<_> = (1..=3_i64).map(|n| driver(n, &store, &kept)).collect();
        let held: usize = drivers.into_iter().map(|driver| driver.join().unwrap()).sum();
        assert!(held >= 1, "nobody held the lease");
        let written: Vec<String> =
            store.journal(RUN).unwrap().into_iter().filter_map(|entry| started(entry.record)).collect();
        let mut kept = lock(&kept).clone();
        kept.sort();
        assert_eq!(written, kept.iter().map(|(_, step)| step.clone()).collect::<Vec<_>>(), "by fence");
    });
}

/// A process of another host, whose heartbeat is old for whoever comes later; whether it came to hold the lease.
fn driver(n: i64, store: &Arc<Sqlite>, kept: &Arc<Mutex<Vec<(u64, String)>>>) -> thread::JoinHandle<usize> {
    let (store, kept) = (store.clone(), kept.clone());
    thread::spawn(move || {
        let me = Holder { host: format!("host{n}"), pid: 1, boot: String::new(), started: 1, by: "test".to_owned() };
        let Ok(lease) = store.acquire(RUN, &me, n * 1_000, 1) else { return 0 };
        for number in 0..3 {
            let step = format!("{}.{number}", lease.fence);
            let record = Record::StepStarted { step: step.clone(), attempt: 1, site: Site::default() };
            match store.append(&lease, n * 1_000, None, vec![record], When::Now) {
                Ok(()) => lock(&kept).push((lease.fence, step)),
                Err(Error::Fenced { .. }) => break,
                Err(other) => panic!("{other}"),
            }
        }
        1
    })
}

fn started(record: Record) -> Option<String> {
    match record {
        Record::StepStarted { step, .. } => Some(step),
        _ => None,
    }
}

#[test]
fn what_is_acknowledged_is_written_in_its_order_and_the_rest_before_the_end() {
    played(|| {
        let bed = Bed::new();
        let me = Holder { host: "host".to_owned(), pid: 1, boot: String::new(), started: 1, by: "test".to_owned() };
        let lease = Arc::new(bed.store.acquire(RUN, &me, 0, 1).unwrap());
        let writers: Vec<_> = (0..3)
            .map(|n| {
                let (store, lease) = (bed.store.clone(), lease.clone());
                thread::spawn(move || {
                    for number in 0..3 {
                        let step = format!("{n}.{number}");
                        let record = Record::StepStarted { step: step.clone(), attempt: 1, site: Site::default() };
                        let when = if (n + number) % 2 == 0 { When::Now } else { When::Soon };
                        store.append(&lease, 0, None, vec![record], when).unwrap();
                        let written = store.journal(RUN).unwrap();
                        assert!(written.into_iter().filter_map(|e| started(e.record)).any(|s| s == step), "{step}");
                    }
                })
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        let written: Vec<String> = bed.records().into_iter().filter_map(started).collect();
        assert_eq!(written.len(), 9);
        for n in 0..3 {
            let own: Vec<&String> = written.iter().filter(|step| step.starts_with(&format!("{n}."))).collect();
            assert!(own.is_sorted(), "{written:?}");
        }
    });
}

#[test]
fn a_clock_wakes_its_sleepers_in_their_order() {
    played(|| {
        use crate::run::clock::{SimClock, Time};
        let clock = Arc::new(SimClock::new(0, None));
        let woken: Arc<Mutex<Vec<i64>>> = Arc::default();
        (0..4).for_each(|_| clock.enter());
        let sleepers: Vec<_> = [30_u64, 10, 20, 10]
            .into_iter()
            .map(|length| {
                let (clock, woken) = (clock.clone(), woken.clone());
                thread::spawn(move || {
                    clock.sleep(seconds(length), &|| false).unwrap();
                    lock(&woken).push(clock.now_ms());
                    clock.sleep(seconds(100), &|| false).unwrap();
                    clock.leave();
                })
            })
            .collect();
        sleepers.into_iter().for_each(|sleeper| sleeper.join().unwrap());
        assert_eq!(*lock(&woken), [10_000, 10_000, 20_000, 30_000]);
        assert_eq!(clock.now_ms(), 130_000);
    });
}
