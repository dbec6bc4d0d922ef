//! `describe_availability_zones`.

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

/// Input of `describe_availability_zones`.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAvailabilityZones.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only these zones, e.g. `us-east-1a`; one that does not exist is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone_names: Option<Vec<String>>,
    /// Filters by AWS's names, e.g. `#{"state": "available"}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

/// The operation `ec2.describe_availability_zones`.
pub static DESCRIBE: Operation = Operation {
    name: "ec2.describe_availability_zones",
    operation: "DescribeAvailabilityZones",
    doc: "Lists the zones of the region that the account may use, as `#{availability_zones: [...]}`. \
          [DescribeAvailabilityZones](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAvailabilityZones.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: describe,
};

fn describe(_: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let region = call.place.region.as_str();
    let zone = |name: String| {
        json!({
            "id": name, "zone_id": simulate::zone_id(&name), "zone_name": name, "state": "available", "region_name": region,
            "opt_in_status": "opt-in-not-required", "zone_type": "availability-zone", "group_name": region,
            "network_border_group": region, "messages": [],
        })
    };
    let zones = simulate::zones(region).into_iter().map(zone).collect();
    let unknown = |name| CallError::refused("InvalidParameterValue", format!("Invalid availability zone: [{name}]"));
    let kept = filter::keep(simulate::named(zones, call, "zone_names").map_err(unknown)?, call.input, &[])?;
    Ok(json!({ "availability_zones": kept }))
}

/// The SDK call.
#[cfg(feature = "live")]
pub mod live {
    use aws_sdk_ec2::types::{AvailabilityZone, Filter};
    use runbook_modules::error::CallError;
    use serde_json::Value;

    use super::super::wire::{self, Listed};
    use crate::live::{Clients, classify, convert::Described};

    /// Zones.
    pub struct Zones;

    fn described(zone: &AvailabilityZone) -> Value {
        Described::new()
            .text("id", zone.zone_name())
            .text("zone_id", zone.zone_id())
            .text("zone_name", zone.zone_name())
            .text("state", zone.state())
            .text("region_name", zone.region_name())
            .text("opt_in_status", zone.opt_in_status())
            .text("zone_type", zone.zone_type())
            .text("group_name", zone.group_name())
            .text("network_border_group", zone.network_border_group())
            .list("messages", zone.messages(), |m| Described::new().text("message", m.message()).done())
            .done()
    }

    impl Listed for Zones {
        const IDS: &'static str = "zone_names";
        const ANSWER: &'static str = "availability_zones";

        async fn list(clients: &Clients, ids: Vec<String>, filters: Vec<Filter>) -> Result<Vec<Value>, CallError> {
            let call = clients.ec2.describe_availability_zones();
            let call = call.set_zone_names(wire::some(ids)).set_filters(wire::some(filters));
            Ok(call.send().await.map_err(classify)?.availability_zones().iter().map(described).collect())
        }
    }
}
