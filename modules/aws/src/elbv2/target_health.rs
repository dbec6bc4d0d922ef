//! `describe_target_health`.

use runbook_modules::{
    error::CallError,
    input,
    operation::{Class, Operation},
    sandbox::balancers,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::target_group;

/// Input of `describe_target_health`.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// The target group.
    pub target_group_arn: String,
}

/// The operation `elbv2.describe_target_health`.
pub static DESCRIBE: Operation = Operation {
    name: "elbv2.describe_target_health",
    operation: "DescribeTargetHealth",
    doc: "Tells the health of the targets of a group, as \
          `#{target_health_descriptions: [#{target: #{id, port}, target_health: #{state, reason}}]}`. \
          [DescribeTargetHealth](https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| {
        let arn = call.text("target_group_arn");
        let Some(group) = world.get(target_group::META.name, &call.place.region, arn, call.now_ms) else {
            let text = format!("Target groups '{arn}' not found");
            return Err(CallError::refused("TargetGroupNotFound", text));
        };
        let shown = |(address, port, ready): (String, i64, bool)| {
            let health = match ready {
                true => json!({ "state": "healthy" }),
                false => json!({ "state": "initial", "reason": "Elb.RegistrationInProgress" }),
            };
            json!({ "target": { "id": address, "port": port }, "target_health": health })
        };
        let found: Value = balancers::targets(world, group, call.now_ms).into_iter().map(shown).collect();
        Ok(json!({ "target_health_descriptions": found }))
    },
};
