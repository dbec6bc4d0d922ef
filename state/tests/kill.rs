//! `kill -9` of a process that appends from several threads: every record that it was told is written is there afterwards.
//!
//! The test starts itself as the process to be killed, with the state directory in an environment variable.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use runbook_state::{
    holder,
    record::{EffectKey, Record, Site},
    sqlite::Sqlite,
    store::{Lease, NewRun, Store, When},
};
use serde_json::{Value, json};

const DIR: &str = "RUNBOOK_KILL_DIR";
const RUN: &str = "0123456789abcdef0123456789abcdef";
const KILLS: u64 = 20;
const THREADS: u64 = 4;

/// The newest number of each thread.
type Newest = BTreeMap<u64, u64>;

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    create(&state);
    let mut told = Newest::new();
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
    for kill in 1..=KILLS {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        append_until_killed(&state, 1 + dice % 20, &mut told);
        let kept = reopened(&state, kill);
        for (thread, n) in &told {
            assert!(kept.get(thread) >= Some(n), "kill {kill}: thread {thread} was told {n}; kept: {kept:?}");
        }
    }
    assert!(told.values().sum::<u64>() >= KILLS, "it hardly ran: {told:?}");
}

fn create(state: &Path) {
    let run = NewRun {
        id: RUN.to_owned(),
        runbook: "kill".to_owned(),
        customer: None,
        target: "sandbox".to_owned(),
        settings: json!({}),
        files: Vec::new(),
        created_ms: 0,
    };
    Sqlite::open(state).unwrap().create(&run).unwrap();
}

/// Starts the appending process, lets it acknowledge as many records, kills it, and notes all that it has told until then.
fn append_until_killed(state: &Path, acknowledged: u64, told: &mut Newest) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_process_that_is_killed"])
        .env(DIR, state)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut count = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let Some((thread, n)) = line.strip_prefix("told ").and_then(|rest| rest.strip_suffix('.')?.split_once(' '))
        else {
            continue;
        };
        told.insert(thread.parse().unwrap(), n.parse().unwrap());
        count += 1;
        if count == acknowledged {
            child.kill().unwrap();
        }
    }
    assert_eq!(child.wait().unwrap().code(), None, "the process ended by itself after {count} records");
    assert!(count >= acknowledged);
}

/// Opens what is left: the chain holds, nothing is missing in the middle, and the summary fits the journal.
fn reopened(state: &Path, kill: u64) -> Newest {
    let store = Sqlite::open(state).unwrap();
    let journal = store.journal(RUN).unwrap();
    let mut newest = Newest::new();
    let mut steps = 0;
    for entry in &journal {
        match &entry.record {
            Record::StepDone { step, result, .. } => {
                let thread = step.split_once(' ').unwrap().0.parse().unwrap();
                let before = newest.insert(thread, result.as_u64().unwrap()).unwrap_or_default();
                assert_eq!(result.as_u64(), Some(before + 1), "kill {kill}: a hole in thread {thread}");
                steps += 1;
            }
            Record::Intent { .. } | Record::StepStarted { .. } => {}
            other => panic!("nobody wrote {other:?}"),
        }
    }
    assert_eq!(store.run(RUN).unwrap().summary.steps_done, steps);
    newest
}

/// Not a test by itself: does nothing unless [`append_until_killed`] has started it.
#[test]
fn the_process_that_is_killed() {
    let Some(state) = std::env::var_os(DIR) else { return };
    let kept = reopened(Path::new(&state), 0);
    let store = Sqlite::open(Path::new(&state)).unwrap();
    let lease = store.acquire(RUN, &holder::this_process("me@here").unwrap(), 0, 0).unwrap();
    std::thread::scope(|threads| {
        for thread in 0..THREADS {
            let (store, lease) = (&store, &lease);
            let last = kept.get(&thread).copied().unwrap_or_default();
            threads.spawn(move || append(store, lease, thread, last));
        }
    });
}

/// Appends for ever, as a step with an effect does, and tells what is written.
fn append(store: &Sqlite, lease: &Lease, thread: u64, last: u64) {
    let mut out = std::io::stdout();
    for n in last + 1.. {
        let step = format!("{thread} {n}");
        let started = Record::StepStarted { step: step.clone(), attempt: 1, site: Site::default() };
        store.append(lease, 0, None, vec![started], When::Soon).unwrap();
        // A record of an attempt that was killed may stand there already: the generation makes the key a new one.
        let generation = u32::try_from(lease.fence).unwrap();
        let intent = Record::Intent {
            effect: EffectKey { step: step.clone(), ordinal: 0, generation },
            op: "ec2.create_vpc".to_owned(),
            token: String::new(),
            digest: String::new(),
            input: json!({}),
            place: json!({}),
            tags: json!({}),
            site: Site::default(),
            prior: None,
        };
        store.append(lease, 0, None, vec![intent], When::Now).unwrap();
        let done = Record::StepDone { step, result: Value::from(n), captures: String::new(), again: false };
        store.append(lease, 0, None, vec![done], When::Now).unwrap();
        writeln!(out, "told {thread} {n}.").unwrap();
    }
}
