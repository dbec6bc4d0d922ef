//! The store, from outside. Here: what the tests share.

mod appending;
mod damage;
mod grouping;
mod leases;
mod model;
mod runs;

use serde_json::{Value, json};

use super::*;
use crate::{
    holder,
    record::{EffectKey, Owned},
};

/// A run's id.
pub(crate) const RUN: &str = "0123456789abcdef0123456789abcdef";

pub(crate) fn new_run(id: &str) -> NewRun {
    NewRun {
        id: id.to_owned(),
        runbook: "redis-ha".to_owned(),
        customer: None,
        target: "sandbox".to_owned(),
        settings: json!({"region": "us-east-1"}),
        files: vec![File { name: "redis-ha.rhai".to_owned(), content: b"step(\"a\")".to_vec() }],
        created_ms: 1_000,
    }
}

/// A store in memory with one run.
pub(super) fn store() -> Sqlite {
    let store = Sqlite::open_in_memory().unwrap();
    store.create(&new_run(RUN)).unwrap();
    store
}

/// A store on disk with one run.
pub(super) fn on_disk() -> (tempfile::TempDir, Sqlite) {
    let dir = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&dir.path().join("state")).unwrap();
    store.create(&new_run(RUN)).unwrap();
    (dir, store)
}

pub(super) fn own() -> Holder {
    holder::this_process("me@here").unwrap()
}

/// The lease of [`RUN`].
pub(super) fn lease(store: &Sqlite) -> Lease {
    store.acquire(RUN, &own(), 0, 0).unwrap()
}

pub(super) fn key(step: &str) -> EffectKey {
    EffectKey { step: step.to_owned(), ordinal: 0, generation: 0 }
}

pub(super) fn output(n: i64) -> Record {
    Record::Output { name: "n".to_owned(), value: n.into() }
}

pub(super) fn step_done(step: &str) -> Record {
    Record::StepDone { step: step.to_owned(), result: Value::Null, captures: String::new(), again: false }
}

pub(super) fn intent(step: &str) -> Record {
    Record::Intent {
        effect: key(step),
        op: "ec2.create_vpc".to_owned(),
        token: "t".to_owned(),
        digest: "d".to_owned(),
        input: json!({}),
        place: json!({}),
        tags: json!({}),
        site: Default::default(),
        prior: None,
    }
}

pub(super) fn owned(id: &str) -> Owned {
    Owned {
        kind: "ec2.vpc".to_owned(),
        id: id.to_owned(),
        name: id.to_owned(),
        place: json!({"region": "us-east-1"}),
        locator: json!({"id": id}),
        parents: Vec::new(),
        input: json!({}),
        prior: None,
        account: "1".to_owned(),
        ours: true,
    }
}

pub(super) fn done(step: &str, owned: Option<Owned>) -> Record {
    Record::Done { effect: key(step), response: json!({"id": "x"}), owned, adopted: false, attempts: 1 }
}

pub(super) fn gone(step: &str) -> Record {
    Record::Gone { effect: key(step), already: false }
}

/// Appends and waits.
pub(super) fn now(store: &Sqlite, lease: &Lease, records: Vec<Record>) -> Result<()> {
    store.append(lease, 2_000, None, records, When::Now)
}
