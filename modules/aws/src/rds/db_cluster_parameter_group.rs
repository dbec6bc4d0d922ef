//! `rds.db_cluster_parameter_group`: settings of Aurora clusters; and `rds.modify_db_cluster_parameter_group`.

use std::time::Duration;

use runbook_modules::{
    input,
    operation::{Class, Operation},
    resource::{Identity, Meta, same_fields},
    sandbox::sim::Simple,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    db_parameter_group::{self, Parameter},
    simulate::{arn, check_name},
};
use crate::row::{Row, at_once};

/// What makes a cluster parameter group.
/// See <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBClusterParameterGroup.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name, unique in the region, in lower case.
    pub db_cluster_parameter_group_name: String,
    /// The family of engine versions, e.g. `aurora-postgresql16`.
    pub db_parameter_group_family: String,
    /// What it is for; AWS wants one.
    pub description: String,
}

pub(super) static META: Meta = Meta {
    name: "rds.db_cluster_parameter_group",
    create: "create_db_cluster_parameter_group",
    operations: ("CreateDBClusterParameterGroup", "DeleteDBClusterParameterGroup"),
    doc: "Makes a group of settings for Aurora clusters, all at the family's defaults; `modify_db_cluster_parameter_group` sets \
          them.\n\nSee the \
          [RDS reference](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBClusterParameterGroup.html).",
    identity: Identity::Key,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: false,
    shared: false,
};

/// The kind.
pub static KIND: Row = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        input::check::<Input>(value)?;
        check_name(value, "db_cluster_parameter_group_name", 255)
    },
    locator: &["db_cluster_parameter_group_name"],
    along: &[],
    parents: &[],
    judge: at_once,
    differences: same_fields,
    sim: &SIM,
};

static SIM: Simple = Simple {
    id: |call| call.text("db_cluster_parameter_group_name").to_owned(),
    unique: (&["db_cluster_parameter_group_name"], "DBParameterGroupAlreadyExists"),
    blocked: "InvalidDBParameterGroupState",
    missing: "DBParameterGroupNotFound",
    check: |_, call| db_parameter_group::check_family(call),
    describe: |_, call, id| json!({ "arn": arn(call, "cluster-pg", id), "name": id }),
    ..Simple::DEFAULT
};

/// What sets parameters.
/// See <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBClusterParameterGroup.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Modify {
    /// The group.
    pub db_cluster_parameter_group_name: String,
    /// At most 20 settings a call.
    pub parameters: Vec<Parameter>,
}

/// `rds.modify_db_cluster_parameter_group`.
pub static MODIFY: Operation = Operation {
    name: "rds.modify_db_cluster_parameter_group",
    operation: "ModifyDBClusterParameterGroup",
    doc: "Sets parameters of a cluster's group.\n\nSee the \
          [RDS reference](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBClusterParameterGroup.html).",
    class: Class::Update,
    schema: input::schema::<Modify>,
    check: |value| db_parameter_group::check_parameters(&input::parse::<Modify>(value)?.parameters),
    token: None,
    settle: None,
    sim: |world, call| db_parameter_group::set(world, call, META.name, "db_cluster_parameter_group_name"),
};
