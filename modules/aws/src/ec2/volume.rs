//! EBS volumes: `create_volume`, `describe_volumes`.

use std::time::Duration;

use runbook_modules::{
    error::{CallError, Class as ErrorClass},
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Identity, Meta, same_fields},
    sandbox::{clock_text::rfc3339, sim::Simple},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{REMEMBERED, filter::Filters, simulate};
use crate::row::{Row, judge_state, text};

/// Input of `create_volume`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The zone; only instances there can use it.
    pub availability_zone: String,
    /// GiB. Needed unless it is made from a snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<i32>,
    /// The snapshot it is made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_id: Option<String>,
    /// `gp3`, `gp2`, `io1`, `io2`, `st1`, `sc1` or `standard`; AWS's own default is gp2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_type: Option<String>,
    /// Operations a second, for gp3, io1 and io2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iops: Option<i32>,
    /// MiB a second, for gp3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput: Option<i32>,
    /// Whether it is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encrypted: Option<bool>,
    /// The key it is encrypted with; AWS's own without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
}

/// The kind `ec2.volume`.
pub static VOLUME: Row = Row {
    meta: &Meta {
        name: "ec2.volume",
        create: "create_volume",
        operations: ("CreateVolume", "DeleteVolume"),
        doc: "Makes an EBS volume. \
              [CreateVolume](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html)",
        identity: Identity::Token { field: "client_token", safe: REMEMBERED, key: false },
        usual: (Duration::from_secs(4), Duration::from_secs(2)),
        cost: Some("EBS volume"),
        replaces: false,
        shared: false,
    },
    schema: input::schema::<Input>,
    check: |map| match input::parse::<Input>(map)? {
        Input { size: None, snapshot_id: None, .. } => Err(InputError::new("size", "needs a size or a snapshot_id")),
        _ => Ok(()),
    },
    locator: &["volume_id"],
    along: &[],
    parents: &[],
    judge: |described| {
        judge_state(text(described, "state"), None, &["available", "in-use"], &["error"], &["deleting", "deleted"])
    },
    differences: same_fields,
    sim: &Simple {
        prefix: "vol-",
        state_field: "state",
        states: ("creating", "available", "deleting"),
        token: true,
        blocked: "VolumeInUse",
        missing: "InvalidVolume.NotFound",
        check: |_, call| {
            let (zone, kind) = (call.text("availability_zone"), call.text("volume_type"));
            if !simulate::zones(&call.place.region).iter().any(|known| known == zone) {
                return Err(CallError::refused("InvalidZone.NotFound", format!("The zone '{zone}' does not exist.")));
            }
            if matches!(kind, "io1" | "io2") && call.input.get("iops").is_none_or(Value::is_null) {
                let message = format!("The parameter iops must be specified for {kind} volumes.");
                return Err(CallError::refused("InvalidParameterCombination", message));
            }
            Ok(())
        },
        check_delete: |_, call, volume| match volume.state(call.now_ms) {
            "in-use" => {
                let message = format!("Volume {} is currently attached to an instance", volume.id);
                Err(CallError::new(ErrorClass::Blocked, "VolumeInUse", message))
            }
            _ => Ok(()),
        },
        describe: |_, call, id| {
            let kind = call.text("volume_type");
            let mut described = json!({
                "volume_id": id, "volume_type": if kind.is_empty() { "gp2" } else { kind },
                "create_time": rfc3339(call.now_ms), "attachments": [],
                "encrypted": call.input.get("encrypted").is_some_and(|v| v == true),
                "availability_zone_id": simulate::zone_id(call.text("availability_zone")),
            });
            for (field, usual) in [("iops", 3000), ("throughput", 125)] {
                if kind == "gp3" && call.input.get(field).is_none_or(Value::is_null) {
                    described[field] = usual.into();
                }
            }
            described
        },
        ..Simple::DEFAULT
    },
};

/// Input of `describe_volumes`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVolumes.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only these ids; one that does not exist is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_ids: Option<Vec<String>>,
    /// Filters by AWS's names, e.g. `#{"tag:kubernetes.io/cluster/redis1-demo-cluster": "owned"}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

