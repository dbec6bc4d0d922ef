//! `logs.retention_policy`: for how long a log group keeps what is written.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    resource::{Identity, Meta, same_fields},
    sandbox::sim::{Ref, Simple},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::log_group;
use crate::{
    row::{Row, at_once},
    simulate::Upsert,
};

/// For how long. See <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The log group's name.
    pub log_group_name: String,
    /// Days: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653.
    pub retention_in_days: i32,
}

/// The only periods that the service takes.
const DAYS: [i64; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

pub(super) static META: Meta = Meta {
    name: "logs.retention_policy",
    create: "put_retention_policy",
    operations: ("PutRetentionPolicy", "DeleteRetentionPolicy"),
    doc: "Says for how many days a log group keeps what is written.\n\nUndo puts back what stood before. See the \
          [CloudWatch Logs reference](https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html).",
    identity: Identity::Repeat,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: true,
    shared: false,
};

/// The kind.
pub static KIND: Row<Upsert> = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        input::check::<Input>(value)?;
        match value.get("retention_in_days").and_then(Value::as_i64) {
            Some(days) if !DAYS.contains(&days) => {
                Err(InputError::new("retention_in_days", format!("must be one of {DAYS:?}, not {days}")))
            }
            _ => Ok(()),
        }
    },
    locator: &["log_group_name"],
    along: &[],
    parents: &["log_group_name"],
    judge: at_once,
    differences: same_fields,
    sim: &SIM,
};

static SIM: Upsert = Upsert(Simple {
    id: |call| call.text("log_group_name").to_owned(),
    refs: &[Ref { field: "log_group_name", kind: "logs.log_group", missing: "ResourceNotFoundException", owned: true }],
    missing: "ResourceNotFoundException",
    check: |world, call| match world.get(
        log_group::META.name,
        &call.place.region,
        call.text("log_group_name"),
        call.now_ms,
    ) {
        Some(_) => Ok(()),
        None => Err(CallError::refused("ResourceNotFoundException", "The specified log group does not exist.")),
    },
    describe: |_, call, _| json!({ "name": call.text("log_group_name") }),
    taggable: false,
    ..Simple::DEFAULT
});
