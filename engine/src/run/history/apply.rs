//! What each record does to the history.

use std::sync::Arc;

use runbook_state::{
    record::{EffectKey, EffectState, Record, Site},
    store::Entry,
};
use serde_json::Value;

use super::{
    Cluster, Driven, Inner, Node,
    fact::{Approval, Decision, Effect, Observation, Step, StepState},
    packed::Packed,
};
use crate::run::{guard::whose_recorded, version::Version};

impl Inner {
    /// Takes in an entry of the journal.
    pub(super) fn take(&mut self, entry: Entry) {
        self.last_seq = self.last_seq.max(entry.seq);
        self.apply(entry.at_ms, entry.sim_ms, entry.record);
    }

    /// Takes in one record.
    pub(super) fn apply(&mut self, at_ms: i64, sim_ms: Option<i64>, record: Record) {
        self.order += 1;
        self.last_sim_ms = sim_ms.or(self.last_sim_ms);
        let order = self.order;
        let now = sim_ms.unwrap_or(at_ms);
        self.pass(at_ms, now, &record);
        match record {
            Record::Began { mode, script, .. } => {
                if let Some(script) = script {
                    self.version.script = Some(script.into());
                }
                self.began = Some(mode);
                self.ended = None;
            }
            Record::Ended { ending, .. } => self.ended = Some(ending),
            Record::Params { values } => {
                self.params = Some(values);
                self.version.params += 1;
            }
            Record::Target { about, place } => {
                let whose = whose_recorded(&place);
                let caller = about.get("caller").and_then(Value::as_str).unwrap_or_default().to_owned();
                self.callers.insert(whose.clone(), caller);
                self.targets.entry(whose).or_insert(about);
            }
            Record::StepStarted { step, attempt, site } => self.started(&step, attempt, site, now),
            Record::StepDone { step, result, captures, .. } => {
                let entry = self.step(&step, now);
                let first = !matches!(entry.state, StepState::Done { .. });
                entry.state = StepState::Done { result, captures };
                if first {
                    entry.ended_ms = now;
                    self.totals.steps += 1;
                }
            }
            Record::StepFailed { step, failure, caught } => {
                let entry = self.step(&step, now);
                entry.state = StepState::Failed { failure, caught };
                entry.ended_ms = now;
            }
            Record::StepUndone { step, .. } => {
                let entry = self.step(&step, now);
                let was_done = matches!(entry.state, StepState::Done { .. });
                entry.state = StepState::Undone;
                self.totals.steps -= u32::from(was_done && self.totals.steps > 0);
            }
            Record::Intent { effect, op, token, digest, input, place, tags, site, prior } => {
                let attempt = self.attempt_around(&effect.step);
                self.cluster(&effect, &op, &input, &place);
                let new = Effect {
                    order,
                    attempt,
                    state: EffectState::Intent,
                    op,
                    token,
                    digest,
                    input: input.into(),
                    place: place.into(),
                    tags: tags.into(),
                    site,
                    prior: prior.map(Packed::from),
                    at_ms,
                    target_ms: now,
                    response: None,
                    owned: None,
                    error: None,
                    remains: false,
                    adopted: false,
                    deleting: false,
                    key: effect,
                };
                self.node(&new.key.step).effects.entry(new.key.ordinal).or_default().push(Arc::new(new));
            }
            Record::Accepted { effect, response, owned } => {
                self.change(&effect, |e| {
                    e.state = EffectState::Accepted;
                    e.response = Some(response.into());
                    if owned.is_some() {
                        e.owned = owned.map(Box::new);
                    }
                });
            }
            Record::Done { effect, response, owned, adopted, .. } => {
                self.change(&effect, |e| {
                    e.state = EffectState::Done;
                    e.response = Some(response.into());
                    e.adopted = adopted;
                    if owned.is_some() {
                        e.owned = owned.map(Box::new);
                    }
                });
                self.totals.effects += 1;
                self.count(&effect.step, |nested| nested + 1);
            }
            Record::Failed { effect, error, remains } => {
                self.change(&effect, |e| {
                    e.state = EffectState::Failed;
                    e.error = Some(error.into());
                    e.remains = remains;
                });
                if !remains {
                    self.clusters.remove(&effect);
                }
            }
            Record::Unknown { effect, error } => self.change(&effect, |e| {
                e.state = EffectState::Unknown;
                e.error = Some(error.into());
            }),
            Record::Retired { effect, .. } => {
                self.change(&effect, |e| e.state = EffectState::Retired);
                self.clusters.remove(&effect);
            }
            Record::DeleteIntent { effect } => self.change(&effect, |e| e.deleting = true),
            Record::Gone { effect, .. } => {
                let mut stood = false;
                self.change(&effect, |e| {
                    stood = e.state == EffectState::Done;
                    e.state = EffectState::Undone;
                    e.remains = false;
                });
                self.clusters.remove(&effect);
                if stood {
                    self.totals.effects = self.totals.effects.saturating_sub(1);
                    self.count(&effect.step, |nested| nested.saturating_sub(1));
                }
            }
            Record::Observed { step, attempt, ordinal, op, digest, value } => {
                let seen = Arc::new(Observation { op, digest, answer: Ok(value) });
                self.node(&step).observations.insert((attempt, ordinal), seen);
            }
            Record::ReadFailed { step, attempt, ordinal, op, digest, failure } => {
                let seen = Arc::new(Observation { op, digest, answer: Err(failure) });
                self.node(&step).observations.insert((attempt, ordinal), seen);
            }
            Record::Decided { step, ordinal, what, value } => {
                if what == super::ASKED {
                    self.questions.insert(step.clone(), value.as_str().unwrap_or_default().to_owned());
                }
                let attempt = self.attempt_around(&step);
                self.node(&step).decisions.insert(ordinal, Arc::new(Decision { what, value, attempt }));
            }
            Record::Output { name, value } => {
                self.outputs.insert(name, value);
            }
            Record::Approved { step, yes, by, why } => {
                self.approvals.insert(step, Approval { yes, by, why });
            }
            Record::NotRehearsed { .. } | Record::CancelAsked { .. } => {}
        }
    }

