//! `modify_vpc_attribute`.

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    sandbox::{sim::SimCall, world::World},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{simulate, vpc};

/// Input of `modify_vpc_attribute`: one attribute a call.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcAttribute.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The VPC.
    pub vpc_id: String,
    /// Whether Amazon's name server answers in the VPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_dns_support: Option<bool>,
    /// Whether instances get public host names; needs `enable_dns_support`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_dns_hostnames: Option<bool>,
}

/// The operation `ec2.modify_vpc_attribute`.
pub static MODIFY: Operation = Operation {
    name: "ec2.modify_vpc_attribute",
    operation: "ModifyVpcAttribute",
    doc: "Changes one attribute of a VPC; AWS takes one a call. \
          [ModifyVpcAttribute](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcAttribute.html)",
    class: Class::Update,
    schema: input::schema::<Input>,
    check: |map| {
        let typed = input::parse::<Input>(map)?;
        match (typed.enable_dns_support, typed.enable_dns_hostnames) {
            (None, None) => Err(InputError::new("", "needs enable_dns_support or enable_dns_hostnames")),
            (Some(_), Some(_)) => {
                Err(InputError::new("", "AWS takes enable_dns_support and enable_dns_hostnames in two calls"))
            }
            _ => Ok(()),
        }
    },
    token: None,
    settle: None,
    sim: modify,
};

fn modify(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let id = vpc::simulated(world, call, call.text("vpc_id"))?.id.clone();
    simulate::overwrite(world, call, vpc::ATTRIBUTES, &id, &["enable_dns_support", "enable_dns_hostnames"]);
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
                .modify_vpc_attribute()
                .vpc_id(input.vpc_id)
                .set_enable_dns_support(wire::flag(input.enable_dns_support))
                .set_enable_dns_hostnames(wire::flag(input.enable_dns_hostnames));
            call.send().await.map_err(wire::making)?;
            Ok(json!({}))
        }
    }
}
