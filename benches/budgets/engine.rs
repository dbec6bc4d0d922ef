//! Steps, effects and branches as the engine drives them, on a sandbox in memory: its world is not what is measured.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use runbook_engine::{
    effect::{self, Call},
    error::Halt,
    event::{Event, Sink},
    run::{
        cancel::Cancel,
        clock::SimClock,
        drive::{self, Driver},
        parallel::{Branch, parallel},
        scope::Scope,
        step::{StepOptions, step},
        vault::Vault,
    },
    targets,
};
use runbook_modules::{
    sandbox::{faults::Faults, memory::MemoryStore, rehearsal::Rehearsal, target::Sandbox},
    table::Binding,
    target::Place,
};
use runbook_state::{record::Ending, sqlite::Sqlite, store::Store};
use serde_json::{Value, json};

use crate::{
    measure::{Bare, REPEATS, SAMPLES, Samples, Table, folder, order},
    store::{self, Kept},
};

/// How many branches.
const BRANCHES: usize = 8;
/// How many steps each of them has.
const EACH: usize = 100;
/// The effect: a resource that is usable at once, so that there is nothing to wait for.
const EFFECT: &str = "ec2.create_internet_gateway";

struct Nowhere;

impl Sink for Nowhere {
    fn event(&self, _event: &Event) {}
}

/// Drives the run as `runbook resume` would.
fn drive<T: Send>(store: &Arc<Sqlite>, run: &str, body: impl FnOnce(&Arc<Scope>) -> Result<T, Halt> + Send) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let sandbox = Sandbox::open(Arc::new(MemoryStore::default()), Rehearsal::default(), Faults::default());
    let driver = Driver {
        run: store.run(run).expect("the run"),
        store: store.clone(),
        target: Arc::new(sandbox.expect("a sandbox")),
        place: place(),
        table: targets::table(),
        time: Arc::new(SimClock::new(0, None)),
        sink: Arc::new(Nowhere),
        cancel: Cancel::default(),
        vault: Arc::new(Vault::in_memory(run)),
        edits: None,
        files: None,
        runtime: runtime.handle().clone(),
        mode: "resume".to_owned(),
        by: "bench@here".to_owned(),
        params: None,
        guard: Default::default(),
        known: None,
    };
    let mut answer = None;
    let outcome = drive::drive(driver, |scope| {
        answer = Some(body(scope)?);
        Ok(Ending::Finished)
    });
    let outcome = outcome.expect("a driven run");
    answer.unwrap_or_else(|| panic!("the run did not finish: {outcome:?}"))
}

fn place() -> Place {
    Place { region: "us-east-1".to_owned(), ..Place::default() }
}

fn plain(scope: &Arc<Scope>, name: &str) -> Result<Value, Halt> {
    step(scope, name, &StepOptions::default(), &store::site(), "", &mut |_| Ok(json!({"id": "vpc-0c1d2e3f405162738"})))
}

fn with_effect(scope: &Arc<Scope>, name: &str, binding: Binding, place: &Place) -> Result<Value, Halt> {
    step(scope, name, &StepOptions::default(), &store::site(), "", &mut |scope| {
        effect::bind(scope, Call { name: EFFECT, binding, place, input: json!({}), site: store::site() })
    })
}

/// What a step costs in a short and in a long run, in turn with a bare commit.
pub fn measure(table: &mut Table) {
    let dirs = [folder(), folder()];
    let short = Kept::with_steps(dirs[0].path(), 100).used_before();
    let long = Kept::with_steps(dirs[1].path(), 100_000).used_before();
    let binding = targets::table().binding(EFFECT).expect("the binding");
    let (mut bares, mut plains, mut effects, mut after_many) =
        (Samples::default(), Samples::default(), Samples::default(), Samples::default());
    drive(&long.store, &long.run, |long| {
        drive(&short.store, &short.run, |scope| {
            let bare = Bare::open(dirs[0].path());
            for n in 0..SAMPLES {
                for thing in order(n) {
                    match thing {
                        0 => bares.take(|| bare.commit(&store::text(n))),
                        1 => plains.take(|| plain(scope, &format!("plain {n}"))).map(drop)?,
                        2 => after_many.take(|| plain(long, &format!("plain {n}"))).map(drop)?,
                        _ => {
                            effects.take(|| with_effect(scope, &format!("effect {n}"), binding, &place()))?;
                            // Takes the end of that step along: nothing is under way beside the next thing.
                            plain(scope, &format!("after {n}"))?;
                        }
                    }
                }
            }
            Ok(())
        });
        Ok(())
    });
    let bare = bares.mean();
    table.ratio("engine: a step without effects / a bare commit", (plains.mean(), bare), 1.3);
    table.ratio("engine: a step with one effect / a bare commit", (effects.mean(), bare), 2.3);
    table.ratio("engine: a step after 100,000 / after 100", (after_many.mean(), plains.mean()), 1.2);
}

/// What branches share.
pub fn branches(table: &mut Table) {
    let dir = folder();
    let kept = Kept::with_steps(dir.path(), 0);
    let (bare, took, commits) = drive(&kept.store, &kept.run, |scope| {
        let bare = Bare::open(dir.path());
        let mut bares = Samples::default();
        for n in 0..BRANCHES * EACH {
            bares.take(|| bare.commit(&store::text(n)));
        }
        let many = (0..BRANCHES).map(|n| Branch {
            name: format!("branch {n}"),
            body: Box::new(|scope| {
                for n in 0..EACH {
                    plain(scope, &store::name(n))?;
                }
                Ok(Value::Null)
            }),
        });
        let (before, began) = (kept.store.commits(), Instant::now());
        parallel(scope, &store::site(), many.collect(), None)?;
        Ok((bares.mean(), began.elapsed(), kept.store.commits() - before))
    });
    let steps = u32::try_from(BRANCHES * EACH).unwrap_or(u32::MAX);
    table.ratio("engine: a step in one of 8 branches / a bare commit", (took / steps, bare), 1.0);
    table.number("engine: commits a step in 8 branches", commits as f64 / f64::from(steps), "", 0.5);
}

/// From opening the store to the end of a script whose 10,000 steps are all finished.
pub fn resuming(table: &mut Table) {
    const STEPS: usize = 10_000;
    let dir = folder();
    drop(Kept::with_steps(dir.path(), STEPS));
    let names: Vec<String> = (0..STEPS).map(store::name).collect();
    let figure = Samples::of(REPEATS, || {
        let store = Arc::new(Sqlite::open(&dir.path().join("state")).expect("a store"));
        let never = &mut |_: &Arc<Scope>| panic!("a finished step ran again");
        drive(&store, &"0".repeat(32), |scope| {
            for name in &names {
                step(scope, name, &StepOptions::default(), &store::site(), "", never)?;
            }
            Ok(())
        });
    });
    table.time("engine: resuming 10,000 finished steps", figure, Duration::from_millis(100));
}
