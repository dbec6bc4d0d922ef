//! `logs.adopted_log_group`: a log group that a service made by itself, taken over.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input,
    resource::{Identity, Kind, Meta, same_fields},
    sandbox::{
        sim::{Sim, SimCall},
        world::World,
    },
};
use serde_json::Value;

use super::log_group::{self, Input, SIM as GROUP};
use crate::row::{Row, once_told};

pub(super) static META: Meta = Meta {
    name: "logs.adopted_log_group",
    create: "adopt_log_group",
    operations: ("CreateLogGroup", "DeleteLogGroup"),
    doc: "Takes over a log group that stands already, or makes it.\n\nFor what a service makes by itself and leaves behind \
          (`/aws/eks/NAME/cluster` of an earlier cluster): it gets the run's tags, and undo deletes it with all that was written. See the \
          [CloudWatch Logs reference](https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html).",
    identity: Identity::Repeat,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: false,
    shared: false,
};

/// The kind.
pub static KIND: Row<Adopting> = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: log_group::check,
    locator: &["log_group_name"],
    along: &[],
    parents: &["kms_key_id"],
    judge: |described| once_told(described, "arn"),
    differences: same_fields,
    sim: &Adopting,
};

/// One log group under two kinds: everything but the creation is that of `logs.log_group`.
pub struct Adopting;

const OF: &dyn Kind = &log_group::KIND;

impl Sim for Adopting {
    fn create(&self, _: &dyn Kind, world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
        log_group::refuse(world, call)?;
        log_group::put(world, call, call.text("log_group_name"), call.now_ms);
        let name = call.text("log_group_name");
        world.change(log_group::META.name, &call.place.region, name, |group| {
            group.tags.extend(call.tags.clone());
            if let Some(key) = call.input.get("kms_key_id") {
                group.body["kms_key_id"] = key.clone();
            }
        });
        GROUP.read(OF, world, call).ok_or_else(|| CallError::not_found("ResourceNotFoundException", name))
    }

    fn read(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<Value> {
        GROUP.read(OF, world, call)
    }

    fn find(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<Value> {
        GROUP.find(OF, world, call)
    }

    fn delete(&self, _: &dyn Kind, world: &mut World, call: &SimCall<'_>, _: Option<&Value>) -> Result<(), CallError> {
        GROUP.delete(OF, world, call, None)
    }

    fn next_change(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<i64> {
        GROUP.next_change(OF, world, call)
    }

    fn obstacles(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<String> {
        GROUP.obstacles(OF, world, call)
    }
}
