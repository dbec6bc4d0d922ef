//! `iam.role_policy_attachment`: a managed policy attached to a role.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input,
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

use super::{policy, role};
use crate::{
    row::{Row, at_once},
    simulate::{Upsert, body, having},
};

/// What attaches a policy. See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The role's name.
    pub role_name: String,
    /// The policy's ARN: AWS's own (`arn:aws:iam::aws:policy/…`) or one of the account.
    pub policy_arn: String,
}

static META: Meta = Meta {
    name: "iam.role_policy_attachment",
    create: "attach_role_policy",
    operations: ("AttachRolePolicy", "DetachRolePolicy"),
    doc: "Attaches a managed policy to a role.\n\nA policy that was attached before stays attached when the run is undone. See \
          the [IAM reference](https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html).",
    identity: Identity::Repeat,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: true,
    shared: false,
};

static SIM: Upsert = Upsert(Simple {
    id: |call| format!("{}/{}", call.text("role_name"), call.text("policy_arn")),
    global: true,
    refs: &[Ref { field: "role_name", kind: "iam.role", missing: "NoSuchEntity", owned: false }],
    missing: "NoSuchEntity",
    check: |world, call| {
        let arn = call.text("policy_arn");
        if policy::known(world, call, arn) {
            return Ok(());
        }
        Err(CallError::refused("NoSuchEntity", format!("Policy {arn} does not exist or is not attachable.")))
    },
    taggable: false,
    ..Simple::DEFAULT
});

/// The kind.
pub static KIND: Row<Upsert> = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    locator: &["role_name", "policy_arn"],
    along: &[],
    parents: &["role_name", "policy_arn"],
    judge: at_once,
    differences: same_fields,
    sim: &SIM,
};

/// `iam.list_attached_role_policies`.
pub static LIST: Operation = Operation {
    name: "iam.list_attached_role_policies",
    operation: "ListAttachedRolePolicies",
    doc: "Lists the managed policies attached to a role, as `#{attached_policies: [...]}`: maps with `policy_name` and \
          `policy_arn`.\n\nSee the \
          [IAM reference](https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedRolePolicies.html).",
    class: Class::Read,
    schema: input::schema::<role::Get>,
    check: input::check::<role::Get>,
    token: None,
    settle: None,
    sim: list,
};

fn list(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    (role::GET.sim)(world, call)?;
    let attached = having(world, META.name, "", call.now_ms, "role_name", call.text("role_name"));
    let described = |arn: &str| json!({ "policy_name": arn.rsplit('/').next(), "policy_arn": arn });
    let listed: Value = attached.map(|object| described(body(object, "policy_arn"))).collect();
    Ok(json!({ "attached_policies": listed }))
}
