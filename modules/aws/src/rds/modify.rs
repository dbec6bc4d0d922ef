//! Changes of what stands: `modify_db_instance`, `modify_db_cluster`. With `apply_immediately` they are waited for.

use runbook_modules::{
    error::CallError,
    input,
    operation::{Class, Operation, Settle},
    resource::Health,
    sandbox::{sim::SimCall, simple::merge, world::World},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{db_cluster, db_instance, engine_versions};
use crate::simulate::body;

/// What changes an instance. See <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// The instance.
    pub db_instance_identifier: String,
    /// Now, and not in the next maintenance window.
    pub apply_immediately: Option<bool>,
    /// Whether RDS refuses its deletion.
    pub deletion_protection: Option<bool>,
    /// Another class.
    pub db_instance_class: Option<String>,
    /// Another version.
    pub engine_version: Option<String>,
    /// Needed for another major version.
    pub allow_major_version_upgrade: Option<bool>,
    /// More storage, in GiB.
    pub allocated_storage: Option<i32>,
    /// Up to which size the storage grows by itself, in GiB.
    pub max_allocated_storage: Option<i32>,
    /// Whether a second, silent one stands in another zone.
    pub multi_az: Option<bool>,
    /// Days for which backups are kept.
    pub backup_retention_period: Option<i32>,
    /// Another parameter group.
    pub db_parameter_group_name: Option<String>,
    /// Other security groups.
    pub vpc_security_group_ids: Option<Vec<String>>,
    /// Another password of the first user: a secret.
    pub master_user_password: Option<String>,
}

/// `rds.modify_db_instance`.
pub static INSTANCE: Operation = Operation {
    name: "rds.modify_db_instance",
    operation: "ModifyDBInstance",
    doc: "Changes an instance. With `apply_immediately: true` it waits until the change has come through.\n\nSee the \
          [RDS reference](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html).",
    class: Class::Update,
    schema: input::schema::<Instance>,
    check: input::check::<Instance>,
    token: None,
    settle: Some(Settle {
        poll: "rds.describe_db_instances",
        input: |input, _| json!({ "db_instance_identifier": input["db_instance_identifier"] }),
        judge: |answer| settled(&answer["db_instances"][0], "db_instance_status"),
    }),
    sim: |world, call| change(world, call, "rds.db_instance", "db_instance_identifier", "DBInstanceNotFound"),
};

/// What changes a cluster. See <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// The cluster.
    pub db_cluster_identifier: String,
    /// Now, and not in the next maintenance window.
    pub apply_immediately: Option<bool>,
    /// Whether RDS refuses its deletion.
    pub deletion_protection: Option<bool>,
    /// Another version.
    pub engine_version: Option<String>,
    /// Needed for another major version.
    pub allow_major_version_upgrade: Option<bool>,
    /// Days for which backups are kept.
    pub backup_retention_period: Option<i32>,
    /// Another parameter group.
    pub db_cluster_parameter_group_name: Option<String>,
    /// Other security groups.
    pub vpc_security_group_ids: Option<Vec<String>>,
    /// Another password of the first user: a secret.
    pub master_user_password: Option<String>,
}

/// `rds.modify_db_cluster`.
pub static CLUSTER: Operation = Operation {
    name: "rds.modify_db_cluster",
    operation: "ModifyDBCluster",
    doc: "Changes an Aurora cluster. With `apply_immediately: true` it waits until the change has come through.\n\nSee the \
          [RDS reference](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html).",
    class: Class::Update,
    schema: input::schema::<Cluster>,
    check: input::check::<Cluster>,
    token: None,
    settle: Some(Settle {
        poll: "rds.describe_db_clusters",
        input: |input, _| json!({ "db_cluster_identifier": input["db_cluster_identifier"] }),
        judge: |answer| settled(&answer["db_clusters"][0], "status"),
    }),
    sim: |world, call| change(world, call, "rds.db_cluster", "db_cluster_identifier", "DBClusterNotFoundFault"),
};

/// What waits for the maintenance window does not hold up the run.
fn settled(described: &Value, status: &str) -> Health {
    db_instance::judge_status(described, status)
}

fn change(world: &mut World, call: &SimCall<'_>, kind: &str, field: &str, missing: &str) -> Result<Value, CallError> {
    let name = call.text(field);
    let region = &call.place.region;
    let Some(found) = world.get(kind, region, name, call.now_ms) else {
        return Err(CallError::not_found(missing, format!("{name} not found.")));
    };
    let mut asked = call.input.clone();
    if let Value::Object(map) = &mut asked {
        for passing in ["apply_immediately", "allow_major_version_upgrade", "master_user_password"] {
            map.remove(passing);
        }
        if let Some(version) = map.get_mut("engine_version") {
            *version = engine_versions::chosen(body(found, "engine"), call.text("engine_version"))?.version().into();
        }
    }
    world.change(kind, region, name, |object| merge(&mut object.body, asked));
    let described = match kind {
        "rds.db_cluster" => db_cluster::described_now(world, call, name),
        _ => db_instance::described_now(world, call, name),
    };
    Ok(described)
}
