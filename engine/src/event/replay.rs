//! Events out of a journal: an old run is shown by the same code as a live one.
//!
//! What a person would have seen is told again: steps, effects, checks, deletions, outputs, with the times at which they were
//! written. What was never kept (progress of waits, printed lines) is missing.

use std::collections::HashMap;

use runbook_modules::target::About;
use runbook_state::{
    record::{EffectKey, Ending, Owned, Record},
    store::{Entry, Run},
};
use serde_json::Value;

use super::{Event, VERSION, What};
use crate::{
    error::Failure,
    run::{
        check::tries,
        history::{ASKED, History, StepState, Totals},
        scope::ABANDONED,
    },
    undo::select::within,
};

/// The events of a run's journal, numbered from 1.
pub fn replay(run: &Run, entries: &[Entry]) -> Vec<Event> {
    let mut teller =
        Teller { run, history: History::default(), about: None, shown: Shown::default(), events: Vec::new() };
    for entry in entries {
        teller.entry(entry);
    }
    teller.events
}

struct Teller<'a> {
    run: &'a Run,
    /// The journal up to the entry being told.
    history: History,
    about: Option<About>,
    shown: Shown,
    events: Vec<Event>,
}

/// What the telling has to remember.
#[derive(Default)]
struct Shown {
    began_at_ms: i64,
    began_target_ms: i64,
    /// What earlier processes had done.
    before: Totals,
    retries: u32,
    failures: Vec<Failure>,
    names: HashMap<EffectKey, (String, String)>,
    deleting: HashMap<EffectKey, (String, String, String)>,
}

