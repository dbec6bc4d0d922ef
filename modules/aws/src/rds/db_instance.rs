//! `rds.db_instance`: a database server, on its own or in an Aurora cluster.

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
    db_cluster, engine_versions,
    guarded::Guarded,
    simulate::{arn, check_name, check_password, check_role, conceal, host, listen, network, port, same_version},
};
use crate::{
    row::{Difference, Row, judge_state, text, unordered},
    simulate::{body, digits},
};

/// What makes an instance. See <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name, unique in the region, in lower case.
    pub db_instance_identifier: String,
    /// The class, e.g. `db.t4g.medium`.
    pub db_instance_class: String,
    /// The engine, e.g. `postgres`; `aurora-postgresql` for one in a cluster.
    pub engine: String,
    /// The engine's version; a major version alone (`16`) lets RDS choose.
    pub engine_version: Option<String>,
    /// The Aurora cluster that it belongs to. Storage, master user, backups and protection are then the cluster's.
    pub db_cluster_identifier: Option<String>,
    /// Storage in GiB.
    pub allocated_storage: Option<i32>,
    /// Up to which size the storage grows by itself, in GiB.
    pub max_allocated_storage: Option<i32>,
    /// `gp3`, `gp2`, `io1`, `io2`.
    pub storage_type: Option<String>,
    /// Operations a second, for io1 and io2, and for gp3 of 400 GiB and more.
    pub iops: Option<i32>,
    /// Whether the storage is encrypted.
    pub storage_encrypted: Option<bool>,
    /// The key it is encrypted with; AWS's own without.
    pub kms_key_id: Option<String>,
    /// A database made with it.
    pub db_name: Option<String>,
    /// The name of the first user.
    pub master_username: Option<String>,
    /// The password of the first user: a secret.
    pub master_user_password: Option<String>,
    /// RDS makes and keeps the password in Secrets Manager instead.
    pub manage_master_user_password: Option<bool>,
    /// The port; the engine's own when left out.
    pub port: Option<i32>,
    /// Security groups.
    pub vpc_security_group_ids: Option<Vec<String>>,
    /// The subnet group, and with it the VPC.
    pub db_subnet_group_name: Option<String>,
    /// The zone; not together with `multi_az`.
    pub availability_zone: Option<String>,
    /// A second, silent one in another zone takes over when the first fails.
    pub multi_az: Option<bool>,
    /// Whether it gets a public address.
    pub publicly_accessible: Option<bool>,
    /// The parameter group; the family's default without.
    pub db_parameter_group_name: Option<String>,
    /// The option group.
    pub option_group_name: Option<String>,
    /// Days for which backups are kept; 0 makes none.
    pub backup_retention_period: Option<i32>,
    /// When backups are made, UTC: `03:00-06:00`.
    pub preferred_backup_window: Option<String>,
    /// When RDS may change it, UTC: `sun:06:00-sun:07:00`.
    pub preferred_maintenance_window: Option<String>,
    /// Whether minor versions come by themselves.
    pub auto_minor_version_upgrade: Option<bool>,
    /// Whether its tags go onto its snapshots.
    pub copy_tags_to_snapshot: Option<bool>,
    /// Whether users may come with IAM's tokens.
    pub enable_iam_database_authentication: Option<bool>,
    /// Whether Performance Insights looks on.
    pub enable_performance_insights: Option<bool>,
    /// Days for which Performance Insights keeps what it saw: 7, or months of 31 days.
    pub performance_insights_retention_period: Option<i32>,
    /// Seconds between two measurements of enhanced monitoring: 0 (none), 1, 5, 10, 15, 30, 60.
    pub monitoring_interval: Option<i32>,
    /// ARN of the role that enhanced monitoring writes with.
    pub monitoring_role_arn: Option<String>,
    /// Logs that go to CloudWatch, e.g. `["postgresql", "upgrade"]`.
    pub enable_cloudwatch_logs_exports: Option<Vec<String>>,
    /// The certificate authority, e.g. `rds-ca-rsa2048-g1`.
    pub ca_certificate_identifier: Option<String>,
    /// In a cluster: the lower, the sooner it becomes the writer.
    pub promotion_tier: Option<i32>,
    /// RDS refuses its deletion until this is lifted.
    pub deletion_protection: Option<bool>,
    /// Ours: undo may lift the deletion protection. Without it undo leaves the instance, unless a person says
    /// `runbook undo RUN --also rds:db:NAME`.
    pub lift_deletion_protection: Option<bool>,
    /// For undo: no last snapshot. Without it one is taken, and stays.
    pub skip_final_snapshot: Option<bool>,
    /// For undo: the last snapshot's name, which must be new; else it is made of the instance's name and its resource id.
    pub final_db_snapshot_identifier: Option<String>,
    /// For undo: the automated backups go at once; RDS's own default is yes.
    pub delete_automated_backups: Option<bool>,
}

