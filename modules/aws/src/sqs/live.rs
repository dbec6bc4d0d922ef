//! CreateQueue, GetQueueUrl, GetQueueAttributes, DeleteQueue.

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName;
use runbook_modules::error::{CallError, Class};
use serde_json::{Map, Value, json};

use super::queue::{self, Input};
use crate::live::{
    Call, Clients, Driver, Sent, classify,
    convert::{self, Described, field},
    empty,
};

pub(super) struct Queue;
pub(super) struct GetAttributes;

/// Our names of the settings, with SQS's own.
const NAMES: [(&str, &str); 10] = [
    ("message_retention_period", "MessageRetentionPeriod"),
    ("visibility_timeout", "VisibilityTimeout"),
    ("delay_seconds", "DelaySeconds"),
    ("receive_message_wait_time_seconds", "ReceiveMessageWaitTimeSeconds"),
    ("maximum_message_size", "MaximumMessageSize"),
    ("sqs_managed_sse_enabled", "SqsManagedSseEnabled"),
    ("kms_master_key_id", "KmsMasterKeyId"),
    ("fifo_queue", "FifoQueue"),
    ("policy", "Policy"),
    ("redrive_policy", "RedrivePolicy"),
];

/// SQS's codes carry a prefix of their own.
fn sorted(error: CallError) -> CallError {
    let class = match error.code.rsplit('.').next().unwrap_or_default() {
        "NonExistentQueue" | "QueueDoesNotExist" => Class::NotFound,
        "QueueDeletedRecently" => Class::NotYet,
        "QueueAlreadyExists" | "QueueNameExists" => Class::AlreadyExists,
        _ => error.class,
    };
    CallError { class, ..error }
}

/// SQS takes every setting as a text.
fn settings(input: &Value) -> HashMap<QueueAttributeName, String> {
    let of = |name: &str| input.get("attributes").and_then(|attributes| attributes.get(name)).filter(|v| !v.is_null());
    let given = NAMES.iter().filter_map(|(ours, theirs)| Some((*theirs, of(ours)?)));
    given
        .map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (QueueAttributeName::from(name), text)
        })
        .collect()
}

/// And answers every setting as a text.
fn described_settings(found: &HashMap<QueueAttributeName, String>) -> Value {
    let one = |(ours, theirs): &(&str, &str)| {
        let text = found.get(&QueueAttributeName::from(*theirs))?;
        let value = match *ours {
            "policy" | "redrive_policy" | "kms_master_key_id" => Value::from(text.as_str()),
            _ => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str())),
        };
        Some(((*ours).to_owned(), value))
    };
    let attributes: Map<String, Value> = NAMES.iter().filter_map(one).collect();
    queue::normal(&json!({ "attributes": attributes }))["attributes"].clone()
}

async fn attributes(clients: &Clients, url: &str) -> Result<HashMap<QueueAttributeName, String>, CallError> {
    let request = clients.sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All);
    Ok(request.send().await.map_err(classify).map_err(sorted)?.attributes.unwrap_or_default())
}

/// The URL of a queue; None: there is none of this name.
async fn url(clients: &Clients, name: &str) -> Result<Option<String>, CallError> {
    match clients.sqs.get_queue_url().queue_name(name).send().await.map_err(classify).map_err(sorted) {
        Ok(answer) => answer.queue_url.ok_or_else(|| empty("queue URL")).map(Some),
        Err(error) if error.class == Class::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn described(
    name: &str, url: &str, arn: Option<&String>, settings: Value, tags: Option<&HashMap<String, String>>,
) -> Value {
    Described::new()
        .text("id", Some(name))
        .text("name", Some(name))
        .text("queue_name", Some(name))
        .text("queue_url", Some(url))
        .text("arn", arn)
        .value("attributes", Some(settings))
        .tag_map(tags)
        .done()
}

impl Driver for Queue {
    /// SQS gives one that stands as if it had made it, so it is looked for first.
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let Input { queue_name, .. } = sent.typed()?;
        if url(clients, &queue_name).await?.is_some() {
            let text = format!("A queue named {queue_name} stands already");
            return Err(CallError::new(Class::AlreadyExists, "QueueAlreadyExists", text));
        }
        let tags = convert::hash_map(sent.tags);
        let request = clients.sqs.create_queue().queue_name(&queue_name);
        let request = request.set_attributes(Some(settings(sent.input))).set_tags(Some(tags.clone()));
        let answer = request.send().await.map_err(classify).map_err(sorted)?;
        let settings = queue::normal(sent.input)["attributes"].clone();
        Ok(described(&queue_name, answer.queue_url().unwrap_or_default(), None, settings, Some(&tags)))
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let name = field(at, "queue_name");
        let Some(url) = url(clients, name).await? else { return Ok(None) };
        let found = match attributes(clients, &url).await {
            Err(error) if error.class == Class::NotFound => return Ok(None),
            other => other?,
        };
        let tags = clients.sqs.list_queue_tags().queue_url(&url).send().await.map_err(classify).map_err(sorted)?;
        let arn = found.get(&QueueAttributeName::QueueArn);
        Ok(Some(described(name, &url, arn, described_settings(&found), tags.tags())))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let name = field(at, "queue_name");
        let url = match field(at, "queue_url") {
            "" => url(clients, name).await?,
            url => Some(url.to_owned()),
        };
        let gone = || CallError::new(Class::NotFound, "NonExistentQueue", format!("there is no queue {name}"));
        let request = clients.sqs.delete_queue().queue_url(url.ok_or_else(gone)?);
        request.send().await.map_err(classify).map_err(sorted).map(|_| ())
    }
}

impl Call for GetAttributes {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let queue::Get { queue_url } = sent.typed()?;
        let found = attributes(clients, &queue_url).await?;
        let mut described = described_settings(&found);
        described["queue_arn"] =
            found.get(&QueueAttributeName::QueueArn).map(String::as_str).unwrap_or_default().into();
        Ok(json!({ "attributes": described }))
    }
}

