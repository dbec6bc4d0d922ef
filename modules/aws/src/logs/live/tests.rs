//! The shape of the requests to CloudWatch Logs, on the real SDK client.

use runbook_modules::error::Class;
use serde_json::{Value, json};

use crate::{
    live::testing::{Wire, json_answer, sent, tag_json, tags},
    logs::{call, driver},
};

const NAME: &str = "/aws/eks/web/cluster";
const ARN: &str = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/eks/web/cluster";

fn groups(retention: Value) -> (u16, String) {
    let other = json!({ "logGroupName": format!("{NAME}-old"), "logGroupArn": "arn:other" });
    let mut group = json!({ "logGroupName": NAME, "logGroupArn": ARN, "logGroupClass": "STANDARD" });
    if !retention.is_null() {
        group["retentionInDays"] = retention;
    }
    json_answer(200, json!({ "logGroups": [other, group] }))
}

fn refusal(code: &str) -> (u16, String) {
    json_answer(400, json!({ "__type": code, "message": "no" }))
}

#[tokio::test]
async fn a_group_is_made_with_its_tags_and_read_by_its_whole_name() {
    let wire = Wire::answering([
        json_answer(200, json!({})),
        groups(Value::Null),
        json_answer(200, json!({ "tags": tag_json() })),
    ]);
    let group = driver("logs.log_group").unwrap();
    let (input, tags) = (json!({ "log_group_name": NAME, "kms_key_id": "arn:key" }), tags());
    let made = group.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!((&made["id"], &made["tags"]), (&json!(NAME), &tag_json()));
    let found = group.read(&wire.clients, &input).await.unwrap().unwrap();
    assert_eq!((&found["arn"], &found["tags"]), (&json!(ARN), &tag_json()));
    let seen = wire.seen();
    assert_eq!(seen[0].target, "Logs_20140328.CreateLogGroup");
    assert_eq!(seen[0].json(), json!({ "logGroupName": NAME, "kmsKeyId": "arn:key", "tags": tag_json() }));
    assert_eq!(seen[1].json(), json!({ "logGroupNamePrefix": NAME }));
    assert_eq!(seen[2].json(), json!({ "resourceArn": ARN }));
}

#[tokio::test]
async fn answers_are_sorted_into_classes() {
    let (input, tags) = (json!({ "log_group_name": NAME }), tags());
    for (code, class) in [
        ("ResourceAlreadyExistsException", Class::AlreadyExists),
        ("LimitExceededException", Class::Refused),
        ("ThrottlingException", Class::Throttled),
    ] {
        let wire = Wire::answering([refusal(code)]);
        let error = driver("logs.log_group").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap_err();
        assert_eq!((error.class, error.code.as_str()), (class, code));
    }
}

#[tokio::test]
async fn a_group_that_stands_is_tagged_and_taken_over() {
    let done = || json_answer(200, json!({}));
    let wire = Wire::answering([
        refusal("ResourceAlreadyExistsException"),
        groups(Value::Null),
        done(),
        groups(Value::Null),
        json_answer(200, json!({ "tags": tag_json() })),
    ]);
    let (input, tags) = (json!({ "log_group_name": NAME }), tags());
    let taken = driver("logs.adopted_log_group").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!(taken["tags"], tag_json());
    let tagging = &wire.seen()[2];
    assert_eq!(tagging.target, "Logs_20140328.TagResource");
    assert_eq!(tagging.json(), json!({ "resourceArn": ARN, "tags": tag_json() }));
}

#[tokio::test]
async fn retention_goes_back_to_what_it_was() {
    let done = || json_answer(200, json!({}));
    let wire = Wire::answering([groups(json!(30)), done(), done(), done()]);
    let retention = driver("logs.retention_policy").unwrap();
    let (input, tags) = (json!({ "log_group_name": NAME, "retention_in_days": 90 }), tags());
    let before = retention.read(&wire.clients, &input).await.unwrap().unwrap();
    assert_eq!(before["retention_in_days"], 30);
    retention.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    retention.delete(&wire.clients, &input, Some(&before)).await.unwrap();
    retention.delete(&wire.clients, &input, None).await.unwrap();
    let seen = wire.seen();
    assert_eq!(seen[1].json(), json!({ "logGroupName": NAME, "retentionInDays": 90 }));
    assert_eq!(seen[2].json(), json!({ "logGroupName": NAME, "retentionInDays": 30 }));
    assert_eq!(seen[3].target, "Logs_20140328.DeleteRetentionPolicy");
}

#[tokio::test]
async fn groups_are_listed_and_deleted_by_hand() {
    let wire = Wire::answering([groups(json!(30)), json_answer(200, json!({}))]);
    let tags = tags();
    let prefix = json!({ "log_group_name_prefix": "/aws/eks" });
    let listed = call("logs.describe_log_groups").unwrap().call(&wire.clients, &sent(&prefix, &tags)).await.unwrap();
    assert_eq!(listed["log_groups"][1]["retention_in_days"], 30);
    let which = json!({ "log_group_name": NAME });
    call("logs.delete_log_group").unwrap().call(&wire.clients, &sent(&which, &tags)).await.unwrap();
    assert_eq!(wire.seen()[1].target, "Logs_20140328.DeleteLogGroup");
}
