//! `iam.role`: an IAM role.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input,
    operation::{Class, Operation},
    resource::{Identity, Kind, Meta, same_fields},
    sandbox::{
        sim::{Sim, SimCall, Simple},
        world::World,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    document::{self, Document, Purpose},
    policy,
};
use crate::{
    row::{Row, at_once},
    simulate::digits,
};

/// What makes a role. See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name, unique in the account, at most 64 characters.
    pub role_name: String,
    /// Who may assume the role: the trust policy.
    pub assume_role_policy_document: Document,
    /// The path, `/` when left out.
    pub path: Option<String>,
    /// What the role is for.
    pub description: Option<String>,
    /// The longest session, in seconds: 3600 to 43200.
    pub max_session_duration: Option<i32>,
    /// ARN of the policy that bounds the role's permissions.
    pub permissions_boundary: Option<String>,
}

static META: Meta = Meta {
    name: "iam.role",
    create: "create_role",
    operations: ("CreateRole", "DeleteRole"),
    doc: "Makes an IAM role.\n\nOther services may need some seconds to see it; their refusals in that time are tried again. \
          See the [IAM reference](https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html).",
    identity: Identity::Key,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: false,
    shared: false,
};

/// The shortest and usual longest session, in seconds.
const HOUR: i64 = 3600;

fn refuse(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    let invalid = |text: String| Err(CallError::refused("ValidationError", text));
    let name = call.text("role_name");
    if name.len() > 64 {
        return invalid(format!("The role name {name} is longer than 64 characters"));
    }
    policy::check_boundary(world, call)?;
    match call.input.get("max_session_duration").and_then(Value::as_i64) {
        Some(seconds) if !(HOUR..=12 * HOUR).contains(&seconds) => {
            invalid(format!("maxSessionDuration {seconds}: between 3600 and 43200 seconds"))
        }
        _ => document::refuse(call.input, "assume_role_policy_document", Purpose::Trust),
    }
}

static SIM: Simple = Simple {
    id: |call| call.text("role_name").to_owned(),
    global: true,
    unique: (&["role_name"], "EntityAlreadyExists"),
    blocked: "DeleteConflict",
    missing: "NoSuchEntity",
    check: refuse,
    describe: |_, call, id| {
        let path = call.input.get("path").and_then(Value::as_str).unwrap_or("/");
        json!({
            "name": id, "path": path, "arn": format!("arn:aws:iam::{}:role{path}{id}", call.account),
            "role_id": format!("AROA{}", digits(id, 17).to_uppercase()),
            "max_session_duration": call.input.get("max_session_duration").cloned().unwrap_or_else(|| HOUR.into()),
        })
    },
    made: |world, _, object| {
        let (body, input) = (object.body.clone(), "assume_role_policy_document");
        world.change("iam.role", "", &object.id, |role| role.body = document::with_normal(&body, input));
    },
    ..Simple::DEFAULT
};

/// The kind.
pub static KIND: Row = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        input::check::<Input>(value)?;
        document::check(value, "assume_role_policy_document")
    },
    locator: &["role_name"],
    along: &[],
    parents: &["permissions_boundary"],
    judge: at_once,
    differences: |input, described| {
        same_fields(&document::with_normal(input, "assume_role_policy_document"), described)
    },
    sim: &SIM,
};

/// Which role is asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Get {
    /// The role's name.
    pub role_name: String,
}

/// `iam.get_role`.
pub static GET: Operation = Operation {
    name: "iam.get_role",
    operation: "GetRole",
    doc: "Describes a role.\n\nSee the [IAM reference](https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html).",
    class: Class::Read,
    schema: input::schema::<Get>,
    check: input::check::<Get>,
    token: None,
    settle: None,
    sim: get,
};

fn get(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    SIM.read(&KIND as &dyn Kind, world, call).ok_or_else(|| {
        let name = call.text("role_name");
        CallError::not_found("NoSuchEntity", format!("The role with name {name} cannot be found."))
    })
}
