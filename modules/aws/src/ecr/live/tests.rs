//! The shape of the requests to ECR, on the real SDK client.

use runbook_modules::{error::Class, resource::Kind};
use serde_json::{Value, json};

use crate::{
    ecr::{call, driver, lifecycle_policy, repository},
    live::testing::{Answer, Wire, json_answer, sent, tag_json, tags},
};

const ARN: &str = "arn:aws:ecr:us-east-1:123456789012:repository/app";

fn app() -> Value {
    json!({ "repositoryName": "app", "repositoryArn": ARN, "repositoryUri": "uri", "imageTagMutability": "MUTABLE",
            "imageScanningConfiguration": { "scanOnPush": true } })
}

fn failed(code: &str) -> Answer {
    json_answer(400, json!({ "__type": code, "message": "no" }))
}

#[tokio::test]
async fn a_repository_is_made_with_our_tags_read_and_deleted() {
    let tag_list: Value = tags().iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    let wire = Wire::answering([
        json_answer(200, json!({ "repository": app() })),
        json_answer(200, json!({ "repositories": [app()] })),
        json_answer(200, json!({ "tags": tag_list })),
        json_answer(200, json!({})),
        failed("RepositoryNotFoundException"),
    ]);
    let input = json!({ "repository_name": "app", "image_scanning_configuration": { "scan_on_push": true }, "empty_on_undo": true });
    let tags = tags();
    let kind = driver("ecr.repository").unwrap();
    let made = kind.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    let at = repository::KIND.locate(&input, &made).unwrap();
    assert_eq!(at, json!({ "repository_name": "app", "empty_on_undo": true }));
    let read = kind.read(&wire.clients, &at).await.unwrap().unwrap();
    assert_eq!((&read["tags"], &read["id"]), (&tag_json(), &json!("app")));
    assert_eq!(repository::KIND.differences(&input, &read), []);
    kind.delete(&wire.clients, &at, None).await.unwrap();
    assert_eq!(kind.read(&wire.clients, &at).await.unwrap(), None);
    let seen = wire.seen();
    assert!(seen[0].target.ends_with(".CreateRepository"), "{}", seen[0].target);
    assert!(seen[0].json()["tags"].as_array().unwrap().iter().any(|tag| tag["Key"] == "runbook:effect"));
    assert_eq!(seen[3].json()["force"], true);
}

#[tokio::test]
async fn without_consent_images_keep_the_repository_and_are_named() {
    let image = json!({ "imageDigest": "sha256:1", "imageTags": ["v1"] });
    let wire =
        Wire::answering([failed("RepositoryNotEmptyException"), json_answer(200, json!({ "imageDetails": [image] }))]);
    let at = json!({ "repository_name": "app" });
    let held = driver("ecr.repository").unwrap().delete(&wire.clients, &at, None).await.unwrap_err();
    assert_eq!((held.class, held.code.as_str()), (Class::Refused, "RepositoryNotEmptyException"));
    assert!(held.message.contains("v1"), "{held}");
    assert_eq!(wire.seen()[0].json()["force"], false);
}

#[tokio::test]
async fn a_lifecycle_policy_is_put_read_and_gone() {
    let policy = json!({ "rules": [{ "rulePriority": 1, "selection": {}, "action": { "type": "expire" } }] });
    let answer = || json_answer(200, json!({ "repositoryName": "app", "lifecyclePolicyText": policy.to_string() }));
    let wire = Wire::answering([answer(), answer(), failed("LifecyclePolicyNotFoundException")]);
    let (input, tags) = (json!({ "repository_name": "app", "lifecycle_policy_text": policy }), tags());
    let kind = driver("ecr.lifecycle_policy").unwrap();
    kind.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    let at = json!({ "repository_name": "app" });
    let read = kind.read(&wire.clients, &at).await.unwrap().unwrap();
    assert_eq!(lifecycle_policy::KIND.differences(&input, &read), []);
    assert_eq!(kind.read(&wire.clients, &at).await.unwrap(), None);
    assert_eq!(wire.seen()[0].json()["lifecyclePolicyText"], policy.to_string());
}

#[tokio::test]
async fn images_are_listed_in_all_pages() {
    let page = |tag: &str, next: Option<&str>| {
        json_answer(200, json!({ "imageDetails": [{ "imageTags": [tag] }], "nextToken": next }))
    };
    let wire = Wire::answering([page("a", Some("t")), page("b", None)]);
    let (input, tags) = (json!({ "repository_name": "app" }), tags());
    let listed = call("ecr.describe_images").unwrap().call(&wire.clients, &sent(&input, &tags)).await.unwrap();
    let found: Vec<&Value> =
        listed["image_details"].as_array().unwrap().iter().map(|one| &one["image_tags"][0]).collect();
    assert_eq!(found, ["a", "b"]);
}
