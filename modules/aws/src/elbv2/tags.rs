//! Tags: `describe_tags`, and the choice of what carries certain ones.

use std::collections::BTreeMap;

use runbook_modules::{
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
        let found = asked.into_iter().flatten().filter_map(Value::as_str).filter_map(find).map(shown);
        Ok(json!({ "tag_descriptions": found.collect::<Value>() }))
    },
};
