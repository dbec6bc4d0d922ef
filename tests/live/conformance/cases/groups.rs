//! Security groups and their rules.

use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, Other, holds, is, list, other, part, text},
    lab::Lab,
};

/// A security group in a VPC: its id.
fn group(lab: &Lab, vpc: &str, name: &str) -> Result<String, Other> {
    let input = json!({ "vpc_id": vpc, "group_name": name, "description": "conformance" });
    Ok(text(&lab.make("ec2.create_security_group", input)?, "id").to_owned())
}

fn rule(group: &str, port: u16, source: (&str, &str)) -> Value {
    let (field, value) = source;
    let permission = json!({ "ip_protocol": "tcp", "from_port": port, "to_port": port, field: value });
    json!({ "group_id": group, "ip_permissions": [permission] })
}

fn at(made: &Value) -> Value {
    json!({ "group_id": made["group_id"], "security_group_rule_ids": made["security_group_rule_ids"] })
}

const NOT_THERE: &str = "sg-0123456789abcdef0";

pub const CASES: &[Case] = &[
    Case {
        name: "a security group is described as it was made",
        aws: "it admits nothing and lets everything out; the tags",
        page: "ec2/CreateSecurityGroup",
        run: |lab| {
            let vpc = lab.vpc()?;
            let id = group(lab, &vpc, "web")?;
            let made = lab.standing("ec2.security_group", json!({ "group_id": id }))?;
            is(&made, "group_name", "web")?;
            is(&made, "description", "conformance")?;
            is(&made, "vpc_id", vpc)?;
            holds(list(&made, "ip_permissions").is_empty(), "it admits something")?;
            is(&made, "ip_permissions_egress.0.ip_protocol", "-1")?;
            is(&made, "ip_permissions_egress.0.ip_ranges.0.cidr_ip", "0.0.0.0/0")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a second security group of the same name in a VPC",
        aws: "`InvalidGroup.Duplicate`",
        page: "ec2/CreateSecurityGroup",
        run: |lab| {
            let vpc = lab.vpc()?;
            group(lab, &vpc, "web")?;
            let input = json!({ "vpc_id": vpc, "group_name": "web", "description": "again" });
            lab.call("ec2.create_security_group", input).refused(&["InvalidGroup.Duplicate"])
        },
    },
    Case {
        name: "a security group of the same name in another VPC",
        aws: "accepted",
        page: "ec2/CreateSecurityGroup",
        run: |lab| {
            group(lab, &lab.vpc()?, "web")?;
            group(lab, &lab.vpc_of("10.6.0.0/16")?, "web").map(|_| ())
        },
    },
    Case {
        name: "a security group whose name begins with sg-",
        aws: "`InvalidParameterValue`",
        page: "ec2/CreateSecurityGroup",
        run: |lab| {
            let input = json!({ "vpc_id": lab.vpc()?, "group_name": "sg-web", "description": "web" });
            lab.call("ec2.create_security_group", input).refused(&["InvalidParameterValue"])
        },
    },
    Case {
        name: "a security group in a VPC that does not exist",
        aws: "`InvalidVpcID.NotFound`",
        page: "ec2/CreateSecurityGroup",
        run: |lab| {
            let input = json!({ "vpc_id": "vpc-0123456789abcdef0", "group_name": "web", "description": "web" });
            lab.call("ec2.create_security_group", input).refused(&["InvalidVpcID.NotFound"])
        },
    },
    Case {
        name: "a security group that a rule of another one names is deleted",
        aws: "`DependencyViolation`",
        page: "ec2/DeleteSecurityGroup",
        run: |lab| {
            let vpc = lab.vpc()?;
            let (web, data) = (group(lab, &vpc, "web")?, group(lab, &vpc, "data")?);
            lab.make("ec2.authorize_security_group_ingress", rule(&data, 6379, ("source_group", &web)))?;
            lab.delete("ec2.security_group", json!({ "group_id": web })).refused(&["DependencyViolation"])
        },
    },
    Case {
        name: "a security group that a rule of its own names is deleted",
        aws: "gone",
        page: "ec2/DeleteSecurityGroup",
        run: |lab| {
            let web = group(lab, &lab.vpc()?, "web")?;
            lab.make("ec2.authorize_security_group_ingress", rule(&web, 6379, ("source_group", &web)))?;
            lab.delete("ec2.security_group", json!({ "group_id": web })).ok()?;
            lab.gone("ec2.security_group", json!({ "group_id": web }))
        },
    },
    Case {
        name: "a security group of a network interface is deleted",
        aws: "`DependencyViolation`",
        page: "ec2/DeleteSecurityGroup",
        run: |lab| {
            let vpc = lab.vpc()?;
            let web = group(lab, &vpc, "web")?;
            let input = json!({ "subnet_id": lab.subnet(&vpc, 1, 'a')?, "groups": [web] });
            lab.make("ec2.create_network_interface", input)?;
            lab.delete("ec2.security_group", json!({ "group_id": web })).refused(&["DependencyViolation"])
        },
    },
    Case {
        name: "a security group that does not exist is deleted",
        aws: "`InvalidGroup.NotFound`",
        page: "ec2/DeleteSecurityGroup",
        run: |lab| {
            lab.delete("ec2.security_group", json!({ "group_id": NOT_THERE })).refused(&["InvalidGroup.NotFound"])
        },
    },
    Case {
        name: "a security group that a controller made is deleted",
        aws: "gone; a second time `InvalidGroup.NotFound`",
        page: "ec2/DeleteSecurityGroup",
        run: |lab| {
            let at = json!({ "group_id": group(lab, &lab.vpc()?, "web")? });
            lab.call("ec2.delete_security_group", at.clone()).ok()?;
            lab.gone("ec2.security_group", at.clone())?;
            lab.refused("ec2.delete_security_group", at, &["InvalidGroup.NotFound"])
        },
    },
    Case {
        name: "traffic from a block is admitted",
        aws: "the rule has an id and the tags, and stands in the group's permissions",
        page: "ec2/AuthorizeSecurityGroupIngress",
        run: |lab| {
            let web = group(lab, &lab.vpc()?, "web")?;
            let made = lab.make("ec2.authorize_security_group_ingress", rule(&web, 443, ("cidr_ip", "10.0.0.0/8")))?;
            holds(text(&made, "security_group_rule_ids.0").starts_with("sgr-"), "no rule id")?;
            lab.tagged(&made)?;
            let found = lab.standing("ec2.security_group", json!({ "group_id": web }))?;
            is(&found, "ip_permissions.0.ip_protocol", "tcp")?;
            is(&found, "ip_permissions.0.from_port", 443)?;
            is(&found, "ip_permissions.0.ip_ranges.0.cidr_ip", "10.0.0.0/8")
        },
    },
    Case {
        name: "traffic from another security group is admitted",
        aws: "the rule names the group",
        page: "ec2/AuthorizeSecurityGroupIngress",
        run: |lab| {
            let vpc = lab.vpc()?;
            let (web, data) = (group(lab, &vpc, "web")?, group(lab, &vpc, "data")?);
            lab.make("ec2.authorize_security_group_ingress", rule(&data, 6379, ("source_group", &web)))?;
            let found = lab.standing("ec2.security_group", json!({ "group_id": data }))?;
            is(&found, "ip_permissions.0.user_id_group_pairs.0.group_id", web)
        },
    },
    Case {
        name: "the same rule again, beside a new one",
        aws: "`InvalidPermission.Duplicate` would refuse both; our call sends the new one only, and both stand",
        page: "ec2/AuthorizeSecurityGroupIngress",
        run: |lab| {
            let web = group(lab, &lab.vpc()?, "web")?;
            let first = rule(&web, 443, ("cidr_ip", "10.0.0.0/8"));
            lab.make("ec2.authorize_security_group_ingress", first.clone())?;
            let mut both = rule(&web, 80, ("cidr_ip", "10.0.0.0/8"));
            let list = both["ip_permissions"].as_array_mut().ok_or_else(|| other("no permissions"))?;
            list.push(part(&first, "ip_permissions.0").clone());
            let made = lab.make("ec2.authorize_security_group_ingress", both)?;
            let count = made["security_group_rule_ids"].as_array().map_or(0, Vec::len);
            holds(count == 1, format!("{count} rules added"))
        },
    },
    Case {
        name: "a rule that names a security group that does not exist",
        aws: "`InvalidGroup.NotFound`",
        page: "ec2/AuthorizeSecurityGroupIngress",
        run: |lab| {
            let web = group(lab, &lab.vpc()?, "web")?;
            let input = rule(&web, 443, ("source_group", NOT_THERE));
            lab.call("ec2.authorize_security_group_ingress", input).refused(&["InvalidGroup.NotFound"])
        },
    },
    Case {
        name: "a rule for a security group that does not exist",
        aws: "`InvalidGroup.NotFound`",
        page: "ec2/AuthorizeSecurityGroupIngress",
        run: |lab| {
            let input = rule(NOT_THERE, 443, ("cidr_ip", "10.0.0.0/8"));
            lab.call("ec2.authorize_security_group_ingress", input).refused(&["InvalidGroup.NotFound"])
        },
    },
    Case {
        name: "a rule is revoked, the others stay",
        aws: "gone by its id; a second time there is none",
        page: "ec2/RevokeSecurityGroupIngress",
        run: |lab| {
            let web = group(lab, &lab.vpc()?, "web")?;
            lab.make("ec2.authorize_security_group_ingress", rule(&web, 80, ("cidr_ip", "10.0.0.0/8")))?;
            let made = lab.make("ec2.authorize_security_group_ingress", rule(&web, 443, ("cidr_ip", "10.0.0.0/8")))?;
            lab.delete("ec2.security_group_ingress", at(&made)).ok()?;
            lab.gone("ec2.security_group_ingress", at(&made))?;
            let found = lab.standing("ec2.security_group", json!({ "group_id": web }))?;
            holds(list(&found, "ip_permissions").len() == 1, "not one rule is left")?;
            is(&found, "ip_permissions.0.from_port", 80)?;
            lab.delete("ec2.security_group_ingress", at(&made)).refused(&["InvalidPermission.NotFound"])
        },
    },
    Case {
        name: "a rule for what goes out is added and revoked",
        aws: "it stands among the egress rules, then no more; the rule for everything stays",
        page: "ec2/AuthorizeSecurityGroupEgress",
        run: |lab| {
            let web = group(lab, &lab.vpc()?, "web")?;
            let made = lab.make("ec2.authorize_security_group_egress", rule(&web, 443, ("cidr_ip", "10.0.0.0/8")))?;
            let count = |lab: &Lab| -> Result<usize, Other> {
                Ok(list(&lab.standing("ec2.security_group", json!({ "group_id": web }))?, "ip_permissions_egress")
                    .len())
            };
            let (there, wanted) = (count(lab)?, 2);
            holds(there == wanted, format!("{there} egress rules"))?;
            lab.delete("ec2.security_group_egress", at(&made)).ok()?;
            lab.gone("ec2.security_group_egress", at(&made))?;
            let left = count(lab)?;
            holds(left == 1, format!("{left} egress rules are left"))
        },
    },
];
