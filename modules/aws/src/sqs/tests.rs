//! What the sandbox's SQS answers and refuses.

use runbook_modules::{error::Class, resource::Kind};
use serde_json::{Value, json};

use super::queue;
use crate::testing::{Lab, code};

fn asked() -> Value {
    let statement = json!({ "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" }, "Action": "sqs:SendMessage", "Resource": "*" });
    json!({
        "queue_name": "Karpenter-c",
        "attributes": {
            "message_retention_period": 300, "sqs_managed_sse_enabled": true,
            "policy": { "Version": "2012-10-17", "Statement": [statement] },
        },
    })
}

#[test]
fn a_queue_has_a_url_and_its_settings() {
    let lab = Lab::new();
    let made = lab.make("sqs.create_queue", asked());
    assert_eq!(made["queue_url"], "https://sqs.us-east-1.amazonaws.com/123456789012/Karpenter-c");
    let found = lab.call("sqs.get_queue_attributes", json!({ "queue_url": made["queue_url"] })).unwrap();
    assert_eq!(found["attributes"]["message_retention_period"], 300);
    assert_eq!(found["attributes"]["queue_arn"], "arn:aws:sqs:us-east-1:123456789012:Karpenter-c");
    let text =
        json!({ "queue_name": "Karpenter-c", "attributes": { "policy": asked()["attributes"]["policy"].to_string() } });
    assert_eq!(queue::KIND.differences(&text, &made), [], "a policy as text is the same policy");
}

#[test]
fn a_deleted_name_is_taken_for_a_minute() {
    let lab = Lab::new();
    lab.make("sqs.create_queue", asked());
    let error = lab.call("sqs.create_queue", asked()).unwrap_err();
    assert_eq!(error.class, Class::AlreadyExists);
    lab.delete("sqs.queue", json!({ "queue_name": "Karpenter-c" })).unwrap();
    let error = lab.call("sqs.create_queue", asked()).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::NotYet, "AWS.SimpleQueueService.QueueDeletedRecently"));
    lab.pass(61);
    lab.make("sqs.create_queue", asked());
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let wrong = |input: Value| queue::KIND.check(&input).unwrap_err().path;
    let retention = json!({ "queue_name": "q", "attributes": { "message_retention_period": 30 } });
    assert_eq!(wrong(retention), "attributes.message_retention_period");
    assert_eq!(wrong(json!({ "queue_name": "q.fifo" })), "attributes.fifo_queue");
    assert_eq!(wrong(json!({ "queue_name": "a b" })), "queue_name");
}

#[test]
fn dead_letters_go_to_a_queue_that_stands() {
    let lab = Lab::new();
    let redrive = json!({ "deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": 5 });
    let input = json!({ "queue_name": "jobs", "attributes": { "redrive_policy": redrive } });
    assert_eq!(code(lab.call("sqs.create_queue", input.clone())), "InvalidParameterValue");
    let dead = lab.make("sqs.create_queue", json!({ "queue_name": "dead" }));
    assert_eq!(dead["attributes"]["delay_seconds"], 0);
    lab.make("sqs.create_queue", input);
}