impl Teller<'_> {
    fn entry(&mut self, entry: &Entry) {
        // What another process wrote (an approval) stands where the target's time had come to.
        let target_ms = entry.sim_ms.or_else(|| self.history.last_sim_ms()).unwrap_or(entry.at_ms);
        // A heading needs what the target said, which is written right after it.
        if let Record::Target { about, place: Value::Null } = &entry.record
            && self.about.is_none()
        {
            self.about = serde_json::from_value(about.clone()).ok();
            for event in &mut self.events {
                if let (What::Began { about, .. }, Some(said)) = (&mut event.what, &self.about) {
                    about.clone_from(said);
                    event.simulated = said.simulated;
                }
            }
        }
        let told = self.tell(entry, target_ms);
        if !matches!(entry.record, Record::Ended { .. }) {
            self.history.apply(entry.at_ms, entry.sim_ms, entry.record.clone());
        }
        let simulated = self.about.as_ref().map_or(entry.sim_ms.is_some(), |about| about.simulated);
        for what in told {
            self.events.push(Event {
                v: VERSION,
                seq: self.events.len() as u64 + 1,
                at_ms: entry.at_ms,
                target_ms,
                run: self.run.id.clone(),
                simulated,
                what,
            });
        }
    }

    fn tell(&mut self, entry: &Entry, now: i64) -> Vec<What> {
        let one = |what| vec![what];
        match &entry.record {
            Record::Began { mode, .. } => {
                self.shown.began_at_ms = entry.at_ms;
                self.shown.began_target_ms = now;
                self.shown.before = self.history.totals();
                self.shown.retries = 0;
                self.shown.failures.clear();
                one(self.began(mode))
            }
            Record::Ended { ending, failures } => self.ended(entry, now, ending, failures),
            Record::StepStarted { step, attempt, site } => {
                let known = self.history.step(step);
                if known.as_ref().is_some_and(|known| matches!(known.state, StepState::Done { .. })) {
                    return Vec::new();
                }
                let again = matches!(known.map(|k| k.state.clone()), Some(StepState::Failed { .. }));
                self.shown.retries += u32::from(again);
                if again {
                    self.shown.failures.retain(|failure| failure.step != *step);
                }
                one(What::StepStarted { step: step.clone(), attempt: *attempt, site: site.clone() })
            }
            Record::StepDone { step, result, .. } => self.done(step, result, now),
            Record::StepFailed { step, failure, caught } => self.failed(step, failure, *caught),
            Record::Intent { effect, op, input, tags, .. } => {
                let name = name_of(tags, input);
                self.shown.names.insert(effect.clone(), (op.clone(), name.clone()));
                one(What::Intent { step: effect.step.clone(), op: op.clone(), name })
            }
            Record::Accepted { effect, response, owned } => {
                let (op, name) = self.named(effect, owned.as_ref());
                one(What::Accepted { step: effect.step.clone(), op, name, id: id_of(response, owned.as_ref()) })
            }
            Record::Done { effect, response, owned, adopted, .. } => {
                let (op, name) = self.named(effect, owned.as_ref());
                let known = self.history.effect_at(effect);
                let owned = owned.clone().or_else(|| known.as_ref().and_then(|known| known.owned.as_deref().cloned()));
                one(What::EffectDone {
                    step: effect.step.clone(),
                    op,
                    name,
                    id: id_of(response, owned.as_ref()),
                    token: known.as_ref().map(|known| known.token.clone()).unwrap_or_default(),
                    took_ms: known.map_or(0, |known| now - known.target_ms),
                    adopted: *adopted,
                    kept: false,
                })
            }
            Record::Failed { effect, error, .. } => {
                let (op, _) = self.named(effect, None);
                one(What::EffectFailed { step: effect.step.clone(), op, message: message_of(error) })
            }
            Record::Unknown { effect, error } => {
                let (op, _) = self.named(effect, None);
                let how = format!("outcome unknown: {}", message_of(error));
                one(What::Resolved { step: effect.step.clone(), op, how })
            }
            Record::Retired { effect, why } => {
                let (op, _) = self.named(effect, None);
                one(What::Resolved { step: effect.step.clone(), op, how: why.clone() })
            }
            Record::Observed { step, op, .. } => one(What::Observed { step: step.clone(), op: op.clone() }),
            Record::Decided { step, what, value, .. } if what == ASKED => {
                let why = format!("waits for an approval: {}", value.as_str().unwrap_or_default());
                one(What::StepParked { step: step.clone(), why })
            }
            Record::Output { name, value } => one(What::Output { name: name.clone(), value: value.clone() }),
            Record::NotRehearsed { step, what } => one(What::NotRehearsed { step: step.clone(), what: what.clone() }),
            Record::DeleteIntent { effect } => {
                let (kind, name, id) = self.owned(effect);
                self.shown.deleting.insert(effect.clone(), (kind.clone(), name.clone(), id.clone()));
                one(What::Deleting { step: effect.step.clone(), kind, name, id })
            }
            Record::Gone { effect, already } => {
                let known = self.shown.deleting.remove(effect);
                let (kind, name, id) = known.unwrap_or_else(|| self.owned(effect));
                let put_back = self.history.effect_at(effect).and_then(|known| known.owned.clone()?.prior).is_some();
                one(What::Deleted { step: effect.step.clone(), kind, name, id, already: *already, put_back })
            }
            Record::CancelAsked { by } => {
                one(What::Note { step: String::new(), text: format!("{by} asked to park the run") })
            }
            Record::Approved { step, yes, by, why } => {
                let said = if *yes { "yes" } else { "no" };
                let why = if why.is_empty() { String::new() } else { format!(": {why}") };
                one(What::Note { step: step.clone(), text: format!("{by} said {said}{why}") })
            }
            Record::Params { .. }
            | Record::Target { .. }
            | Record::StepUndone { .. }
            | Record::ReadFailed { .. }
            | Record::Decided { .. } => Vec::new(),
        }
    }

    fn began(&self, mode: &str) -> What {
        let nobody = About {
            simulated: false,
            account: String::new(),
            caller: String::new(),
            region: String::new(),
            endpoint: None,
        };
        What::Began {
            mode: mode.to_owned(),
            runbook: self.run.runbook.clone(),
            customer: self.run.customer.clone(),
            about: self.about.clone().unwrap_or(nobody),
            region: self.run.settings.get("region").and_then(Value::as_str).unwrap_or_default().to_owned(),
            speed: self.run.settings.get("speed").and_then(Value::as_f64),
            kept: self.history.totals().steps,
        }
    }

    fn ended(&mut self, entry: &Entry, now: i64, ending: &Ending, failures: &[Value]) -> Vec<What> {
        let told = std::mem::take(&mut self.shown.failures);
        let kept: Vec<Failure> = failures.iter().filter_map(|f| serde_json::from_value(f.clone()).ok()).collect();
        // Earlier versions kept only those of steps.
        let failures = if kept.is_empty() { told } else { kept };
        let mut all = parked(&self.history, ending, &failures);
        self.history.apply(entry.at_ms, entry.sim_ms, entry.record.clone());
        let (totals, before) = (self.history.totals(), self.shown.before);
        all.push(What::Ended {
            ending: ending.clone(),
            failures,
            steps: totals.steps,
            effects: totals.effects,
            retries: self.shown.retries,
            took_ms: now - self.shown.began_target_ms,
            real_ms: entry.at_ms - self.shown.began_at_ms,
            own_steps: totals.steps.saturating_sub(before.steps),
            own_effects: totals.effects.saturating_sub(before.effects),
            whole_ms: totals.took_ms,
            whole_real_ms: totals.real_ms,
        });
        all
    }

    fn done(&mut self, step: &str, result: &Value, now: i64) -> Vec<What> {
        let known = self.history.step(step);
        if known.as_ref().is_some_and(|known| matches!(known.state, StepState::Done { .. })) {
            return Vec::new();
        }
        self.shown.failures.retain(|failure| failure.step != step);
        let took_ms = known.map_or(0, |known| now - known.started_ms);
        let effects = self.history.effects_below(step);
        let done = What::StepDone { step: step.to_owned(), took_ms, effects, kept: false };
        let passed = tries(result).map(|tries| What::CheckPassed { step: step.to_owned(), tries });
        passed.into_iter().chain([done]).collect()
    }

    fn failed(&mut self, step: &str, failure: &Value, caught: bool) -> Vec<What> {
        let Ok(failure) = serde_json::from_value::<Failure>(failure.clone()) else { return Vec::new() };
        if caught {
            let key = step.to_owned();
            self.shown.failures.retain(|failure| failure.step != key);
            let why = failure.message;
            return if failure.code == ABANDONED { vec![What::StepParked { step: key, why }] } else { Vec::new() };
        }
        if failure.step == step {
            self.shown.failures.retain(|known| known.step != step);
            self.shown.failures.push(failure.clone());
        }
        vec![What::StepFailed { step: step.to_owned(), failure, retry_ms: None }]
    }

    fn named(&self, effect: &EffectKey, owned: Option<&Owned>) -> (String, String) {
        let (op, name) = self.shown.names.get(effect).cloned().unwrap_or_default();
        (op, owned.map(|owned| owned.name.clone()).filter(|name| !name.is_empty()).unwrap_or(name))
    }

    fn owned(&self, effect: &EffectKey) -> (String, String, String) {
        let known = self.history.effect_at(effect).and_then(|known| known.owned.clone());
        known.map(|owned| (owned.kind, owned.name, owned.id)).unwrap_or_default()
    }
}