/// The operation `ec2.describe_volumes`.
pub static DESCRIBE: Operation = Operation {
    name: "ec2.describe_volumes",
    operation: "DescribeVolumes",
    doc: "Lists EBS volumes, as `#{volumes: [...]}`. \
          [DescribeVolumes](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVolumes.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| {
        let aliases = &[("attachment.instance-id", "attachments.instance_id"), ("status", "state")];
        simulate::describe(&VOLUME, world, call, "volume_ids", "volumes", aliases)
    },
};

/// The SDK calls.
#[cfg(feature = "live")]
pub mod live {
    use aws_sdk_ec2::types::{Filter, ResourceType, Volume};
    use runbook_modules::error::CallError;
    use serde_json::Value;

    use super::super::wire::{self, Listed};
    use crate::live::{
        Clients, Driver, Sent, classify,
        convert::{Described, field},
        empty,
    };

    /// Volumes.
    pub struct Volumes;

    fn described(volume: &Volume) -> Value {
        Described::new()
            .text("id", volume.volume_id())
            .text("volume_id", volume.volume_id())
            .text("availability_zone", volume.availability_zone())
            .text("availability_zone_id", volume.availability_zone_id())
            .value("size", volume.size())
            .text("snapshot_id", volume.snapshot_id().filter(|id| !id.is_empty()))
            .text("volume_type", volume.volume_type())
            .value("iops", volume.iops())
            .value("throughput", volume.throughput())
            .value("encrypted", volume.encrypted())
            .text("kms_key_id", volume.kms_key_id())
            .text("state", volume.state())
            .time("create_time", volume.create_time())
            .list("attachments", volume.attachments(), |attachment| {
                Described::new()
                    .text("instance_id", attachment.instance_id())
                    .text("device", attachment.device())
                    .text("state", attachment.state())
                    .done()
            })
            .tags(wire::pairs(volume.tags()))
            .done()
    }

    impl Listed for Volumes {
        const IDS: &'static str = "volume_ids";
        const ANSWER: &'static str = "volumes";

        async fn list(clients: &Clients, ids: Vec<String>, filters: Vec<Filter>) -> Result<Vec<Value>, CallError> {
            let call = clients.ec2.describe_volumes().set_volume_ids(wire::some(ids)).set_filters(wire::some(filters));
            let volumes = call.into_paginator().items().send().try_collect().await.map_err(classify)?;
            Ok(volumes.iter().map(described).collect())
        }
    }

    impl Driver for Volumes {
        async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let input: super::Input = sent.typed()?;
            let call = clients
                .ec2
                .create_volume()
                .client_token(sent.token)
                .availability_zone(input.availability_zone)
                .set_size(input.size)
                .set_snapshot_id(input.snapshot_id)
                .set_volume_type(input.volume_type.as_deref().map(Into::into))
                .set_iops(input.iops)
                .set_throughput(input.throughput)
                .set_encrypted(input.encrypted)
                .set_kms_key_id(input.kms_key_id)
                .tag_specifications(wire::tags(ResourceType::Volume, sent));
            let answer = call.send().await.map_err(wire::making)?;
            if answer.volume_id().is_none() {
                return Err(empty("volume id"));
            }
            Ok(Described::new()
                .text("id", answer.volume_id())
                .text("volume_id", answer.volume_id())
                .text("availability_zone", answer.availability_zone())
                .value("size", answer.size())
                .text("volume_type", answer.volume_type())
                .value("iops", answer.iops())
                .value("encrypted", answer.encrypted())
                .text("state", answer.state())
                .time("create_time", answer.create_time())
                .tags(wire::pairs(answer.tags()))
                .done())
        }

        async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
            let volume = wire::one::<Self>(clients, field(at, "volume_id")).await?;
            Ok(volume.filter(|volume| field(volume, "state") != "deleted"))
        }

        async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
            let mut found = Self::list(clients, Vec::new(), vec![wire::by_effect(sent)]).await?;
            found.retain(|volume| !matches!(field(volume, "state"), "deleting" | "deleted"));
            Ok(found)
        }

        async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
            clients.ec2.delete_volume().volume_id(field(at, "volume_id")).send().await.map_err(classify)?;
            Ok(())
        }

        async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String> {
            let volume = self.read(clients, at).await.ok().flatten();
            let attachments = volume.as_ref().and_then(|volume| volume.get("attachments")).and_then(Value::as_array);
            attachments.into_iter().flatten().map(|a| format!("attached to {}", field(a, "instance_id"))).collect()
        }
    }
}
