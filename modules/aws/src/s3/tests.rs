//! What the sandbox's S3 answers and refuses.

use runbook_modules::error::Class;
use serde_json::{Value, json};

use crate::testing::{Lab, code};

fn bucket(lab: &Lab) -> Value {
    lab.make("s3.create_bucket", json!({ "bucket": "backup-1" }))
}

#[test]
fn a_bucket_is_named_once_and_found_by_its_name() {
    let lab = Lab::new();
    assert_eq!(lab.call("s3.head_bucket", json!({ "bucket": "backup-1" })).unwrap(), json!({ "status": 404 }));
    let made = bucket(&lab);
    assert_eq!((&made["id"], &made["arn"]), (&json!("backup-1"), &json!("arn:aws:s3:::backup-1")));
    let error = lab.call("s3.create_bucket", json!({ "bucket": "backup-1" })).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::AlreadyExists, "BucketAlreadyOwnedByYou"));
    assert_eq!(lab.find("s3.bucket", &"f".repeat(64), json!({ "bucket": "backup-1" })).len(), 1);
    assert_eq!(lab.call("s3.head_bucket", json!({ "bucket": "backup-1" })).unwrap(), json!({ "status": 200 }));
    let location = lab.call("s3.get_bucket_location", json!({ "bucket": "backup-1" })).unwrap();
    assert_eq!(location, json!({ "location_constraint": "us-east-1" }));
    lab.delete("s3.bucket", json!({ "bucket": "backup-1" })).unwrap();
    assert_eq!(code(lab.delete("s3.bucket", json!({ "bucket": "backup-1" }))), "NoSuchBucket");
    assert_eq!(lab.everything(), Vec::<String>::new(), "its settings are gone with it");
}

#[test]
fn a_name_that_s3_would_refuse_is_refused_before_anything_is_sent() {
    let lab = Lab::new();
    for name in ["ab", "Backup", "a_b", "-ab", "ab-", "a..b", "10.5.0.1"] {
        let error = lab.check("s3.create_bucket", json!({ "bucket": name })).unwrap_err();
        assert_eq!(error.path, "bucket", "{name}: {error}");
    }
}

#[test]
fn a_bucket_with_objects_is_deleted_only_with_consent() {
    let lab = Lab::new();
    bucket(&lab);
    lab.put_object("s3.object", "", "backup-1/a.gz", json!({ "bucket": "backup-1", "key": "backup/a.gz", "size": 7 }));
    let listed = lab.call("s3.list_objects_v2", json!({ "bucket": "backup-1", "prefix": "backup/" })).unwrap();
    assert_eq!(listed, json!({ "contents": [{ "key": "backup/a.gz", "size": 7 }] }));
    let error = lab.delete("s3.bucket", json!({ "bucket": "backup-1" })).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::Refused, "BucketNotEmpty"));
    assert!(error.message.contains("backup/a.gz") && error.message.contains("--also s3://backup-1"), "{error}");
    lab.delete("s3.bucket", json!({ "bucket": "backup-1", "empty_on_undo": true })).unwrap();
    assert_eq!(lab.everything(), Vec::<String>::new());
}

#[test]
fn the_consent_of_the_script_stands_in_the_inventory() {
    let lab = Lab::new();
    let input = json!({ "bucket": "backup-1", "empty_on_undo": true });
    let made = lab.make("s3.create_bucket", input.clone());
    assert_eq!(lab.locate("s3.bucket", &input, &made), Some(input));
}

#[test]
fn the_key_of_the_objects_outlives_the_bucket() {
    let lab = Lab::new();
    let key = "arn:aws:kms:us-east-1:123456789012:key/k";
    assert!(
        lab.parents("s3.bucket", &json!({ "bucket": "backup-1", "encrypted_with": key })).contains(&key.to_owned())
    );
}

