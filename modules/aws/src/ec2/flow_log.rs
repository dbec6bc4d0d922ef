//! Flow logs: `create_flow_logs`, `describe_flow_logs`.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Identity, Meta},
    sandbox::{
        clock_text::rfc3339,
        sim::{Ref, Simple},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{REMEMBERED, filter::Filters, simulate};
use crate::row::{Row, once_told, unordered};

/// Input of `create_flow_logs`: one for one VPC, into CloudWatch.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The VPC. AWS makes one flow log for each of several: here it is exactly one.
    pub resource_ids: Vec<String>,
    /// `VPC`.
    pub resource_type: String,
    /// `ACCEPT`, `REJECT` or `ALL`.
    pub traffic_type: String,
    /// The log group, which exists.
    pub log_group_name: String,
    /// ARN of the role in which the logs are written; `vpc-flow-logs.amazonaws.com` may assume it.
    pub deliver_logs_permission_arn: String,
    /// Seconds that are put together: 60 or 600; 600 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_aggregation_interval: Option<i32>,
}

/// The kind `ec2.flow_log`.
pub static FLOW_LOG: Row = Row {
    meta: &Meta {
        name: "ec2.flow_log",
        create: "create_flow_logs",
        operations: ("CreateFlowLogs", "DeleteFlowLogs"),
        doc: "Writes what passes through a VPC into a log group. \
              [CreateFlowLogs](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html)",
        identity: Identity::Token { field: "client_token", safe: REMEMBERED, key: false },
        usual: (Duration::ZERO, Duration::ZERO),
        cost: Some("VPC flow log (by what it writes)"),
        replaces: false,
        shared: false,
    },
    schema: input::schema::<Input>,
    check: |map| {
        let input = input::parse::<Input>(map)?;
        if input.resource_ids.len() != 1 {
            return Err(InputError::new("resource_ids", "takes exactly one: make a flow log for each"));
        }
        if input.resource_type != "VPC" {
            return Err(InputError::new("resource_type", format!("must be VPC, not {:?}", input.resource_type)));
        }
        match input.traffic_type.as_str() {
            "ACCEPT" | "REJECT" | "ALL" => {}
            other => {
                return Err(InputError::new("traffic_type", format!("must be ACCEPT, REJECT or ALL, not {other:?}")));
            }
        }
        match input.max_aggregation_interval {
            None | Some(60 | 600) => Ok(()),
            Some(other) => Err(InputError::new("max_aggregation_interval", format!("must be 60 or 600, not {other}"))),
        }
    },
    locator: &["flow_log_id"],
    along: &[],
    parents: &["resource_ids", "log_group_name", "deliver_logs_permission_arn"],
    judge: |described| once_told(described, "creation_time"),
    differences: unordered,
    sim: &Simple {
        prefix: "fl-",
        refs: &[Ref { field: "resource_ids", kind: "ec2.vpc", missing: "InvalidVpcId.NotFound", owned: false }],
        token: true,
        missing: "InvalidFlowLogId.NotFound",
        check: |world, call| {
            let same = simulate::list(world, call, "ec2.flow_log").any(|log| {
                log.body["resource_id"] == call.input["resource_ids"][0]
                    && ["traffic_type", "log_group_name"].iter().all(|f| simulate::body(log, f) == call.text(f))
            });
            if same {
                let text = "There is an existing Flow Log with the same configuration and log destination.";
                return Err(CallError::refused("FlowLogAlreadyExists", text));
            }
            let name = call.text("deliver_logs_permission_arn").rsplit('/').next().unwrap_or_default();
            if world.get("iam.role", "", name, call.now_ms).is_none() {
                let text = format!("The role {name} does not exist or flow logs may not assume it");
                return Err(CallError::refused("InvalidParameter", text));
            }
            Ok(())
        },
        describe: |_, call, id| {
            json!({
                "flow_log_id": id, "resource_id": call.input["resource_ids"][0], "flow_log_status": "ACTIVE", "deliver_logs_status": "SUCCESS",
                "creation_time": rfc3339(call.now_ms), "log_destination_type": "cloud-watch-logs",
                "max_aggregation_interval": call.input.get("max_aggregation_interval").cloned().unwrap_or_else(|| 600.into()),
            })
        },
        ..Simple::DEFAULT
    },
};

/// Input of `describe_flow_logs`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeFlowLogs.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only these ids; one that does not exist is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow_log_ids: Option<Vec<String>>,
    /// Filters by AWS's names, e.g. `#{"resource-id": vpc.id}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

