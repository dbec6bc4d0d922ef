//! `terminate_instances`: of instances that a controller made.

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation, Settle},
    resource::Health,
    sandbox::{
        sim::SimCall,
        simple::begin_deletion,
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::simulate;
use crate::row::text;

/// Input of `terminate_instances`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TerminateInstances.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Their ids, one at least.
    pub instance_ids: Vec<String>,
}

/// The operation `ec2.terminate_instances`.
pub static TERMINATE: Operation = Operation {
    name: "ec2.terminate_instances",
    operation: "TerminateInstances",
    doc: "Terminates instances that this run does not own (a controller made them), and waits until they are. Those that are gone are no \
          error, and do not keep the others. \
          [TerminateInstances](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TerminateInstances.html)",
    class: Class::Delete,
    schema: input::schema::<Input>,
    check: |map| {
        let input = input::parse::<Input>(map)?;
        match input.instance_ids.is_empty() {
            true => Err(InputError::new("instance_ids", "names no instance")),
            false => Ok(()),
        }
    },
    token: None,
    settle: Some(Settle {
        poll: "ec2.describe_instances",
        input: |input, _| json!({ "filters": { "instance-id": input["instance_ids"] } }),
        judge,
    }),
    sim: terminate,
};

/// EC2 describes a terminated instance for about an hour.
fn judge(answer: &Value) -> Health {
    let reservations = answer["reservations"].as_array().into_iter().flatten();
    let instances = reservations.filter_map(|one| one["instances"].as_array()).flatten();
    let left = instances.filter(|one| text(one, "state.name") != "terminated");
    let left: Vec<&str> = left.map(|one| text(one, "instance_id")).collect();
    if left.is_empty() { Health::Ready } else { Health::Pending(format!("shutting down {}", left.join(", "))) }
}

/// How long the sandbox's instances take.
const SHUTTING_DOWN_MS: i64 = 40_000;

fn terminate(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let typed: Input = input::parse(call.input).map_err(|e| CallError::refused("InvalidParameter", e.to_string()))?;
    let there: Vec<Object> =
        typed.instance_ids.iter().filter_map(|id| simulate::get(world, call, "ec2.instance", id)).cloned().collect();
    if there.is_empty() {
        let text = format!("The instance IDs '{}' do not exist", typed.instance_ids.join(", "));
        return Err(CallError::not_found("InvalidInstanceID.NotFound", text));
    }
    for instance in there.iter().filter(|one| one.gone_at.is_none()) {
        begin_deletion(world, &instance.key(), call.now_ms, "shutting-down", call.now_ms + SHUTTING_DOWN_MS);
    }
    let ending = |one: &Object| json!({ "instance_id": one.id, "current_state": { "name": "shutting-down" } });
    Ok(json!({ "terminating_instances": there.iter().map(ending).collect::<Value>() }))
}

/// The SDK call.
#[cfg(feature = "live")]
pub mod live {
    use aws_sdk_ec2::types::{Filter, InstanceStateChange};
    use runbook_modules::error::{CallError, Class};
    use serde_json::{Value, json};

    use super::super::{instance::live::Reservations, wire::Listed};
    use crate::{
        live::{Call, Clients, Sent, classify, convert::Described},
        row::text,
    };

    /// The call.
    pub struct Terminate;

    impl Call for Terminate {
        /// EC2 terminates none when one of them does not exist.
        async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let input: super::Input = sent.typed()?;
            match terminate(clients, input.instance_ids.clone()).await {
                Err(error) if error.class == Class::NotFound => {
                    let there = there(clients, input.instance_ids).await?;
                    if there.is_empty() { Err(error) } else { terminate(clients, there).await }
                }
                other => other,
            }
        }
    }

    async fn terminate(clients: &Clients, ids: Vec<String>) -> Result<Value, CallError> {
        let answer = clients.ec2.terminate_instances().set_instance_ids(Some(ids)).send().await.map_err(classify)?;
        let ending = |change: &InstanceStateChange| {
            let state = change.current_state().map(|state| Described::new().text("name", state.name()).done());
            Described::new().text("instance_id", change.instance_id()).value("current_state", state).done()
        };
        Ok(json!({ "terminating_instances": answer.terminating_instances().iter().map(ending).collect::<Value>() }))
    }

    /// Those of them that EC2 knows. A filter does not miss the others.
    async fn there(clients: &Clients, ids: Vec<String>) -> Result<Vec<String>, CallError> {
        let known = Filter::builder().name("instance-id").set_values(Some(ids)).build();
        let reservations = Reservations::list(clients, Vec::new(), vec![known]).await?;
        let instances = reservations.iter().filter_map(|one| one["instances"].as_array()).flatten();
        Ok(instances.map(|one| text(one, "instance_id").to_owned()).collect())
    }
}
