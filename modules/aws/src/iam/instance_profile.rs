//! `iam.instance_profile`: what carries a role to EC2 instances; and `iam.instance_profile_role`, the role in it.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input,
    resource::{Identity, Meta, same_fields},
    sandbox::sim::{Ref, Simple},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    row::{Row, at_once},
    simulate::{digits, having},
};

/// What makes a profile. See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateInstanceProfile.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name, unique in the account.
    pub instance_profile_name: String,
    /// The path, `/` when left out.
    pub path: Option<String>,
}

static META: Meta = Meta {
    name: "iam.instance_profile",
    create: "create_instance_profile",
    operations: ("CreateInstanceProfile", "DeleteInstanceProfile"),
    doc: "Makes an instance profile, empty; `add_role_to_instance_profile` puts the role in.\n\nSee the \
          [IAM reference](https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateInstanceProfile.html).",
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
    check: input::check::<Input>,
    locator: &["instance_profile_name"],
    along: &[],
    parents: &[],
    judge: at_once,
    differences: same_fields,
    sim: &Simple {
        id: |call| call.text("instance_profile_name").to_owned(),
        global: true,
        unique: (&["instance_profile_name"], "EntityAlreadyExists"),
        blocked: "DeleteConflict",
        missing: "NoSuchEntity",
        describe: |_, call, id| {
            let path = call.input.get("path").and_then(serde_json::Value::as_str).unwrap_or("/");
            json!({
                "name": id, "path": path, "arn": format!("arn:aws:iam::{}:instance-profile{path}{id}", call.account),
                "instance_profile_id": format!("AIPA{}", digits(id, 17).to_uppercase()),
            })
        },
        ..Simple::DEFAULT
    },
};

/// What puts a role in. See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddRoleToInstanceProfile.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// The profile; it holds one role.
    pub instance_profile_name: String,
    /// The role's name.
    pub role_name: String,
}

static ROLE_META: Meta = Meta {
    name: "iam.instance_profile_role",
    create: "add_role_to_instance_profile",
    operations: ("AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile"),
    doc: "Puts a role into an instance profile, which holds one.\n\nSee the \
          [IAM reference](https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddRoleToInstanceProfile.html).",
    identity: Identity::Key,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: false,
    shared: false,
};

/// The kind of the role's place in a profile.
pub static ROLE: Row = Row {
    meta: &ROLE_META,
    schema: input::schema::<Add>,
    check: input::check::<Add>,
    locator: &["instance_profile_name", "role_name"],
    along: &[],
    parents: &["iam.instance_profile instance_profile_name", "iam.role role_name"],
    judge: at_once,
    differences: same_fields,
    sim: &Simple {
        id: |call| format!("{}/{}", call.text("instance_profile_name"), call.text("role_name")),
        global: true,
        refs: &[
            Ref { field: "instance_profile_name", kind: "iam.instance_profile", missing: "NoSuchEntity", owned: false },
            Ref { field: "role_name", kind: "iam.role", missing: "NoSuchEntity", owned: false },
        ],
        unique: (&["instance_profile_name", "role_name"], "LimitExceeded"),
        missing: "NoSuchEntity",
        check: |world, call| {
            let name = call.text("instance_profile_name");
            if having(world, ROLE_META.name, "", call.now_ms, "instance_profile_name", name).next().is_none() {
                return Ok(());
            }
            let text = "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1";
            Err(CallError::refused("LimitExceeded", text))
        },
        describe: |_, call, _| json!({ "name": call.text("role_name") }),
        taggable: false,
        ..Simple::DEFAULT
    },
};
