//! One thing to undo: an inventory row, or an undo closure.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use runbook_modules::{resource::named, target::Place};
use runbook_seeded::mutant;
use runbook_state::{
    record::{EffectState, Owned, Record},
    store::When,
};
use serde_json::Value;

use super::{
    Left, NOT_TRIED, Options, UndoHook, UndoReport,
    order::{Item, Times},
};
use crate::{
    effect::{Act, remove},
    error::Halt,
    event::What,
    run::{
        history::{Effect, StepState},
        scope::Scope,
        session::Session,
    },
};

/// The kind whose objects go with it.
const CLUSTER: &str = "eks.cluster";
/// What a closure is called in a report.
const CLOSURE: &str = "undo closure";

/// Room between two places in the journal, for closures.
const STRIDE: u64 = 1 << 16;

/// The mark that a closure was called: decisions of its own count from 0.
const CALLED: u32 = u32::MAX;

/// A thing to undo, with its place in the order.
pub struct Node {
    pub(super) item: Item,
    what: Thing,
    /// What it costs while it stands.
    cost: Option<&'static str>,
}

enum Thing {
    Row(Arc<Effect>),
    Closure { hook: Arc<dyn UndoHook>, number: u32 },
}

/// What came of one.
pub(super) enum Outcome {
    Gone { already: bool },
    PutBack,
    Kept(String),
    Stuck { why: String, blockers: Vec<String> },
    Called,
}

/// The nodes of rows and closures.
pub(super) fn nodes(
    session: &Session, rows: Vec<Arc<Effect>>, hooks: Vec<Arc<dyn UndoHook>>, options: &Options,
) -> Vec<Node> {
    let steps: Vec<String> = rows.iter().map(|row| row.key.step.clone()).collect();
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let closures = hooks.into_iter().filter_map(|hook| {
        let step = hook.step().to_owned();
        let number = numbers.entry(step.clone()).or_default();
        let node = Node::closure(session, hook, *number);
        *number += 1;
        let chosen = options.step.as_deref().is_none_or(|key| {
            super::select::within(&step, key) || steps.iter().any(|made| super::select::within(made, &step))
        });
        (chosen && !node.called(session)).then_some(node)
    });
    let closures: Vec<Node> = closures.collect();
    rows.into_iter().filter_map(|row| Node::row(session, row)).chain(closures).collect()
}

/// When the keys of the run were at work.
pub(super) fn times(session: &Session) -> Times {
    let mut times = Times::default();
    for (key, step) in session.history.steps() {
        if !matches!(step.state, StepState::Started) {
            times.add(&key, step.started_ms, step.ended_ms);
        }
    }
    for effect in session.history.effects() {
        times.add(&effect.key.step, effect.target_ms, effect.target_ms);
    }
    times
}

impl Node {
    fn row(session: &Session, effect: Arc<Effect>) -> Option<Self> {
        let owned = effect.owned.as_ref()?;
        let place: Place = serde_json::from_value(owned.place.clone()).unwrap_or_default();
        let mut names = vec![owned.id.clone(), named(&owned.kind, &owned.id)];
        if owned.kind == CLUSTER {
            names.push(cluster(&owned.name));
            names.push(cluster(&owned.id));
        }
        names.extend(effect.answer().get("arn").and_then(Value::as_str).map(str::to_owned));
        let parents = owned.parents.iter().cloned().chain(place.cluster.as_deref().map(cluster)).collect();
        let item = Item { step: effect.key.step.clone(), order: effect.order * STRIDE, names, parents, closure: false };
        let cost = session.table.kind(&owned.kind).and_then(|kind| kind.meta().cost);
        Some(Self { item, what: Thing::Row(effect), cost })
    }

    fn closure(session: &Session, hook: Arc<dyn UndoHook>, number: u32) -> Self {
        let step = hook.step().to_owned();
        if let Some(after) = hook.after() {
            let order = after * STRIDE + 1 + u64::from(number);
            let item = Item { step, order, ..Item::default() };
            return Self { item, what: Thing::Closure { hook, number }, cost: None };
        }
        let last = session
            .history
            .effects()
            .iter()
            .filter(|e| super::select::within(&e.key.step, &step))
            .map(|e| e.order)
            .max();
        let begun = session.history.step(&step).map(|step| step.started);
        // Of several closures of a step the last one is called first.
        let order = last.max(begun).unwrap_or_default() * STRIDE + 1 + u64::from(number);
        let item = Item { step, order, closure: true, ..Item::default() };
        Self { item, what: Thing::Closure { hook, number }, cost: None }
    }

