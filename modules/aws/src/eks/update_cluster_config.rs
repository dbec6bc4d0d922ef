//! `update_cluster_config`: the endpoint of a cluster that stands, opened or closed.

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation, Settle},
    sandbox::{
        sim::SimCall,
        simple::{lookup, merge},
        world::World,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{cluster, cluster_sim, update};

/// What changes a cluster. See <https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterConfig.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The cluster's name.
    pub name: String,
    /// Who may reach its endpoint.
    pub resources_vpc_config: Endpoint,
}

/// Who may reach the endpoint.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Whether it is reached from the internet.
    pub endpoint_public_access: Option<bool>,
    /// Whether it is reached inside the VPC.
    pub endpoint_private_access: Option<bool>,
    /// Who may reach the public endpoint. Addresses inside the VPC say nothing here: they come through the private one.
    pub public_access_cidrs: Option<Vec<String>>,
}

/// `eks.update_cluster_config`.
pub static UPDATE: Operation = Operation {
    name: "eks.update_cluster_config",
    operation: "UpdateClusterConfig",
    doc: "Opens or closes the endpoint of a cluster, and waits until that has come through.\n\nThe answer is the update: `id`, `type`, \
          `status` and `params`. See the \
          [EKS reference](https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterConfig.html).",
    class: Class::Update,
    schema: input::schema::<Input>,
    check: |value| {
        let endpoint = input::parse::<Input>(value)?.resources_vpc_config;
        match (endpoint.endpoint_public_access, endpoint.endpoint_private_access) {
            (Some(false), Some(false)) => {
                Err(InputError::new("resources_vpc_config", "at least one of public and private access must stay"))
            }
            (None, None) if endpoint.public_access_cidrs.is_none() => {
                Err(InputError::new("resources_vpc_config", "changes nothing"))
            }
            _ => Ok(()),
        }
    },
    token: Some("client_request_token"),
    settle: Some(Settle {
        poll: "eks.describe_update",
        input: |input, answer| json!({ "name": input["name"], "update_id": answer["id"] }),
        judge: update::judge,
    }),
    sim: update,
};

fn update(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let cluster = cluster_sim::named(world, call, "name")?.clone();
    if let Some(first) = update::begun(world, call) {
        return Ok(first);
    }
    update::one_at_a_time(world, call, "Cluster", &cluster)?;
    let asked = call.input["resources_vpc_config"].clone();
    let asked_fields = || asked.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let stands = |field: &str| lookup(&cluster.body, &format!("resources_vpc_config.{field}"));
    if asked_fields().all(|(field, value)| stands(field) == Some(value)) {
        let text = format!("Cluster is already at the desired configuration with {asked}");
        return Err(CallError::refused("InvalidParameterException", text));
    }
    let params = asked_fields().map(|(field, value)| json!({ "type": field, "value": value.to_string() })).collect();
    let answer = update::begin(world, call, &cluster, "EndpointAccessUpdate", params);
    world.change(cluster::META.name, &call.place.region, &cluster.id, |cluster| {
        merge(&mut cluster.body["resources_vpc_config"], asked.clone());
    });
    Ok(answer)
}
