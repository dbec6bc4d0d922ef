//! Elastic IP addresses: `allocate_address`, `describe_addresses`.

use std::time::Duration;

use runbook_modules::{
    input,
    operation::{Class, Operation},
    resource::{Health, Identity, Meta, same_fields},
    sandbox::sim::Simple,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{filter::Filters, row::Row, simulate};

/// Input of `allocate_address`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AllocateAddress.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// `vpc`, the only one AWS still has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<Domain>,
    /// An address pool that you brought to AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_ipv4_pool: Option<String>,
    /// The group of zones from which AWS advertises the address; the region without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_border_group: Option<String>,
}

/// Where an address is used.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Domain {
    /// In VPCs.
    Vpc,
}

/// The kind `ec2.address`.
pub static ADDRESS: Row = Row {
    meta: &Meta {
        name: "ec2.address",
        create: "allocate_address",
        operations: ("AllocateAddress", "ReleaseAddress"),
        doc: "Allocates an Elastic IP address. It costs money, idle or not, until it is released. \
              [AllocateAddress](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AllocateAddress.html)",
        identity: Identity::Tag,
        usual: (Duration::ZERO, Duration::ZERO),
        cost: Some("Elastic IP address"),
        replaces: false,
        shared: false,
    },
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    locator: &["allocation_id"],
    parents: &[],
    judge: |_| Health::Ready,
    differences: same_fields,
    sim: Simple {
        prefix: "eipalloc-",
        blocked: "InvalidIPAddress.InUse",
        missing: "InvalidAllocationID.NotFound",
        describe: |_, call, id| {
            let pool = call.text("public_ipv4_pool");
            json!({
                "allocation_id": id, "public_ip": simulate::public_ip(id), "domain": "vpc",
                "public_ipv4_pool": if pool.is_empty() { "amazon" } else { pool },
                "network_border_group": call.place.region,
            })
        },
        ..Simple::DEFAULT
    },
};

/// Input of `describe_addresses`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAddresses.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only these ids; one that does not exist is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocation_ids: Option<Vec<String>>,
    /// Filters by AWS's names, e.g. `#{"public-ip": "198.18.0.1"}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

/// The operation `ec2.describe_addresses`.
pub static DESCRIBE: Operation = Operation {
    name: "ec2.describe_addresses",
    operation: "DescribeAddresses",
    doc: "Lists Elastic IP addresses, as `#{addresses: [...]}`. \
          [DescribeAddresses](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAddresses.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| simulate::describe(&ADDRESS, world, call, "allocation_ids", "addresses", &[]),
};
