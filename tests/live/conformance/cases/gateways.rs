//! Internet gateways and their attachment.

use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, Other, holds, is, list},
    lab::Lab,
};

fn attachment(gateway: &str, vpc: &str) -> Value {
    json!({ "internet_gateway_id": gateway, "vpc_id": vpc })
}

fn unattached(lab: &Lab) -> Result<String, Other> {
    let made = lab.make("ec2.create_internet_gateway", json!({}))?;
    Ok(made["id"].as_str().unwrap_or_default().to_owned())
}

const NOT_THERE: &str = "igw-0123456789abcdef0";

pub const CASES: &[Case] = &[
    Case {
        name: "an internet gateway is described as it was made",
        aws: "attached to nothing, with the tags",
        page: "ec2/CreateInternetGateway",
        run: |lab| {
            let made = lab.make("ec2.create_internet_gateway", json!({}))?;
            holds(list(&made, "attachments").is_empty(), "attached to something")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "an internet gateway is attached to a VPC",
        aws: "described with the attachment, `available`",
        page: "ec2/AttachInternetGateway",
        run: |lab| {
            let vpc = lab.vpc()?;
            let gateway = lab.gateway(&vpc)?;
            let found =
                lab.call("ec2.describe_internet_gateways", json!({ "filters": { "attachment.vpc-id": vpc } })).ok()?;
            is(&found, "internet_gateways.0.id", gateway)?;
            is(&found, "internet_gateways.0.attachments.0.vpc_id", vpc)?;
            is(&found, "internet_gateways.0.attachments.0.state", "available")
        },
    },
    Case {
        name: "an internet gateway is attached twice",
        aws: "`Resource.AlreadyAssociated`",
        page: "ec2/AttachInternetGateway",
        run: |lab| {
            let vpc = lab.vpc()?;
            let gateway = lab.gateway(&vpc)?;
            lab.call("ec2.attach_internet_gateway", attachment(&gateway, &vpc)).refused(&["Resource.AlreadyAssociated"])
        },
    },
    Case {
        name: "an attached internet gateway is attached to another VPC",
        aws: "`Resource.AlreadyAssociated`",
        page: "ec2/AttachInternetGateway",
        run: |lab| {
            let gateway = lab.gateway(&lab.vpc()?)?;
            let other = lab.vpc_of("10.6.0.0/16")?;
            let input = attachment(&gateway, &other);
            lab.call("ec2.attach_internet_gateway", input).refused(&["Resource.AlreadyAssociated"])
        },
    },
    Case {
        name: "a second internet gateway for a VPC",
        aws: "`InvalidParameterValue`",
        page: "ec2/AttachInternetGateway",
        run: |lab| {
            let vpc = lab.vpc()?;
            lab.gateway(&vpc)?;
            let input = attachment(&unattached(lab)?, &vpc);
            lab.call("ec2.attach_internet_gateway", input).refused(&["InvalidParameterValue"])
        },
    },
    Case {
        name: "an internet gateway that does not exist is attached",
        aws: "`InvalidInternetGatewayID.NotFound`",
        page: "ec2/AttachInternetGateway",
        run: |lab| {
            let input = attachment(NOT_THERE, &lab.vpc()?);
            lab.call("ec2.attach_internet_gateway", input).refused(&["InvalidInternetGatewayID.NotFound"])
        },
    },
    Case {
        name: "an internet gateway is attached to a VPC that does not exist",
        aws: "`InvalidVpcID.NotFound`",
        page: "ec2/AttachInternetGateway",
        run: |lab| {
            let input = attachment(&unattached(lab)?, "vpc-0123456789abcdef0");
            lab.call("ec2.attach_internet_gateway", input).refused(&["InvalidVpcID.NotFound"])
        },
    },
    Case {
        name: "an attached internet gateway is deleted",
        aws: "`DependencyViolation`",
        page: "ec2/DeleteInternetGateway",
        run: |lab| {
            let gateway = lab.gateway(&lab.vpc()?)?;
            let at = json!({ "internet_gateway_id": gateway });
            lab.delete("ec2.internet_gateway", at).refused(&["DependencyViolation"])
        },
    },
    Case {
        name: "an internet gateway is detached, then deleted",
        aws: "gone",
        page: "ec2/DetachInternetGateway",
        run: |lab| {
            let vpc = lab.vpc()?;
            let gateway = lab.gateway(&vpc)?;
            lab.delete("ec2.internet_gateway_attachment", attachment(&gateway, &vpc)).ok()?;
            lab.gone("ec2.internet_gateway_attachment", attachment(&gateway, &vpc))?;
            lab.delete("ec2.internet_gateway", json!({ "internet_gateway_id": gateway })).ok()?;
            lab.gone("ec2.internet_gateway", json!({ "internet_gateway_id": gateway }))
        },
    },
    Case {
        name: "an internet gateway is detached that is not attached",
        aws: "`Gateway.NotAttached`",
        page: "ec2/DetachInternetGateway",
        run: |lab| {
            let at = attachment(&unattached(lab)?, &lab.vpc()?);
            lab.delete("ec2.internet_gateway_attachment", at).refused(&["Gateway.NotAttached"])
        },
    },
    Case {
        name: "an internet gateway is detached under a public NAT gateway",
        aws: "`DependencyViolation`: the VPC has mapped public addresses",
        page: "ec2/DetachInternetGateway",
        run: |lab| {
            let vpc = lab.vpc()?;
            let gateway = lab.gateway(&vpc)?;
            let subnet = lab.subnet(&vpc, 1, 'a')?;
            let address = lab.make("ec2.allocate_address", json!({}))?["id"].clone();
            lab.make("ec2.create_nat_gateway", json!({ "subnet_id": subnet, "allocation_id": address }))?;
            let at = attachment(&gateway, &vpc);
            lab.delete("ec2.internet_gateway_attachment", at).refused(&["DependencyViolation"])
        },
    },
    Case {
        name: "an internet gateway that does not exist is deleted",
        aws: "`InvalidInternetGatewayID.NotFound`",
        page: "ec2/DeleteInternetGateway",
        run: |lab| {
            let at = json!({ "internet_gateway_id": NOT_THERE });
            lab.delete("ec2.internet_gateway", at).refused(&["InvalidInternetGatewayID.NotFound"])
        },
    },
];
