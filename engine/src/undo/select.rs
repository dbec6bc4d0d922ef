//! Which rows an undo is about: all, or those of one step and what depends on them.

use std::{collections::HashSet, sync::Arc};

use runbook_modules::resource::named;
use runbook_state::{
    record::{EffectKey, EffectState, Record},
    store::When,
};

use super::{Options, standing};
use crate::{
    error::Halt,
    run::{
        history::{Effect, StepState},
        session::Session,
    },
};

/// Whether a key is a step's or lies within it.
pub fn within(key: &str, step: &str) -> bool {
    key.strip_prefix(step).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The rows to undo, without those that were tried already.
pub(super) fn choose(session: &Session, options: &Options, tried: &HashSet<EffectKey>) -> Vec<Arc<Effect>> {
    let mut rows = standing(session);
    if let Some(step) = &options.step {
        let all = std::mem::take(&mut rows);
        let picked = dependents(&all, |row| within(&row.key.step, step) || row.key.step == super::also::STEP);
        rows = all.into_iter().zip(picked).filter_map(|(row, picked)| picked.then_some(row)).collect();
    }
    rows.retain(|row| !tried.contains(&row.key));
    rows
}

/// The rows of a step and all that name one of them as a parent, for the question that is asked before.
pub fn chosen(session: &Session, options: &Options) -> Vec<Arc<Effect>> {
    choose(session, options, &HashSet::new())
}

fn dependents(rows: &[Arc<Effect>], chosen: impl Fn(&Effect) -> bool) -> Vec<bool> {
    let mut picked: Vec<bool> = rows.iter().map(|row| chosen(row)).collect();
    loop {
        let ids: HashSet<String> = rows
            .iter()
            .zip(&picked)
            .filter(|(_, picked)| **picked)
            .filter_map(|(row, _)| row.owned.as_ref())
            .flat_map(|owned| [owned.id.clone(), owned.name.clone(), named(&owned.kind, &owned.id)])
            .filter(|id| !id.is_empty())
            .collect();
        let named = |row: &Effect| {
            let Some(owned) = &row.owned else { return false };
            let cluster = owned.place.get("cluster").and_then(serde_json::Value::as_str);
            owned.parents.iter().any(|id| ids.contains(id)) || cluster.is_some_and(|name| ids.contains(name))
        };
        let more: Vec<usize> = rows
            .iter()
            .enumerate()
            .filter(|(place, row)| !picked[*place] && named(row))
            .map(|(place, _)| place)
            .collect();
        if more.is_empty() {
            return picked;
        }
        more.into_iter().for_each(|place| picked[place] = true);
    }
}

/// The step is undone: it, what lies within it, what lies around it, and the steps of what went with it may run again. What they
/// changed without making a resource is void, so that it is done again.
pub(super) fn close(session: &Session, step: &str, gone: &HashSet<EffectKey>) -> Result<(), Halt> {
    let scopes: HashSet<&str> =
        gone.iter().map(|effect| effect.step.as_str()).filter(|key| *key != super::also::STEP).chain([step]).collect();
    let touched = |key: &str| within(key, step) || scopes.iter().any(|scope| within(scope, key));
    let mut records = Vec::new();
    for effect in session.history.effects() {
        let inside = within(&effect.key.step, step) || scopes.contains(effect.key.step.as_str());
        let key = effect.key.clone();
        match effect.state {
            EffectState::Done | EffectState::Accepted if inside && effect.owned.is_none() => {
                records.push(Record::Gone { effect: key, already: true });
            }
            EffectState::Intent | EffectState::Unknown if inside => {
                let why = "its step was undone".to_owned();
                records.push(Record::Retired { effect: key, why });
            }
            _ => {}
        }
    }
    for (key, known) in session.history.steps() {
        if touched(&key) && !matches!(known.state, StepState::Undone) {
            let finished = matches!(known.state, StepState::Done { .. });
            records.push(Record::StepUndone { step: key, finished });
        }
    }
    if records.is_empty() { Ok(()) } else { session.record(records, When::Now) }
}