pub(super) static META: Meta = Meta {
    name: "rds.db_instance",
    create: "create_db_instance",
    operations: ("CreateDBInstance", "DeleteDBInstance"),
    doc: "Makes a database instance and waits until it is available.\n\nUndo takes a last snapshot, unless `skip_final_snapshot` is \
          true, and leaves a protected instance, unless `lift_deletion_protection` is true or a person says `--also rds:db:NAME`. One that \
          failed before it could be used goes without either. See the \
          [RDS reference](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html).",
    identity: Identity::Key,
    usual: (Duration::from_secs(600), Duration::from_secs(300)),
    cost: Some("RDS instance"),
    replaces: false,
    shared: false,
};

/// The kind.
pub static KIND: Row<Guarded> = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check,
    locator: &["db_instance_identifier"],
    along: &super::guarded::FIELDS,
    parents: &[
        "rds.db_cluster db_cluster_identifier",
        "rds.db_subnet_group db_subnet_group_name",
        "rds.db_parameter_group db_parameter_group_name",
        "rds.option_group option_group_name",
        "vpc_security_group_ids",
        "monitoring_role_arn",
        "kms_key_id",
    ],
    judge,
    differences,
    sim: &SIM,
};

fn check(value: &Value) -> Result<(), InputError> {
    let typed = input::parse::<Input>(value)?;
    check_name(value, "db_instance_identifier", 63)?;
    let wrong = |field: &str, text: &str| Err(InputError::new(field, text));
    if typed.multi_az == Some(true) && typed.availability_zone.is_some() {
        return wrong("availability_zone", "cannot be asked for together with multi_az");
    }
    if typed.monitoring_interval.unwrap_or(0) != 0 && typed.monitoring_role_arn.is_none() {
        return wrong("monitoring_role_arn", "missing: enhanced monitoring (monitoring_interval) writes with a role");
    }
    if typed.skip_final_snapshot == Some(true) && typed.final_db_snapshot_identifier.is_some() {
        return wrong("final_db_snapshot_identifier", "names a snapshot that skip_final_snapshot forbids");
    }
    match typed.db_cluster_identifier {
        Some(_) => {
            let of_cluster = ["allocated_storage", "master_username", "master_user_password", "deletion_protection"];
            match of_cluster.into_iter().find(|field| value.get(field).is_some_and(|v| !v.is_null())) {
                Some(field) => {
                    Err(InputError::new(field, "is the cluster's: an instance in a cluster has none of its own"))
                }
                None => Ok(()),
            }
        }
        None if typed.allocated_storage.is_none() => wrong("allocated_storage", "missing"),
        None if typed.master_username.is_none() => wrong("master_username", "missing"),
        None if typed.master_user_password.is_some() == (typed.manage_master_user_password == Some(true)) => {
            wrong("master_user_password", "give it, or manage_master_user_password: true")
        }
        None => Ok(()),
    }
}

