//! `update_cluster_config`: the endpoint of a cluster that stands, opened or closed; and `describe_update`.

use runbook_modules::{
    error::{CallError, Class as ErrorClass},
    input::{self, InputError},
    operation::{Class, Operation, Settle},
    resource::Health,
    sandbox::{
        sim::SimCall,
        simple::{lookup, merge},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{cluster, cluster_sim};
use crate::{
    row::text,
    simulate::{digits, owned},
};

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
        judge,
    }),
    sim: update,
};

fn judge(update: &Value) -> Health {
    match text(update, "status") {
        "Successful" => Health::Ready,
        "Failed" | "Cancelled" => {
            let errors = update.get("errors").and_then(Value::as_array).into_iter().flatten();
            let words: Vec<String> = errors
                .map(|error| format!("{}: {}", text(error, "error_code"), text(error, "error_message")))
                .collect();
            Health::Failed(if words.is_empty() { text(update, "status").to_owned() } else { words.join("; ") })
        }
        status => Health::Pending(status.to_owned()),
    }
}

/// World objects of this kind are the updates of the simulated clusters.
const UPDATES: &str = "eks.update";
/// How long an update takes.
const TAKES_MS: i64 = 90_000;

fn described(update: &Value, status: &str) -> Value {
    let mut update = update.clone();
    update["status"] = status.into();
    update
}

fn update(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let cluster = cluster_sim::named(world, call, "name")?.clone();
    let region = call.place.region.clone();
    if let Some(first) = world.made_by(UPDATES, &region, call.token) {
        return Ok(described(&first.body, first.state(call.now_ms)));
    }
    let own = |update: &Object| update.owner.as_deref() == Some(&*cluster.key());
    let under_way = |update: &&Object| own(update) && update.state(call.now_ms) == "InProgress";
    if let Some(first) = world.list(UPDATES, &region, call.now_ms).find(under_way) {
        let text = format!("Cluster {} currently has update {} in progress", cluster.id, first.id);
        return Err(CallError::new(ErrorClass::AlreadyExists, "ResourceInUseException", text));
    }
    let asked = call.input["resources_vpc_config"].clone();
    let asked_fields = || asked.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let stands = |field: &str| lookup(&cluster.body, &format!("resources_vpc_config.{field}"));
    if asked_fields().all(|(field, value)| stands(field) == Some(value)) {
        let text = format!("Cluster is already at the desired configuration with {asked}");
        return Err(CallError::refused("InvalidParameterException", text));
    }
    let id = digits(call.token, 32);
    let params: Vec<Value> =
        asked_fields().map(|(field, value)| json!({ "type": field, "value": value.to_string() })).collect();
    let body = json!({ "id": id, "type": "EndpointAccessUpdate", "params": params, "errors": [] });
    let mut made = owned(UPDATES, &region, &id, &cluster, body.clone(), Vec::new());
    made.token = call.token.to_owned();
    made.states = vec![(call.now_ms, "InProgress".to_owned()), (call.now_ms + TAKES_MS, "Successful".to_owned())];
    world.put(made);
    world.change(cluster::META.name, &region, &cluster.id, |cluster| {
        merge(&mut cluster.body["resources_vpc_config"], asked.clone());
    });
    Ok(described(&body, "InProgress"))
}

/// Which update is asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// The cluster's name.
    pub name: String,
    /// The update's id.
    pub update_id: String,
}

/// `eks.describe_update`.
pub static DESCRIBE: Operation = Operation {
    name: "eks.describe_update",
    operation: "DescribeUpdate",
    doc: "Describes an update of a cluster: `id`, `type`, `status`, `params`, `errors`.\n\nSee the \
          [EKS reference](https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeUpdate.html).",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| {
        let id = call.text("update_id");
        let found = world.get(UPDATES, &call.place.region, id, call.now_ms);
        let missing = || CallError::not_found("ResourceNotFoundException", format!("No update found for ID: {id}"));
        found.map(|update| described(&update.body, update.state(call.now_ms))).ok_or_else(missing)
    },
};
