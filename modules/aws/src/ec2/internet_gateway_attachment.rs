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

use super::simulate;
use crate::row::{Row, judge_state, text};

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
    along: &[],
    parents: &["internet_gateway_id", "vpc_id"],
    judge: |described| {
        judge_state(text(described, "state"), None, &["available", "attached"], &[], &["detaching", "detached"])
    },
    differences: same_fields,
    sim: &Simple {
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
        taggable: false,
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

/// The SDK calls.
#[cfg(feature = "live")]
pub mod live {
    use runbook_modules::error::CallError;
    use serde_json::{Value, json};

    use super::super::{internet_gateway::live::InternetGateways, network_interface::live::public_addresses_in, wire};
    use crate::live::{Clients, Driver, Sent, classify, convert::field};

    /// Attachments.
    pub struct Attachments;

    fn described(gateway: &str, vpc: &str, state: &str) -> Value {
        json!({ "id": format!("{gateway}/{vpc}"), "internet_gateway_id": gateway, "vpc_id": vpc, "state": state })
    }

    impl Driver for Attachments {
        async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let input: super::Input = sent.typed()?;
            let call = clients.ec2.attach_internet_gateway();
            let call = call.internet_gateway_id(&input.internet_gateway_id).vpc_id(&input.vpc_id);
            call.send().await.map_err(wire::making)?;
            Ok(described(&input.internet_gateway_id, &input.vpc_id, "attaching"))
        }

        async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
            let (id, vpc) = (field(at, "internet_gateway_id"), field(at, "vpc_id"));
            let gateway = wire::one::<InternetGateways>(clients, id).await?;
            let attachments = gateway.as_ref().and_then(|gateway| gateway.get("attachments")).and_then(Value::as_array);
            let here = attachments.into_iter().flatten().find(|at| field(at, "vpc_id") == vpc);
            Ok(here.filter(|at| field(at, "state") != "detached").map(|at| described(id, vpc, field(at, "state"))))
        }

        async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
            Ok(self.read(clients, sent.input).await?.into_iter().collect())
        }

        async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
            let call = clients.ec2.detach_internet_gateway();
            let call = call.internet_gateway_id(field(at, "internet_gateway_id")).vpc_id(field(at, "vpc_id"));
            call.send().await.map_err(classify)?;
            Ok(())
        }

        async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String> {
            public_addresses_in(clients, field(at, "vpc_id")).await
        }
    }
}
