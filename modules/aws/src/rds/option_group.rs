//! `rds.option_group`: features that an engine offers beyond its settings.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input,
    resource::{Identity, Meta, same_fields},
    sandbox::sim::Simple,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    engine_versions,
    simulate::{arn, check_name},
};
use crate::row::{Row, at_once};

/// What makes an option group. See <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateOptionGroup.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name, unique in the region, in lower case.
    pub option_group_name: String,
    /// The engine, e.g. `postgres`.
    pub engine_name: String,
    /// Its major version, e.g. `16`.
    pub major_engine_version: String,
    /// What it is for; AWS wants one.
    pub option_group_description: String,
}

pub(super) static META: Meta = Meta {
    name: "rds.option_group",
    create: "create_option_group",
    operations: ("CreateOptionGroup", "DeleteOptionGroup"),
    doc: "Makes an option group, with no option in it.\n\nPostgreSQL has none; some tools make an empty one all the same. See the \
          [RDS reference](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateOptionGroup.html).",
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
        check_name(value, "option_group_name", 255)
    },
    locator: &["option_group_name"],
    along: &[],
    parents: &[],
    judge: at_once,
    differences: same_fields,
    sim: &SIM,
};

static SIM: Simple = Simple {
    id: |call| call.text("option_group_name").to_owned(),
    unique: (&["option_group_name"], "OptionGroupAlreadyExistsFault"),
    blocked: "InvalidOptionGroupStateFault",
    missing: "OptionGroupNotFoundFault",
    check: |_, call| {
        let (engine, major) = (call.text("engine_name"), call.text("major_engine_version"));
        if engine_versions::OFFERED.iter().any(|offered| offered.engine == engine && offered.major() == major) {
            return Ok(());
        }
        let text = format!("Cannot find major version {major} for {engine}");
        Err(CallError::refused("InvalidParameterValue", text))
    },
    describe: |_, call, id| json!({ "arn": arn(call, "og", id), "name": id, "options": [] }),
    ..Simple::DEFAULT
};
