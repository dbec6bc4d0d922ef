//! Changes: Route 53 takes a change at once and brings it to its servers later, PENDING until INSYNC.

use runbook_modules::{
    error::CallError,
    input,
    operation::{Class, Operation},
    resource::Health,
    sandbox::{sim::SimCall, world::World},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{row::text, simulate::operation_done};

/// Which change is asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Get {
    /// The change's id.
    pub id: String,
}

/// `route53.get_change`.
pub static GET: Operation = Operation {
    name: "route53.get_change",
    operation: "GetChange",
    doc: "Says whether a change has come through: `status` is PENDING or INSYNC.\n\nSee the \
          [Route 53 reference](https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetChange.html).",
    class: Class::Read,
    schema: input::schema::<Get>,
    check: input::check::<Get>,
    token: None,
    settle: None,
    sim: get,
};

fn get(_: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let id = call.text("id").trim_start_matches("/change/");
    let done = operation_done(id, call.now_ms)
        .ok_or_else(|| CallError::not_found("NoSuchChange", format!("No change found with ID: {id}")))?;
    Ok(json!({ "id": id, "status": if done { "INSYNC" } else { "PENDING" } }))
}

/// Judges a description by its `change_info`.
pub(super) fn judge(described: &Value) -> Health {
    match text(described, "change_info.status") {
        "PENDING" => Health::Pending("PENDING".to_owned()),
        _ => Health::Ready,
    }
}
