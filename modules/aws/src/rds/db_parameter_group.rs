//! `rds.db_parameter_group`: settings of database instances; and `rds.modify_db_parameter_group`.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Identity, Meta, same_fields},
    sandbox::{
        sim::{SimCall, Simple},
        world::World,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    engine_versions,
    simulate::{arn, check_name},
};
use crate::row::{Row, at_once};

/// What makes a parameter group. See <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBParameterGroup.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name, unique in the region, in lower case.
    pub db_parameter_group_name: String,
    /// The family of engine versions, e.g. `postgres16`.
    pub db_parameter_group_family: String,
    /// What it is for; AWS wants one.
    pub description: String,
}

pub(super) static META: Meta = Meta {
    name: "rds.db_parameter_group",
    create: "create_db_parameter_group",
    operations: ("CreateDBParameterGroup", "DeleteDBParameterGroup"),
    doc: "Makes a group of settings for database instances, all at the family's defaults; `modify_db_parameter_group` sets \
          them.\n\nSee the \
          [RDS reference](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBParameterGroup.html).",
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
        check_name(value, "db_parameter_group_name", 255)
    },
    locator: &["db_parameter_group_name"],
    along: &[],
    parents: &[],
    judge: at_once,
    differences: same_fields,
    sim: &SIM,
};

static SIM: Simple = Simple {
    id: |call| call.text("db_parameter_group_name").to_owned(),
    unique: (&["db_parameter_group_name"], "DBParameterGroupAlreadyExists"),
    blocked: "InvalidDBParameterGroupState",
    missing: "DBParameterGroupNotFound",
    check: |_, call| check_family(call),
    describe: |_, call, id| json!({ "arn": arn(call, "pg", id), "name": id }),
    ..Simple::DEFAULT
};

/// Refuses a family that no engine version has.
pub(super) fn check_family(call: &SimCall<'_>) -> Result<(), CallError> {
    let family = call.text("db_parameter_group_family");
    if engine_versions::OFFERED.iter().any(|offered| offered.family() == family) {
        return Ok(());
    }
    let text = format!("ParameterGroupFamily {family} is not a valid parameter group family");
    Err(CallError::refused("InvalidParameterValue", text))
}

/// What sets parameters. See <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBParameterGroup.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Modify {
    /// The group.
    pub db_parameter_group_name: String,
    /// At most 20 settings a call.
    pub parameters: Vec<Parameter>,
}

/// A setting.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its name, e.g. `rds.force_ssl`.
    pub parameter_name: String,
    /// Its value, as a text.
    pub parameter_value: String,
    /// `immediate`, or `pending-reboot` for one that needs a restart; `immediate` when left out.
    pub apply_method: Option<String>,
}

/// `rds.modify_db_parameter_group`.
pub static MODIFY: Operation = Operation {
    name: "rds.modify_db_parameter_group",
    operation: "ModifyDBParameterGroup",
    doc: "Sets parameters of a group.\n\nSee the \
          [RDS reference](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBParameterGroup.html).",
    class: Class::Update,
    schema: input::schema::<Modify>,
    check: |value| check_parameters(&input::parse::<Modify>(value)?.parameters),
    token: None,
    settle: None,
    sim: |world, call| set(world, call, META.name, "db_parameter_group_name"),
};

/// Refuses more settings than RDS takes, and unknown apply methods.
pub(super) fn check_parameters(parameters: &[Parameter]) -> Result<(), InputError> {
    if parameters.is_empty() || parameters.len() > 20 {
        return Err(InputError::new("parameters", format!("{} given; RDS takes 1 to 20 a call", parameters.len())));
    }
    let unknown = |method: &&str| !matches!(*method, "immediate" | "pending-reboot");
    match parameters.iter().filter_map(|p| p.apply_method.as_deref()).find(unknown) {
        Some(method) => Err(InputError::new(
            "parameters.apply_method",
            format!("must be immediate or pending-reboot, not {method:?}"),
        )),
        None => Ok(()),
    }
}

/// Keeps the settings with the simulated group.
pub(super) fn set(world: &mut World, call: &SimCall<'_>, kind: &str, field: &str) -> Result<Value, CallError> {
    let name = call.text(field).to_owned();
    let asked = call.input.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
    let changed = world.change(kind, &call.place.region, &name, |group| {
        let settings = &mut group.body["parameters"];
        for one in &asked {
            settings[crate::row::text(one, "parameter_name")] = one["parameter_value"].clone();
        }
    });
    match changed {
        Some(()) => Ok(json!({ field: name })),
        None => Err(CallError::not_found("DBParameterGroupNotFound", format!("DBParameterGroup not found: {name}"))),
    }
}
