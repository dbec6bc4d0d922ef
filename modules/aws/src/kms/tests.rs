//! What the sandbox's KMS answers and refuses.

use runbook_modules::error::Class;
use serde_json::{Value, json};

use crate::testing::{Lab, code, text};

fn key(lab: &Lab) -> String {
    text(&lab.make("kms.create_key", json!({ "description": "secrets", "pending_window_in_days": 7 })), "key_id")
}

#[test]
fn a_key_is_described_with_arn_and_the_accounts_own_policy() {
    let lab = Lab::new();
    let made = lab.make("kms.create_key", json!({ "description": "secrets", "multi_region": true }));
    assert_eq!(made["key_state"], "Enabled");
    assert_eq!((&made["key_usage"], &made["multi_region"]), (&json!("ENCRYPT_DECRYPT"), &json!(true)));
    assert_eq!(made["policy"]["Statement"][0]["Principal"]["AWS"], "arn:aws:iam::123456789012:root");
    let found = lab.call("kms.describe_key", json!({ "key_id": made["arn"] })).unwrap();
    assert_eq!(found["key_id"], made["key_id"]);
    assert_eq!(code(lab.call("kms.describe_key", json!({ "key_id": "x" }))), "NotFoundException");
}

#[test]
fn a_policy_that_locks_everybody_out_is_refused() {
    let lab = Lab::new();
    let policy = |principal: &str, action: &str| {
        let statement =
            json!({ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": action, "Resource": "*" });
        lab.call("kms.create_key", json!({ "policy": { "Version": "2012-10-17", "Statement": [statement] } }))
    };
    assert!(policy("arn:aws:iam::123456789012:root", "kms:*").is_ok());
    assert_eq!(code(policy("arn:aws:iam::999999999999:root", "kms:*")), "MalformedPolicyDocumentException");
    assert_eq!(code(policy("arn:aws:iam::123456789012:root", "kms:Decrypt")), "MalformedPolicyDocumentException");
}

#[test]
fn a_deleted_key_is_gone_for_us_and_pending_for_aws() {
    let lab = Lab::new();
    let id = key(&lab);
    lab.delete("kms.key", json!({ "key_id": id, "pending_window_in_days": 7 })).unwrap();
    lab.delete("kms.key", json!({ "key_id": id })).unwrap();
    assert_eq!(code(lab.delete("kms.key", json!({ "key_id": "x" }))), "NotFoundException");
    assert_eq!(lab.read("kms.key", json!({ "key_id": id })), None);
    let found = lab.call("kms.describe_key", json!({ "key_id": id })).unwrap();
    assert_eq!(found["key_state"], "PendingDeletion");
    assert_eq!(code(lab.call("kms.enable_key_rotation", json!({ "key_id": id }))), "KMSInvalidStateException");

    lab.call("kms.cancel_key_deletion", json!({ "key_id": id })).unwrap();
    assert_eq!(lab.read("kms.key", json!({ "key_id": id })).unwrap()["key_state"], "Disabled");
    lab.delete("kms.key", json!({ "key_id": id })).unwrap();
    lab.pass(8 * 24 * 3600);
    assert_eq!(code(lab.call("kms.describe_key", json!({ "key_id": id }))), "NotFoundException");
}

#[test]
fn a_key_is_found_by_its_tag_alone() {
    let lab = Lab::new();
    let token = "f".repeat(64);
    lab.with_token(&token, "kms.create_key", json!({})).unwrap();
    key(&lab);
    assert_eq!(lab.find("kms.key", &token, json!({})).len(), 1);
    assert_eq!(lab.find("kms.key", &"e".repeat(64), json!({})), Vec::<Value>::new());
}

#[test]
fn rotation_is_for_symmetric_keys() {
    let lab = Lab::new();
    let id = key(&lab);
    lab.call("kms.enable_key_rotation", json!({ "key_id": id })).unwrap();
    let status = lab.call("kms.get_key_rotation_status", json!({ "key_id": id })).unwrap();
    assert_eq!((&status["key_rotation_enabled"], &status["rotation_period_in_days"]), (&json!(true), &json!(365)));
    let signing = lab.make("kms.create_key", json!({ "key_usage": "SIGN_VERIFY", "key_spec": "RSA_2048" }));
    let refused = lab.call("kms.enable_key_rotation", json!({ "key_id": signing["key_id"] }));
    assert_eq!(code(refused), "UnsupportedOperationException");
}

#[test]
fn an_alias_names_one_key_and_goes_before_it() {
    let lab = Lab::new();
    let id = key(&lab);
    let arn = lab.call("kms.describe_key", json!({ "key_id": id })).unwrap()["arn"].clone();
    let alias = json!({ "alias_name": "alias/eks-cmk", "target_key_id": arn });
    let made = lab.make("kms.create_alias", alias.clone());
    assert_eq!(made["target_key_id"], json!(id));
    assert!(lab.parents("kms.alias", &alias).contains(&id), "the alias is deleted before its key");
    let again = lab.call("kms.create_alias", alias).unwrap_err();
    assert_eq!((again.class, again.code.as_str()), (Class::AlreadyExists, "AlreadyExistsException"));
    assert_eq!(lab.call("kms.describe_key", json!({ "key_id": "alias/eks-cmk" })).unwrap()["key_id"], json!(id));
    let listed = lab.call("kms.list_aliases", json!({ "key_id": id })).unwrap();
    assert_eq!(listed["aliases"][0]["alias_name"], "alias/eks-cmk");

    lab.delete("kms.key", json!({ "key_id": id })).unwrap();
    let other = json!({ "alias_name": "alias/other", "target_key_id": id });
    assert_eq!(code(lab.call("kms.create_alias", other)), "KMSInvalidStateException");
    lab.delete("kms.alias", json!({ "alias_name": "alias/eks-cmk" })).unwrap();
    assert_eq!(lab.call("kms.list_aliases", json!({})).unwrap(), json!({ "aliases": [] }));
}

#[test]
fn wrong_input_names_its_field() {
    let error = |kind: &dyn runbook_modules::resource::Kind, input: Value| kind.check(&input).unwrap_err().to_string();
    let window = error(&super::key::KIND, json!({ "pending_window_in_days": 3 }));
    assert_eq!(window, "pending_window_in_days: must be between 7 and 30 days, not 3");
    let name = error(&super::alias::KIND, json!({ "alias_name": "alias/aws/eks", "target_key_id": "k" }));
    assert_eq!(name, "alias_name: must begin with alias/, and not with alias/aws/, not \"alias/aws/eks\"");
}

#[test]
fn a_keys_usage_fits_its_spec() {
    let lab = Lab::new();
    let make = |input: Value| lab.call("kms.create_key", input);
    assert_eq!(code(make(json!({ "key_usage": "SIGN_VERIFY" }))), "ValidationException");
    assert_eq!(code(make(json!({ "key_spec": "ECC_NIST_P256" }))), "ValidationException");
    assert!(make(json!({ "key_spec": "RSA_2048" })).is_ok());
    assert!(make(json!({ "key_spec": "HMAC_256", "key_usage": "GENERATE_VERIFY_MAC" })).is_ok());
}
