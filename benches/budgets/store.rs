//! The journal alone: what an append costs, whatever the journal's length, and what reading it costs.

use std::{path::Path, sync::Arc, time::Duration};

use runbook_state::{
    holder,
    record::{EffectKey, Owned, Record, Site},
    sqlite::Sqlite,
    store::{Lease, NewRun, Store, When},
};
use serde_json::{Value, json};

use crate::measure::{BALLAST, Bare, REPEATS, SAMPLES, Samples, Table, folder, order};

/// A run in a store of its own.
pub struct Kept {
    /// The store.
    pub store: Arc<Sqlite>,
    /// The run's id.
    pub run: String,
}

impl Kept {
    /// Makes one with as many finished steps.
    pub fn with_steps(dir: &Path, steps: usize) -> Self {
        let store = Arc::new(Sqlite::open(&dir.join("state")).expect("a store"));
        let run = "0".repeat(32);
        let new = NewRun {
            id: run.clone(),
            runbook: "budget".to_owned(),
            customer: None,
            target: "sandbox".to_owned(),
            settings: json!({}),
            files: Vec::new(),
            created_ms: 0,
        };
        store.create(&new).expect("a run");
        let kept = Self { store, run };
        let lease = kept.lease();
        for batch in (0..steps).collect::<Vec<_>>().chunks(500) {
            let records = batch.iter().flat_map(|n| [started(*n), done(*n)]).collect();
            kept.store.append(&lease, 1, Some(1), records, When::Now).expect("an append");
        }
        kept.store.release(&lease, 1).expect("a release");
        kept
    }

    /// See [`BALLAST`].
    pub fn used_before(self) -> Self {
        let lease = self.lease();
        let ballast = Record::Output { name: "ballast".to_owned(), value: "x".repeat(BALLAST).into() };
        self.store.append(&lease, 1, Some(1), vec![ballast], When::Now).expect("an append");
        self.store.release(&lease, 1).expect("a release");
        self
    }

    fn lease(&self) -> Lease {
        let own = holder::this_process("bench@here").expect("a holder");
        self.store.acquire(&self.run, &own, 0, 0).expect("a lease")
    }
}

/// The key of a step made by [`Kept::with_steps`].
pub fn name(n: usize) -> String {
    format!("step {n}")
}

fn started(n: usize) -> Record {
    Record::StepStarted { step: name(n), attempt: 1, site: site() }
}

/// The end of a step.
pub fn done(n: usize) -> Record {
    Record::StepDone {
        step: name(n),
        result: json!({"id": "vpc-0c1d2e3f405162738"}),
        captures: "0".repeat(64),
        again: false,
    }
}

/// Where all steps stand.
pub fn site() -> Site {
    Site { file: "budget.rhai".to_owned(), line: 1, column: 1 }
}

/// Both commits of an effect.
fn effect(n: usize) -> [Record; 2] {
    let key = EffectKey { step: name(n), ordinal: 0, generation: 0 };
    let input = json!({"cidr_block": "10.5.0.0/16", "region": "us-east-1"});
    let intent = Record::Intent {
        effect: key.clone(),
        op: "ec2.create_vpc".to_owned(),
        token: "0".repeat(64),
        digest: "0".repeat(64),
        input: input.clone(),
        place: json!({"region": "us-east-1"}),
        tags: json!({"runbook:run": "0".repeat(32), "runbook:effect": "0".repeat(32)}),
        site: site(),
        prior: None,
    };
    let owned = Owned {
        kind: "ec2.vpc".to_owned(),
        id: "vpc-0c1d2e3f405162738".to_owned(),
        name: "vpc".to_owned(),
        place: json!({"region": "us-east-1"}),
        locator: json!({"vpc_id": "vpc-0c1d2e3f405162738"}),
        parents: Vec::new(),
        input: input.clone(),
        prior: None,
        account: "123456789012".to_owned(),
        ours: true,
    };
    [intent, Record::Done { effect: key, response: input, owned: Some(owned), adopted: false, attempts: 1 }]
}

/// The text of a step's end, for the bare commit.
pub fn text(n: usize) -> String {
    serde_json::to_string(&done(n)).expect("JSON")
}

/// All figures of the store.
pub fn measure(table: &mut Table) {
    appending(table);
    reading(table);
}

/// Appends to a short and a long journal, in turn with a bare commit.
fn appending(table: &mut Table) {
    let dirs = [folder(), folder()];
    let bare = Bare::open(dirs[0].path());
    let short = Kept::with_steps(dirs[0].path(), 100).used_before();
    let long = Kept::with_steps(dirs[1].path(), 100_000).used_before();
    let (lease, long_lease) = (short.lease(), long.lease());
    let append = |records, when| short.store.append(&lease, 1, Some(1), records, when).expect("an append");
    let append_long = |records, when| long.store.append(&long_lease, 1, Some(1), records, when).expect("an append");
    let (mut bares, mut plain, mut with_effect, mut after_many) =
        (Samples::default(), Samples::default(), Samples::default(), Samples::default());
    for turn in 0..SAMPLES {
        let n = 100_000 + 2 * turn;
        for thing in order(turn) {
            match thing {
                0 => bares.take(|| bare.commit(&text(n))),
                1 => plain.take(|| {
                    append(vec![started(n)], When::Soon);
                    append(vec![done(n)], When::Now);
                }),
                2 => after_many.take(|| {
                    append_long(vec![started(n)], When::Soon);
                    append_long(vec![done(n)], When::Now);
                }),
                _ => {
                    let [intent, made] = effect(n + 1);
                    with_effect.take(|| {
                        append(vec![started(n + 1)], When::Soon);
                        append(vec![intent], When::Now);
                        append(vec![made, done(n + 1)], When::Now);
                    });
                }
            }
        }
    }
    let bare = bares.mean();
    table.ratio("store: a step without effects / a bare commit", (plain.mean(), bare), 1.3);
    table.ratio("store: a step with one effect / a bare commit", (with_effect.mean(), bare), 2.3);
    table.ratio("store: a step after 100,000 / after 100", (after_many.mean(), plain.mean()), 1.2);
}

fn reading(table: &mut Table) {
    let dir = folder();
    drop(Kept::with_steps(dir.path(), 10_000));
    let figure = Samples::of(REPEATS, || {
        let store = Sqlite::open(&dir.path().join("state")).expect("a store");
        let journal = store.journal(&"0".repeat(32)).expect("a journal");
        assert_eq!(journal.len(), 20_000);
        assert!(matches!(&journal[19_999].record, Record::StepDone { result: Value::Object(_), .. }));
    });
    table.time("store: opening it and reading 10,000 finished steps", figure, Duration::from_millis(100));
}
