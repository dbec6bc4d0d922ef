//! `events.rule`: which events of a bus go somewhere.

use std::time::Duration;

use runbook_modules::{
    input::{self, InputError},
    resource::{Identity, Meta, same_fields},
    sandbox::sim::Simple,
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

static SIM: Simple = Simple {
    id: |call| call.text("name").to_owned(),
    unique: (&["name", "event_bus_name"], "ResourceAlreadyExistsException"),
    blocked: "ValidationException",
    missing: "ResourceNotFoundException",
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
