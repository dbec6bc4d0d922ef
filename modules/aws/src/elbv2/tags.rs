//! Tags: `describe_tags`, and the choice of what carries certain ones.

use std::collections::BTreeMap;

use runbook_modules::{
    error::CallError,
    input,
    operation::{Class, Operation},
    sandbox::world::Object,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{listener, load_balancer, target_group};

/// Whether described tags hold all of the asked ones.
pub fn carries(described: &Value, asked: Option<&BTreeMap<String, String>>) -> bool {
    let has = |name: &str, value: &str| described.get("tags").is_some_and(|tags| tags.get(name) == Some(&value.into()));
    asked.into_iter().flatten().all(|(name, value)| has(name, value))
}

/// The refusal to tell the tags of what does not exist.
fn missing(arn: &str) -> CallError {
    let nouns = [(":targetgroup/", "TargetGroupNotFound"), (":listener/", "ListenerNotFound")];
    let code = nouns.iter().find(|(noun, _)| arn.contains(noun)).map_or("LoadBalancerNotFound", |(_, code)| code);
    CallError::not_found(code, format!("'{arn}' not found"))
}

/// Input of `describe_tags`.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// ARNs of load balancers, target groups and listeners.
    pub resource_arns: Vec<String>,
}

/// The operation `elbv2.describe_tags`.
pub static DESCRIBE: Operation = Operation {
    name: "elbv2.describe_tags",
    operation: "DescribeTags",
    doc: "Tells the tags of load balancers, target groups and listeners, as `#{tag_descriptions: [#{resource_arn, tags}]}`. \
          [DescribeTags](https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| {
        let asked = call.input.get("resource_arns").and_then(Value::as_array);
        let kinds = [load_balancer::META.name, target_group::META.name, listener::META.name];
        let find = |arn: &str| kinds.iter().find_map(|kind| world.get(kind, &call.place.region, arn, call.now_ms));
        let shown = |o: &Object| json!({ "resource_arn": o.id, "tags": o.tags });
        let found = |arn| find(arn).map(shown).ok_or_else(|| missing(arn));
        let found = asked.into_iter().flatten().filter_map(Value::as_str).map(found);
        Ok(json!({ "tag_descriptions": found.collect::<Result<Value, _>>()? }))
    },
};
