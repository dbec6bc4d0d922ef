//! `rds.db_cluster`: an Aurora cluster: the storage and the endpoints that its instances share.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Health, Identity, Meta},
    sandbox::{
        sim::{Failing, Ref, SimCall, Simple},
        simple::lookup,
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    db_instance, db_subnet_group, engine_versions,
    guarded::Guarded,
    simulate::{arn, check_name, check_password, conceal, host, network, port, texts},
};
use crate::{
    row::Row,
    simulate::{body, digits},
};

/// What makes a cluster. See <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name, unique in the region, in lower case.
    pub db_cluster_identifier: String,
    /// `aurora-postgresql` or `aurora-mysql`.
    pub engine: String,
    /// The engine's version; a major version alone lets RDS choose.
    pub engine_version: Option<String>,
    /// A database made with it.
    pub database_name: Option<String>,
    /// The name of the first user.
    pub master_username: String,
    /// The password of the first user: a secret.
    pub master_user_password: Option<String>,
    /// RDS makes and keeps the password in Secrets Manager instead.
    pub manage_master_user_password: Option<bool>,
    /// The port; the engine's own when left out.
    pub port: Option<i32>,
    /// The subnet group, and with it the VPC.
    pub db_subnet_group_name: Option<String>,
    /// Security groups.
    pub vpc_security_group_ids: Option<Vec<String>>,
    /// The cluster parameter group; the family's default without.
    pub db_cluster_parameter_group_name: Option<String>,
    /// Whether the storage is encrypted.
    pub storage_encrypted: Option<bool>,
    /// The key it is encrypted with; AWS's own without.
    pub kms_key_id: Option<String>,
    /// Days for which backups are kept, 1 to 35.
    pub backup_retention_period: Option<i32>,
    /// When backups are made, UTC: `03:00-06:00`.
    pub preferred_backup_window: Option<String>,
    /// When RDS may change it, UTC: `sun:06:00-sun:07:00`.
    pub preferred_maintenance_window: Option<String>,
    /// Logs that go to CloudWatch, e.g. `["postgresql"]`.
    pub enable_cloudwatch_logs_exports: Option<Vec<String>>,
    /// Whether users may come with IAM's tokens.
    pub enable_iam_database_authentication: Option<bool>,
    /// Whether its tags go onto its snapshots.
    pub copy_tags_to_snapshot: Option<bool>,
    /// For instances of class `db.serverless`: between how many capacity units they move.
    pub serverless_v2_scaling_configuration: Option<Scaling>,
    /// RDS refuses its deletion until this is lifted.
    pub deletion_protection: Option<bool>,
    /// Ours: undo may lift the deletion protection. Without it undo leaves the cluster, unless a person says
    /// `runbook undo RUN --also rds:cluster:NAME`.
    pub lift_deletion_protection: Option<bool>,
    /// For undo: no last snapshot. Without it one is taken, and stays.
    pub skip_final_snapshot: Option<bool>,
    /// For undo: the last snapshot's name, which must be new; else it is made of the cluster's name and its resource id.
    pub final_db_snapshot_identifier: Option<String>,
    /// For undo: the automated backups go at once; RDS's own default is yes.
    pub delete_automated_backups: Option<bool>,
}

/// Between how many capacity units (of 2 GiB) serverless instances move.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scaling {
    /// At least, in halves.
    pub min_capacity: f64,
    /// At most, in halves.
    pub max_capacity: f64,
}

pub(super) static META: Meta = Meta {
    name: "rds.db_cluster",
    create: "create_db_cluster",
    operations: ("CreateDBCluster", "DeleteDBCluster"),
    doc: "Makes an Aurora cluster and waits until it is available. Its instances are made with `create_db_instance`.\n\nUndo takes a \
          last snapshot, unless `skip_final_snapshot` is true, and leaves a protected cluster, unless `lift_deletion_protection` is \
          true. One that failed before it could be used goes without either. See the [RDS reference](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html).",
    identity: Identity::Key,
    usual: (Duration::from_secs(90), Duration::from_secs(120)),
    cost: Some("Aurora cluster"),
    replaces: false,
    shared: false,
};

/// The kind.
pub static KIND: Row<Guarded> = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check,
    locator: &["db_cluster_identifier"],
    along: &super::guarded::FIELDS,
    parents: &[
        "rds.db_subnet_group db_subnet_group_name",
        "rds.db_cluster_parameter_group db_cluster_parameter_group_name",
        "vpc_security_group_ids",
        "kms_key_id",
    ],
    judge,
    differences: db_instance::differences,
    sim: &SIM,
};

fn check(value: &Value) -> Result<(), InputError> {
    let typed = input::parse::<Input>(value)?;
    check_name(value, "db_cluster_identifier", 63)?;
    if typed.master_user_password.is_some() == (typed.manage_master_user_password == Some(true)) {
        return Err(InputError::new("master_user_password", "give it, or manage_master_user_password: true"));
    }
    if typed.skip_final_snapshot == Some(true) && typed.final_db_snapshot_identifier.is_some() {
        let text = "names a snapshot that skip_final_snapshot forbids";
        return Err(InputError::new("final_db_snapshot_identifier", text));
    }
    Ok(())
}

fn judge(described: &Value) -> Health {
    db_instance::judge_status(described, "status")
}

