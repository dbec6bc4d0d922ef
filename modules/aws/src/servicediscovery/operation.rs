//! Operations: Cloud Map takes some requests at once and carries them out later, PENDING until SUCCESS or FAIL.

use runbook_modules::{
    error::CallError,
    input,
    operation::{Class, Operation, Settle},
    resource::Health,
    sandbox::{sim::SimCall, world::World},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{row::text, simulate::operation_done};

/// Which operation is asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Get {
    /// The operation's id.
    pub operation_id: String,
}

/// `servicediscovery.get_operation`.
pub static GET: Operation = Operation {
    name: "servicediscovery.get_operation",
    operation: "GetOperation",
    doc: "Says how far an operation is: `status` is SUBMITTED, PENDING, SUCCESS or FAIL.\n\nSee the \
          [Cloud Map reference](https://docs.aws.amazon.com/cloud-map/latest/api/API_GetOperation.html).",
    class: Class::Read,
    schema: input::schema::<Get>,
    check: input::check::<Get>,
    token: None,
    settle: None,
    sim: get,
};

fn get(_: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let id = call.text("operation_id");
    let done = operation_done(id, call.now_ms)
        .ok_or_else(|| CallError::not_found("OperationNotFound", format!("operationId {id} not found")))?;
    Ok(json!({ "id": id, "operation_id": id, "status": if done { "SUCCESS" } else { "PENDING" } }))
}

/// Judges a description by its `operation_status`: a description without one is of what stands.
pub(super) fn judge(described: &Value) -> Health {
    standing(text(described, "operation_status"), described)
}

fn standing(status: &str, described: &Value) -> Health {
    match status {
        "SUBMITTED" | "PENDING" => Health::Pending(status.to_owned()),
        "FAIL" => Health::Failed(format!("{}: {}", text(described, "error_code"), text(described, "error_message"))),
        _ => Health::Ready,
    }
}

/// How a deletion that answers an operation id is followed.
pub(super) const SETTLE: Settle = Settle {
    poll: "servicediscovery.get_operation",
    input: |_, answer| json!({ "operation_id": text(answer, "operation_id") }),
    judge: |answer| standing(text(answer, "status"), answer),
};
