//! `describe_instance_types`.

use runbook_modules::{
    error::CallError,
    input,
    operation::{Class, Operation},
    sandbox::{sim::SimCall, world::World},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    filter::{self, Filters},
    simulate,
};

/// Input of `describe_instance_types`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypes.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only these types, e.g. `t3.medium`; one that does not exist is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_types: Option<Vec<String>>,
    /// Filters by AWS's names, e.g. `#{"instance-type": ["t3.medium", "m5.*"]}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

/// The operation `ec2.describe_instance_types`.
pub static DESCRIBE: Operation = Operation {
    name: "ec2.describe_instance_types",
    operation: "DescribeInstanceTypes",
    doc: "Lists instance types of the region with their processors, as \
          `#{instance_types: [#{instance_type, v_cpu_info: #{default_v_cpus}}]}`. \
          [DescribeInstanceTypes](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypes.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: describe,
};

const FAMILIES: [&str; 12] = ["t3", "t3a", "t4g", "m5", "m6i", "m6g", "m7i", "m7g", "c5", "c6i", "c7g", "r6i"];

/// Sizes, and the processors that they have in nearly every family.
const SIZES: [(&str, u32); 7] =
    [("small", 2), ("medium", 2), ("large", 2), ("xlarge", 4), ("2xlarge", 8), ("4xlarge", 16), ("8xlarge", 32)];

/// The types that the sandbox knows, each with its processors.
pub(super) fn known() -> impl Iterator<Item = (String, u32)> {
    FAMILIES.into_iter().flat_map(|family| {
        let burstable = family.starts_with('t');
        let sizes =
            SIZES.into_iter().filter(move |(size, _)| if burstable { *size != "8xlarge" } else { *size != "small" });
        sizes.map(move |(size, processors)| (format!("{family}.{size}"), processors))
    })
}

fn describe(_: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let each = |(name, processors): (String, u32)| json!({ "id": name, "instance_type": name, "v_cpu_info": { "default_v_cpus": processors } });
    let types = known().map(each).collect();
    let unknown = |name| {
        let message = format!("The following supplied instance types do not exist: [{name}]");
        CallError::refused("InvalidInstanceType", message)
    };
    let kept = filter::keep(simulate::named(types, call, "instance_types").map_err(unknown)?, call.input, &[])?;
    Ok(json!({ "instance_types": kept }))
}

/// The SDK call.
#[cfg(feature = "live")]
pub mod live {
    use aws_sdk_ec2::types::{Filter, InstanceType, InstanceTypeInfo};
    use runbook_modules::error::CallError;
    use serde_json::Value;

    use super::super::wire::{self, Listed};
    use crate::live::{Clients, classify, convert::Described};

    /// Instance types.
    pub struct Types;

    fn described(found: &InstanceTypeInfo) -> Value {
        let processors = found.v_cpu_info().and_then(|info| info.default_v_cpus());
        Described::new()
            .text("id", found.instance_type())
            .text("instance_type", found.instance_type())
            .value("v_cpu_info", Some(Described::new().value("default_v_cpus", processors).done()))
            .done()
    }

    impl Listed for Types {
        const IDS: &'static str = "instance_types";
        const ANSWER: &'static str = "instance_types";

        async fn list(clients: &Clients, ids: Vec<String>, filters: Vec<Filter>) -> Result<Vec<Value>, CallError> {
            let wanted = ids.iter().map(|name| InstanceType::from(name.as_str())).collect();
            let call = clients.ec2.describe_instance_types();
            let call = call.set_instance_types(wire::some(wanted)).set_filters(wire::some(filters));
            let types = call.into_paginator().items().send().try_collect().await.map_err(classify)?;
            Ok(types.iter().map(described).collect())
        }
    }
}
