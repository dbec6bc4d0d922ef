//! What the sandbox's ECR answers and refuses.

use runbook_modules::error::Class;
use serde_json::{Value, json};

use crate::testing::{Lab, code};

fn repository(lab: &Lab, input: Value) -> Value {
    lab.make("ecr.create_repository", input)
}

fn image(lab: &Lab) {
    let body =
        json!({ "repository_name": "app", "image_tags": ["2026.11.21.main-0a1b2c3d-7"], "image_digest": "sha256:1" });
    lab.put_object("ecr.image", "us-east-1", "app/sha256:1", body);
}

#[test]
fn a_repository_has_a_uri_and_one_name() {
    let lab = Lab::new();
    let made =
        repository(&lab, json!({ "repository_name": "app", "image_scanning_configuration": { "scan_on_push": true } }));
    assert_eq!(made["repository_uri"], "123456789012.dkr.ecr.us-east-1.amazonaws.com/app");
    let error = lab.call("ecr.create_repository", json!({ "repository_name": "app" })).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::AlreadyExists, "RepositoryAlreadyExistsException"));
    let listed = lab.call("ecr.describe_repositories", json!({ "repository_names": ["app"] })).unwrap();
    assert_eq!(listed["repositories"][0]["arn"], made["arn"]);
    assert_eq!(
        code(lab.call("ecr.describe_repositories", json!({ "repository_names": ["no"] }))),
        "RepositoryNotFoundException"
    );
    assert_eq!(
        lab.check("ecr.create_repository", json!({ "repository_name": "App" })).unwrap_err().path,
        "repository_name"
    );
}

#[test]
fn a_repository_with_images_is_deleted_only_with_consent() {
    let lab = Lab::new();
    let input = json!({ "repository_name": "app", "empty_on_undo": true });
    let made = repository(&lab, input.clone());
    assert_eq!(lab.locate("ecr.repository", &input, &made), Some(input.clone()));
    image(&lab);
    let listed = lab.call("ecr.describe_images", json!({ "repository_name": "app" })).unwrap();
    assert_eq!(listed["image_details"][0]["image_tags"], json!(["2026.11.21.main-0a1b2c3d-7"]));
    let error = lab.delete("ecr.repository", json!({ "repository_name": "app" })).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::Refused, "RepositoryNotEmptyException"));
    assert!(error.message.contains("2026.11.21.main") && error.message.contains("--also ecr://app"), "{error}");
    lab.delete("ecr.repository", input).unwrap();
    assert_eq!(lab.everything(), Vec::<String>::new());
}

#[test]
fn a_lifecycle_policy_goes_with_its_repository() {
    let lab = Lab::new();
    let rule = json!({ "rulePriority": 1, "selection": { "tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 500 }, "action": { "type": "expire" } });
    let policy = json!({ "repository_name": "app", "lifecycle_policy_text": { "rules": [rule] } });
    assert_eq!(code(lab.call("ecr.put_lifecycle_policy", policy.clone())), "RepositoryNotFoundException");
    repository(&lab, json!({ "repository_name": "app" }));
    let made = lab.make("ecr.put_lifecycle_policy", policy);
    let other = json!({ "repository_name": "app", "lifecycle_policy_text": { "rules": [] } });
    assert_eq!(lab.drift("ecr.lifecycle_policy", &other, &made), ["lifecycle_policy_text.rules"]);
    let wrong = json!({ "repository_name": "app", "lifecycle_policy_text": { "rules": [{}] } });
    assert_eq!(lab.check("ecr.put_lifecycle_policy", wrong).unwrap_err().path, "lifecycle_policy_text.rules.0");
    lab.delete("ecr.repository", json!({ "repository_name": "app" })).unwrap();
    assert_eq!(lab.everything(), Vec::<String>::new());
}

#[test]
fn rules_have_priorities_of_their_own_and_keep_something() {
    let lab = Lab::new();
    let made = repository(&lab, json!({ "repository_name": "app" }));
    assert_eq!(made["image_scanning_configuration"]["scan_on_push"], false);
    let put = |rules: &[(i64, i64)]| {
        let rule = |(priority, count): &(i64, i64)| {
            let selection = json!({ "tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": count });
            json!({ "rulePriority": priority, "selection": selection, "action": { "type": "expire" } })
        };
        let policy = json!({ "rules": rules.iter().map(rule).collect::<Value>() });
        let input = json!({ "repository_name": "app", "lifecycle_policy_text": policy });
        lab.call("ecr.put_lifecycle_policy", input)
    };
    assert_eq!(code(put(&[(1, 5), (1, 9)])), "InvalidParameterException");
    assert_eq!(code(put(&[(1, 0)])), "InvalidParameterException");
    assert!(put(&[(1, 5), (2, 9)]).is_ok());
}
