//! VPCs.

use serde_json::json;

use crate::conformance::case::{Case, holds, is, list, other, part, text};

pub const CASES: &[Case] = &[
    Case {
        name: "a VPC is described as it was made",
        aws: "its block, the default tenancy, the tags of the request, `available` in the end",
        page: "ec2/CreateVpc",
        run: |lab| {
            let made = lab.make("ec2.create_vpc", json!({ "cidr_block": "10.5.0.0/16" }))?;
            is(&made, "cidr_block", "10.5.0.0/16")?;
            is(&made, "state", "available")?;
            is(&made, "instance_tenancy", "default")?;
            is(&made, "is_default", false)?;
            lab.tagged(&made)?;
            let found = lab.call("ec2.describe_vpcs", json!({ "vpc_ids": [made["id"]] })).ok()?;
            is(&found, "vpcs.0.id", made["id"].clone())
        },
    },
    Case {
        name: "a VPC is pending at first",
        aws: "the answer says `pending`",
        page: "ec2/CreateVpc",
        run: |lab| {
            let made = lab.call("ec2.create_vpc", json!({ "cidr_block": "10.5.0.0/16" })).ok()?;
            is(&made, "state", "pending")
        },
    },
    Case {
        name: "a VPC larger than /16",
        aws: "`InvalidVpc.Range`",
        page: "ec2/CreateVpc",
        run: |lab| lab.call("ec2.create_vpc", json!({ "cidr_block": "10.0.0.0/8" })).refused(&["InvalidVpc.Range"]),
    },
    Case {
        name: "a VPC smaller than /28",
        aws: "`InvalidVpc.Range`",
        page: "ec2/CreateVpc",
        run: |lab| lab.call("ec2.create_vpc", json!({ "cidr_block": "10.0.0.0/29" })).refused(&["InvalidVpc.Range"]),
    },
    Case {
        name: "what an interrupted request made is found by its tag",
        aws: "the filter `tag:KEY` finds what was tagged at creation",
        page: "ec2/DescribeVpcs",
        run: |lab| {
            let (token, input) = (lab.token(), json!({ "cidr_block": "10.5.0.0/16" }));
            let made = lab.with_token(&token, "ec2.create_vpc", input.clone()).ok()?;
            lab.vpc_of("10.6.0.0/16")?;
            let found = lab.find("ec2.vpc", &token, input)?;
            holds(found.len() == 1 && found[0]["id"] == made["id"], format!("finds {}", found.len()))
        },
    },
    Case {
        name: "VPCs by their block",
        aws: "the filter `cidr` keeps those with exactly this block",
        page: "ec2/DescribeVpcs",
        run: |lab| {
            let vpc = lab.vpc()?;
            lab.vpc_of("10.6.0.0/16")?;
            let found = lab.call("ec2.describe_vpcs", json!({ "filters": { "cidr": "10.5.0.0/16" } })).ok()?;
            holds(list(&found, "vpcs").iter().any(|one| text(one, "id") == vpc), "does not find it")?;
            let right = list(&found, "vpcs").iter().all(|one| text(one, "cidr_block") == "10.5.0.0/16");
            holds(right, "finds others too")
        },
    },
    Case {
        name: "a filter that does not exist",
        aws: "`InvalidParameterValue`",
        page: "ec2/DescribeVpcs",
        run: |lab| {
            let input = json!({ "filters": { "no_such_filter": "x" } });
            lab.call("ec2.describe_vpcs", input).refused(&["InvalidParameterValue"])
        },
    },
    Case {
        name: "a VPC that does not exist is described",
        aws: "`InvalidVpcID.NotFound`",
        page: "ec2/errors",
        run: |lab| {
            let input = json!({ "vpc_ids": ["vpc-0123456789abcdef0"] });
            lab.call("ec2.describe_vpcs", input).refused(&["InvalidVpcID.NotFound"])
        },
    },
    Case {
        name: "a VPC comes with its main route table",
        aws: "one table, main, with the local route, active",
        page: "vpc/VPC_Route_Tables",
        run: |lab| {
            let vpc = lab.vpc()?;
            let found = lab.call("ec2.describe_route_tables", json!({ "filters": { "vpc-id": vpc } })).ok()?;
            holds(list(&found, "route_tables").len() == 1, "not one table")?;
            is(&found, "route_tables.0.associations.0.main", true)?;
            is(&found, "route_tables.0.routes.0.destination_cidr_block", "10.5.0.0/16")?;
            is(&found, "route_tables.0.routes.0.gateway_id", "local")?;
            is(&found, "route_tables.0.routes.0.state", "active")
        },
    },
    Case {
        name: "a VPC comes with its default security group",
        aws: "`default`: it admits its own members and lets everything out",
        page: "vpc/default-security-group",
        run: |lab| {
            let vpc = lab.vpc()?;
            let found = lab.call("ec2.describe_security_groups", json!({ "filters": { "vpc-id": vpc } })).ok()?;
            holds(list(&found, "security_groups").len() == 1, "not one group")?;
            is(&found, "security_groups.0.group_name", "default")?;
            let own = part(&found, "security_groups.0.group_id").clone();
            is(&found, "security_groups.0.ip_permissions.0.user_id_group_pairs.0.group_id", own)?;
            is(&found, "security_groups.0.ip_permissions_egress.0.ip_ranges.0.cidr_ip", "0.0.0.0/0")
        },
    },
    Case {
        name: "the default security group is deleted",
        aws: "`CannotDelete`",
        page: "ec2/DeleteSecurityGroup",
        run: |lab| {
            let vpc = lab.vpc()?;
            let found = lab.call("ec2.describe_security_groups", json!({ "filters": { "vpc-id": vpc } })).ok()?;
            let group = part(&found, "security_groups.0.group_id").clone();
            lab.delete("ec2.security_group", json!({ "group_id": group })).refused(&["CannotDelete"])
        },
    },
    Case {
        name: "attributes of a VPC are changed, one a call",
        aws: "accepted",
        page: "ec2/ModifyVpcAttribute",
        run: |lab| {
            let vpc = lab.vpc()?;
            for attribute in ["enable_dns_support", "enable_dns_hostnames"] {
                lab.call("ec2.modify_vpc_attribute", json!({ "vpc_id": vpc, attribute: true })).ok()?;
            }
            Ok(())
        },
    },
    Case {
        name: "an attribute of a VPC that does not exist",
        aws: "`InvalidVpcID.NotFound`",
        page: "ec2/ModifyVpcAttribute",
        run: |lab| {
            let input = json!({ "vpc_id": "vpc-0123456789abcdef0", "enable_dns_support": true });
            lab.call("ec2.modify_vpc_attribute", input).refused(&["InvalidVpcID.NotFound"])
        },
    },
    Case {
        name: "a VPC with a subnet is deleted",
        aws: "`DependencyViolation`",
        page: "ec2/DeleteVpc",
        run: |lab| {
            let vpc = lab.vpc()?;
            lab.subnet(&vpc, 1, 'a')?;
            lab.delete("ec2.vpc", json!({ "vpc_id": vpc })).refused(&["DependencyViolation"])
        },
    },
    Case {
        name: "a VPC with an internet gateway is deleted",
        aws: "`DependencyViolation`",
        page: "ec2/DeleteVpc",
        run: |lab| {
            let vpc = lab.vpc()?;
            lab.gateway(&vpc)?;
            lab.delete("ec2.vpc", json!({ "vpc_id": vpc })).refused(&["DependencyViolation"])
        },
    },
    Case {
        name: "a VPC with a security group of ours is deleted",
        aws: "`DependencyViolation`",
        page: "ec2/DeleteVpc",
        run: |lab| {
            let vpc = lab.vpc()?;
            let input = json!({ "vpc_id": vpc, "group_name": "web", "description": "web" });
            lab.make("ec2.create_security_group", input)?;
            lab.delete("ec2.vpc", json!({ "vpc_id": vpc })).refused(&["DependencyViolation"])
        },
    },
    Case {
        name: "a VPC with a route table of ours is deleted",
        aws: "`DependencyViolation`",
        page: "ec2/DeleteVpc",
        run: |lab| {
            let vpc = lab.vpc()?;
            lab.make("ec2.create_route_table", json!({ "vpc_id": vpc }))?;
            lab.delete("ec2.vpc", json!({ "vpc_id": vpc })).refused(&["DependencyViolation"])
        },
    },
    Case {
        name: "a VPC is deleted, and what came with it goes with it",
        aws: "the main route table and the default security group are gone",
        page: "ec2/DeleteVpc",
        run: |lab| {
            let vpc = lab.vpc()?;
            lab.delete("ec2.vpc", json!({ "vpc_id": vpc })).ok()?;
            lab.gone("ec2.vpc", json!({ "vpc_id": vpc }))?;
            let own = json!({ "filters": { "vpc-id": vpc } });
            let tables = lab.call("ec2.describe_route_tables", own.clone()).ok()?;
            let groups = lab.call("ec2.describe_security_groups", own).ok()?;
            match (list(&tables, "route_tables"), list(&groups, "security_groups")) {
                ([], []) => Ok(()),
                ([], _) => Err(other("the security group stays")),
                _ => Err(other("the route table stays")),
            }
        },
    },
    Case {
        name: "a VPC is deleted twice",
        aws: "`InvalidVpcID.NotFound`",
        page: "ec2/DeleteVpc",
        run: |lab| {
            let at = json!({ "vpc_id": lab.vpc()? });
            lab.delete("ec2.vpc", at.clone()).ok()?;
            lab.gone("ec2.vpc", at.clone())?;
            lab.delete("ec2.vpc", at).refused(&["InvalidVpcID.NotFound"])
        },
    },
];
