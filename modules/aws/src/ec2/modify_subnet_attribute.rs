//! `modify_subnet_attribute`.

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    sandbox::{sim::SimCall, world::World},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{simulate, subnet};

/// Input of `modify_subnet_attribute`: one attribute a call.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySubnetAttribute.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The subnet.
    pub subnet_id: String,
    /// Whether instances get a public address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map_public_ip_on_launch: Option<bool>,
    /// Whether network interfaces get an IPv6 address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assign_ipv6_address_on_creation: Option<bool>,
}

/// The operation `ec2.modify_subnet_attribute`.
pub static MODIFY: Operation = Operation {
    name: "ec2.modify_subnet_attribute",
    operation: "ModifySubnetAttribute",
    doc: "Changes one attribute of a subnet; AWS takes one a call. \
          [ModifySubnetAttribute](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySubnetAttribute.html)",
    class: Class::Update,
    schema: input::schema::<Input>,
    check: |map| {
        let typed = input::parse::<Input>(map)?;
        match (typed.map_public_ip_on_launch, typed.assign_ipv6_address_on_creation) {
            (None, None) => {
                Err(InputError::new("", "needs map_public_ip_on_launch or assign_ipv6_address_on_creation"))
            }
            (Some(_), Some(_)) => Err(InputError::new("", "AWS takes one attribute a call")),
            _ => Ok(()),
        }
    },
    token: None,
    settle: None,
    sim: modify,
};

fn modify(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let id = subnet::simulated(world, call, call.text("subnet_id"))?.id.clone();
    simulate::overwrite(
        world,
        call,
        "ec2.subnet",
        &id,
        &["map_public_ip_on_launch", "assign_ipv6_address_on_creation"],
    );
    Ok(json!({}))
}

/// The SDK call.
#[cfg(feature = "live")]
pub mod live {
    use runbook_modules::error::CallError;
    use serde_json::{Value, json};

    use super::super::wire;
    use crate::live::{Call, Clients, Sent};

    /// The call.
    pub struct Modify;

    impl Call for Modify {
        async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let input: super::Input = sent.typed()?;
            let call = clients
                .ec2
                .modify_subnet_attribute()
                .subnet_id(input.subnet_id)
                .set_map_public_ip_on_launch(wire::flag(input.map_public_ip_on_launch))
                .set_assign_ipv6_address_on_creation(wire::flag(input.assign_ipv6_address_on_creation));
            call.send().await.map_err(wire::making)?;
            Ok(json!({}))
        }
    }
}
