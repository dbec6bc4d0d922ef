//! Internet gateways: `create_internet_gateway`, `describe_internet_gateways`.

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

/// Input of `create_internet_gateway`: nothing but our `name` and `tags`.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateInternetGateway.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {}

/// The kind `ec2.internet_gateway`.
pub static INTERNET_GATEWAY: Row = Row {
    meta: &Meta {
        name: "ec2.internet_gateway",
        create: "create_internet_gateway",
        operations: ("CreateInternetGateway", "DeleteInternetGateway"),
        doc: "Makes an internet gateway; `attach_internet_gateway` puts it at a VPC. \
              [CreateInternetGateway](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateInternetGateway.html)",
        identity: Identity::Tag,
        usual: (Duration::ZERO, Duration::ZERO),
        cost: None,
        replaces: false,
        shared: false,
    },
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    locator: &["internet_gateway_id"],
    parents: &[],
    judge: |_| Health::Ready,
    differences: same_fields,
    sim: Simple {
        prefix: "igw-",
        missing: "InvalidInternetGatewayID.NotFound",
        describe: |_, call, id| json!({ "internet_gateway_id": id, "owner_id": call.account, "attachments": [] }),
        ..Simple::DEFAULT
    },
};

/// Input of `describe_internet_gateways`.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInternetGateways.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only these ids; one that does not exist is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internet_gateway_ids: Option<Vec<String>>,
    /// Filters by AWS's names, e.g. `#{"attachment.vpc-id": vpc.id}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

/// The operation `ec2.describe_internet_gateways`.
pub static DESCRIBE: Operation = Operation {
    name: "ec2.describe_internet_gateways",
    operation: "DescribeInternetGateways",
    doc: "Lists internet gateways, as `#{internet_gateways: [...]}`. \
          [DescribeInternetGateways](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInternetGateways.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| {
        let aliases = &[("attachment.vpc-id", "attachments.vpc_id"), ("attachment.state", "attachments.state")];
        simulate::describe(&INTERNET_GATEWAY, world, call, "internet_gateway_ids", "internet_gateways", aliases)
    },
};
