//! The journal in memory, as replay asks for it: by key, not by place.
//!
//! It is loaded once and grows with what this process records ([`super::session::Session::record`] does both), because a retry
//! within a process must see the effects of the attempt before. Values are shared, never copied, while loading.
//!
//! * `apply`: what each record does to it.
//! * `fact`: what it answers with.
//! * `packed`: how it keeps values.

mod apply;
mod fact;
mod packed;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

pub use fact::{Approval, Decision, Effect, Observation, Step, StepState, Totals};
pub use packed::Packed;
use runbook_modules::resource::named;
use runbook_seeded::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use runbook_state::{
    record::{EffectKey, EffectState, Ending, Owned, Record},
    store::Store,
};
use serde_json::Value;

use super::version::Version;

/// What a recorded decision is called when it is the question of an approval.
pub const ASKED: &str = "approve";

/// What this and earlier processes recorded, by key.
#[derive(Debug, Default)]
pub struct History {
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    nodes: HashMap<String, Node>,
    approvals: HashMap<String, Approval>,
    questions: BTreeMap<String, String>,
    outputs: BTreeMap<String, Value>,
    params: Option<Value>,
    version: Version,
    /// What the target said first, by whose credentials (`super::guard::whose`).
    targets: BTreeMap<String, Value>,
    /// Who called last, by whose credentials.
    callers: BTreeMap<String, String>,
    /// EKS clusters that stand or may stand.
    clusters: BTreeMap<EffectKey, Cluster>,
    began: Option<String>,
    ended: Option<Ending>,
    totals: Totals,
    driven: Option<Driven>,
    order: u64,
    last_seq: u64,
    last_sim_ms: Option<i64>,
}

/// An EKS cluster of the run: only who made it has access by itself.
#[derive(Debug)]
struct Cluster {
    name: String,
    whose: String,
    by: String,
}

/// A process at work: when it began, and what the ones before it took.
#[derive(Debug, Clone, Copy)]
struct Driven {
    target_ms: i64,
    wall_ms: i64,
    before: Totals,
}

/// What hangs on one key: a step, a branch, or the top (the empty key).
#[derive(Debug, Default)]
struct Node {
    step: Option<Arc<Step>>,
    /// By ordinal; the generations of each, oldest first.
    effects: BTreeMap<u32, Vec<Arc<Effect>>>,
    observations: HashMap<(u32, u32), Arc<Observation>>,
    decisions: HashMap<u32, Arc<Decision>>,
    /// Effects done in this scope and below.
    nested: u32,
    children: Vec<String>,
}

impl Inner {
    /// What effects have made or taken over, and what stands.
    fn standing(&self) -> impl Iterator<Item = &Owned> {
        let all = self.nodes.values().flat_map(|node| node.effects.values().flatten());
        let standing = all.filter(|effect| matches!(effect.state, EffectState::Accepted | EffectState::Done));
        standing.filter_map(|effect| effect.owned.as_deref())
    }
}

impl History {
    /// Reads the journal of a run.
    ///
    /// # Errors
    /// As [`Store::journal`].
    pub fn load(store: &dyn Store, run: &str) -> Result<Self, runbook_state::error::Error> {
        let mut inner = Inner::default();
        store.read_journal(run, &mut |entry| inner.take(entry))?;
        Ok(Self { inner: RwLock::new(inner) })
    }

    /// Takes in a record that has just been written.
    pub fn apply(&self, at_ms: i64, sim_ms: Option<i64>, record: Record) {
        self.write().apply(at_ms, sim_ms, record);
    }

    /// What is known of a step.
    pub fn step(&self, key: &str) -> Option<Arc<Step>> {
        self.read().nodes.get(key)?.step.clone()
    }

    /// All steps by key, in the order in which they were first seen.
    pub fn steps(&self) -> Vec<(String, Arc<Step>)> {
        let inner = self.read();
        let mut all: Vec<_> =
            inner.nodes.iter().filter_map(|(key, node)| Some((key.clone(), node.step.clone()?))).collect();
        all.sort_by_key(|(_, step)| step.first);
        all
    }

    /// The newest generation of an effect.
    pub fn effect(&self, step: &str, ordinal: u32) -> Option<Arc<Effect>> {
        self.read().nodes.get(step)?.effects.get(&ordinal)?.last().cloned()
    }

    /// One generation of an effect.
    pub fn effect_at(&self, key: &EffectKey) -> Option<Arc<Effect>> {
        let inner = self.read();
        inner.nodes.get(&key.step)?.effects.get(&key.ordinal)?.iter().find(|e| e.key == *key).cloned()
    }

    /// All effects, every generation, in the order of their intents.
    pub fn effects(&self) -> Vec<Arc<Effect>> {
        let inner = self.read();
        let mut all: Vec<_> = inner.nodes.values().flat_map(|node| node.effects.values().flatten()).cloned().collect();
        all.sort_by_key(|effect| effect.order);
        all
    }