#[test]
fn objects_are_deleted_by_their_keys() {
    let lab = Lab::new();
    bucket(&lab);
    for key in ["a", "b"] {
        lab.put_object("s3.object", "", &format!("backup-1/{key}"), json!({ "bucket": "backup-1", "key": key }));
    }
    let gone = lab.call("s3.delete_objects", json!({ "bucket": "backup-1", "keys": ["a", "c"] })).unwrap();
    assert_eq!(gone, json!({ "deleted": 1 }));
    let left = lab.call("s3.list_objects_v2", json!({ "bucket": "backup-1" })).unwrap();
    assert_eq!(left, json!({ "contents": [{ "key": "b" }] }));
}

#[test]
fn encryption_replaces_what_stood_there_and_is_put_back() {
    let lab = Lab::new();
    bucket(&lab);
    let at = json!({ "bucket": "backup-1" });
    let before = lab.read("s3.bucket_encryption", at.clone()).unwrap();
    let algorithm =
        "/server_side_encryption_configuration/rules/0/apply_server_side_encryption_by_default/sse_algorithm";
    assert_eq!(before.pointer(algorithm), Some(&json!("AES256")));
    let with = |key: &str| {
        let rule = json!({ "apply_server_side_encryption_by_default": { "sse_algorithm": "aws:kms", "kms_master_key_id": key } });
        json!({ "bucket": "backup-1", "server_side_encryption_configuration": { "rules": [rule] } })
    };
    lab.make("s3.put_bucket_encryption", with("arn:aws:kms:us-east-1:123456789012:key/k"));
    let far = lab.call("s3.put_bucket_encryption", with("arn:aws:kms:eu-west-1:123456789012:key/k"));
    assert_eq!(code(far), "KMS.NotFoundException");
    lab.put_back("s3.bucket_encryption", at.clone(), Some(&before)).unwrap();
    let after = lab.read("s3.bucket_encryption", at).unwrap();
    assert_eq!(after.pointer(algorithm), Some(&json!("AES256")));
}

#[test]
fn lifecycle_rules_compare_with_what_is_left_out_filled_in() {
    let lab = Lab::new();
    bucket(&lab);
    let with = |days: i32| {
        let rule = json!({
            "id": "keep", "transitions": [{ "days": 90, "storage_class": "GLACIER" }], "expiration": { "days": days },
        });
        json!({ "bucket": "backup-1", "lifecycle_configuration": { "rules": [rule] } })
    };
    let made = lab.make("s3.put_bucket_lifecycle_configuration", with(1095));
    assert_eq!(made["lifecycle_configuration"]["rules"][0]["status"], "Enabled");
    assert_eq!(lab.drift("s3.bucket_lifecycle_configuration", &with(30), &made), ["lifecycle_configuration.rules"]);
    assert_eq!(code(lab.call("s3.put_bucket_lifecycle_configuration", with(90))), "InvalidArgument");
    let idle = json!({ "bucket": "backup-1", "lifecycle_configuration": { "rules": [{ "id": "idle" }] } });
    assert_eq!(
        lab.check("s3.put_bucket_lifecycle_configuration", idle).unwrap_err().path,
        "lifecycle_configuration.rules.0.id"
    );
    lab.delete("s3.bucket_lifecycle_configuration", json!({ "bucket": "backup-1" })).unwrap();
}

#[test]
fn a_public_policy_is_refused_while_public_policies_are_blocked() {
    let lab = Lab::new();
    bucket(&lab);
    let statement =
        json!({ "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::backup-1/*" });
    let policy = json!({ "bucket": "backup-1", "policy": { "Version": "2012-10-17", "Statement": [statement] } });
    assert_eq!(code(lab.call("s3.put_bucket_policy", policy.clone())), "AccessDenied");
    let open = json!({ "bucket": "backup-1", "public_access_block_configuration": { "block_public_acls": true } });
    let made = lab.make("s3.put_public_access_block", open);
    assert_eq!(made["public_access_block_configuration"]["block_public_policy"], false);
    lab.make("s3.put_bucket_policy", policy);
}

