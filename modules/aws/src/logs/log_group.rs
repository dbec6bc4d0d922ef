//! `logs.log_group`: where a service writes its log streams.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Identity, Kind, Meta, same_fields},
    sandbox::{
        sim::{Sim, SimCall, Simple},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::retention_policy;
use crate::row::{Row, once_told, text};

/// What makes a log group. See <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name, unique in account and region, e.g. `/aws/eks/web/cluster`. AWS WAF asks for `aws-waf-logs-…`.
    pub log_group_name: String,
    /// ARN of the key that encrypts it; it must let `logs.REGION.amazonaws.com` use it.
    pub kms_key_id: Option<String>,
    /// `STANDARD` (when left out), `INFREQUENT_ACCESS` or `DELIVERY`.
    pub log_group_class: Option<String>,
}

pub(super) static META: Meta = Meta {
    name: "logs.log_group",
    create: "create_log_group",
    operations: ("CreateLogGroup", "DeleteLogGroup"),
    doc: "Makes a log group.\n\nIt keeps what is written for ever, unless `logs.put_retention_policy` says for how long. Make it before \
          the service that writes to it: EKS makes `/aws/eks/NAME/cluster` by itself otherwise, and again after it was deleted while the cluster \
          still writes; `logs.adopt_log_group` takes over one that stands. See the \
          [CloudWatch Logs reference](https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html).",
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
    check,
    locator: &["log_group_name"],
    along: &[],
    parents: &["kms_key_id"],
    judge: |described| once_told(described, "arn"),
    differences: same_fields,
    sim: &SIM,
};

pub(super) fn check(value: &Value) -> Result<(), InputError> {
    input::check::<Input>(value)?;
    let name = text(value, "log_group_name");
    let allowed = name.chars().all(|c| c.is_ascii_alphanumeric() || "_-/.#".contains(c));
    if name.is_empty() || name.len() > 512 || !allowed {
        return Err(InputError::new(
            "log_group_name",
            format!("must be 1 to 512 letters, digits and _-/.#, not {name:?}"),
        ));
    }
    match text(value, "kms_key_id") {
        "" => Ok(()),
        arn if arn.starts_with("arn:") => Ok(()),
        id => Err(InputError::new("kms_key_id", format!("must be the key's ARN, not {id:?}"))),
    }
}

pub(super) static SIM: Simple = Simple {
    id: |call| call.text("log_group_name").to_owned(),
    unique: (&["log_group_name"], "ResourceAlreadyExistsException"),
    missing: "ResourceNotFoundException",
    check: refuse,
    describe: |_, call, id| described(call, id),
    deleted: |world, call, group| {
        if crate::eks::writes_to(world, call, &group.id) {
            put(world, call, &group.id, call.now_ms + AGAIN_MS);
        }
    },
    ..Simple::DEFAULT
};

/// From the deletion of a log group to its next line, by a service that still writes to it.
const AGAIN_MS: i64 = 5_000;

pub(super) fn refuse(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    match call.text("kms_key_id") {
        "" => Ok(()),
        key => crate::kms::key::usable(world, call, key).map(|_| ()).map_err(|_| {
            let text = "The specified KMS Key Id could not be found or is not enabled.";
            CallError::refused("InvalidParameterException", text)
        }),
    }
}

/// The description of a new log group.
pub(super) fn described(call: &SimCall<'_>, id: &str) -> Value {
    let class = if call.text("log_group_class").is_empty() { "STANDARD" } else { call.text("log_group_class") };
    json!({
        "name": id, "log_group_name": id, "log_group_class": class,
        "arn": format!("arn:aws:logs:{}:{}:log-group:{id}", call.place.region, call.account),
    })
}

/// A log group that no request of a script made (EKS, a Lambda function, Fluent Bit), for the sandbox's own services. It is there
/// from `from_ms` on.
pub fn put(world: &mut World, call: &SimCall<'_>, name: &str, from_ms: i64) {
    let region = &call.place.region;
    if world.get(META.name, region, name, call.now_ms).is_some() {
        return;
    }
    world.put(Object {
        kind: META.name.to_owned(),
        place: region.clone(),
        id: name.to_owned(),
        body: described(call, name),
        tags: std::collections::BTreeMap::new(),
        token: String::new(),
        input: Value::Null,
        refs: Vec::new(),
        owner: None,
        states: vec![(from_ms, String::new())],
        gone_at: None,
    });
}

/// Which log groups are asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only those whose name begins so.
    pub log_group_name_prefix: Option<String>,
}

/// `logs.describe_log_groups`.
pub static DESCRIBE: Operation = Operation {
    name: "logs.describe_log_groups",
    operation: "DescribeLogGroups",
    doc: "Lists log groups, as `#{log_groups: [...]}`.\n\nSee the \
          [CloudWatch Logs reference](https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html).",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| {
        let prefix = call.text("log_group_name_prefix");
        let groups =
            world.list(META.name, &call.place.region, call.now_ms).filter(|group| group.id.starts_with(prefix));
        let described = |group: &Object| {
            let mut described = SIM.description(group, call.now_ms);
            if let Some(kept) = world.get(retention_policy::META.name, &group.place, &group.id, call.now_ms) {
                described["retention_in_days"] = kept.body["retention_in_days"].clone();
            }
            described
        };
        let groups: Value = groups.map(described).collect();
        Ok(json!({ "log_groups": groups }))
    },
};

/// Which log group goes.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// Its name.
    pub log_group_name: String,
}

/// `logs.delete_log_group`.
pub static DELETE: Operation = Operation {
    name: "logs.delete_log_group",
    operation: "DeleteLogGroup",
    doc: "Deletes a log group that this run does not own (an agent made it), with all that was written.\n\nSee the \
          [CloudWatch Logs reference](https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogGroup.html).",
    class: Class::Delete,
    schema: input::schema::<Delete>,
    check: input::check::<Delete>,
    token: None,
    settle: None,
    sim: |world, call| {
        let kind: &dyn Kind = &KIND;
        SIM.delete(kind, world, call, None).map(|()| json!({}))
    },
};
