//! VPC flow logs.

use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, Other, holds, is, list, text},
    lab::Lab,
};

/// What a flow log of a new VPC into a new log group is made of.
fn asked(lab: &Lab) -> Result<Value, Other> {
    let group = lab.make("logs.create_log_group", json!({ "log_group_name": lab.name("/vpc/web") }))?;
    Ok(json!({
        "resource_ids": [lab.vpc()?], "resource_type": "VPC", "traffic_type": "ALL",
        "log_group_name": group["log_group_name"],
        "deliver_logs_permission_arn": lab.role("flow", "vpc-flow-logs.amazonaws.com")?,
    }))
}

fn make(lab: &Lab) -> Result<Value, Other> {
    lab.make("ec2.create_flow_logs", asked(lab)?)
}

const NOT_THERE: &str = "fl-0123456789abcdef0";

pub const CASES: &[Case] = &[
    Case {
        name: "a flow log is described as it was made",
        aws: "`ACTIVE`, of its VPC, into CloudWatch, in steps of ten minutes when nothing is said; the tags",
        page: "ec2/CreateFlowLogs",
        run: |lab| {
            let made = make(lab)?;
            is(&made, "flow_log_status", "ACTIVE")?;
            holds(text(&made, "resource_id").starts_with("vpc-"), "another resource")?;
            is(&made, "log_destination_type", "cloud-watch-logs")?;
            is(&made, "max_aggregation_interval", 600)?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a second flow log of the same VPC into the same log group",
        aws: "`FlowLogAlreadyExists`",
        page: "ec2/errors",
        run: |lab| lab.refused_again("ec2.create_flow_logs", asked(lab)?, &["FlowLogAlreadyExists"]),
    },
    Case {
        name: "the same request for a flow log, with the same client token",
        aws: "the same flow log again",
        page: "ec2/CreateFlowLogs",
        run: |lab| lab.same_again("ec2.create_flow_logs", asked(lab)?, "flow_log_id"),
    },
    Case {
        name: "a flow log of a VPC that does not exist",
        aws: "`InvalidVpcId.NotFound`, as the refusal of the one resource",
        page: "ec2/CreateFlowLogs",
        run: |lab| {
            let mut input = asked(lab)?;
            input["resource_ids"] = json!(["vpc-0123456789abcdef0"]);
            lab.refused("ec2.create_flow_logs", input, &["InvalidVpcId.NotFound", "InvalidVpcID.NotFound"])
        },
    },
    Case {
        name: "flow logs by their VPC",
        aws: "the filter `resource-id` keeps those of the VPC",
        page: "ec2/DescribeFlowLogs",
        run: |lab| {
            let made = make(lab)?;
            let input = json!({ "filters": { "resource-id": made["resource_id"] } });
            let found = lab.call("ec2.describe_flow_logs", input).ok()?;
            holds(list(&found, "flow_logs").len() == 1, "finds others")?;
            is(&found, "flow_logs.0.flow_log_id", made["flow_log_id"].clone())
        },
    },
    Case {
        name: "a flow log is deleted twice",
        aws: "`InvalidFlowLogId.NotFound`",
        page: "ec2/DeleteFlowLogs",
        run: |lab| {
            let at = json!({ "flow_log_id": make(lab)?["flow_log_id"] });
            lab.deleted_twice("ec2.flow_log", at, &["InvalidFlowLogId.NotFound"])
        },
    },
    Case {
        name: "a flow log that does not exist is deleted",
        aws: "`InvalidFlowLogId.NotFound`",
        page: "ec2/errors",
        run: |lab| {
            lab.delete("ec2.flow_log", json!({ "flow_log_id": NOT_THERE })).refused(&["InvalidFlowLogId.NotFound"])
        },
    },
];
