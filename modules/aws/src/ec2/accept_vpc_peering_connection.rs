//! `accept_vpc_peering_connection`.

use runbook_modules::{
    error::CallError,
    input,
    operation::{Class, Operation, Settle},
    sandbox::{sim::SimCall, world::World},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    route,
    vpc_peering_connection::{PEERING, judge_active, simulated},
};

/// Input of `accept_vpc_peering_connection`.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AcceptVpcPeeringConnection.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The connection, in the state `pending-acceptance`.
    pub vpc_peering_connection_id: String,
}

/// The operation `ec2.accept_vpc_peering_connection`.
pub static ACCEPT: Operation = Operation {
    name: "ec2.accept_vpc_peering_connection",
    operation: "AcceptVpcPeeringConnection",
    doc: "Accepts a peering connection, and waits until it is `active`. Done already when it is. \
          [AcceptVpcPeeringConnection](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AcceptVpcPeeringConnection.html)",
    class: Class::Update,
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    token: None,
    settle: Some(Settle {
        poll: "ec2.describe_vpc_peering_connections",
        input: |input, _| json!({ "vpc_peering_connection_ids": [input.get("vpc_peering_connection_id")] }),
        judge: judge_active,
    }),
    sim: accept,
};

/// How long a connection is `provisioning` in the sandbox.
const PROVISIONING_MS: i64 = 8_000;

fn accept(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let connection = simulated(world, call, call.text("vpc_peering_connection_id"))?.clone();
    match connection.state(call.now_ms) {
        "active" | "provisioning" => return Ok(PEERING.sim.description(&connection, call.now_ms)),
        "pending-acceptance" => {}
        state => return Err(wrong_state(&connection.id, state)),
    }
    world.change(&connection.kind, &connection.place, &connection.id, |connection| {
        connection.states.push((call.now_ms, "provisioning".to_owned()));
        connection.states.push((call.now_ms + PROVISIONING_MS, "active".to_owned()));
        if let Some(status) = connection.body.get_mut("status").and_then(Value::as_object_mut) {
            status.insert("message".to_owned(), "Active".into());
        }
    });
    route::set_state(world, call, "vpc_peering_connection_id", &connection.id, "active");
    simulated(world, call, &connection.id).map(|connection| PEERING.sim.description(connection, call.now_ms))
}

fn wrong_state(id: &str, state: &str) -> CallError {
    let message =
        format!("VpcPeeringConnection {id} is not in the correct state for the requested action: it is {state}");
    CallError::refused("InvalidStateTransition", message)
}

/// The SDK call.
#[cfg(feature = "live")]
pub mod live {
    use runbook_modules::error::CallError;
    use serde_json::Value;

    use super::super::{
        vpc_peering_connection::live::{Peerings, described},
        wire,
    };
    use crate::{
        live::{Call, Clients, Sent, empty},
        row::text,
    };

    /// The call.
    pub struct Accept;

    impl Call for Accept {
        /// AWS refuses to accept what is accepted already; that is looked up.
        async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let input: super::Input = sent.typed()?;
            let id = &input.vpc_peering_connection_id;
            let call = clients.ec2.accept_vpc_peering_connection().vpc_peering_connection_id(id);
            let error = match call.send().await.map_err(wire::making) {
                Ok(answer) => {
                    return answer.vpc_peering_connection().map(described).ok_or_else(|| empty("peering connection"));
                }
                Err(error) => error,
            };
            if !matches!(error.code.as_str(), "InvalidStateTransition" | "OperationNotPermitted") {
                return Err(error);
            }
            let there = wire::one::<Peerings>(clients, id).await.ok().flatten();
            let accepted = |peering: &Value| matches!(text(peering, "status.code"), "provisioning" | "active");
            there.filter(accepted).ok_or(error)
        }
    }
}
