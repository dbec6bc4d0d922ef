//! `events.targets`: where the events of a rule go.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Identity, Meta, same_fields},
    sandbox::{
        sim::{Ref, SimCall, Simple},
        world::World,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::rule;
use crate::{
    row::{Row, at_once, text},
    simulate::{Upsert, having},
};

/// What gives a rule its targets. See <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The rule's name.
    pub rule: String,
    /// The rule's bus; `default` when left out.
    pub event_bus_name: Option<String>,
    /// The target. EventBridge takes five, and sets some where it refuses others: here it is exactly one, so that what is set is owned.
    pub targets: Vec<Target>,
}

/// A target.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Its id, unique in the rule.
    pub id: String,
    /// ARN of what gets the events.
    pub arn: String,
    /// ARN of the role with which they are delivered, where the target's own policy does not allow it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// JSON text that is delivered instead of the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
}

static META: Meta = Meta {
    name: "events.targets",
    create: "put_targets",
    operations: ("PutTargets", "RemoveTargets"),
    doc: "Gives a rule a target; one of the same id is replaced, and put back by undo.\n\nA rule with targets is not deleted. See the \
          [EventBridge reference](https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html).",
    identity: Identity::Repeat,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: true,
    shared: false,
};

/// The kind.
pub static KIND: Row<Upsert> = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| match input::parse::<Input>(value)?.targets.len() {
        1 => Ok(()),
        count => {
            Err(InputError::new("targets", format!("takes exactly one, not {count}: put each in a call of its own")))
        }
    },
    locator: &["rule", "targets"],
    along: &["event_bus_name"],
    parents: &["events.rule rule"],
    judge: at_once,
    differences: same_fields,
    sim: &SIM,
};

/// The ids of the targets of an input or locator.
pub(super) fn ids(at: &Value) -> Vec<String> {
    let targets = at.get("targets").and_then(Value::as_array).into_iter().flatten();
    targets.map(|target| text(target, "id").to_owned()).collect()
}

/// The id of what stands for all targets of one call.
pub(super) fn id(at: &Value) -> String {
    format!("{}/{}", text(at, "rule"), ids(at).join(","))
}

static SIM: Upsert = Upsert(Simple {
    id: |call| id(call.input),
    refs: &[Ref { field: "rule", kind: "events.rule", missing: "ResourceNotFoundException", owned: false }],
    missing: "ResourceNotFoundException",
    describe: |_, call, _| json!({ "name": call.text("rule") }),
    taggable: false,
    ..Simple::DEFAULT
});

/// Which rule is asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The rule's name.
    pub rule: String,
    /// The rule's bus; `default` when left out.
    pub event_bus_name: Option<String>,
}

/// `events.list_targets_by_rule`.
pub static LIST: Operation = Operation {
    name: "events.list_targets_by_rule",
    operation: "ListTargetsByRule",
    doc: "Lists the targets of a rule, as `#{targets: [...]}`: maps with `id` and `arn`.\n\nSee the \
          [EventBridge reference](https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTargetsByRule.html).",
    class: Class::Read,
    schema: input::schema::<List>,
    check: input::check::<List>,
    token: None,
    settle: None,
    sim: list,
};

fn list(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let (name, region) = (call.text("rule"), &call.place.region);
    if world.get(rule::META.name, region, name, call.now_ms).is_none() {
        let text = format!("Rule {name} does not exist on EventBus default.");
        return Err(CallError::not_found("ResourceNotFoundException", text));
    }
    let all = having(world, META.name, region, call.now_ms, "rule", name);
    let targets: Vec<Value> = all.flat_map(|one| one.body["targets"].as_array().cloned().unwrap_or_default()).collect();
    Ok(json!({ "targets": targets }))
}
