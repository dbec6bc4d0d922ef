//! `modify_vpc_peering_connection_options`.

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    sandbox::{sim::SimCall, simple, world::World},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::vpc_peering_connection::simulated;

/// Input of `modify_vpc_peering_connection_options`.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcPeeringConnectionOptions.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The connection; it must be active.
    pub vpc_peering_connection_id: String,
    /// Options of the requesting VPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requester_peering_connection_options: Option<Options>,
    /// Options of the accepting VPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepter_peering_connection_options: Option<Options>,
}

/// Options of one side.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Public host names of this side resolve to private addresses when the other side asks.
    pub allow_dns_resolution_from_remote_vpc: bool,
}

/// The two sides: the input's field, and where the description keeps it.
const SIDES: [(&str, &str); 2] = [
    ("requester_peering_connection_options", "requester_vpc_info.peering_options"),
    ("accepter_peering_connection_options", "accepter_vpc_info.peering_options"),
];

/// The operation `ec2.modify_vpc_peering_connection_options`.
pub static OPTIONS: Operation = Operation {
    name: "ec2.modify_vpc_peering_connection_options",
    operation: "ModifyVpcPeeringConnectionOptions",
    doc: "Sets the options of an active peering connection. \
          [ModifyVpcPeeringConnectionOptions](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcPeeringConnectionOptions.html)",
    class: Class::Update,
    schema: input::schema::<Input>,
    check: |map| match input::parse::<Input>(map)? {
        Input { requester_peering_connection_options: None, accepter_peering_connection_options: None, .. } => {
            Err(InputError::new("", "needs options of the requester, the accepter, or both"))
        }
        _ => Ok(()),
    },
    token: None,
    settle: None,
    sim: modify,
};

fn modify(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let connection = simulated(world, call, call.text("vpc_peering_connection_id"))?.clone();
    if connection.state(call.now_ms) != "active" {
        let message =
            format!("Peering {} is not active. Peering options can be added only to active peerings.", connection.id);
        return Err(CallError::refused("OperationNotPermitted", message));
    }
    let mut answer = Map::new();
    world.change(&connection.kind, &connection.place, &connection.id, |connection| {
        for (field, place) in SIDES {
            if let Some(options) = call.input.get(field) {
                simple::set(&mut connection.body, place, options.clone());
                answer.insert(field.to_owned(), options.clone());
            }
        }
    });
    Ok(json!(answer))
}

/// The SDK call.
#[cfg(feature = "live")]
pub mod live {
    use aws_sdk_ec2::types::{PeeringConnectionOptions, PeeringConnectionOptionsRequest};
    use runbook_modules::error::CallError;
    use serde_json::Value;

    use super::super::wire;
    use crate::live::{Call, Clients, Sent, convert::Described};

    /// The call.
    pub struct Modify;

    fn asked(options: super::Options) -> PeeringConnectionOptionsRequest {
        let dns = options.allow_dns_resolution_from_remote_vpc;
        PeeringConnectionOptionsRequest::builder().allow_dns_resolution_from_remote_vpc(dns).build()
    }

    fn described(options: &PeeringConnectionOptions) -> Value {
        let dns = options.allow_dns_resolution_from_remote_vpc();
        Described::new().value("allow_dns_resolution_from_remote_vpc", dns).done()
    }

    impl Call for Modify {
        async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let input: super::Input = sent.typed()?;
            let call = clients
                .ec2
                .modify_vpc_peering_connection_options()
                .vpc_peering_connection_id(input.vpc_peering_connection_id)
                .set_requester_peering_connection_options(input.requester_peering_connection_options.map(asked))
                .set_accepter_peering_connection_options(input.accepter_peering_connection_options.map(asked));
            let answer = call.send().await.map_err(wire::making)?;
            let side = |options: Option<&PeeringConnectionOptions>| options.map(described);
            Ok(Described::new()
                .value("requester_peering_connection_options", side(answer.requester_peering_connection_options()))
                .value("accepter_peering_connection_options", side(answer.accepter_peering_connection_options()))
                .done())
        }
    }
}
