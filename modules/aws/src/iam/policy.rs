//! `iam.policy`: a managed policy of the account.

use std::time::Duration;

use runbook_modules::{
    error::{CallError, Class},
    input,
    resource::{Identity, Meta, same_fields},
    sandbox::{
        sim::{SimCall, Simple},
        world::World,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::document::{self, Document, Purpose};
use crate::{
    row::{Row, once_told},
    simulate::{digits, having},
};

/// What makes a policy. See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name, unique in the account.
    pub policy_name: String,
    /// What it allows.
    pub policy_document: Document,
    /// The path, `/` when left out.
    pub path: Option<String>,
    /// What the policy is for.
    pub description: Option<String>,
}

static META: Meta = Meta {
    name: "iam.policy",
    create: "create_policy",
    operations: ("CreatePolicy", "DeletePolicy"),
    doc: "Makes a managed policy.\n\nSee the \
          [IAM reference](https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html).",
    identity: Identity::Key,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: false,
    shared: false,
};

fn arn(call: &SimCall<'_>) -> String {
    let path = call.input.get("path").and_then(Value::as_str).unwrap_or("/");
    format!("arn:aws:iam::{}:policy{path}{}", call.account, call.text("policy_name"))
}

static SIM: Simple = Simple {
    id: arn,
    global: true,
    unique: (&["policy_name"], "EntityAlreadyExists"),
    blocked: "DeleteConflict",
    missing: "NoSuchEntity",
    check: |_, call| document::refuse(call.input, "policy_document", Purpose::Permission),
    describe: |_, call, id| {
        let path = call.input.get("path").and_then(Value::as_str).unwrap_or("/");
        let name = call.text("policy_name");
        let policy_id = format!("ANPA{}", digits(id, 17).to_uppercase());
        json!({ "name": name, "arn": id, "path": path, "policy_id": policy_id, "default_version_id": "v1" })
    },
    made: |world, _, object| {
        let body = document::with_normal(&object.body, "policy_document");
        world.change("iam.policy", "", &object.id, |policy| policy.body = body);
    },
    check_delete: |world, call, object| {
        let mut held = having(world, "iam.role_policy_attachment", "", call.now_ms, "policy_arn", &object.id);
        match held.next() {
            None => Ok(()),
            Some(by) => {
                Err(CallError::new(Class::Blocked, "DeleteConflict", "Cannot delete a policy attached to entities.")
                    .hint(format!("held by {} {}", by.kind, by.id)))
            }
        }
    },
    ..Simple::DEFAULT
};

/// Whether a policy exists. The sandbox believes in every policy of AWS's own.
pub(super) fn known(world: &World, call: &SimCall<'_>, arn: &str) -> bool {
    arn.starts_with("arn:aws:iam::aws:policy/") || world.get("iam.policy", "", arn, call.now_ms).is_some()
}

/// Refuses a permissions boundary that does not exist.
pub(super) fn check_boundary(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    match call.text("permissions_boundary") {
        "" => Ok(()),
        arn if known(world, call, arn) => Ok(()),
        arn => {
            Err(CallError::refused("NoSuchEntity", format!("Scope ARN: {arn} does not exist or is not attachable.")))
        }
    }
}

/// The kind.
pub static KIND: Row = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        input::check::<Input>(value)?;
        document::check(value, "policy_document")
    },
    locator: &["arn"],
    along: &[],
    parents: &[],
    judge: |described| once_told(described, "policy_document"),
    differences: |input, described| same_fields(&document::with_normal(input, "policy_document"), described),
    sim: &SIM,
};
