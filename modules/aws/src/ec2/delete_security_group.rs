//! `delete_security_group`: of a group that a controller made.

use runbook_modules::{
    input,
    operation::{Class, Operation},
    resource::Kind,
    sandbox::sim::Sim,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::security_group::SECURITY_GROUP;

/// Input of `delete_security_group`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its id.
    pub group_id: String,
}

/// The operation `ec2.delete_security_group`.
pub static DELETE: Operation = Operation {
    name: "ec2.delete_security_group",
    operation: "DeleteSecurityGroup",
    doc: "Deletes a security group that this run does not own (a controller made it), waiting while network interfaces or rules of other \
          groups hold it. One that is gone is no error. \
          [DeleteSecurityGroup](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html)",
    class: Class::Delete,
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    token: None,
    settle: None,
    sim: |world, call| {
        SECURITY_GROUP.sim.delete(&SECURITY_GROUP as &dyn Kind, world, call, None)?;
        Ok(json!({}))
    },
};

/// The SDK call.
#[cfg(feature = "live")]
pub mod live {
    use runbook_modules::error::CallError;
    use serde_json::{Value, json};

    use crate::live::{Call, Clients, Sent, classify};

    /// The call.
    pub struct Delete;

    impl Call for Delete {
        async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let input: super::Input = sent.typed()?;
            clients.ec2.delete_security_group().group_id(input.group_id).send().await.map_err(classify)?;
            Ok(json!({}))
        }
    }
}
