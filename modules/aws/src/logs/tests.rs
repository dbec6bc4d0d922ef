//! What the sandbox's CloudWatch Logs answers and refuses.

use runbook_modules::{error::Class, resource::Kind};
use serde_json::json;

use crate::testing::{Lab, code};

#[test]
fn a_log_group_is_described_and_a_second_one_refused() {
    let lab = Lab::new();
    let made = lab.make("logs.create_log_group", json!({ "log_group_name": "/aws/eks/web/cluster" }));
    assert_eq!(made["arn"], "arn:aws:logs:us-east-1:123456789012:log-group:/aws/eks/web/cluster");
    let again = lab.call("logs.create_log_group", json!({ "log_group_name": "/aws/eks/web/cluster" })).unwrap_err();
    assert_eq!((again.class, again.code.as_str()), (Class::AlreadyExists, "ResourceAlreadyExistsException"));
    let listed = lab.call("logs.describe_log_groups", json!({ "log_group_name_prefix": "/aws/eks/" })).unwrap();
    assert_eq!(listed["log_groups"][0]["log_group_name"], "/aws/eks/web/cluster");
    let none = lab.call("logs.describe_log_groups", json!({ "log_group_name_prefix": "/aws/rds/" })).unwrap();
    assert_eq!(none, json!({ "log_groups": [] }));
}

#[test]
fn the_key_must_be_usable_and_is_named_by_its_arn() {
    let lab = Lab::new();
    let key = lab.make("kms.create_key", json!({}));
    let group = |name: &str| json!({ "log_group_name": name, "kms_key_id": key["arn"] });
    lab.make("logs.create_log_group", group("a"));
    lab.delete("kms.key", json!({ "key_id": key["key_id"] })).unwrap();
    assert_eq!(code(lab.call("logs.create_log_group", group("b"))), "InvalidParameterException");
    let by_id = json!({ "log_group_name": "b", "kms_key_id": "key-1" });
    assert_eq!(super::log_group::KIND.check(&by_id).unwrap_err().path, "kms_key_id");
}

#[test]
fn retention_goes_with_the_group_or_back_to_what_it_was() {
    let lab = Lab::new();
    let keep = |days: i32| json!({ "log_group_name": "a", "retention_in_days": days });
    assert_eq!(code(lab.call("logs.put_retention_policy", keep(90))), "ResourceNotFoundException");
    lab.make("logs.create_log_group", json!({ "log_group_name": "a" }));
    let before = lab.make("logs.put_retention_policy", keep(30));
    lab.make("logs.put_retention_policy", keep(90));
    let listed = lab.call("logs.describe_log_groups", json!({})).unwrap();
    assert_eq!(listed["log_groups"][0]["retention_in_days"], 90);
    lab.put_back("logs.retention_policy", json!({ "log_group_name": "a" }), Some(&before)).unwrap();
    let at = json!({ "log_group_name": "a" });
    assert_eq!(lab.read("logs.retention_policy", at.clone()).unwrap()["retention_in_days"], 30);
    lab.delete("logs.log_group", at.clone()).unwrap();
    assert_eq!(lab.read("logs.retention_policy", at), None);
    assert!(
        super::retention_policy::KIND.check(&keep(31)).unwrap_err().to_string().contains("must be one of [1, 3, 5")
    );
}

#[test]
fn a_group_that_stands_is_taken_over_and_goes_with_the_run() {
    let lab = Lab::new();
    lab.make("logs.create_log_group", json!({ "log_group_name": "/aws/eks/web/cluster" }));
    let token = "f".repeat(64);
    let input = json!({ "log_group_name": "/aws/eks/web/cluster" });
    let taken = lab.with_token(&token, "logs.adopt_log_group", input.clone()).unwrap();
    assert_eq!(taken["tags"]["runbook:effect"], token[..32]);
    lab.delete("logs.adopted_log_group", input.clone()).unwrap();
    assert_eq!(lab.read("logs.log_group", input.clone()), None);
    lab.make("logs.adopt_log_group", input.clone());
    assert!(lab.read("logs.log_group", input).is_some(), "where none stands, one is made");
}

#[test]
fn a_group_that_an_agent_made_is_deleted_by_hand() {
    let lab = Lab::new();
    lab.make("logs.create_log_group", json!({ "log_group_name": "/aws/containerinsights/web/application" }));
    let which = json!({ "log_group_name": "/aws/containerinsights/web/application" });
    lab.call("logs.delete_log_group", which.clone()).unwrap();
    assert_eq!(code(lab.call("logs.delete_log_group", which)), "ResourceNotFoundException");
}
