//! `iam.role_policy`: a policy written into a role.

use std::time::Duration;

use runbook_modules::{
    input,
    resource::{Identity, Meta, same_fields},
    sandbox::sim::{Ref, Simple},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{self, Document, Purpose};
use crate::{
    row::{Row, at_once},
    simulate::Upsert,
};

/// What writes a policy into a role. See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The role's name.
    pub role_name: String,
    /// The policy's name, unique in the role.
    pub policy_name: String,
    /// What the role may do.
    pub policy_document: Document,
}

static META: Meta = Meta {
    name: "iam.role_policy",
    create: "put_role_policy",
    operations: ("PutRolePolicy", "DeleteRolePolicy"),
    doc: "Writes a policy into a role.\n\nA policy of the same name is replaced, and put back when the run is undone. See the \
          [IAM reference](https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html).",
    identity: Identity::Repeat,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: true,
    shared: false,
};

static SIM: Upsert = Upsert(Simple {
    id: |call| format!("{}/{}", call.text("role_name"), call.text("policy_name")),
    global: true,
    refs: &[Ref { field: "role_name", kind: "iam.role", missing: "NoSuchEntity", owned: false }],
    missing: "NoSuchEntity",
    check: |_, call| document::refuse(call.input, "policy_document", Purpose::Permission),
    made: |world, _, object| {
        let body = document::with_normal(&object.body, "policy_document");
        world.change("iam.role_policy", "", &object.id, |policy| policy.body = body);
    },
    taggable: false,
    ..Simple::DEFAULT
});

/// The kind.
pub static KIND: Row<Upsert> = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        input::check::<Input>(value)?;
        document::check(value, "policy_document")
    },
    locator: &["role_name", "policy_name"],
    along: &[],
    parents: &["role_name"],
    judge: at_once,
    differences: |input, described| same_fields(&document::with_normal(input, "policy_document"), described),
    sim: &SIM,
};
