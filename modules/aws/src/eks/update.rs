//! Updates of clusters and of add-ons, which go on after they were taken: `describe_update`, and how the sandbox keeps them.

use runbook_modules::{
    error::{CallError, Class as ErrorClass},
    input,
    operation::{Class, Operation},
    resource::Health,
    sandbox::{
        sim::SimCall,
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    row::text,
    simulate::{digits, owned},
};

/// Judges an update by its status; the reason is what its errors say.
pub(super) fn judge(update: &Value) -> Health {
    match text(update, "status") {
        "Successful" => Health::Ready,
        "Failed" | "Cancelled" => {
            let errors = update.get("errors").and_then(Value::as_array).into_iter().flatten();
            let words: Vec<String> = errors
                .map(|error| format!("{}: {}", text(error, "error_code"), text(error, "error_message")))
                .collect();
            Health::Failed(if words.is_empty() { text(update, "status").to_owned() } else { words.join("; ") })
        }
        status => Health::Pending(status.to_owned()),
    }
}

/// World objects of this kind are the updates of simulated clusters and add-ons.
const UPDATES: &str = "eks.update";
/// How long an update takes.
pub(super) const TAKES_MS: i64 = 90_000;
/// Where one ends that does not come through.
const FAILED: &str = "Failed";

fn described(update: &Object, now_ms: i64) -> Value {
    let mut described = update.body.clone();
    described["status"] = update.state(now_ms).into();
    if described["status"] == FAILED {
        let message = "Conflicts found when trying to apply. Will not continue due to resolve conflicts mode.";
        described["errors"] = json!([{ "error_code": "ConfigurationConflict", "error_message": message }]);
    }
    described
}

/// The update that a request with the same token has begun.
pub(super) fn begun(world: &World, call: &SimCall<'_>) -> Option<Value> {
    world.made_by(UPDATES, &call.place.region, call.token).map(|first| described(first, call.now_ms))
}

/// Refuses a second update of something while the first is under way.
///
/// # Errors
/// ResourceInUseException.
pub(super) fn one_at_a_time(world: &World, call: &SimCall<'_>, noun: &str, of: &Object) -> Result<(), CallError> {
    let own = |update: &&Object| update.owner.as_deref() == Some(&*of.key());
    let mut updates = world.list(UPDATES, &call.place.region, call.now_ms).filter(own);
    match updates.find(|update| update.state(call.now_ms) == "InProgress") {
        None => Ok(()),
        Some(first) => {
            let text = format!("{noun} {} currently has update {} in progress", of.id, first.id);
            Err(CallError::new(ErrorClass::AlreadyExists, "ResourceInUseException", text))
        }
    }
}

/// Begins an update: the answer.
pub(super) fn begin(world: &mut World, call: &SimCall<'_>, of: &Object, kind: &str, params: Vec<Value>) -> Value {
    let id = digits(call.token, 32);
    let body = json!({ "id": id, "type": kind, "params": params, "errors": [] });
    let mut made = owned(UPDATES, &call.place.region, &id, of, body, Vec::new());
    made.token = call.token.to_owned();
    let end = if call.doomed { FAILED } else { "Successful" };
    made.states = vec![(call.now_ms, "InProgress".to_owned()), (call.now_ms + TAKES_MS, end.to_owned())];
    let answer = described(&made, call.now_ms);
    world.put(made);
    answer
}

/// An update by its id.
pub(super) fn standing(world: &World, call: &SimCall<'_>, id: &str) -> Option<Value> {
    world.get(UPDATES, &call.place.region, id, call.now_ms).map(|update| described(update, call.now_ms))
}

/// Which update is asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// The cluster's name.
    pub name: String,
    /// The add-on's name, for an update of one.
    pub addon_name: Option<String>,
    /// The update's id.
    pub update_id: String,
}

/// `eks.describe_update`.
pub static DESCRIBE: Operation = Operation {
    name: "eks.describe_update",
    operation: "DescribeUpdate",
    doc: "Describes an update of a cluster or of an add-on: `id`, `type`, `status`, `params`, `errors`.\n\nSee the \
          [EKS reference](https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeUpdate.html).",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| {
        let id = call.text("update_id");
        let missing = || CallError::not_found("ResourceNotFoundException", format!("No update found for ID: {id}"));
        standing(world, call, id).ok_or_else(missing)
    },
};