/// Judges instances and clusters: both can be used in a few states beside `available`. Why one failed is what RDS said last of it.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html>
pub(super) fn judge_status(described: &Value, field: &str) -> Health {
    const READY: [&str; 4] = ["available", "backing-up", "storage-optimization", "storage-config-upgrade"];
    const FAILED: [&str; 11] = [
        "failed",
        "restore-error",
        "insufficient-capacity",
        "incompatible-create",
        "incompatible-credentials",
        "incompatible-network",
        "incompatible-option-group",
        "incompatible-parameters",
        "incompatible-restore",
        "inaccessible-encryption-credentials",
        "cloning-failed",
    ];
    let status = text(described, field);
    let reason = match text(described, "status_reason") {
        "" => status.to_owned(),
        said => format!("{status}: {said}"),
    };
    judge_state(status, Some(&reason.into()), &READY, &FAILED, &["deleting", "deleted"])
}

fn judge(described: &Value) -> Health {
    judge_status(described, "db_instance_status")
}

/// A major version asked for stands for any of it; the ARN of a key stands for its id.
pub(super) fn differences(input: &Value, described: &Value) -> Vec<Difference> {
    let mut found = unordered(input, described);
    found.retain(|(field, asked, found)| {
        let (asked, found) = (asked.as_str().unwrap_or_default(), found.as_str().unwrap_or_default());
        match field.as_str() {
            "engine_version" => !same_version(asked, found),
            "kms_key_id" => asked.is_empty() || !found.ends_with(asked),
            _ => true,
        }
    });
    found
}

static SIM: Guarded = Guarded {
    name: "db_instance_identifier",
    noun: ("DB Instance", "db"),
    snapshots: ("rds.db_snapshot", "snapshot"),
    simple: Simple {
        id: |call| call.text("db_instance_identifier").to_owned(),
        refs: &[
            Ref {
                field: "db_cluster_identifier",
                kind: "rds.db_cluster",
                missing: "DBClusterNotFoundFault",
                owned: false,
            },
            Ref {
                field: "db_subnet_group_name",
                kind: "rds.db_subnet_group",
                missing: "DBSubnetGroupNotFoundFault",
                owned: false,
            },
            Ref {
                field: "db_parameter_group_name",
                kind: "rds.db_parameter_group",
                missing: "DBParameterGroupNotFound",
                owned: false,
            },
            Ref {
                field: "option_group_name",
                kind: "rds.option_group",
                missing: "OptionGroupNotFoundFault",
                owned: false,
            },
        ],
        unique: (&["db_instance_identifier"], "DBInstanceAlreadyExists"),
        state_field: "db_instance_status",
        states: ("creating", "available", "deleting"),
        failing: Some(Failing {
            state: "incompatible-network",
            words: |_| json!({ "status_reason": "The DB instance is in an incompatible network. Some of the specified subnet IDs are invalid or do not exist." }),
        }),
        blocked: "InvalidDBInstanceState",
        missing: "DBInstanceNotFound",
        check: refuse,
        describe: described,
        made,
        deleted: |world, call, object| db_cluster::forget(world, call, object),
        ..Simple::DEFAULT
    },
};

/// The engine and version of the simulated instance: in a cluster they are the cluster's.
fn version(world: &World, call: &SimCall<'_>) -> Result<(String, String), CallError> {
    let engine = call.text("engine");
    match db_cluster::named(world, call) {
        Some(cluster) if body(cluster, "engine") != engine => {
            let text = format!(
                "The engine name requested for your DB instance ({engine}) doesn't match the engine name of your DB cluster"
            );
            Err(CallError::refused("InvalidParameterValue", text))
        }
        Some(cluster) => Ok((engine.to_owned(), body(cluster, "engine_version").to_owned())),
        None if engine.starts_with("aurora") => Err(CallError::refused(
            "InvalidParameterCombination",
            "The requested DB Instance must be a member of a DB Cluster.",
        )),
        None => {
            Ok((engine.to_owned(), engine_versions::chosen(engine, call.text("engine_version"))?.version().to_owned()))
        }
    }
}

