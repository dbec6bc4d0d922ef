//! The shape of the requests to Secrets Manager, on the real SDK client.

use runbook_modules::error::Class;
use serde_json::{Value, json};

use crate::{
    live::testing::{TOKEN, Wire, json_answer, sent, tags},
    secretsmanager::{call, driver},
};

const ARN: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-abcdef";

fn secret() -> Value {
    json!({ "name": "db", "kms_key_id": "alias/k", "secret_string": "hidden", "force_delete_without_recovery": true })
}

#[tokio::test]
async fn create_secret_sends_token_value_and_tags_in_one_request() {
    let wire = Wire::answering([json_answer(200, json!({ "ARN": ARN, "Name": "db", "VersionId": TOKEN }))]);
    let (input, tags) = (secret(), tags());
    let made = driver("secretsmanager.secret").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!((&made["arn"], &made["version_id"]), (&json!(ARN), &json!(TOKEN)));
    assert!(!made.to_string().contains("hidden"), "{made}");
    let seen = wire.seen();
    assert_eq!(seen.len(), 1);
    let body = seen[0].json();
    assert_eq!((&body["ClientRequestToken"], &body["SecretString"]), (&json!(TOKEN), &json!("hidden")));
    assert_eq!(body["Tags"].as_array().unwrap().len(), tags.len());
    assert_eq!(body.get("ForceDeleteWithoutRecovery"), None);
}

#[tokio::test]
async fn a_name_that_is_scheduled_for_deletion_names_the_ways_out() {
    let text = "You can't create this secret because a secret with this name is already scheduled for deletion.";
    let wire = Wire::answering([
        json_answer(400, json!({ "__type": "InvalidRequestException", "message": text })),
        json_answer(400, json!({ "__type": "ResourceExistsException", "message": "no" })),
    ]);
    let (input, tags) = (secret(), tags());
    let secret = driver("secretsmanager.secret").unwrap();
    let error = secret.create(&wire.clients, &sent(&input, &tags)).await.unwrap_err();
    assert_eq!(error.class, Class::Refused);
    assert!(error.hints[0].contains("restore_secret") && error.hints[1].contains("force_delete"), "{error:?}");
    let error = secret.create(&wire.clients, &sent(&input, &tags)).await.unwrap_err();
    assert_eq!(error.class, Class::AlreadyExists);
}

#[tokio::test]
async fn a_secret_is_deleted_as_its_input_said_and_then_counts_as_gone() {
    let found = json!({ "ARN": ARN, "Name": "db", "VersionIdsToStages": { "v1": ["AWSCURRENT"] }, "Tags": [{ "Key": "a", "Value": "b" }] });
    let mut going = found.clone();
    going["DeletedDate"] = json!(1_763_700_000);
    let wire = Wire::answering([json_answer(200, found), json_answer(200, json!({})), json_answer(200, going)]);
    let secret = driver("secretsmanager.secret").unwrap();
    let at = json!({ "name": "db", "force_delete_without_recovery": true });
    let read = secret.read(&wire.clients, &at).await.unwrap().unwrap();
    assert_eq!((&read["version_id"], &read["tags"]["a"]), (&json!("v1"), &json!("b")));
    assert_eq!(read["force_delete_without_recovery"], json!(true));
    secret.delete(&wire.clients, &at, None).await.unwrap();
    assert_eq!(secret.read(&wire.clients, &at).await.unwrap(), None);
    assert_eq!(wire.seen()[1].json(), json!({ "SecretId": "db", "ForceDeleteWithoutRecovery": true }));
}

#[tokio::test]
async fn a_new_value_carries_the_token() {
    let wire = Wire::answering([json_answer(200, json!({ "ARN": ARN, "Name": "db", "VersionId": TOKEN }))]);
    let (input, tags) = (json!({ "secret_id": "db", "secret_string": "hidden" }), tags());
    let put = call("secretsmanager.put_secret_value").unwrap().call(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!(put["version_id"], TOKEN);
    let body = wire.seen()[0].json();
    assert_eq!(body, json!({ "SecretId": "db", "SecretString": "hidden", "ClientRequestToken": TOKEN }));
}
