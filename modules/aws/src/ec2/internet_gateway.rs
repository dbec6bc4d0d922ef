//! Internet gateways: `create_internet_gateway`, `describe_internet_gateways`.

use std::time::Duration;

use runbook_modules::{
    input,
    operation::{Class, Operation},
    resource::{Identity, Meta, same_fields},
    sandbox::sim::Simple,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{filter::Filters, simulate};
use crate::row::{Row, at_once};

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
    along: &[],
    parents: &[],
    judge: at_once,
    differences: same_fields,
    sim: &Simple {
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

/// The SDK calls.
#[cfg(feature = "live")]
pub mod live {
    use aws_sdk_ec2::types::{Filter, InternetGateway, ResourceType};
    use runbook_modules::error::CallError;
    use serde_json::{Value, json};

    use super::super::wire::{self, Listed};
    use crate::live::{
        Clients, Driver, Sent, classify,
        convert::{Described, field},
        empty,
    };

    /// Internet gateways.
    pub struct InternetGateways;

    fn described(gateway: &InternetGateway) -> Value {
        Described::new()
            .text("id", gateway.internet_gateway_id())
            .text("internet_gateway_id", gateway.internet_gateway_id())
            .text("owner_id", gateway.owner_id())
            .list("attachments", gateway.attachments(), |at| {
                Described::new().text("vpc_id", at.vpc_id()).text("state", at.state()).done()
            })
            .tags(wire::pairs(gateway.tags()))
            .done()
    }

    impl Listed for InternetGateways {
        const IDS: &'static str = "internet_gateway_ids";
        const ANSWER: &'static str = "internet_gateways";

        async fn list(clients: &Clients, ids: Vec<String>, filters: Vec<Filter>) -> Result<Vec<Value>, CallError> {
            let call = clients.ec2.describe_internet_gateways();
            let call = call.set_internet_gateway_ids(wire::some(ids)).set_filters(wire::some(filters));
            let gateways = call.into_paginator().items().send().try_collect().await.map_err(classify)?;
            Ok(gateways.iter().map(described).collect())
        }
    }

    impl Driver for InternetGateways {
        async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let call = clients.ec2.create_internet_gateway();
            let call = call.tag_specifications(wire::tags(ResourceType::InternetGateway, sent));
            let answer = call.send().await.map_err(wire::making)?;
            answer.internet_gateway().map(described).ok_or_else(|| empty("internet gateway"))
        }

        async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
            wire::one::<Self>(clients, field(at, "internet_gateway_id")).await
        }

        async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
            Self::list(clients, Vec::new(), vec![wire::by_effect(sent)]).await
        }

        async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
            let call = clients.ec2.delete_internet_gateway().internet_gateway_id(field(at, "internet_gateway_id"));
            call.send().await.map_err(classify)?;
            Ok(())
        }

        async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String> {
            let gateway = self.read(clients, at).await.ok().flatten().unwrap_or_else(|| json!({}));
            let attachments = gateway.get("attachments").and_then(Value::as_array);
            attachments.into_iter().flatten().map(|at| format!("attached to {}", field(at, "vpc_id"))).collect()
        }
    }
}
