//! `ecr.lifecycle_policy`: which images a repository keeps.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    resource::{Identity, Meta, same_fields},
    sandbox::{
        sim::{Ref, SimCall, Simple},
        world::World,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    iam::document::{Document, normal, with_normal},
    row::{Row, at_once},
    simulate::Upsert,
};

/// What sets the policy. See <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutLifecyclePolicy.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The repository's name.
    pub repository_name: String,
    /// The policy: a map in ECR's own spelling (`rules` with `rulePriority`, `selection`, `action`), or the same as JSON text.
    pub lifecycle_policy_text: Document,
}

static META: Meta = Meta {
    name: "ecr.lifecycle_policy",
    create: "put_lifecycle_policy",
    operations: ("PutLifecyclePolicy", "DeleteLifecyclePolicy"),
    doc: "Says which images a repository keeps.\n\nAnother policy that stood there is put back by undo. See the \
          [ECR reference](https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutLifecyclePolicy.html).",
    identity: Identity::Repeat,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: true,
    shared: false,
};

const TEXT: &str = "lifecycle_policy_text";

/// The kind.
pub static KIND: Row<Upsert> = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        input::check::<Input>(value)?;
        let policy = normal(&value[TEXT]);
        let Some(rules) = policy.get("rules").and_then(Value::as_array) else {
            return Err(InputError::new(TEXT, "a lifecycle policy has `rules`, a list"));
        };
        let whole =
            |rule: &Value| ["rulePriority", "selection", "action"].iter().all(|field| rule.get(field).is_some());
        match rules.iter().position(|rule| !whole(rule)) {
            Some(at) => {
                Err(InputError::new(format!("{TEXT}.rules.{at}"), "a rule has rulePriority, selection and action"))
            }
            None => Ok(()),
        }
    },
    locator: &["repository_name"],
    along: &[],
    parents: &["repository_name"],
    judge: at_once,
    differences: |input, described| same_fields(&with_normal(input, TEXT), &with_normal(described, TEXT)),
    sim: &SIM,
};

static SIM: Upsert = Upsert(Simple {
    id: |call| call.text("repository_name").to_owned(),
    refs: &[Ref {
        field: "repository_name",
        kind: "ecr.repository",
        missing: "RepositoryNotFoundException",
        owned: true,
    }],
    missing: "LifecyclePolicyNotFoundException",
    check: refuse,
    taggable: false,
    ..Simple::DEFAULT
});

/// Refuses what ECR refuses beyond the form: a priority that two rules have, a count that is not positive.
fn refuse(_: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    let policy = normal(&call.input[TEXT]);
    let invalid = |why: &str| {
        let text = format!("Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: '{why}'");
        Err(CallError::refused("InvalidParameterException", text))
    };
    let mut priorities = Vec::new();
    for rule in policy["rules"].as_array().into_iter().flatten() {
        if priorities.contains(&&rule["rulePriority"]) {
            return invalid("rulePriority must be unique");
        }
        priorities.push(&rule["rulePriority"]);
        if rule["selection"].get("countNumber").and_then(Value::as_i64).is_some_and(|count| count < 1) {
            return invalid("countNumber must be greater than 0");
        }
    }
    Ok(())
}
