//! `iam.user_policy`: a policy written into a user.

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

/// What writes a policy into a user. See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The user's name.
    pub user_name: String,
    /// The policy's name, unique in the user.
    pub policy_name: String,
    /// What the user may do.
    pub policy_document: Document,
}

static META: Meta = Meta {
    name: "iam.user_policy",
    create: "put_user_policy",
    operations: ("PutUserPolicy", "DeleteUserPolicy"),
    doc: "Writes a policy into a user.\n\nA policy of the same name is replaced, and put back when the run is undone. See the \
          [IAM reference](https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html).",
    identity: Identity::Repeat,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: true,
    shared: false,
};

static SIM: Upsert = Upsert(Simple {
    id: |call| format!("{}/{}", call.text("user_name"), call.text("policy_name")),
    global: true,
    refs: &[Ref { field: "user_name", kind: "iam.user", missing: "NoSuchEntity", owned: false }],
    missing: "NoSuchEntity",
    check: |_, call| document::refuse(call.input, "policy_document", Purpose::Permission),
    made: |world, _, object| {
        let body = document::with_normal(&object.body, "policy_document");
        world.change("iam.user_policy", "", &object.id, |policy| policy.body = body);
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
    locator: &["user_name", "policy_name"],
    along: &[],
    parents: &["user_name"],
    judge: at_once,
    differences: |input, described| same_fields(&document::with_normal(input, "policy_document"), described),
    sim: &SIM,
};