    /// The effect behind a row.
    pub(super) fn effect(&self) -> Option<&Effect> {
        match &self.what {
            Thing::Row(effect) => Some(effect),
            Thing::Closure { .. } => None,
        }
    }

    fn owned(&self) -> Option<&Owned> {
        self.effect()?.owned.as_deref()
    }

    /// Whether an earlier process has called this closure to its end.
    fn called(&self, session: &Session) -> bool {
        match &self.what {
            Thing::Closure { number, .. } => {
                session.history.decision(&undo_key(&self.item.step, *number), CALLED).is_some()
            }
            Thing::Row(_) => false,
        }
    }

    /// Counts an outcome; whether it no longer stands in the way of others.
    pub(super) fn report(&self, outcome: Outcome, report: &mut UndoReport) -> bool {
        match outcome {
            Outcome::Gone { already: true } => report.already += 1,
            Outcome::Gone { already: false } => report.deleted += 1,
            Outcome::PutBack => report.put_back += 1,
            Outcome::Kept(why) => report.kept.push(self.left(why, Vec::new())),
            Outcome::Stuck { why, blockers } => {
                report.left.push(self.left(why, blockers));
                return false;
            }
            Outcome::Called => {}
        }
        true
    }

    /// It was not tried, because something that needs it still stands.
    pub(super) fn held_by(&self, holder: &Self, report: &mut UndoReport) {
        let held = holder.left(String::new(), Vec::new());
        let why = format!("{NOT_TRIED}: {} {} is left", held.kind, held.id);
        report.left.push(self.left(why, vec![held.id]));
    }

    fn left(&self, why: String, blockers: Vec<String>) -> Left {
        let step = self.item.step.clone();
        let (kind, id, name) = match self.owned() {
            Some(owned) => (owned.kind.clone(), owned.id.clone(), owned.name.clone()),
            None => (CLOSURE.to_owned(), String::new(), step.clone()),
        };
        Left { step, kind, id, name, why, blockers, cost: self.cost }
    }
}

/// Does the work of nodes.
pub(super) struct Work<'a> {
    session: &'a Arc<Session>,
    /// Clusters that were looked at: whether they are gone.
    clusters: Mutex<HashMap<String, bool>>,
}

impl<'a> Work<'a> {
    pub(super) fn new(session: &'a Arc<Session>) -> Self {
        Self { session, clusters: Mutex::default() }
    }

    /// Undoes one node. What is wrong with it alone is an outcome; a stop ends all.
    pub(super) fn one(&self, node: &Node) -> Result<Outcome, Halt> {
        let done = match &node.what {
            Thing::Row(effect) => match &effect.owned {
                Some(owned) => self.row(effect, owned),
                None => Ok(Outcome::Gone { already: true }),
            },
            Thing::Closure { hook, number } => self.call(&**hook, *number),
        };
        match done {
            Err(Halt::Failure(failure)) => {
                let why = if failure.cause.is_empty() {
                    failure.message
                } else {
                    format!("{}: {}", failure.message, failure.cause)
                };
                Ok(Outcome::Stuck { why, blockers: Vec::new() })
            }
            other => other,
        }
    }

    fn row(&self, effect: &Effect, owned: &Owned) -> Result<Outcome, Halt> {
        let session = self.session;
        let kind = session.table.kind(&owned.kind);
        if kind.is_some_and(|kind| kind.stays()) {
            return Ok(Outcome::Kept("it is the account's: others may use it by now".to_owned()));
        }
        if !owned.ours && !mutant!("undo-deletes-shared") {
            return Ok(Outcome::Kept("shared: it was found, not made".to_owned()));
        }
        let stuck = |why: String| Ok(Outcome::Stuck { why, blockers: Vec::new() });
        let Some(kind) = kind else {
            return stuck(format!("this program knows no kind {}", owned.kind));
        };
        let scope = Scope::undoing(session, &effect.key.step);
        let act = Act::new(&scope, &owned.kind, kind.meta().operations.1, &owned.name, &effect.site);
        let place: Place = serde_json::from_value(owned.place.clone()).unwrap_or_default();
        let account = act.admit(&place)?.account;
        if !owned.account.is_empty() && owned.account != account {
            return stuck(format!("it is in account {}, this is {account}", owned.account));
        }
        if self.without_cluster(&act, owned)? {
            session.record(vec![Record::Gone { effect: effect.key.clone(), already: true }], When::Now)?;
            let Owned { kind, id, name, .. } = owned.clone();
            let step = effect.key.step.clone();
            session.tell(What::Deleted { step, kind, name, id, already: true, put_back: false });
            return Ok(Outcome::Gone { already: true });
        }
        Ok(match remove::remove(&act, kind, &remove::Row::of(effect, owned))? {
            remove::Removed::Gone { already } => Outcome::Gone { already },
            remove::Removed::PutBack => Outcome::PutBack,
            remove::Removed::Left(why) => Outcome::Kept(why),
            remove::Removed::Stuck { why, blockers } => Outcome::Stuck { why, blockers },
        })
    }