    /// From its intent on a cluster may stand, and belongs to who sends it.
    fn cluster(&mut self, effect: &EffectKey, op: &str, input: &Value, place: &Value) {
        if op == "eks.create_cluster" {
            let name = input.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            let whose = whose_recorded(place);
            let by = self.callers.get(&whose).cloned().unwrap_or_default();
            self.clusters.insert(effect.clone(), Cluster { name, whose, by });
        }
    }

    /// Counts the time for which the run is driven. What other processes say to it takes none.
    fn pass(&mut self, at_ms: i64, now: i64, record: &Record) {
        match record {
            Record::Began { mode, .. } => {
                let before = self.totals;
                self.driven = (mode != "undo").then_some(Driven { target_ms: now, wall_ms: at_ms, before });
            }
            Record::CancelAsked { .. } | Record::Approved { .. } => return,
            _ => {}
        }
        if let Some(Driven { target_ms, wall_ms, before }) = self.driven {
            self.totals.took_ms = before.took_ms + (now - target_ms);
            self.totals.real_ms = before.real_ms + (at_ms - wall_ms);
        }
        if matches!(record, Record::Ended { .. }) {
            self.driven = None;
        }
    }

    /// A finished step that is started again has only moved to another line of an edited script.
    fn started(&mut self, step: &str, attempt: u32, site: Site, now: i64) {
        let order = self.order;
        let version = self.version.clone();
        let entry = self.step(step, now);
        entry.site = site;
        entry.version = version;
        if !matches!(entry.state, StepState::Done { .. }) {
            entry.attempt = attempt;
            entry.started = order;
            entry.started_ms = now;
            entry.state = StepState::Started;
        }
    }

    fn step(&mut self, key: &str, now: i64) -> &mut Step {
        let order = self.order;
        let step = self.node(key).step.get_or_insert_with(|| {
            Arc::new(Step {
                attempt: 0,
                site: Site::default(),
                version: Version::default(),
                started_ms: now,
                ended_ms: now,
                first: order,
                started: order,
                state: StepState::Started,
            })
        });
        Arc::make_mut(step)
    }

    fn change(&mut self, key: &EffectKey, with: impl FnOnce(&mut Effect)) {
        let generations = self.nodes.get_mut(&key.step).and_then(|node| node.effects.get_mut(&key.ordinal));
        let effect = generations.and_then(|all| all.iter_mut().rev().find(|e| e.key.generation == key.generation));
        if let Some(effect) = effect {
            with(Arc::make_mut(effect));
        }
    }

    fn node(&mut self, key: &str) -> &mut Node {
        if !self.nodes.contains_key(key) && !key.is_empty() {
            let parent = key.rsplit_once('/').map_or("", |(parent, _)| parent);
            self.node(parent).children.push(key.to_owned());
        }
        self.nodes.entry(key.to_owned()).or_default()
    }

    /// The attempt of the step that a key is, or of the nearest step above it.
    fn attempt_around(&self, key: &str) -> u32 {
        let mut key = key;
        loop {
            if let Some(step) = self.nodes.get(key).and_then(|node| node.step.as_ref()) {
                return step.attempt;
            }
            match key.rsplit_once('/') {
                Some((parent, _)) => key = parent,
                None => return 1,
            }
        }
    }

    /// Counts an effect in its scope and in all around it.
    fn count(&mut self, key: &str, next: impl Fn(u32) -> u32) {
        let mut key = key;
        loop {
            if let Some(node) = self.nodes.get_mut(key) {
                node.nested = next(node.nested);
            }
            match key.rsplit_once('/') {
                Some((parent, _)) => key = parent,
                None => return,
            }
        }
    }
}