#[cfg(test)]
mod tests {
    use runbook_modules::error::Class;
    use serde_json::json;

    use crate::{
        live::testing::{Answer, Wire, json_answer, sent, tag_json, tags},
        sqs::driver,
    };

    const URL: &str = "https://sqs.us-east-1.amazonaws.com/1/q";

    fn missing() -> Answer {
        json_answer(
            400,
            json!({ "__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "The specified queue does not exist." }),
        )
    }

    #[tokio::test]
    async fn create_queue_sends_settings_as_texts_and_tags() {
        let wire = Wire::answering([missing(), json_answer(200, json!({ "QueueUrl": URL }))]);
        let policy = json!({ "Statement": [] });
        let input = json!({ "queue_name": "q", "attributes": { "message_retention_period": 300, "sqs_managed_sse_enabled": true, "policy": policy } });
        let tags = tags();
        let made = driver("sqs.queue").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap();
        assert_eq!((&made["queue_url"], &made["attributes"]["policy"]), (&json!(URL), &policy));
        let body = wire.seen()[1].json();
        let sent =
            json!({ "MessageRetentionPeriod": "300", "SqsManagedSseEnabled": "true", "Policy": r#"{"Statement":[]}"# });
        assert_eq!((&body["QueueName"], &body["Attributes"], &body["tags"]), (&json!("q"), &sent, &tag_json()));
        assert_eq!(wire.seen()[1].target, "AmazonSQS.CreateQueue");
    }

    #[tokio::test]
    async fn a_queue_that_stands_is_not_taken_for_a_new_one() {
        let attributes = json!({ "Attributes": { "MessageRetentionPeriod": "300", "QueueArn": "arn:q", "Policy": r#"{"Statement":[]}"# } });
        let wire = Wire::answering([
            json_answer(200, json!({ "QueueUrl": URL })),
            json_answer(200, json!({ "QueueUrl": URL })),
            json_answer(200, attributes),
            json_answer(200, json!({ "Tags": { "Name": "web" } })),
            json_answer(200, json!({})),
            missing(),
        ]);
        let (input, tags) = (json!({ "queue_name": "q" }), tags());
        let queue = driver("sqs.queue").unwrap();
        let error = queue.create(&wire.clients, &sent(&input, &tags)).await.unwrap_err();
        assert_eq!(error.class, Class::AlreadyExists);
        let found = queue.read(&wire.clients, &input).await.unwrap().unwrap();
        assert_eq!((&found["arn"], &found["tags"]), (&json!("arn:q"), &json!({ "Name": "web" })));
        assert_eq!(found["attributes"], json!({ "message_retention_period": 300, "policy": { "Statement": [] } }));
        queue.delete(&wire.clients, &json!({ "queue_name": "q", "queue_url": URL }), None).await.unwrap();
        assert_eq!(queue.read(&wire.clients, &input).await.unwrap(), None);
        assert_eq!(wire.seen()[4].json()["QueueUrl"], URL);
    }

    #[tokio::test]
    async fn a_name_that_was_just_deleted_is_tried_again() {
        let recent =
            json!({ "__type": "com.amazonaws.sqs#QueueDeletedRecently", "message": "You must wait 60 seconds" });
        let wire = Wire::answering([missing(), json_answer(400, recent)]);
        let (input, tags) = (json!({ "queue_name": "q" }), tags());
        let error = driver("sqs.queue").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap_err();
        assert_eq!(error.class, Class::NotYet);
    }
}