    /// Whether it stood in a cluster of this run that is gone: then it is gone with it.
    fn without_cluster(&self, act: &Act<'_>, owned: &Owned) -> Result<bool, Halt> {
        let place: Place = serde_json::from_value(owned.place.clone()).unwrap_or_default();
        let Some(name) = place.cluster.filter(|_| owned.kind != CLUSTER) else { return Ok(false) };
        let known = self.clusters.lock().unwrap_or_else(PoisonError::into_inner).get(&name).copied();
        if let Some(gone) = known {
            return Ok(gone);
        }
        let gone = cluster_gone(self.session, act, &name)?;
        self.clusters.lock().unwrap_or_else(PoisonError::into_inner).insert(name, gone);
        Ok(gone)
    }

    fn call(&self, hook: &dyn UndoHook, number: u32) -> Result<Outcome, Halt> {
        let session = self.session;
        let key = undo_key(hook.step(), number);
        hook.call(&Scope::undoing(session, &afresh(session, &key)?))?;
        let called = Record::Decided { step: key, ordinal: CALLED, what: CLOSURE.to_owned(), value: Value::Bool(true) };
        session.record(vec![called], When::Now)?;
        Ok(Outcome::Called)
    }
}

/// Whether a cluster that this run made is gone. Of another cluster nothing is known.
pub(super) fn cluster_gone(session: &Session, act: &Act<'_>, name: &str) -> Result<bool, Halt> {
    let rows = session.history.effects();
    let made = rows.iter().rev().find_map(|effect| {
        let owned = effect.owned.as_ref().filter(|owned| owned.kind == CLUSTER)?;
        let named = owned.id == name || owned.name == name || owned.locator.get("name").is_some_and(|n| n == name);
        named.then_some((effect, owned))
    });
    let Some((effect, owned)) = made else { return Ok(false) };
    if effect.state == EffectState::Undone {
        return Ok(true);
    }
    let Some(kind) = session.table.kind(CLUSTER) else { return Ok(false) };
    let place: Place = serde_json::from_value(owned.place.clone()).unwrap_or_default();
    Ok(act.read(kind, &place, &owned.locator)?.is_none())
}

fn cluster(name: &str) -> String {
    format!("cluster {name}")
}

/// Where the next call of a closure is recorded. A call that was interrupted or failed is not gone on with: what the closure found
/// then may be gone now, so it is called from its beginning and finds what is left.
fn afresh(session: &Session, key: &str) -> Result<String, Halt> {
    let effects = session.history.effects();
    let mut again = key.to_owned();
    for number in 2_u32.. {
        let mut earlier = effects.iter().filter(|e| super::select::within(&e.key.step, &again)).peekable();
        if earlier.peek().is_none() {
            break;
        }
        let doubtful = earlier.filter(|e| matches!(e.state, EffectState::Intent | EffectState::Unknown));
        let why = "its undo closure is called again".to_owned();
        let void = doubtful.map(|e| Record::Retired { effect: e.key.clone(), why: why.clone() });
        let void: Vec<Record> = void.collect();
        if !void.is_empty() {
            session.record(void, When::Now)?;
        }
        again = format!("{key}, call {number}");
    }
    Ok(again)
}

/// Where what a closure does is recorded.
fn undo_key(step: &str, number: u32) -> String {
    match number {
        0 => format!("{step}/undo"),
        _ => format!("{step}/undo {}", number + 1),
    }
}