/// The steps that the end left open, the inner ones first, with the reason that each was given.
fn parked(history: &History, ending: &Ending, failures: &[Failure]) -> Vec<What> {
    let stopped_at = failures.first().map_or("", |failure| failure.step.as_str());
    let (at, why) = match ending {
        Ending::Finished | Ending::Undone | Ending::Stuck { .. } => return Vec::new(),
        _ if history.began().as_deref() == Some("undo") => return Vec::new(),
        Ending::Parked { why } => (stopped_at, why.clone()),
        Ending::Waiting { step, question } => (step.as_str(), format!("waits for an approval: {question}")),
        Ending::Failed { step, message } | Ending::Stopped { step, message } => (step.as_str(), message.clone()),
    };
    let around = |key: &str| at.is_empty() || within(at, key);
    let asked = |key: &str| matches!(ending, Ending::Waiting { step, .. } if step == key);
    let open = history.steps().into_iter().rev().filter(|(_, step)| matches!(step.state, StepState::Started));
    open.filter(|(key, _)| !asked(key))
        .map(|(step, _)| {
            let why = if around(&step) { why.clone() } else { "another branch failed".to_owned() };
            What::StepParked { step, why }
        })
        .collect()
}

fn name_of(tags: &Value, input: &Value) -> String {
    let name = tags.get("Name").or_else(|| input.get("name")).and_then(Value::as_str);
    name.unwrap_or_default().to_owned()
}

fn id_of(response: &Value, owned: Option<&Owned>) -> String {
    let id = owned.map(|owned| owned.id.clone()).filter(|id| !id.is_empty());
    id.unwrap_or_else(|| response.get("id").and_then(Value::as_str).unwrap_or_default().to_owned())
}

fn message_of(error: &Value) -> String {
    let text = |field: &str| error.get(field).and_then(Value::as_str).unwrap_or_default();
    match (text("code"), text("message")) {
        ("", "") => error.to_string(),
        ("", message) => message.to_owned(),
        (code, message) => format!("{code}: {message}"),
    }
}
