//! Security groups: `create_security_group`, `describe_security_groups`.

use std::time::Duration;

use runbook_modules::{
    error::{CallError, Class as ErrorClass},
    input,
    operation::{Class, Operation},
    resource::{Health, Identity, Meta, same_fields},
    sandbox::{
        sim::{Ref, SimCall, Simple},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{filter::Filters, row::Row, simulate};

/// Input of `create_security_group`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its name, unique in the VPC; not beginning with `sg-`.
    pub group_name: String,
    /// What it is for. AWS requires one and never lets it change.
    pub description: String,
    /// The VPC; the default one without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc_id: Option<String>,
}

/// The kind `ec2.security_group`.
pub static SECURITY_GROUP: Row = Row {
    meta: &Meta {
        name: "ec2.security_group",
        create: "create_security_group",
        operations: ("CreateSecurityGroup", "DeleteSecurityGroup"),
        doc: "Makes a security group. It admits nothing and lets everything out, until `authorize_security_group_ingress` adds \
              rules. \
              [CreateSecurityGroup](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html)",
        identity: Identity::Key,
        usual: (Duration::ZERO, Duration::ZERO),
        cost: None,
        replaces: false,
        shared: false,
    },
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    locator: &["group_id"],
    parents: &["vpc_id"],
    judge: |_| Health::Ready,
    differences: same_fields,
    sim: Simple {
        prefix: "sg-",
        refs: &[Ref { field: "vpc_id", kind: "ec2.vpc", missing: "InvalidVpcID.NotFound", owned: false }],
        unique: (&["vpc_id", "group_name"], "InvalidGroup.Duplicate"),
        missing: "InvalidGroup.NotFound",
        check: |_, call| {
            if call.text("group_name").starts_with("sg-") {
                let message = "Invalid value for parameter groupName: Group names may not be in the format sg-*";
                return Err(CallError::refused("InvalidParameterValue", message));
            }
            Ok(())
        },
        describe: |_, call, id| contents(call, id, call.text("group_name")),
        check_delete: |_, _, group| {
            if simulate::body(group, "group_name") == "default" {
                let message =
                    format!("the specified group: \"{}\" name: \"default\" cannot be deleted by a user", group.id);
                return Err(CallError::new(ErrorClass::Refused, "CannotDelete", message));
            }
            Ok(())
        },
        ..Simple::DEFAULT
    },
};

fn contents(call: &SimCall<'_>, id: &str, name: &str) -> Value {
    let arn = simulate::arn(call, "security-group", id);
    json!({
        "group_id": id, "name": name, "arn": arn, "security_group_arn": arn, "owner_id": call.account, "ip_permissions": [],
        "ip_permissions_egress": [{
            "ip_protocol": "-1", "ip_ranges": [{ "cidr_ip": "0.0.0.0/0" }],
            "ipv6_ranges": [], "user_id_group_pairs": [], "prefix_list_ids": [],
        }],
    })
}

/// The default security group that AWS makes with a VPC: it admits its own members.
pub fn put_default(world: &mut World, call: &SimCall<'_>, vpc: &Object) {
    let id = world.new_id("sg-");
    let mut body = contents(call, &id, "default");
    if let Value::Object(map) = &mut body {
        let own = json!([{
            "ip_protocol": "-1", "user_id_group_pairs": [{ "group_id": id }],
            "ip_ranges": [], "ipv6_ranges": [], "prefix_list_ids": [],
        }]);
        map.insert("id".to_owned(), id.as_str().into());
        map.insert("vpc_id".to_owned(), vpc.id.as_str().into());
        map.insert("group_name".to_owned(), "default".into());
        map.insert("description".to_owned(), "default VPC security group".into());
        map.insert("ip_permissions".to_owned(), own);
    }
    simulate::put_owned(world, call, SECURITY_GROUP.meta.name, &id, vpc, body);
}

/// Input of `describe_security_groups`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only these ids; one that does not exist is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_ids: Option<Vec<String>>,
    /// Filters by AWS's names, e.g. `#{"vpc-id": vpc.id, "group-name": "k8s-elb-*"}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

/// The operation `ec2.describe_security_groups`.
pub static DESCRIBE: Operation = Operation {
    name: "ec2.describe_security_groups",
    operation: "DescribeSecurityGroups",
    doc: "Lists security groups with their rules, as `#{security_groups: [...]}`. \
          [DescribeSecurityGroups](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| {
        let aliases = &[
            ("ip-permission.cidr", "ip_permissions.ip_ranges.cidr_ip"),
            ("ip-permission.group-id", "ip_permissions.user_id_group_pairs.group_id"),
            ("ip-permission.from-port", "ip_permissions.from_port"),
            ("ip-permission.to-port", "ip_permissions.to_port"),
            ("ip-permission.protocol", "ip_permissions.ip_protocol"),
        ];
        simulate::describe(&SECURITY_GROUP, world, call, "group_ids", "security_groups", aliases)
    },
};
