//! The shape of the requests to KMS, on the real SDK client.

use runbook_modules::{error::Class, target::EFFECT_TAG};
use serde_json::{Value, json};

use crate::{
    kms::{call, driver},
    live::testing::{TOKEN, Wire, json_answer, sent, tag_json, tags},
};

const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

fn metadata(state: &str) -> (u16, String) {
    let arn = format!("arn:aws:kms:us-east-1:123456789012:key/{ID}");
    json_answer(200, json!({ "KeyMetadata": { "KeyId": ID, "Arn": arn, "KeyState": state, "Enabled": true } }))
}

fn tagged(value: &str) -> (u16, String) {
    json_answer(200, json!({ "Tags": [{ "TagKey": EFFECT_TAG, "TagValue": value }], "Truncated": false }))
}

fn policy() -> (u16, String) {
    json_answer(200, json!({ "Policy": "{\"Statement\":[]}", "PolicyName": "default" }))
}

fn refusal(code: &str, message: &str) -> (u16, String) {
    json_answer(400, json!({ "__type": code, "message": message }))
}

#[tokio::test]
async fn create_key_sends_policy_and_tags_in_one_request() {
    let wire = Wire::answering([metadata("Enabled")]);
    let input = json!({ "description": "secrets", "policy": { "Statement": [] }, "multi_region": true, "pending_window_in_days": 7 });
    let tags = tags();
    let made = driver("kms.key").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!((&made["id"], &made["pending_window_in_days"], &made["tags"]), (&json!(ID), &json!(7), &tag_json()));
    let seen = wire.seen();
    assert_eq!((seen.len(), seen[0].target.as_str()), (1, "TrentService.CreateKey"));
    let body = seen[0].json();
    assert_eq!((&body["Policy"], &body["MultiRegion"]), (&json!(r#"{"Statement":[]}"#), &json!(true)));
    assert_eq!(body["Tags"].as_array().unwrap().len(), tags.len());
}

#[tokio::test]
async fn a_key_is_found_by_its_tag_and_read_with_policy_and_window() {
    let keys = json!({ "Keys": [{ "KeyId": "aws-own" }, { "KeyId": "other" }, { "KeyId": ID }], "Truncated": false });
    let wire = Wire::answering([
        json_answer(200, keys),
        refusal("AccessDeniedException", "no"),
        tagged("another"),
        tagged(&TOKEN[..32]),
        metadata("Enabled"),
        tagged(&TOKEN[..32]),
        policy(),
    ]);
    let (input, tags) = (json!({ "pending_window_in_days": 7 }), tags());
    let found = driver("kms.key").unwrap().find(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0]["id"], &found[0]["pending_window_in_days"]), (&json!(ID), &json!(7)));
    assert_eq!(found[0]["policy"], json!({ "Statement": [] }));
}

#[tokio::test]
async fn a_deletion_is_scheduled_and_counts_as_done() {
    let wire = Wire::answering([
        json_answer(200, json!({ "KeyId": ID })),
        refusal("KMSInvalidStateException", "arn is pending deletion."),
        metadata("PendingDeletion"),
        refusal("NotFoundException", "no"),
    ]);
    let key = driver("kms.key").unwrap();
    let at = json!({ "key_id": ID, "pending_window_in_days": 7 });
    key.delete(&wire.clients, &at, None).await.unwrap();
    key.delete(&wire.clients, &at, None).await.unwrap();
    assert_eq!(key.read(&wire.clients, &at).await.unwrap(), None);
    assert_eq!(key.read(&wire.clients, &at).await.unwrap(), None);
    assert_eq!(wire.seen()[0].json(), json!({ "KeyId": ID, "PendingWindowInDays": 7 }));
}

#[tokio::test]
async fn an_alias_is_made_listed_and_deleted() {
    let alias = json!({ "AliasName": "alias/web", "AliasArn": "arn:alias", "TargetKeyId": ID });
    let other = json!({ "AliasName": "alias/aws/s3", "AliasArn": "arn:s3" });
    let wire = Wire::answering([
        json_answer(200, json!({})),
        json_answer(200, json!({ "Aliases": [other, alias], "Truncated": false })),
        json_answer(200, json!({})),
        refusal("AlreadyExistsException", "no"),
    ]);
    let (input, tags) =
        (json!({ "alias_name": "alias/web", "target_key_id": format!("arn:aws:kms:r:1:key/{ID}") }), tags());
    let alias = driver("kms.alias").unwrap();
    let made = alias.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!(made["target_key_id"], ID);
    let found = alias.read(&wire.clients, &input).await.unwrap().unwrap();
    assert_eq!((&found["arn"], &found["target_key_id"], found.get("tags")), (&json!("arn:alias"), &json!(ID), None));
    alias.delete(&wire.clients, &input, None).await.unwrap();
    assert_eq!(wire.seen()[2].json(), json!({ "AliasName": "alias/web" }));
    let error = alias.create(&wire.clients, &sent(&input, &tags)).await.unwrap_err();
    assert_eq!(error.class, Class::AlreadyExists);
}

#[tokio::test]
async fn rotation_is_enabled_and_asked_for() {
    let status = json!({ "KeyId": ID, "KeyRotationEnabled": true, "RotationPeriodInDays": 365 });
    let wire = Wire::answering([json_answer(200, json!({})), json_answer(200, status)]);
    let tags = tags();
    let input = json!({ "key_id": ID, "rotation_period_in_days": 365 });
    call("kms.enable_key_rotation").unwrap().call(&wire.clients, &sent(&input, &tags)).await.unwrap();
    let which: Value = json!({ "key_id": ID });
    let status = call("kms.get_key_rotation_status").unwrap().call(&wire.clients, &sent(&which, &tags)).await.unwrap();
    assert_eq!(status["key_rotation_enabled"], true);
    assert_eq!(wire.seen()[0].json(), json!({ "KeyId": ID, "RotationPeriodInDays": 365 }));
}

#[tokio::test]
async fn a_deletion_that_is_taken_back_already_counts_as_done() {
    let wire = Wire::answering([
        refusal("KMSInvalidStateException", &format!("arn:aws:kms:us-east-1:1:key/{ID} is not pending deletion.")),
        metadata("Disabled"),
        refusal("KMSInvalidStateException", "is pending import"),
    ]);
    let (which, tags) = (json!({ "key_id": ID }), tags());
    let cancel = call("kms.cancel_key_deletion").unwrap();
    let answer = cancel.call(&wire.clients, &sent(&which, &tags)).await.unwrap();
    assert!(answer["key_id"].as_str().is_some_and(|arn| arn.ends_with(ID)), "{answer}");
    let error = cancel.call(&wire.clients, &sent(&which, &tags)).await.unwrap_err();
    assert_eq!(error.code, "KMSInvalidStateException");
}
