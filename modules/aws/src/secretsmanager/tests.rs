//! What the sandbox's Secrets Manager answers and refuses.

use runbook_modules::{error::Class, resource::Kind};
use serde_json::{Value, json};

use crate::testing::{Lab, code};

fn secret(name: &str) -> Value {
    json!({ "name": name, "description": "database", "secret_string": "{{a placeholder}}" })
}

#[test]
fn a_secret_is_described_without_its_value() {
    let lab = Lab::new();
    let made = lab.make("secretsmanager.create_secret", secret("db"));
    assert_eq!((&made["id"], &made["description"]), (&json!("db"), &json!("database")));
    assert!(!made.to_string().contains("placeholder"), "{made}");
    let found = lab.call("secretsmanager.describe_secret", json!({ "secret_id": made["arn"] })).unwrap();
    let version = made["version_id"].as_str().unwrap();
    assert_eq!(found["version_ids_to_stages"], json!({ version: ["AWSCURRENT"] }));
    assert!(!found.to_string().contains("placeholder"), "{found}");
}

#[test]
fn the_same_token_makes_one_secret() {
    let lab = Lab::new();
    let token = "f".repeat(64);
    let first = lab.with_token(&token, "secretsmanager.create_secret", secret("db")).unwrap();
    assert_eq!(lab.with_token(&token, "secretsmanager.create_secret", secret("db")).unwrap(), first);
    let error = lab.call("secretsmanager.create_secret", secret("db")).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::AlreadyExists, "ResourceExistsException"));
}

#[test]
fn a_name_pending_deletion_is_refused_and_the_ways_out_are_named() {
    let lab = Lab::new();
    lab.make("secretsmanager.create_secret", secret("db"));
    lab.delete("secretsmanager.secret", json!({ "name": "db" })).unwrap();
    assert_eq!(lab.read("secretsmanager.secret", json!({ "name": "db" })), None);
    let pending = lab.call("secretsmanager.describe_secret", json!({ "secret_id": "db" })).unwrap();
    assert!(pending["deleted_date"].is_number());

    let error = lab.call("secretsmanager.create_secret", secret("db")).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::Refused, "InvalidRequestException"));
    assert!(error.hints[0].contains("restore_secret") && error.hints[1].contains("force_delete"), "{error:?}");

    lab.call("secretsmanager.restore_secret", json!({ "secret_id": "db" })).unwrap();
    assert!(lab.read("secretsmanager.secret", json!({ "name": "db" })).is_some());
    lab.delete("secretsmanager.secret", json!({ "name": "db" })).unwrap();
    let end = json!({ "secret_id": "db", "force_delete_without_recovery": true });
    lab.call("secretsmanager.delete_secret", end).unwrap();
    let later = lab.call("secretsmanager.delete_secret", json!({ "secret_id": "db" }));
    assert_eq!(code(later), "ResourceNotFoundException");
    lab.make("secretsmanager.create_secret", secret("db"));
}

#[test]
fn a_forced_deletion_frees_the_name() {
    let lab = Lab::new();
    let mut input = secret("db");
    input["force_delete_without_recovery"] = true.into();
    let made = lab.make("secretsmanager.create_secret", input.clone());
    lab.delete("secretsmanager.secret", json!({ "name": made["name"] })).unwrap();
    lab.make("secretsmanager.create_secret", input);
}

#[test]
fn the_window_ends_by_itself() {
    let lab = Lab::new();
    let mut input = secret("db");
    input["recovery_window_in_days"] = 7.into();
    lab.make("secretsmanager.create_secret", input.clone());
    lab.delete("secretsmanager.secret", json!({ "name": "db" })).unwrap();
    lab.pass(8 * 24 * 3600);
    assert_eq!(
        code(lab.call("secretsmanager.describe_secret", json!({ "secret_id": "db" }))),
        "ResourceNotFoundException"
    );
    lab.make("secretsmanager.create_secret", input);
}

#[test]
fn a_new_value_keeps_the_one_before() {
    let lab = Lab::new();
    let made = lab.make("secretsmanager.create_secret", secret("db"));
    let value = json!({ "secret_id": "db", "secret_string": "{{another placeholder}}" });
    let put = lab.call("secretsmanager.put_secret_value", value).unwrap();
    let found = lab.call("secretsmanager.describe_secret", json!({ "secret_id": "db" })).unwrap();
    let (before, now) = (made["version_id"].as_str().unwrap(), put["version_id"].as_str().unwrap());
    assert_eq!(found["version_ids_to_stages"], json!({ before: ["AWSPREVIOUS"], now: ["AWSCURRENT"] }));
}

#[test]
fn the_key_must_exist_and_outlives_the_secret() {
    let lab = Lab::new();
    let mut input = secret("db");
    input["kms_key_id"] = "alias/none".into();
    assert_eq!(code(lab.call("secretsmanager.create_secret", input.clone())), "EncryptionFailure");
    let key = lab.make("kms.create_key", json!({}));
    input["kms_key_id"] = key["arn"].clone();
    lab.make("secretsmanager.create_secret", input.clone());
    assert!(lab.parents("secretsmanager.secret", &input).contains(&key["id"].as_str().unwrap().to_owned()));
}

#[test]
fn a_window_and_an_end_at_once_exclude_each_other() {
    let error = |input: Value| super::secret::KIND.check(&input).unwrap_err().to_string();
    let both = json!({ "name": "db", "recovery_window_in_days": 7, "force_delete_without_recovery": true });
    assert_eq!(error(both), "recovery_window_in_days: cannot be given together with force_delete_without_recovery");
    let short = json!({ "name": "db", "recovery_window_in_days": 1 });
    assert_eq!(error(short), "recovery_window_in_days: must be between 7 and 30 days, not 1");
    assert!(error(json!({ "name": "data base" })).starts_with("name: must be 1 to 512"));
}

#[test]
fn a_deletion_for_good_is_no_error_and_a_secret_on_its_way_out_takes_no_value() {
    let lab = Lab::new();
    let value = json!({ "secret_id": "db", "secret_string": "{{a placeholder}}" });
    let ended = json!({ "secret_id": "db", "force_delete_without_recovery": true });
    lab.call("secretsmanager.delete_secret", ended).unwrap();
    lab.delete("secretsmanager.secret", json!({ "name": "db", "force_delete_without_recovery": true })).unwrap();
    assert_eq!(code(lab.call("secretsmanager.put_secret_value", value.clone())), "ResourceNotFoundException");
    lab.make("secretsmanager.create_secret", secret("db"));
    lab.delete("secretsmanager.secret", json!({ "name": "db" })).unwrap();
    assert_eq!(code(lab.call("secretsmanager.put_secret_value", value)), "InvalidRequestException");
}
