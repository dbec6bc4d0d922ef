//! `sqs.queue`: a queue with its settings and its policy.

use std::time::Duration;

use runbook_modules::{
    error::{CallError, Class as ErrorClass},
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

use crate::{
    iam::document::{self, Document},
    row::{Difference, Row, once_told, text},
    simulate::having,
};

/// What makes a queue. See <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name, unique in the region; a FIFO queue's ends in `.fifo`.
    pub queue_name: String,
    /// Its settings; SQS's own where left out.
    pub attributes: Option<Attributes>,
}

/// The settings of a queue.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attributes {
    /// Seconds for which a message is kept: 60 to 1,209,600.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_retention_period: Option<i64>,
    /// Seconds for which a message that was received is hidden from others: 0 to 43,200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility_timeout: Option<i64>,
    /// Seconds after which a new message is seen: 0 to 900.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_seconds: Option<i64>,
    /// Seconds for which a receiver waits for a message: 0 to 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receive_message_wait_time_seconds: Option<i64>,
    /// The longest message in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_message_size: Option<i64>,
    /// Whether messages are encrypted with SQS's own key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sqs_managed_sse_enabled: Option<bool>,
    /// Or with this key of KMS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_master_key_id: Option<String>,
    /// First in, first out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fifo_queue: Option<bool>,
    /// Who may do what with the queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Document>,
    /// Where messages go that nobody could work on: `#{ "deadLetterTargetArn": …, "maxReceiveCount": 5 }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redrive_policy: Option<Document>,
}

static META: Meta = Meta {
    name: "sqs.queue",
    create: "create_queue",
    operations: ("CreateQueue", "DeleteQueue"),
    doc: "Makes a queue.\n\nA name that was deleted can be used again after 60 seconds, which is waited for. See the \
          [SQS reference](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html).",
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
    locator: &["queue_name"],
    along: &["queue_url"],
    parents: &["attributes.kms_master_key_id"],
    judge: |described| once_told(described, "arn"),
    differences,
    sim: &SIM,
};

fn check(value: &Value) -> Result<(), InputError> {
    let typed = input::parse::<Input>(value)?;
    let attributes = typed.attributes.unwrap_or_default();
    let name = typed.queue_name;
    let stem = name.strip_suffix(".fifo").unwrap_or(&name);
    let letters = stem.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_".contains(&c));
    if stem.is_empty() || !letters || name.len() > 80 {
        return Err(InputError::new(
            "queue_name",
            format!("{name:?} must be 1 to 80 letters, digits, hyphens and underscores"),
        ));
    }
    if name.ends_with(".fifo") != (attributes.fifo_queue == Some(true)) {
        return Err(InputError::new(
            "attributes.fifo_queue",
            "is true for a queue whose name ends in .fifo, and only there",
        ));
    }
    let within = |field: &str, value: Option<i64>, from: i64, to: i64| match value {
        Some(value) if !(from..=to).contains(&value) => {
            Err(InputError::new(format!("attributes.{field}"), format!("{value} is not within {from} and {to}")))
        }
        _ => Ok(()),
    };
    within("message_retention_period", attributes.message_retention_period, 60, 1_209_600)?;
    within("visibility_timeout", attributes.visibility_timeout, 0, 43_200)?;
    within("delay_seconds", attributes.delay_seconds, 0, 900)?;
    within("receive_message_wait_time_seconds", attributes.receive_message_wait_time_seconds, 0, 20)
}

/// The settings with their documents as maps.
pub(super) fn normal(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(attributes) = value.get_mut("attributes") {
        *attributes = document::with_normal(&document::with_normal(attributes, "policy"), "redrive_policy");
    }
    value
}

fn differences(input: &Value, described: &Value) -> Vec<Difference> {
    same_fields(&normal(input), &normal(described))
}

/// For how long a deleted name cannot be used again.
const TAKEN_MS: i64 = 60_000;

static SIM: Simple = Simple {
    id: |call| call.text("queue_name").to_owned(),
    unique: (&["queue_name"], "QueueAlreadyExists"),
    missing: "AWS.SimpleQueueService.NonExistentQueue",
    check: |world, call| {
        let recent = |gone: i64| call.now_ms < gone + TAKEN_MS;
        let mut same = world.stored(META.name, &call.place.region).filter(|queue| queue.id == call.text("queue_name"));
        if same.any(|queue| queue.gone_at.is_some_and(recent)) {
            let text =
                "You must wait 60 seconds after deleting a queue before you can create another with the same name.";
            return Err(CallError::new(ErrorClass::NotYet, "AWS.SimpleQueueService.QueueDeletedRecently", text));
        }
        let redrive = call.input["attributes"].get("redrive_policy").map(document::normal).unwrap_or_default();
        let dead = text(&redrive, "deadLetterTargetArn");
        if !dead.is_empty() && having(world, META.name, &call.place.region, call.now_ms, "arn", dead).next().is_none() {
            let text = format!(
                "Value {redrive} for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist."
            );
            return Err(CallError::refused("InvalidParameterValue", text));
        }
        Ok(())
    },
    describe: |_, call, id| {
        let (region, account) = (&call.place.region, call.account);
        let given = |field: &str, usual: Value| call.input["attributes"].get(field).cloned().unwrap_or(usual);
        let mut attributes = json!({
            "message_retention_period": given("message_retention_period", 345_600.into()),
            "visibility_timeout": given("visibility_timeout", 30.into()),
            "delay_seconds": given("delay_seconds", 0.into()),
            "receive_message_wait_time_seconds": given("receive_message_wait_time_seconds", 0.into()),
        });
        if let Some(policy) = call.input["attributes"].get("policy") {
            attributes["policy"] = document::normal(policy);
        }
        json!({
            "name": id, "arn": format!("arn:aws:sqs:{region}:{account}:{id}"),
            "queue_url": format!("https://sqs.{region}.amazonaws.com/{account}/{id}"), "attributes": attributes,
        })
    },
    ..Simple::DEFAULT
};

/// Which queue is asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Get {
    /// The queue's URL.
    pub queue_url: String,
}

/// `sqs.get_queue_attributes`.
pub static GET_ATTRIBUTES: Operation = Operation {
    name: "sqs.get_queue_attributes",
    operation: "GetQueueAttributes",
    doc: "The settings of a queue, as `#{attributes: #{...}}`.\n\nSee the \
          [SQS reference](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html).",
    class: Class::Read,
    schema: input::schema::<Get>,
    check: input::check::<Get>,
    token: None,
    settle: None,
    sim: get,
};

fn get(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let url = call.text("queue_url");
    let mut found = having(world, META.name, &call.place.region, call.now_ms, "queue_url", url);
    match found.next() {
        Some(queue) => {
            let mut attributes = queue.body["attributes"].clone();
            attributes["queue_arn"] = text(&queue.body, "arn").into();
            Ok(json!({ "attributes": attributes }))
        }
        None => Err(CallError::not_found(
            "AWS.SimpleQueueService.NonExistentQueue",
            format!("The specified queue does not exist: {url}"),
        )),
    }
}
