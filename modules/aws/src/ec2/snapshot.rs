//! EBS snapshots: `create_snapshot`, `describe_snapshots`.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input,
    operation::{Class, Operation},
    resource::{Identity, Meta, same_fields},
    sandbox::{clock_text::rfc3339, sim::Simple},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{filter::Filters, simulate};
use crate::row::{Row, judge_state, text};

/// Input of `create_snapshot`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSnapshot.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The volume. It may be deleted afterwards: the snapshot stays.
    pub volume_id: String,
    /// A description for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The kind `ec2.snapshot`.
pub static SNAPSHOT: Row = Row {
    meta: &Meta {
        name: "ec2.snapshot",
        create: "create_snapshot",
        operations: ("CreateSnapshot", "DeleteSnapshot"),
        doc: "Makes a snapshot of an EBS volume and waits until it is completed. \
              [CreateSnapshot](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSnapshot.html)",
        identity: Identity::Tag,
        usual: (Duration::from_secs(60), Duration::ZERO),
        cost: Some("EBS snapshot"),
        replaces: false,
        shared: false,
    },
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    locator: &["snapshot_id"],
    along: &[],
    parents: &[],
    judge: |described| {
        let reason = described.get("state_message");
        judge_state(text(described, "state"), reason, &["completed"], &["error"], &[])
    },
    differences: same_fields,
    sim: &Simple {
        prefix: "snap-",
        state_field: "state",
        states: ("pending", "completed", ""),
        missing: "InvalidSnapshot.NotFound",
        blocked: "InvalidSnapshot.InUse",
        check: |world, call| {
            let id = call.text("volume_id");
            match simulate::get(world, call, "ec2.volume", id) {
                Some(_) => Ok(()),
                None => {
                    let text = format!("The volume '{id}' does not exist.");
                    Err(CallError::refused("InvalidVolume.NotFound", text))
                }
            }
        },
        describe: |world, call, id| {
            let volume = simulate::get(world, call, "ec2.volume", call.text("volume_id"));
            json!({
                "snapshot_id": id, "start_time": rfc3339(call.now_ms), "owner_id": call.account,
                "volume_size": volume.map(|o| o.body["size"].clone()), "encrypted": volume.map(|o| o.body["encrypted"].clone()),
            })
        },
        ..Simple::DEFAULT
    },
};

/// Input of `describe_snapshots`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSnapshots.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only these ids; one that does not exist is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_ids: Option<Vec<String>>,
    /// Filters by AWS's names, e.g. `#{"volume-id": volume.id}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

/// The operation `ec2.describe_snapshots`.
pub static DESCRIBE: Operation = Operation {
    name: "ec2.describe_snapshots",
    operation: "DescribeSnapshots",
    doc: "Lists the account's own EBS snapshots, as `#{snapshots: [...]}`. \
          [DescribeSnapshots](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSnapshots.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| simulate::describe(&SNAPSHOT, world, call, "snapshot_ids", "snapshots", &[("status", "state")]),
};

/// The SDK calls.
#[cfg(feature = "live")]
pub mod live {
    use aws_sdk_ec2::types::{Filter, ResourceType, Snapshot};
    use runbook_modules::error::CallError;
    use serde_json::Value;

    use super::super::wire::{self, Listed};
    use crate::live::{
        Clients, Driver, Sent, classify,
        convert::{Described, field},
        empty,
    };

    /// Snapshots.
    pub struct Snapshots;

    fn described(snapshot: &Snapshot) -> Value {
        Described::new()
            .text("id", snapshot.snapshot_id())
            .text("snapshot_id", snapshot.snapshot_id())
            .text("volume_id", snapshot.volume_id())
            .value("volume_size", snapshot.volume_size())
            .text("description", snapshot.description().filter(|text| !text.is_empty()))
            .value("encrypted", snapshot.encrypted())
            .text("owner_id", snapshot.owner_id())
            .text("state", snapshot.state())
            .text("state_message", snapshot.state_message())
            .time("start_time", snapshot.start_time())
            .tags(wire::pairs(snapshot.tags()))
            .done()
    }

    impl Listed for Snapshots {
        const IDS: &'static str = "snapshot_ids";
        const ANSWER: &'static str = "snapshots";

        async fn list(clients: &Clients, ids: Vec<String>, filters: Vec<Filter>) -> Result<Vec<Value>, CallError> {
            let call = clients.ec2.describe_snapshots().owner_ids("self");
            let call = call.set_snapshot_ids(wire::some(ids)).set_filters(wire::some(filters));
            let found = call.into_paginator().items().send().try_collect().await.map_err(classify)?;
            Ok(found.iter().map(described).collect())
        }
    }

    impl Driver for Snapshots {
        async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let input: super::Input = sent.typed()?;
            let call = clients
                .ec2
                .create_snapshot()
                .volume_id(input.volume_id)
                .set_description(input.description)
                .tag_specifications(wire::tags(ResourceType::Snapshot, sent));
            let answer = call.send().await.map_err(wire::making)?;
            if answer.snapshot_id().is_none() {
                return Err(empty("snapshot id"));
            }
            Ok(Described::new()
                .text("id", answer.snapshot_id())
                .text("snapshot_id", answer.snapshot_id())
                .text("volume_id", answer.volume_id())
                .value("volume_size", answer.volume_size())
                .text("state", answer.state())
                .tags(wire::pairs(answer.tags()))
                .done())
        }

        async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
            wire::one::<Self>(clients, field(at, "snapshot_id")).await
        }

        async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
            Self::list(clients, Vec::new(), vec![wire::by_effect(sent)]).await
        }

        async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
            clients.ec2.delete_snapshot().snapshot_id(field(at, "snapshot_id")).send().await.map_err(classify)?;
            Ok(())
        }
    }
}
