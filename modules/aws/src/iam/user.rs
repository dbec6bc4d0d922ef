//! `iam.user`: an IAM user.

use std::time::Duration;

use runbook_modules::{
    input::{self, InputError},
    resource::{Identity, Meta, same_fields},
    sandbox::sim::Simple,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::policy;
use crate::{
    row::{Row, at_once, text},
    simulate::digits,
};

/// What makes a user. See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name, unique in the account, at most 64 characters.
    pub user_name: String,
    /// The path, `/` when left out.
    pub path: Option<String>,
    /// ARN of the policy that bounds the user's permissions.
    pub permissions_boundary: Option<String>,
}

static META: Meta = Meta {
    name: "iam.user",
    create: "create_user",
    operations: ("CreateUser", "DeleteUser"),
    doc: "Makes an IAM user, without password and keys.\n\nA role is better wherever the program can take one: a user's keys do not expire. \
          See the [IAM reference](https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html).",
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
        input::check::<Input>(value)?;
        let name = text(value, "user_name");
        let allowed = name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c));
        match allowed && (1..=64).contains(&name.len()) {
            true => Ok(()),
            false => {
                Err(InputError::new("user_name", format!("must be 1 to 64 letters, digits and _+=,.@-, not {name:?}")))
            }
        }
    },
    locator: &["user_name"],
    along: &[],
    parents: &["permissions_boundary"],
    judge: at_once,
    differences: same_fields,
    sim: &SIM,
};

static SIM: Simple = Simple {
    id: |call| call.text("user_name").to_owned(),
    global: true,
    unique: (&["user_name"], "EntityAlreadyExists"),
    blocked: "DeleteConflict",
    missing: "NoSuchEntity",
    check: policy::check_boundary,
    describe: |_, call, id| {
        let path = call.input.get("path").and_then(Value::as_str).unwrap_or("/");
        json!({
            "name": id, "path": path, "arn": format!("arn:aws:iam::{}:user{path}{id}", call.account),
            "user_id": format!("AIDA{}", digits(id, 17).to_uppercase()),
        })
    },
    ..Simple::DEFAULT
};