/// The operation `ec2.describe_flow_logs`.
pub static DESCRIBE: Operation = Operation {
    name: "ec2.describe_flow_logs",
    operation: "DescribeFlowLogs",
    doc: "Lists flow logs, as `#{flow_logs: [...]}`. \
          [DescribeFlowLogs](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeFlowLogs.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| simulate::describe(&FLOW_LOG, world, call, "flow_log_ids", "flow_logs", &[]),
};

/// The SDK calls.
#[cfg(feature = "live")]
pub mod live {
    use aws_sdk_ec2::types::{Filter, FlowLog, FlowLogsResourceType, LogDestinationType, ResourceType, TrafficType};
    use runbook_modules::error::CallError;
    use serde_json::Value;

    use super::super::wire::{self, Listed};
    use crate::live::{
        Clients, Driver, Sent, classify,
        convert::{Described, field},
        empty, error,
    };

    /// Flow logs.
    pub struct FlowLogs;

    fn described(log: &FlowLog) -> Value {
        Described::new()
            .text("id", log.flow_log_id())
            .text("flow_log_id", log.flow_log_id())
            .text("flow_log_status", log.flow_log_status())
            .text("deliver_logs_status", log.deliver_logs_status())
            .text("deliver_logs_error_message", log.deliver_logs_error_message())
            .text("deliver_logs_permission_arn", log.deliver_logs_permission_arn())
            .text("log_group_name", log.log_group_name())
            .text("log_destination_type", log.log_destination_type())
            .text("resource_id", log.resource_id())
            .value("resource_ids", log.resource_id().map(|id| vec![id.to_owned()]))
            .text("traffic_type", log.traffic_type())
            .value("max_aggregation_interval", log.max_aggregation_interval())
            .time("creation_time", log.creation_time())
            .tags(wire::pairs(log.tags()))
            .done()
    }

    impl Listed for FlowLogs {
        const IDS: &'static str = "flow_log_ids";
        const ANSWER: &'static str = "flow_logs";

        async fn list(clients: &Clients, ids: Vec<String>, filters: Vec<Filter>) -> Result<Vec<Value>, CallError> {
            let call = clients.ec2.describe_flow_logs().set_flow_log_ids(wire::some(ids));
            let pages = call.set_filter(wire::some(filters)).into_paginator().items().send();
            let logs: Vec<FlowLog> = pages.try_collect().await.map_err(classify)?;
            Ok(logs.iter().map(described).collect())
        }
    }

    impl Driver for FlowLogs {
        async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let input: super::Input = sent.typed()?;
            let call = clients
                .ec2
                .create_flow_logs()
                .client_token(sent.token)
                .set_resource_ids(Some(input.resource_ids.clone()))
                .resource_type(FlowLogsResourceType::Vpc)
                .traffic_type(TrafficType::from(input.traffic_type.as_str()))
                .log_destination_type(LogDestinationType::CloudWatchLogs)
                .log_group_name(&input.log_group_name)
                .deliver_logs_permission_arn(&input.deliver_logs_permission_arn)
                .set_max_aggregation_interval(input.max_aggregation_interval)
                .tag_specifications(wire::tags(ResourceType::VpcFlowLog, sent));
            let answer = call.send().await.map_err(wire::making)?;
            // A refusal of the one resource comes with status 200.
            if let Some(refused) = answer.unsuccessful().first().and_then(|one| one.error()) {
                let (code, message) = (refused.code().unwrap_or_default(), refused.message().unwrap_or_default());
                return Err(CallError::new(error::class(400, code, message), code, message));
            }
            let Some(id) = answer.flow_log_ids().first() else { return Err(empty("flow log id")) };
            Ok(Described::new()
                .text("id", Some(id))
                .text("flow_log_id", Some(id))
                .text("flow_log_status", Some("ACTIVE"))
                .text("resource_id", input.resource_ids.first())
                .value("resource_ids", Some(input.resource_ids))
                .text("traffic_type", Some(&input.traffic_type))
                .text("log_group_name", Some(&input.log_group_name))
                .text("deliver_logs_permission_arn", Some(&input.deliver_logs_permission_arn))
                .tags(sent.tags.iter().map(|(key, value)| (Some(key.as_str()), Some(value.as_str()))))
                .done())
        }

        async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
            wire::one::<Self>(clients, field(at, "flow_log_id")).await
        }

        async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
            Self::list(clients, Vec::new(), vec![wire::by_effect(sent)]).await
        }

        async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
            let call = clients.ec2.delete_flow_logs().flow_log_ids(field(at, "flow_log_id"));
            let answer = call.send().await.map_err(classify)?;
            match answer.unsuccessful().first().and_then(|one| one.error()) {
                None => Ok(()),
                Some(refused) => {
                    let (code, message) = (refused.code().unwrap_or_default(), refused.message().unwrap_or_default());
                    Err(CallError::new(error::class(400, code, message), code, message))
                }
            }
        }
    }
}
