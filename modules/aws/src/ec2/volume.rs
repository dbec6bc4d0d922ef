//! EBS volumes: `create_volume`, `describe_volumes`.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Identity, Meta, same_fields},
    sandbox::sim::Simple,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    REMEMBERED,
    filter::Filters,
    row::{Row, judge_state, text},
    simulate,
};

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
    parents: &[],
    judge: |described| {
        judge_state(text(described, "state"), None, &["available", "in-use"], &["error"], &["deleting", "deleted"])
    },
    differences: same_fields,
    sim: Simple {
        prefix: "vol-",
        state_field: "state",
        states: ("creating", "available", "deleting"),
        token: true,
        blocked: "VolumeInUse",
        missing: "InvalidVolume.NotFound",
        check: |_, call| {
            let zone = call.text("availability_zone");
            if simulate::zones(&call.place.region).iter().any(|known| known == zone) {
                return Ok(());
            }
            Err(CallError::refused("InvalidZone.NotFound", format!("The zone '{zone}' does not exist.")))
        },
        describe: |_, call, id| {
            let kind = call.text("volume_type");
            json!({
                "volume_id": id, "volume_type": if kind.is_empty() { "gp2" } else { kind },
                "create_time": simulate::rfc3339(call.now_ms), "attachments": [],
                "encrypted": call.input.get("encrypted").is_some_and(|v| v == true),
                "availability_zone_id": simulate::zone_id(call.text("availability_zone")),
            })
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