fn refuse(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    let refused = |code: &str, text: String| Err(CallError::refused(code, text));
    let (engine, version) = version(world, call)?;
    network(world, call)?;
    check_role(world, call, "monitoring_role_arn")?;
    check_password(call)?;
    let group = call.text("db_parameter_group_name");
    let family = world.get("rds.db_parameter_group", &call.place.region, group, call.now_ms);
    let of_engine = |offered: &&engine_versions::Offered| offered.engine == engine && offered.version() == version;
    let wanted =
        engine_versions::OFFERED.iter().find(of_engine).map(engine_versions::Offered::family).unwrap_or_default();
    if let Some(family) = family.map(|group| body(group, "db_parameter_group_family"))
        && family != wanted
    {
        let text = format!(
            "The parameter group {group} with DBParameterGroupFamily {family} can't be used for this instance. Please use a Parameter Group with DBParameterGroupFamily {wanted}"
        );
        return refused("InvalidParameterCombination", text);
    }
    let number = |field: &str| call.input.get(field).and_then(Value::as_i64);
    if let (Some(size), Some(most)) = (number("allocated_storage"), number("max_allocated_storage"))
        && most <= size
    {
        return refused(
            "InvalidParameterCombination",
            format!("Max storage size {most} must be greater than storage size {size}"),
        );
    }
    if number("allocated_storage").is_some_and(|size| size < 20) {
        return refused(
            "InvalidParameterValue",
            "Invalid storage size for engine name and storage type: at least 20".to_owned(),
        );
    }
    const RESERVED: [&str; 4] = ["admin", "rdsadmin", "rds_superuser", "user"];
    let user = call.text("master_username");
    if engine.contains("postgres") && RESERVED.contains(&user) {
        let text = format!("MasterUsername {user} cannot be used as it is a reserved word used by the engine");
        return refused("InvalidParameterValue", text);
    }
    Ok(())
}

fn described(world: &World, call: &SimCall<'_>, id: &str) -> Value {
    let (engine, version) = version(world, call).unwrap_or_default();
    let vpc = network(world, call).map_or("", |(_, vpc)| vpc).to_owned();
    let given = |field: &str, otherwise: Value| lookup(call.input, field).cloned().unwrap_or(otherwise);
    let mut described = json!({
        "arn": arn(call, "db", id), "name": id, "dbi_resource_id": format!("db-{}", digits(call.token, 26).to_uppercase()),
        "engine_version": version, "vpc_id": vpc,
        "endpoint": { "address": host(call, id, "c"), "port": given("port", port(&engine).into()) },
        "multi_az": given("multi_az", false.into()),
        "publicly_accessible": given("publicly_accessible", false.into()),
        "storage_encrypted": given("storage_encrypted", false.into()),
        "deletion_protection": given("deletion_protection", false.into()),
        "backup_retention_period": given("backup_retention_period", 1.into()),
    });
    if let Some(cluster) = db_cluster::named(world, call) {
        for field in ["storage_encrypted", "kms_key_id", "backup_retention_period"] {
            described[field] = cluster.body[field].clone();
        }
    }
    described
}

fn made(world: &mut World, call: &SimCall<'_>, instance: &Object) {
    conceal(world, META.name, call, &instance.id);
    let subnets = db_cluster::named(world, call).map_or_else(
        || network(world, call).map(|(subnets, _)| subnets).unwrap_or_default(),
        |cluster| db_cluster::subnets(world, call, cluster),
    );
    let count = if call.input.get("multi_az") == Some(&Value::Bool(true)) { 2 } else { 1 };
    let subnets: Vec<String> = subnets.into_iter().take(count).map(str::to_owned).collect();
    listen(world, call, instance, &subnets);
    db_cluster::join(world, call, instance);
}

/// Which instances are asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only this one.
    pub db_instance_identifier: Option<String>,
}

/// `rds.describe_db_instances`.
pub static DESCRIBE: Operation = Operation {
    name: "rds.describe_db_instances",
    operation: "DescribeDBInstances",
    doc: "Lists database instances, as `#{db_instances: [...]}`.\n\nSee the \
          [RDS reference](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBInstances.html).",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: describe,
};

fn describe(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    SIM.describe(&KIND, world, call, "db_instances", "DBInstance")
}

/// The description of a simulated instance.
pub(super) fn described_now(world: &World, call: &SimCall<'_>, name: &str) -> Value {
    SIM.described_now(&KIND, world, call, name)
}
