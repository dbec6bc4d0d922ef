//! SQS queues.

use std::time::Duration;

use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, Other, holds, is, text},
    lab::Lab,
};

fn asked(lab: &Lab, attributes: Value) -> Value {
    json!({ "queue_name": lab.name("jobs"), "attributes": attributes })
}

/// A queue of this case's own.
pub fn queue(lab: &Lab) -> Result<Value, Other> {
    lab.make("sqs.create_queue", json!({ "queue_name": lab.name("jobs") }))
}

fn at(made: &Value) -> Value {
    json!({ "queue_name": made["queue_name"], "queue_url": made["queue_url"] })
}

/// What SQS calls it in its two protocols.
const MISSING: &[&str] = &["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"];

pub const CASES: &[Case] = &[
    Case {
        name: "a queue is described as it was made",
        aws: "an ARN and a URL with its name; messages kept 4 days, hidden 30 s, not delayed, received at once; the tags",
        page: "sqs/CreateQueue",
        run: |lab| {
            let made = queue(lab)?;
            holds(text(&made, "arn").ends_with(&format!(":{}", lab.name("jobs"))), "another ARN")?;
            holds(text(&made, "queue_url").ends_with(&format!("/{}", lab.name("jobs"))), "another URL")?;
            is(&made, "attributes.message_retention_period", 345_600)?;
            is(&made, "attributes.visibility_timeout", 30)?;
            is(&made, "attributes.delay_seconds", 0)?;
            is(&made, "attributes.receive_message_wait_time_seconds", 0)?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "the settings of a queue",
        aws: "as they were asked for, with its ARN",
        page: "sqs/GetQueueAttributes",
        run: |lab| {
            let statement = json!({
                "Sid": "send", "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" },
                "Action": "sqs:SendMessage", "Resource": "*",
            });
            let policy = json!({ "Version": "2012-10-17", "Statement": [statement] });
            let input = asked(lab, json!({ "message_retention_period": 300, "delay_seconds": 5, "policy": policy }));
            let made = lab.make("sqs.create_queue", input)?;
            let found = lab.call("sqs.get_queue_attributes", json!({ "queue_url": made["queue_url"] })).ok()?;
            is(&found, "attributes.message_retention_period", 300)?;
            is(&found, "attributes.delay_seconds", 5)?;
            is(&found, "attributes.policy", policy)?;
            is(&found, "attributes.queue_arn", made["arn"].clone())
        },
    },
    Case {
        name: "a queue that keeps the order",
        aws: "a FIFO queue, by its name and its setting",
        page: "sqs/CreateQueue",
        run: |lab| {
            let name = format!("{}.fifo", lab.name("jobs"));
            let input = json!({ "queue_name": name, "attributes": { "fifo_queue": true } });
            is(&lab.make("sqs.create_queue", input)?, "attributes.fifo_queue", true)
        },
    },
    Case {
        name: "a queue whose dead letters go to another one",
        aws: "as it was asked for",
        page: "sqs/CreateQueue",
        run: |lab| {
            let dead = json!({ "queue_name": lab.name("dead") });
            let arn = lab.make("sqs.create_queue", dead)?["arn"].clone();
            let redrive = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": 5 });
            let made = lab.make("sqs.create_queue", asked(lab, json!({ "redrive_policy": redrive })))?;
            is(&made, "attributes.redrive_policy.deadLetterTargetArn", arn)
        },
    },
    Case {
        name: "a queue whose dead letters go to one that does not exist",
        aws: "`InvalidParameterValue`",
        page: "sqs/SetQueueAttributes",
        run: |lab| {
            let arn = format!("arn:aws:sqs:us-east-1:123456789012:{}", lab.name("none"));
            let redrive = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": 5 });
            let input = asked(lab, json!({ "redrive_policy": redrive }));
            lab.refused("sqs.create_queue", input, &["InvalidParameterValue"])
        },
    },
    Case {
        name: "a second queue of the same name",
        aws: "`QueueAlreadyExists`; with the same settings SQS itself gives the first one, so our call asks first",
        page: "sqs/CreateQueue",
        run: |lab| {
            lab.refused_again("sqs.create_queue", json!({ "queue_name": lab.name("jobs") }), &["QueueAlreadyExists"])
        },
    },
    Case {
        name: "the settings of a queue that does not exist",
        aws: "`QueueDoesNotExist`, to older clients `AWS.SimpleQueueService.NonExistentQueue`",
        page: "sqs/GetQueueAttributes",
        run: |lab| {
            let url = text(&queue(lab)?, "queue_url").replace(&lab.name("jobs"), &lab.name("none"));
            lab.refused("sqs.get_queue_attributes", json!({ "queue_url": url }), MISSING)
        },
    },
    Case {
        name: "a queue is deleted twice",
        aws: "`QueueDoesNotExist`, to older clients `AWS.SimpleQueueService.NonExistentQueue`",
        page: "sqs/DeleteQueue",
        run: |lab| lab.deleted_twice("sqs.queue", at(&queue(lab)?), MISSING),
    },
    Case {
        name: "a queue of a name that was just deleted",
        aws: "`QueueDeletedRecently`, to older clients `AWS.SimpleQueueService.QueueDeletedRecently`: for a minute",
        page: "sqs/CreateQueue",
        run: |lab| {
            lab.delete("sqs.queue", at(&queue(lab)?)).ok()?;
            let codes = ["AWS.SimpleQueueService.QueueDeletedRecently", "QueueDeletedRecently"];
            lab.refused("sqs.create_queue", json!({ "queue_name": lab.name("jobs") }), &codes)
        },
    },
    Case {
        name: "a queue of a name that was deleted a minute ago",
        aws: "accepted",
        page: "sqs/CreateQueue",
        run: |lab| {
            lab.delete("sqs.queue", at(&queue(lab)?)).ok()?;
            lab.pass(Duration::from_secs(61));
            queue(lab).map(|_| ())
        },
    },
];