#[test]
fn settings_need_their_bucket() {
    let lab = Lab::new();
    let block = json!({ "bucket": "none-1", "public_access_block_configuration": {} });
    assert_eq!(code(lab.call("s3.put_public_access_block", block)), "NoSuchBucket");
    assert_eq!(code(lab.call("s3.list_objects_v2", json!({ "bucket": "none-1" }))), "NoSuchBucket");
    let on = json!({ "bucket": "none-1", "versioning_configuration": { "status": "Enabled" } });
    assert_eq!(code(lab.call("s3.put_bucket_versioning", on)), "NoSuchBucket");
}

#[test]
fn versioning_is_switched_and_told() {
    let lab = Lab::new();
    bucket(&lab);
    let status = || lab.call("s3.get_bucket_versioning", json!({ "bucket": "backup-1" })).unwrap()["status"].clone();
    assert_eq!(status(), "");
    let on = json!({ "bucket": "backup-1", "versioning_configuration": { "status": "Enabled" } });
    lab.call("s3.put_bucket_versioning", on).unwrap();
    assert_eq!(status(), "Enabled");
    let odd = json!({ "bucket": "backup-1", "versioning_configuration": { "status": "On" } });
    assert_eq!(lab.check("s3.put_bucket_versioning", odd).unwrap_err().path, "versioning_configuration.status");
}

#[test]
fn a_setting_that_does_not_stand_is_deleted_without_error_and_encryption_is_never_without() {
    let lab = Lab::new();
    bucket(&lab);
    let at = json!({ "bucket": "backup-1" });
    for kind in ["s3.bucket_lifecycle_configuration", "s3.bucket_policy", "s3.public_access_block"] {
        lab.delete(kind, at.clone()).unwrap();
        lab.delete(kind, at.clone()).unwrap();
        assert_eq!(code(lab.delete(kind, json!({ "bucket": "none-1" }))), "NoSuchBucket");
    }
    let before = lab.read("s3.bucket_encryption", at.clone());
    let rule = json!({ "apply_server_side_encryption_by_default": { "sse_algorithm": "aws:kms" } });
    let input = json!({ "bucket": "backup-1", "server_side_encryption_configuration": { "rules": [rule] } });
    lab.make("s3.put_bucket_encryption", input);
    lab.delete("s3.bucket_encryption", at.clone()).unwrap();
    assert_eq!(lab.read("s3.bucket_encryption", at), before);
}

#[test]
fn a_rule_has_a_name_of_its_own_and_moves_to_rare_access_after_a_month() {
    let lab = Lab::new();
    bucket(&lab);
    let put = |rules: Value| {
        let input = json!({ "bucket": "backup-1", "lifecycle_configuration": { "rules": rules } });
        lab.call("s3.put_bucket_lifecycle_configuration", input)
    };
    let moving = |days: i32| json!({ "id": "old", "transitions": [{ "days": days, "storage_class": "STANDARD_IA" }] });
    assert_eq!(code(put(json!([moving(29)]))), "InvalidArgument");
    assert_eq!(code(put(json!([moving(30), moving(60)]))), "InvalidArgument");
    assert!(put(json!([moving(30)])).is_ok());
}

#[test]
fn a_policy_is_about_its_own_bucket() {
    let lab = Lab::new();
    bucket(&lab);
    let put = |resource: Value| {
        let statement = json!({ "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": resource });
        let policy = json!({ "Version": "2012-10-17", "Statement": [statement] });
        lab.call("s3.put_bucket_policy", json!({ "bucket": "backup-1", "policy": policy }))
    };
    assert!(put(json!(["arn:aws:s3:::backup-1", "arn:aws:s3:::backup-1/*"])).is_ok());
    assert!(put(json!("arn:aws:s3:::*/backup/*")).is_ok());
    assert_eq!(code(put(json!(["arn:aws:s3:::backup-1", "arn:aws:s3:::other/*"]))), "MalformedPolicy");
}
