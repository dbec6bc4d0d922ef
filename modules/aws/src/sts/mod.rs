//! The service `sts`: who is calling.

use runbook_modules::{
    error::CallError,
    input,
    operation::{Class, Operation},
    sandbox::{sim::SimCall, world::World},
    table::Table,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[cfg(feature = "live")]
use crate::live::{DynCall, DynDriver};

/// Nothing is asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {}

/// `sts.get_caller_identity`.
pub static GET_CALLER_IDENTITY: Operation = Operation {
    name: "sts.get_caller_identity",
    operation: "GetCallerIdentity",
    doc: "Says which account and principal the calls are made as: `account`, `arn`, `user_id`.\n\nSee the \
          [STS reference](https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html).",
    class: Class::Read,
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    token: None,
    settle: None,
    sim: get_caller_identity,
};

fn get_caller_identity(_: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let arn = format!("arn:aws:sts::{}:assumed-role/sandbox/runbook", call.account);
    Ok(json!({ "account": call.account, "arn": arn, "user_id": "AROASANDBOXSANDBOXSB:runbook" }))
}

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(&[], &[&GET_CALLER_IDENTITY]);
}

/// The live calls of a kind: the service makes nothing.
#[cfg(feature = "live")]
pub fn driver(_: &str) -> Option<&'static dyn DynDriver> {
    None
}

/// The live call of an operation.
#[cfg(feature = "live")]
pub fn call(operation: &str) -> Option<&'static dyn DynCall> {
    (operation == GET_CALLER_IDENTITY.name).then_some(&live::GetCallerIdentity)
}

/// The SDK call.
#[cfg(feature = "live")]
mod live {
    use runbook_modules::error::CallError;
    use serde_json::Value;

    use crate::live::{Call, Clients, Sent, classify, convert::Described};

    pub struct GetCallerIdentity;

    impl Call for GetCallerIdentity {
        async fn call(&self, clients: &Clients, _: &Sent<'_>) -> Result<Value, CallError> {
            let caller = clients.sts.get_caller_identity().send().await.map_err(classify)?;
            let described = Described::new().text("account", caller.account()).text("arn", caller.arn());
            Ok(described.text("user_id", caller.user_id()).done())
        }
    }
}
