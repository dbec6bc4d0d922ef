//! `events.rule`: which events of a bus go somewhere.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    resource::{Identity, Meta, same_fields},
    sandbox::{
        sim::{SimCall, Simple},
        world::World,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    iam::document::{Document, with_normal},
    row::{Row, once_told},
};

/// What makes a rule. See <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The rule's name, unique on its bus.
    pub name: String,
    /// The bus; `default`, where AWS's services write, when left out.
    pub event_bus_name: Option<String>,
    /// Which events: a pattern, as a map or as JSON text.
    pub event_pattern: Option<Document>,
    /// Or when: `rate(5 minutes)`, `cron(0 12 * * ? *)`.
    pub schedule_expression: Option<String>,
    /// `ENABLED` or `DISABLED`; `ENABLED` when left out.
    pub state: Option<String>,
    /// What it is for.
    pub description: Option<String>,
}

pub(super) static META: Meta = Meta {
    name: "events.rule",
    create: "put_rule",
    operations: ("PutRule", "DeleteRule"),
    doc: "Makes a rule; one of the same name that stands is not overwritten.\n\nSee the \
          [EventBridge reference](https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html).",
    identity: Identity::Key,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: false,
    shared: false,
};

/// The kind.
pub static KIND: Row = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        let typed = input::parse::<Input>(value)?;
        if typed.event_pattern.is_none() && typed.schedule_expression.is_none() {
            return Err(InputError::new("event_pattern", "give event_pattern or schedule_expression"));
        }
        match value.get("event_pattern").map(crate::iam::document::normal) {
            Some(pattern) if !pattern.is_object() => Err(InputError::new("event_pattern", "is not a JSON document")),
            _ => Ok(()),
        }
    },
    locator: &["name"],
    along: &["event_bus_name"],
    parents: &[],
    judge: |described| once_told(described, "state"),
    differences: |input, described| same_fields(&pattern(input), &pattern(described)),
    sim: &SIM,
};

/// With the pattern as a map.
pub(super) fn pattern(value: &Value) -> Value {
    with_normal(value, "event_pattern")
}

/// Refuses a pattern whose values are no lists, and a schedule that is neither a rate nor six fields of cron.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html>
fn refuse(_: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    let asked = pattern(call.input);
    if asked.get("event_pattern").is_some_and(|pattern| !matches(pattern)) {
        let text = "Event pattern is not valid. Reason: a value must be an object or an array";
        return Err(CallError::refused("InvalidEventPatternException", text));
    }
    match call.text("schedule_expression") {
        "" => Ok(()),
        schedule if runs(schedule) => Ok(()),
        _ => Err(CallError::refused("ValidationException", "Parameter ScheduleExpression is not valid.")),
    }
}

fn matches(pattern: &Value) -> bool {
    let one = |value: &Value| value.as_array().is_some_and(|list| !list.is_empty()) || matches(value);
    pattern.as_object().is_some_and(|map| map.values().all(one))
}

fn runs(schedule: &str) -> bool {
    let inside = |start: &str| schedule.strip_prefix(start).and_then(|rest| rest.strip_suffix(')'));
    if let Some(fields) = inside("cron(") {
        return fields.split_whitespace().count() == 6;
    }
    let rate = inside("rate(").and_then(|rate| rate.split_once(' '));
    rate.is_some_and(|(count, unit)| match count.parse() {
        Ok(1_u32) => matches!(unit, "minute" | "hour" | "day"),
        Ok(2..) => matches!(unit, "minutes" | "hours" | "days"),
        _ => false,
    })
}

static SIM: Simple = Simple {
    id: |call| call.text("name").to_owned(),
    unique: (&["name", "event_bus_name"], "ResourceAlreadyExistsException"),
    blocked: "ValidationException",
    missing: "ResourceNotFoundException",
    check: refuse,
    describe: |_, call, id| {
        let bus = if call.text("event_bus_name").is_empty() { "default" } else { call.text("event_bus_name") };
        let path = if bus == "default" { id.to_owned() } else { format!("{bus}/{id}") };
        json!({
            "name": id, "arn": format!("arn:aws:events:{}:{}:rule/{path}", call.place.region, call.account),
            "state": call.input.get("state").cloned().unwrap_or_else(|| "ENABLED".into()),
        })
    },
    ..Simple::DEFAULT
};
