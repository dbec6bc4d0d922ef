//! An internet gateway at a VPC: `attach_internet_gateway`. Deleting it detaches.

use std::time::Duration;

use runbook_modules::{
    error::{CallError, Class},
    input,
    resource::{Identity, Meta, same_fields},
    sandbox::{
        sim::{Ref, SimCall, Simple},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    row::{Row, judge_state, text},
    simulate,
};

/// Input of `attach_internet_gateway`.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachInternetGateway.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The internet gateway.
    pub internet_gateway_id: String,
    /// The VPC.
    pub vpc_id: String,
}

/// The kind `ec2.internet_gateway_attachment`.
pub static ATTACHMENT: Row = Row {
    meta: &Meta {
        name: "ec2.internet_gateway_attachment",
        create: "attach_internet_gateway",
        operations: ("AttachInternetGateway", "DetachInternetGateway"),
        doc: "Attaches an internet gateway to a VPC. A VPC has at most one.\n\nIt cannot be detached while a NAT gateway or an \
              instance of the VPC has a public address. \
              [AttachInternetGateway](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachInternetGateway.html)",
        identity: Identity::Key,
        usual: (Duration::from_secs(1), Duration::ZERO),
        cost: None,
        replaces: false,
        shared: false,
    },
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    locator: &["internet_gateway_id", "vpc_id"],
    parents: &["internet_gateway_id", "vpc_id"],
    judge: |described| {
        judge_state(text(described, "state"), None, &["available", "attached"], &[], &["detaching", "detached"])
    },
    differences: same_fields,
    sim: Simple {
        id: |call| format!("{}/{}", call.text("internet_gateway_id"), call.text("vpc_id")),
        refs: &[
            Ref {
                field: "internet_gateway_id",
                kind: "ec2.internet_gateway",
                missing: "InvalidInternetGatewayID.NotFound",
                owned: false,
            },
            Ref { field: "vpc_id", kind: "ec2.vpc", missing: "InvalidVpcID.NotFound", owned: false },
        ],
        unique: (&[], "Resource.AlreadyAssociated"),
        state_field: "state",
        states: ("attaching", "available", "detaching"),
        missing: "Gateway.NotAttached",
        check: refuse,
        made: |world, call, made| {
            let attached = json!({ "vpc_id": call.text("vpc_id"), "state": "available" });
            simulate::change(world, call, "ec2.internet_gateway", simulate::body(made, "internet_gateway_id"), |map| {
                simulate::push(map, "attachments", attached);
            });
        },
        deleted: |world, call, gone| {
            let vpc = simulate::body(gone, "vpc_id");
            simulate::change(world, call, "ec2.internet_gateway", simulate::body(gone, "internet_gateway_id"), |map| {
                simulate::drop_entries(map, "attachments", |a| text(a, "vpc_id") == vpc);
            });
        },
        check_delete: no_public_address,
        ..Simple::DEFAULT
    },
};

fn refuse(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    let (gateway, vpc) = (call.text("internet_gateway_id"), call.text("vpc_id"));
    for other in simulate::list(world, call, ATTACHMENT.meta.name) {
        if simulate::body(other, "internet_gateway_id") == gateway {
            let message =
                format!("resource {gateway} is already attached to network {}", simulate::body(other, "vpc_id"));
            return Err(CallError::new(Class::AlreadyExists, "Resource.AlreadyAssociated", message));
        }
        if simulate::body(other, "vpc_id") == vpc {
            let message = format!("Network {vpc} already has an internet gateway attached");
            return Err(CallError::refused("InvalidParameterValue", message));
        }
    }
    Ok(())
}

fn no_public_address(world: &World, call: &SimCall<'_>, attachment: &Object) -> Result<(), CallError> {
    let vpc = simulate::body(attachment, "vpc_id");
    let mapped = simulate::list(world, call, "ec2.nat_gateway")
        .find(|nat| simulate::body(nat, "vpc_id") == vpc && simulate::body(nat, "connectivity_type") != "private");
    match mapped {
        None => Ok(()),
        Some(nat) => {
            let message = format!(
                "Network {vpc} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway."
            );
            Err(CallError::new(Class::Blocked, "DependencyViolation", message)
                .hint(format!("held by ec2.nat_gateway {}", nat.id)))
        }
    }
}
