//! `describe_instances`. No kind: node groups make the instances.

use runbook_modules::{
    input,
    operation::{Class, Operation},
    sandbox::sim::Simple,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{filter::Filters, simulate};

/// Input of `describe_instances`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only these ids; one that does not exist is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_ids: Option<Vec<String>>,
    /// Filters by AWS's names, e.g. `#{"vpc-id": vpc.id, "instance-state-name": "running"}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

/// The operation `ec2.describe_instances`.
pub static DESCRIBE: Operation = Operation {
    name: "ec2.describe_instances",
    operation: "DescribeInstances",
    doc: "Lists instances, as `#{reservations: [#{instances: [...]}]}`. \
          [DescribeInstances](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| {
        let aliases = &[("instance-state-name", "state.name"), ("availability-zone", "placement.availability_zone")];
        let instances = simulate::describe_kind("ec2.instance", &INSTANCE, world, call, "instance_ids", aliases)?;
        let each = |instance: Value| json!({ "owner_id": call.account, "instances": [instance] });
        let reservations: Vec<Value> = instances.into_iter().map(each).collect();
        Ok(json!({ "reservations": reservations }))
    },
};

/// How the sandbox describes an instance that a node group put into the world.
static INSTANCE: Simple =
    Simple { prefix: "i-", state_field: "state.name", missing: "InvalidInstanceID.NotFound", ..Simple::DEFAULT };