    /// Whether the run made something of that id, or of that kind and id as [`named`] writes them, and it stands.
    pub fn owns(&self, parent: &str) -> bool {
        let made = |owned: &Owned| owned.ours && (owned.id == parent || named(&owned.kind, &owned.id) == parent);
        self.read().standing().any(made)
    }

    /// Whether another call of the run made what this one left, and it stands.
    pub fn made_before(&self, left: &Effect) -> bool {
        let Some(left) = &left.owned else { return false };
        let same = |owned: &Owned| (&owned.kind, &owned.place, &owned.id) == (&left.kind, &left.place, &left.id);
        self.read().standing().any(same)
    }

    /// The effects of one scope that stand, newest generation each, by ordinal. Retired and undone ones are left out.
    pub fn effects_of(&self, step: &str) -> Vec<Arc<Effect>> {
        let inner = self.read();
        let Some(node) = inner.nodes.get(step) else { return Vec::new() };
        let newest = node.effects.values().filter_map(|generations| generations.last());
        newest.filter(|e| !matches!(e.state, EffectState::Retired | EffectState::Undone)).cloned().collect()
    }

    /// How many effects were done in a scope and below it.
    pub fn effects_below(&self, step: &str) -> u32 {
        self.read().nodes.get(step).map_or(0, |node| node.nested)
    }

    /// The keys directly below a scope: steps and branches.
    pub fn children(&self, step: &str) -> Vec<String> {
        self.read().nodes.get(step).map_or_else(Vec::new, |node| node.children.clone())
    }

    /// A recorded read.
    pub fn observation(&self, step: &str, attempt: u32, ordinal: u32) -> Option<Arc<Observation>> {
        self.read().nodes.get(step)?.observations.get(&(attempt, ordinal)).cloned()
    }

    /// How many reads an attempt recorded in one scope.
    pub fn observations_of(&self, step: &str, attempt: u32) -> u32 {
        let inner = self.read();
        let Some(node) = inner.nodes.get(step) else { return 0 };
        u32::try_from(node.observations.keys().filter(|(a, _)| *a == attempt).count()).unwrap_or(u32::MAX)
    }

    /// A recorded decision.
    pub fn decision(&self, step: &str, ordinal: u32) -> Option<Arc<Decision>> {
        self.read().nodes.get(step)?.decisions.get(&ordinal).cloned()
    }

    /// The last answer to an approval.
    pub fn approval(&self, step: &str) -> Option<Approval> {
        self.read().approvals.get(step).cloned()
    }

    /// Questions that were asked, by step key, and have no answer yet.
    pub fn questions(&self) -> Vec<(String, String)> {
        let inner = self.read();
        let open = inner.questions.iter().filter(|(step, _)| !inner.approvals.contains_key(*step));
        open.map(|(step, question)| (step.clone(), question.clone())).collect()
    }

    /// An output.
    pub fn output(&self, name: &str) -> Option<Value> {
        self.read().outputs.get(name).cloned()
    }

    /// All outputs.
    pub fn outputs(&self) -> BTreeMap<String, Value> {
        self.read().outputs.clone()
    }

    /// The parameters; the last ones hold.
    pub fn params(&self) -> Option<Value> {
        self.read().params.clone()
    }

    /// Under which script and parameters the run was last driven.
    pub fn version(&self) -> Version {
        self.read().version.clone()
    }

    /// The versions of all finished steps.
    pub fn versions(&self) -> BTreeSet<Version> {
        let inner = self.read();
        let finished = |step: &&Arc<Step>| matches!(step.state, StepState::Done { .. });
        inner.nodes.values().filter_map(|node| node.step.as_ref()).filter(finished).map(|s| s.version.clone()).collect()
    }

    /// What the target said it is, the first time: it binds the run. `whose` names the credentials, see [`super::guard::whose`].
    pub fn target_of(&self, whose: &str) -> Option<Value> {
        self.read().targets.get(whose).cloned()
    }

    /// Who called last with these credentials.
    pub fn caller(&self, whose: &str) -> Option<String> {
        self.read().callers.get(whose).cloned()
    }

    /// The EKS clusters that were made with these credentials and stand or may stand: name, and who made it.
    pub fn cluster_makers(&self, whose: &str) -> Vec<(String, String)> {
        let inner = self.read();
        let made = inner.clusters.values().filter(|cluster| cluster.whose == whose);
        made.map(|cluster| (cluster.name.clone(), cluster.by.clone())).collect()
    }

    /// The mode of the last process that drove the run.
    pub fn began(&self) -> Option<String> {
        self.read().began.clone()
    }

    /// How that process ended; None while it drives, or when it died.
    pub fn ended(&self) -> Option<Ending> {
        self.read().ended.clone()
    }

    /// Counts.
    pub fn totals(&self) -> Totals {
        self.read().totals
    }

    /// The place of the last entry that was loaded.
    pub fn last_seq(&self) -> u64 {
        self.read().last_seq
    }

    /// The simulated time of the last entry.
    pub fn last_sim_ms(&self) -> Option<i64> {
        self.read().last_sim_ms
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}
