//! `describe_instance_type_offerings`.

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
    instance_type, simulate,
};

/// Input of `describe_instance_type_offerings`.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypeOfferings.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// What a location is: `region` (the default), `availability-zone` or `availability-zone-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location_type: Option<LocationType>,
    /// Filters by AWS's names: `#{"instance-type": "t3.medium", "location": ["us-east-1a"]}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

/// What a location is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LocationType {
    /// A region.
    Region,
    /// A zone by name.
    AvailabilityZone,
    /// A zone by id.
    AvailabilityZoneId,
}

/// The operation `ec2.describe_instance_type_offerings`.
pub static DESCRIBE: Operation = Operation {
    name: "ec2.describe_instance_type_offerings",
    operation: "DescribeInstanceTypeOfferings",
    doc: "Lists which instance types are offered where, as `#{instance_type_offerings: [...]}`. \
          [DescribeInstanceTypeOfferings](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypeOfferings.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: describe,
};

/// The sandbox offers some common types in every zone but us-east-1e, which is known for lacking newer ones.
fn describe(_: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let by = match call.text("location_type") {
        "" => "region",
        by => by,
    };
    let zones = simulate::zones(&call.place.region).into_iter().filter(|zone| zone != "us-east-1e");
    let locations: Vec<String> = match by {
        "region" => vec![call.place.region.clone()],
        "availability-zone" => zones.collect(),
        _ => zones.map(|zone| simulate::zone_id(&zone)).collect(),
    };
    let mut offers = Vec::new();
    for location in &locations {
        let each = |(name, _)| json!({ "instance_type": name, "location_type": by, "location": location });
        offers.extend(instance_type::known().map(each));
    }
    let kept = filter::keep(offers, call.input, &[])?;
    Ok(json!({ "instance_type_offerings": kept }))
}

/// The SDK call.
#[cfg(feature = "live")]
pub mod live {
    use aws_sdk_ec2::types::InstanceTypeOffering;
    use runbook_modules::error::CallError;
    use serde_json::{Value, json};

    use super::super::wire;
    use crate::live::{
        Call, Clients, Sent, classify,
        convert::{Described, field},
    };

    /// The call.
    pub struct Offerings;

    fn described(offering: &InstanceTypeOffering) -> Value {
        Described::new()
            .text("instance_type", offering.instance_type())
            .text("location_type", offering.location_type())
            .text("location", offering.location())
            .done()
    }

    impl Call for Offerings {
        async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let by = field(sent.input, "location_type");
            let call = clients
                .ec2
                .describe_instance_type_offerings()
                .set_location_type((!by.is_empty()).then(|| by.into()))
                .set_filters(wire::some(wire::filters(sent.input)));
            let offerings = call.into_paginator().items().send().try_collect().await.map_err(classify)?;
            let list: Vec<Value> = offerings.iter().map(described).collect();
            Ok(json!({ "instance_type_offerings": list }))
        }
    }
}
