//! Security groups: `create_security_group`, `describe_security_groups`.

use std::time::Duration;

use runbook_modules::{
    error::{CallError, Class as ErrorClass},
    input,
    operation::{Class, Operation},
    resource::{Identity, Meta, same_fields},
    sandbox::{
        sim::{Ref, SimCall, Simple},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{filter::Filters, simulate};
use crate::row::{Row, once_told};

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
    along: &[],
    parents: &["vpc_id"],
    judge: |described| once_told(described, "ip_permissions_egress"),
    differences: same_fields,
    sim: &Simple {
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

/// The SDK calls.
#[cfg(feature = "live")]
pub mod live {
    use aws_sdk_ec2::types::{Filter, IpPermission, ResourceType, SecurityGroup};
    use runbook_modules::error::CallError;
    use serde_json::Value;

    use super::super::{
        network_interface::live::standing_in,
        wire::{self, Listed},
    };
    use crate::live::{
        Clients, Driver, Sent, classify,
        convert::{Described, field},
        empty,
    };

    /// Security groups.
    pub struct SecurityGroups;

    fn described(group: &SecurityGroup) -> Value {
        Described::new()
            .text("id", group.group_id())
            .text("group_id", group.group_id())
            .text("name", group.group_name())
            .text("group_name", group.group_name())
            .text("description", group.description())
            .text("arn", group.security_group_arn())
            .text("security_group_arn", group.security_group_arn())
            .text("vpc_id", group.vpc_id())
            .text("owner_id", group.owner_id())
            .list("ip_permissions", group.ip_permissions(), permission)
            .list("ip_permissions_egress", group.ip_permissions_egress(), permission)
            .tags(wire::pairs(group.tags()))
            .done()
    }

    fn entry(name: &str, value: Option<&str>, description: Option<&str>) -> Value {
        Described::new().text(name, value).text("description", description).done()
    }

    fn permission(permission: &IpPermission) -> Value {
        Described::new()
            .text("ip_protocol", permission.ip_protocol())
            .value("from_port", permission.from_port())
            .value("to_port", permission.to_port())
            .list("ip_ranges", permission.ip_ranges(), |r| entry("cidr_ip", r.cidr_ip(), r.description()))
            .list("ipv6_ranges", permission.ipv6_ranges(), |r| entry("cidr_ipv6", r.cidr_ipv6(), r.description()))
            .list("user_id_group_pairs", permission.user_id_group_pairs(), |p| {
                entry("group_id", p.group_id(), p.description())
            })
            .list("prefix_list_ids", permission.prefix_list_ids(), |l| {
                entry("prefix_list_id", l.prefix_list_id(), l.description())
            })
            .done()
    }

    impl Listed for SecurityGroups {
        const IDS: &'static str = "group_ids";
        const ANSWER: &'static str = "security_groups";

        async fn list(clients: &Clients, ids: Vec<String>, filters: Vec<Filter>) -> Result<Vec<Value>, CallError> {
            let call = clients.ec2.describe_security_groups();
            let call = call.set_group_ids(wire::some(ids)).set_filters(wire::some(filters));
            let groups = call.into_paginator().items().send().try_collect().await.map_err(classify)?;
            Ok(groups.iter().map(described).collect())
        }
    }

    impl Driver for SecurityGroups {
        async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let input: super::Input = sent.typed()?;
            let call = clients
                .ec2
                .create_security_group()
                .group_name(&input.group_name)
                .description(&input.description)
                .set_vpc_id(input.vpc_id.clone())
                .tag_specifications(wire::tags(ResourceType::SecurityGroup, sent));
            let answer = call.send().await.map_err(wire::making)?;
            let id = answer.group_id().ok_or_else(|| empty("group id"))?;
            Ok(Described::new()
                .text("id", Some(id))
                .text("group_id", Some(id))
                .text("name", Some(&input.group_name))
                .text("group_name", Some(&input.group_name))
                .text("description", Some(&input.description))
                .text("arn", answer.security_group_arn())
                .text("security_group_arn", answer.security_group_arn())
                .text("vpc_id", input.vpc_id.as_ref())
                .tags(sent.tags.iter().map(|(key, value)| (Some(key.as_str()), Some(value.as_str()))))
                .done())
        }

        async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
            wire::one::<Self>(clients, field(at, "group_id")).await
        }

        async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
            let mut key = vec![wire::by("group-name", field(sent.input, "group_name"))];
            let vpc = field(sent.input, "vpc_id");
            if !vpc.is_empty() {
                key.push(wire::by("vpc-id", vpc));
            }
            Self::list(clients, Vec::new(), key).await
        }

        async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
            clients.ec2.delete_security_group().group_id(field(at, "group_id")).send().await.map_err(classify)?;
            Ok(())
        }

        async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String> {
            let id = field(at, "group_id");
            let mut found = standing_in(clients, wire::by("group-id", id)).await;
            let named = vec![wire::by("ip-permission.group-id", id)];
            let groups = Self::list(clients, Vec::new(), named).await.unwrap_or_default();
            let others = groups.iter().map(|group| field(group, "id")).filter(|other| *other != id);
            found.extend(others.map(|other| format!("named by a rule of {other}")));
            found
        }
    }
}