static SIM: Guarded = Guarded {
    name: "db_cluster_identifier",
    noun: ("Cluster", "cluster"),
    snapshots: ("rds.db_cluster_snapshot", "cluster-snapshot"),
    simple: Simple {
        id: |call| call.text("db_cluster_identifier").to_owned(),
        refs: &[
            Ref {
                field: "db_subnet_group_name",
                kind: "rds.db_subnet_group",
                missing: "DBSubnetGroupNotFoundFault",
                owned: false,
            },
            Ref {
                field: "db_cluster_parameter_group_name",
                kind: "rds.db_cluster_parameter_group",
                missing: "DBClusterParameterGroupNotFound",
                owned: false,
            },
        ],
        unique: (&["db_cluster_identifier"], "DBClusterAlreadyExistsFault"),
        state_field: "status",
        states: ("creating", "available", "deleting"),
        failing: Some(Failing {
            state: "inaccessible-encryption-credentials",
            words: |_| json!({ "status_reason": "The KMS key that encrypts the DB cluster cannot be accessed." }),
        }),
        blocked: "InvalidDBClusterStateFault",
        missing: "DBClusterNotFoundFault",
        check: refuse,
        describe: described,
        made: |world, call, cluster| conceal(world, META.name, call, &cluster.id),
        ..Simple::DEFAULT
    },
};

fn refuse(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    let engine = call.text("engine");
    if !engine.starts_with("aurora-") {
        return Err(CallError::refused("InvalidParameterValue", format!("Invalid DB engine for a cluster: {engine}")));
    }
    let chosen = engine_versions::chosen(engine, call.text("engine_version"))?;
    network(world, call)?;
    check_password(call)?;
    let group = call.text("db_cluster_parameter_group_name");
    let family = world.get("rds.db_cluster_parameter_group", &call.place.region, group, call.now_ms);
    match family.map(|group| body(group, "db_parameter_group_family")) {
        Some(family) if family != chosen.family() => {
            let text = format!(
                "The parameter group {group} with DBParameterGroupFamily {family} can't be used for this cluster. Please use a \
                 Parameter Group with DBParameterGroupFamily {}",
                chosen.family()
            );
            Err(CallError::refused("InvalidParameterCombination", text))
        }
        _ => Ok(()),
    }
}

fn described(world: &World, call: &SimCall<'_>, id: &str) -> Value {
    let engine = call.text("engine");
    let version = engine_versions::chosen(engine, call.text("engine_version")).map_or("", |chosen| chosen.version());
    let vpc = network(world, call).map_or("", |(_, vpc)| vpc).to_owned();
    let given = |field: &str, otherwise: Value| lookup(call.input, field).cloned().unwrap_or(otherwise);
    json!({
        "arn": arn(call, "cluster", id), "name": id,
        "db_cluster_resource_id": format!("cluster-{}", digits(call.token, 26).to_uppercase()),
        "engine_version": version, "vpc_id": vpc, "port": given("port", port(engine).into()),
        "endpoint": host(call, id, "cluster-c"), "reader_endpoint": host(call, id, "cluster-ro-c"),
        "storage_encrypted": given("storage_encrypted", false.into()),
        "deletion_protection": given("deletion_protection", false.into()),
        "backup_retention_period": given("backup_retention_period", 1.into()),
        "db_cluster_members": [],
    })
}

/// The cluster that an instance's input names.
pub(super) fn named<'w>(world: &'w World, call: &SimCall<'_>) -> Option<&'w Object> {
    world.get(META.name, &call.place.region, call.text("db_cluster_identifier"), call.now_ms)
}

/// The subnets that a cluster's instances stand in.
pub(super) fn subnets<'w>(world: &'w World, call: &SimCall<'_>, cluster: &Object) -> Vec<&'w str> {
    let group =
        world.get(db_subnet_group::META.name, &call.place.region, body(cluster, "db_subnet_group_name"), call.now_ms);
    group.map(|group| texts(&group.body, "subnet_ids")).unwrap_or_default()
}

/// An instance becomes a member of its cluster; the first is the writer.
pub(super) fn join(world: &mut World, call: &SimCall<'_>, instance: &Object) {
    let cluster = body(instance, "db_cluster_identifier").to_owned();
    world.change(META.name, &call.place.region, &cluster, |cluster| {
        if let Some(members) = cluster.body["db_cluster_members"].as_array_mut() {
            let writer = members.is_empty();
            members.push(json!({ "db_instance_identifier": instance.id, "is_cluster_writer": writer }));
        }
    });
}

/// An instance that is deleted is no member any more; another one becomes the writer.
pub(super) fn forget(world: &mut World, call: &SimCall<'_>, instance: &Object) {
    let cluster = body(instance, "db_cluster_identifier").to_owned();
    world.change(META.name, &call.place.region, &cluster, |cluster| {
        if let Some(members) = cluster.body["db_cluster_members"].as_array_mut() {
            members.retain(|member| member["db_instance_identifier"] != instance.id.as_str());
            if let Some(first) = members.first_mut() {
                first["is_cluster_writer"] = true.into();
            }
        }
    });
}

/// Which clusters are asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only this one.
    pub db_cluster_identifier: Option<String>,
}

/// `rds.describe_db_clusters`.
pub static DESCRIBE: Operation = Operation {
    name: "rds.describe_db_clusters",
    operation: "DescribeDBClusters",
    doc: "Lists Aurora clusters, as `#{db_clusters: [...]}`.\n\nSee the \
          [RDS reference](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBClusters.html).",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: describe,
};

fn describe(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    SIM.describe(&KIND, world, call, "db_clusters", "DBCluster")
}

/// The description of a simulated cluster.
pub(super) fn described_now(world: &World, call: &SimCall<'_>, name: &str) -> Value {
    SIM.described_now(&KIND, world, call, name)
}
