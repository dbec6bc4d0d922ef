//! What a region offers, and who is calling.

use serde_json::json;

use crate::conformance::{
    case::{Case, holds, is, list, text},
    lab::REGION,
};

pub const CASES: &[Case] = &[
    Case {
        name: "the zones of the region",
        aws: "named after the region, each with a steady id, available",
        page: "ec2/DescribeAvailabilityZones",
        run: |lab| {
            let found =
                lab.call("ec2.describe_availability_zones", json!({ "filters": { "state": "available" } })).ok()?;
            let zones = list(&found, "availability_zones");
            holds(zones.len() >= 3, format!("{} zones", zones.len()))?;
            let named =
                |zone| text(zone, "zone_name").starts_with(REGION) && text(zone, "zone_id").starts_with("use1-az");
            holds(zones.iter().all(named), "named otherwise")
        },
    },
    Case {
        name: "a zone that does not exist",
        aws: "`InvalidParameterValue`",
        page: "ec2/DescribeAvailabilityZones",
        run: |lab| {
            let input = json!({ "zone_names": [format!("{REGION}z")] });
            lab.call("ec2.describe_availability_zones", input).refused(&["InvalidParameterValue"])
        },
    },
    Case {
        name: "where an instance type is offered",
        aws: "one line for each zone that has it",
        page: "ec2/DescribeInstanceTypeOfferings",
        run: |lab| {
            let filters = json!({ "instance-type": "t3.medium" });
            let input = json!({ "location_type": "availability-zone", "filters": filters });
            let found = lab.call("ec2.describe_instance_type_offerings", input).ok()?;
            let offers = list(&found, "instance_type_offerings");
            holds(offers.len() >= 3, format!("{} offers", offers.len()))?;
            let fits =
                |offer| text(offer, "instance_type") == "t3.medium" && text(offer, "location").starts_with(REGION);
            holds(offers.iter().all(fits), "other offers")
        },
    },
    Case {
        name: "the processors of an instance type",
        aws: "those that an instance of it starts with",
        page: "ec2/DescribeInstanceTypes",
        run: |lab| {
            let found = lab.call("ec2.describe_instance_types", json!({ "instance_types": ["t3.2xlarge"] })).ok()?;
            is(&found, "instance_types.0.instance_type", "t3.2xlarge")?;
            is(&found, "instance_types.0.v_cpu_info.default_v_cpus", 8)
        },
    },
    Case {
        name: "an instance type that does not exist",
        aws: "`InvalidInstanceType`",
        page: "ec2/DescribeInstanceTypes",
        run: |lab| {
            let input = json!({ "instance_types": ["t3.huge"] });
            lab.call("ec2.describe_instance_types", input).refused(&["InvalidInstanceType"])
        },
    },
    Case {
        name: "an instance that does not exist",
        aws: "`InvalidInstanceID.NotFound`",
        page: "ec2/errors",
        run: |lab| {
            let input = json!({ "instance_ids": ["i-0123456789abcdef0"] });
            lab.call("ec2.describe_instances", input).refused(&["InvalidInstanceID.NotFound"])
        },
    },
    Case {
        name: "an instance that does not exist is terminated",
        aws: "`InvalidInstanceID.NotFound`",
        page: "ec2/TerminateInstances",
        run: |lab| {
            let input = json!({ "instance_ids": ["i-0123456789abcdef0"] });
            lab.call("ec2.terminate_instances", input).refused(&["InvalidInstanceID.NotFound"])
        },
    },
    Case {
        name: "who is calling",
        aws: "an account of twelve digits, an ARN of it, a user id",
        page: "sts/GetCallerIdentity",
        run: |lab| {
            let caller = lab.call("sts.get_caller_identity", json!({})).ok()?;
            let account = text(&caller, "account");
            holds(account.len() == 12 && account.bytes().all(|c| c.is_ascii_digit()), "no account")?;
            holds(text(&caller, "arn").contains(account), "an ARN of another account")?;
            holds(!text(&caller, "user_id").is_empty(), "no user id")
        },
    },
    Case {
        name: "two calls of the same caller",
        aws: "the same identity",
        page: "sts/GetCallerIdentity",
        run: |lab| {
            let first = lab.call("sts.get_caller_identity", json!({})).ok()?;
            is(&lab.call("sts.get_caller_identity", json!({})).ok()?, "arn", first["arn"].clone())
        },
    },
];
