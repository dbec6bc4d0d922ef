//! `delete_launch_template`: of a template that a controller made.

use runbook_modules::{
    input,
    operation::{Class, Operation},
    resource::Kind,
    sandbox::sim::Sim,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::launch_template::LAUNCH_TEMPLATE;

/// Input of `delete_launch_template`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplate.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its id.
    pub launch_template_id: String,
}

/// The operation `ec2.delete_launch_template`.
pub static DELETE: Operation = Operation {
    name: "ec2.delete_launch_template",
    operation: "DeleteLaunchTemplate",
    doc: "Deletes a launch template that this run does not own (a controller made it), with all its versions. One that is gone is no \
          error. \
          [DeleteLaunchTemplate](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplate.html)",
    class: Class::Delete,
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    token: None,
    settle: None,
    sim: |world, call| {
        LAUNCH_TEMPLATE.sim.delete(&LAUNCH_TEMPLATE as &dyn Kind, world, call, None)?;
        Ok(json!({}))
    },
};

/// The SDK call.
#[cfg(feature = "live")]
pub mod live {
    use runbook_modules::error::CallError;
    use serde_json::{Value, json};

    use super::super::launch_template::live::LaunchTemplates;
    use crate::live::{Call, Clients, Driver, Sent};

    /// The call.
    pub struct Delete;

    impl Call for Delete {
        async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            LaunchTemplates.delete(clients, sent.input, None).await.map(|()| json!({}))
        }
    }
}
