//! Counts and spans out of a rehearsal's events.

use std::collections::BTreeMap;

use runbook_modules::{
    operation::Class,
    table::{Binding, Table},
};
use serde::Serialize;

use super::critical::{self, Link};
use crate::{
    event::{Event, What},
    ui::model::Model,
};

/// What a run would do.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Digest {
    /// Changes in all.
    pub effects: usize,
    /// Steps in all.
    pub steps: usize,
    /// Milliseconds of target time in all.
    pub took_ms: i64,
    /// The units (outermost steps), in order of their start.
    pub units: Vec<Span>,
    /// Every step, in order of its start.
    pub all: Vec<Span>,
    /// Script functions used, with how often.
    pub operations: BTreeMap<String, usize>,
    /// The longest chain of steps.
    pub critical: Vec<Link>,
    /// What keeps costing, with how many.
    pub costs: BTreeMap<String, usize>,
    /// Checks that were not rehearsed, by step.
    pub unrehearsed: Vec<String>,
    /// Waits: step and what it waits for, with how long it usually takes.
    pub waits: Vec<Wait>,
}

/// When a step runs, relative to the beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Span {
    /// The step.
    pub step: String,
    /// Milliseconds from the beginning.
    pub from_ms: i64,
    /// Milliseconds from the beginning.
    pub to_ms: i64,
    /// What it makes and changes, with how often: `("+", "subnet") → 4`.
    #[serde(serialize_with = "listed")]
    pub changes: BTreeMap<(&'static str, String), usize>,
}

/// A wait for something to be ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wait {
    /// The step.
    pub step: String,
    /// `redis1-demo-cluster is CREATING`.
    pub text: String,
    /// Milliseconds.
    pub usual_ms: i64,
}

/// Reads the events.
pub fn digest(events: &[Event], table: &Table) -> Digest {
    let mut out = Digest::default();
    let mut model = Model::default();
    let mut changes: BTreeMap<String, BTreeMap<(&'static str, String), usize>> = BTreeMap::new();
    let mut spans: Vec<Span> = Vec::new();
    let zero = events.first().map_or(0, |event| event.target_ms);
    for event in events {
        model.take(event);
        let now = event.target_ms - zero;
        out.took_ms = out.took_ms.max(now);
        match &event.what {
            What::StepStarted { step, .. } if !spans.iter().any(|span| span.step == *step) => {
                spans.push(Span { step: step.clone(), from_ms: now, to_ms: now, changes: BTreeMap::new() });
            }
            What::StepDone { step, .. } | What::StepFailed { step, .. } | What::StepParked { step, .. } => {
                spans.iter_mut().filter(|span| span.step == *step).for_each(|span| span.to_ms = now);
            }
            What::EffectDone { step, op, .. } => {
                out.effects += 1;
                *out.operations.entry(op.clone()).or_default() += 1;
                let unit = model.unit(step).unwrap_or(step).to_owned();
                *changes.entry(unit).or_default().entry(change(op, table)).or_default() += 1;
                if let Some(Binding::Create(kind)) = table.binding(op)
                    && let Some(cost) = kind.meta().cost
                {
                    *out.costs.entry(cost.to_owned()).or_default() += 1;
                }
            }
            What::Observed { op, .. } => *out.operations.entry(op.clone()).or_default() += 1,
            What::NotRehearsed { step, .. } if !out.unrehearsed.contains(step) => out.unrehearsed.push(step.clone()),
            What::Waiting { step, text, usual_ms, .. }
                if !out.waits.iter().any(|wait| wait.step == *step && wait.text == *text) =>
            {
                out.waits.push(Wait { step: step.clone(), text: text.clone(), usual_ms: *usual_ms });
            }
            _ => {}
        }
    }
    out.steps = spans.len();
    out.critical = critical::path(&spans);
    out.units = spans.iter().filter(|span| model.unit(&span.step) == Some(&span.step)).cloned().collect();
    for unit in &mut out.units {
        unit.changes = changes.remove(&unit.step).unwrap_or_default();
    }
    out.all = spans;
    out
}

/// `+ subnet`, `~ modify vpc attribute`, `- deregister instance`, `! exec`.
fn change(op: &str, table: &Table) -> (&'static str, String) {
    let words = |name: &str| name.replace('_', " ");
    let function = op.rsplit('.').next().unwrap_or(op);
    match table.binding(op) {
        Some(Binding::Create(kind)) => ("+", words(kind.meta().name.split_once('.').map_or(op, |(_, noun)| noun))),
        Some(Binding::Call(operation)) => match operation.class {
            Class::Update | Class::Read => ("~", words(function)),
            Class::Delete => ("-", words(function)),
            Class::Exec => ("!", words(function)),
        },
        None => ("~", words(function)),
    }
}

fn listed<S: serde::Serializer>(
    changes: &BTreeMap<(&'static str, String), usize>, serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(
        changes.iter().map(|((sign, what), count)| serde_json::json!({ "sign": sign, "what": what, "count": count })),
    )
}
