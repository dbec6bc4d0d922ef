//! What is set on S3 buckets: encryption, lifecycle, policy, public access.

use serde_json::{Value, json};

use super::buckets::bucket;
use crate::conformance::{
    case::{Case, Other, Seen, holds, is, list},
    lab::Lab,
};

/// A setting of a new bucket; its locator.
fn set(lab: &Lab, function: &str, field: &str, value: Value) -> Result<Value, Other> {
    let name = bucket(lab)?;
    lab.make(function, json!({ "bucket": name, field: value }))?;
    Ok(json!({ "bucket": name }))
}

/// A setting of a bucket that does not exist.
fn missing(lab: &Lab, function: &str, field: &str, value: Value) -> Seen {
    lab.refused(function, json!({ "bucket": lab.name("none"), field: value }), &["NoSuchBucket"])
}

const ENCRYPTION: (&str, &str) = ("s3.put_bucket_encryption", "server_side_encryption_configuration");
const LIFECYCLE: (&str, &str) = ("s3.put_bucket_lifecycle_configuration", "lifecycle_configuration");
const BLOCK: (&str, &str) = ("s3.put_public_access_block", "public_access_block_configuration");

fn encrypted(algorithm: &str) -> Value {
    json!({ "rules": [{ "apply_server_side_encryption_by_default": { "sse_algorithm": algorithm } }] })
}

const ALGORITHM: &str =
    "server_side_encryption_configuration.rules.0.apply_server_side_encryption_by_default.sse_algorithm";

fn expiring(id: &str, days: i64) -> Value {
    json!({ "rules": [{ "id": id, "expiration": { "days": days } }] })
}

/// A rule that moves objects and lets them go is refused.
fn rule_refused(lab: &Lab, after: i64, class: &str, expires: i64) -> Seen {
    let transition = json!({ "days": after, "storage_class": class });
    let rules = json!([{ "id": "old", "transitions": [transition], "expiration": { "days": expires } }]);
    let input = json!({ "bucket": bucket(lab)?, LIFECYCLE.1: { "rules": rules } });
    lab.refused(LIFECYCLE.0, input, &["InvalidArgument"])
}

fn blocked(all: bool) -> Value {
    json!({
        "block_public_acls": all, "ignore_public_acls": all, "block_public_policy": all, "restrict_public_buckets": all,
    })
}

/// A policy about the objects of a bucket.
fn policy(bucket: &str, effect: &str) -> Value {
    let statement = json!({
        "Sid": "read", "Effect": effect, "Principal": "*", "Action": "s3:GetObject",
        "Resource": format!("arn:aws:s3:::{bucket}/*"),
    });
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}

/// A policy of a new bucket that is refused.
fn policy_refused(lab: &Lab, change: fn(&mut Value), code: &str) -> Seen {
    let name = bucket(lab)?;
    let mut policy = policy(&name, "Deny");
    change(&mut policy["Statement"][0]);
    lab.refused("s3.put_bucket_policy", json!({ "bucket": name, "policy": policy }), &[code])
}

pub const CASES: &[Case] = &[
    Case {
        name: "how a new bucket encrypts",
        aws: "with S3's own keys, AES256",
        page: "s3/GetBucketEncryption",
        run: |lab| {
            let at = json!({ "bucket": bucket(lab)? });
            is(&lab.standing("s3.bucket_encryption", at)?, ALGORITHM, "AES256")
        },
    },
    Case {
        name: "a bucket encrypts with KMS, then with S3's own keys again",
        aws: "as it was put last",
        page: "s3/PutBucketEncryption",
        run: |lab| {
            let at = set(lab, ENCRYPTION.0, ENCRYPTION.1, encrypted("aws:kms"))?;
            is(&lab.standing("s3.bucket_encryption", at.clone())?, ALGORITHM, "aws:kms")?;
            lab.make(ENCRYPTION.0, json!({ "bucket": at["bucket"], ENCRYPTION.1: encrypted("AES256") }))?;
            is(&lab.standing("s3.bucket_encryption", at)?, ALGORITHM, "AES256")
        },
    },
    Case {
        name: "the encryption of a bucket is deleted",
        aws: "it is as for a new bucket: AES256",
        page: "s3/DeleteBucketEncryption",
        run: |lab| {
            let at = set(lab, ENCRYPTION.0, ENCRYPTION.1, encrypted("aws:kms"))?;
            lab.delete("s3.bucket_encryption", at.clone()).ok()?;
            is(&lab.standing("s3.bucket_encryption", at)?, ALGORITHM, "AES256")
        },
    },
    Case {
        name: "the encryption of a bucket that does not exist",
        aws: "`NoSuchBucket`",
        page: "s3/PutBucketEncryption",
        run: |lab| missing(lab, ENCRYPTION.0, ENCRYPTION.1, encrypted("AES256")),
    },
    Case {
        name: "lifecycle rules are put, then others",
        aws: "the second ones replace the first",
        page: "s3/PutBucketLifecycleConfiguration",
        run: |lab| {
            let at = set(lab, LIFECYCLE.0, LIFECYCLE.1, expiring("first", 90))?;
            lab.make(LIFECYCLE.0, json!({ "bucket": at["bucket"], LIFECYCLE.1: expiring("second", 30) }))?;
            let found = lab.standing("s3.bucket_lifecycle_configuration", at)?;
            holds(list(&found, "lifecycle_configuration.rules").len() == 1, "both stand")?;
            is(&found, "lifecycle_configuration.rules.0.id", "second")
        },
    },
    Case {
        name: "a lifecycle rule in all its parts",
        aws: "as it was put",
        page: "s3/LifecycleRule",
        run: |lab| {
            let rule = json!({
                "id": "all", "status": "Disabled", "filter": { "prefix": "logs/" },
                "transitions": [{ "days": 30, "storage_class": "STANDARD_IA" }, { "days": 90, "storage_class": "GLACIER" }],
                "expiration": { "days": 365 }, "noncurrent_version_expiration": { "noncurrent_days": 7 },
                "abort_incomplete_multipart_upload": { "days_after_initiation": 3 },
            });
            let at = set(lab, LIFECYCLE.0, LIFECYCLE.1, json!({ "rules": [rule] }))?;
            let found = lab.standing("s3.bucket_lifecycle_configuration", at)?;
            is(&found, "lifecycle_configuration.rules.0.transitions.1.days", 90)
        },
    },
    Case {
        name: "objects that go before they would move",
        aws: "`InvalidArgument`: the expiration comes after every transition",
        page: "s3/PutBucketLifecycleConfiguration",
        run: |lab| rule_refused(lab, 90, "GLACIER", 60),
    },
    Case {
        name: "objects that move to STANDARD_IA in their first month",
        aws: "`InvalidArgument`: after 30 days at the earliest",
        page: "s3/Transition",
        run: |lab| rule_refused(lab, 10, "STANDARD_IA", 365),
    },
    Case {
        name: "objects that expire after no day",
        aws: "`InvalidArgument`: a positive number",
        page: "s3/LifecycleExpiration",
        run: |lab| {
            let input = json!({ "bucket": bucket(lab)?, LIFECYCLE.1: expiring("none", 0) });
            lab.refused(LIFECYCLE.0, input, &["InvalidArgument"])
        },
    },
    Case {
        name: "two lifecycle rules of the same name",
        aws: "`InvalidArgument`: the id is unique in the bucket",
        page: "s3/LifecycleRule",
        run: |lab| {
            let rule = expiring("old", 30)["rules"][0].clone();
            let input = json!({ "bucket": bucket(lab)?, LIFECYCLE.1: { "rules": [rule, rule] } });
            lab.refused(LIFECYCLE.0, input, &["InvalidArgument"])
        },
    },
    Case {
        name: "the lifecycle rules of a bucket that does not exist",
        aws: "`NoSuchBucket`",
        page: "s3/PutBucketLifecycleConfiguration",
        run: |lab| missing(lab, LIFECYCLE.0, LIFECYCLE.1, expiring("old", 30)),
    },
    Case {
        name: "lifecycle rules are deleted twice",
        aws: "none stand; the second time is no error",
        page: "s3/DeleteBucketLifecycle",
        run: |lab| {
            let at = set(lab, LIFECYCLE.0, LIFECYCLE.1, expiring("old", 30))?;
            lab.deleted_again("s3.bucket_lifecycle_configuration", at)
        },
    },
    Case {
        name: "a policy is put on a bucket, then another",
        aws: "the second one replaces the first",
        page: "s3/PutBucketPolicy",
        run: |lab| {
            let name = bucket(lab)?;
            lab.make("s3.put_bucket_policy", json!({ "bucket": name, "policy": policy(&name, "Deny") }))?;
            let mut other = policy(&name, "Deny");
            other["Statement"][0]["Action"] = "s3:PutObject".into();
            lab.make("s3.put_bucket_policy", json!({ "bucket": name, "policy": other }))?;
            is(&lab.standing("s3.bucket_policy", json!({ "bucket": name }))?, "policy", other)
        },
    },
    Case {
        name: "a policy that names nobody is put on a bucket",
        aws: "`MalformedPolicy`",
        page: "s3/PutBucketPolicy",
        run: |lab| {
            let change = |statement: &mut Value| {
                if let Some(map) = statement.as_object_mut() {
                    map.remove("Principal");
                }
            };
            policy_refused(lab, change, "MalformedPolicy")
        },
    },
    Case {
        name: "a policy about another bucket is put on a bucket",
        aws: "`MalformedPolicy`: the resource is not in the bucket",
        page: "s3/PutBucketPolicy",
        run: |lab| {
            policy_refused(lab, |statement| statement["Resource"] = "arn:aws:s3:::other/*".into(), "MalformedPolicy")
        },
    },
    Case {
        name: "a policy is put on a bucket that does not exist",
        aws: "`NoSuchBucket`",
        page: "s3/PutBucketPolicy",
        run: |lab| missing(lab, "s3.put_bucket_policy", "policy", policy(&lab.name("none"), "Deny")),
    },
    Case {
        name: "a policy lets everybody into a new bucket",
        aws: "`AccessDenied`: new buckets block public policies",
        page: "s3/PublicAccessBlockConfiguration",
        run: |lab| policy_refused(lab, |statement| statement["Effect"] = "Allow".into(), "AccessDenied"),
    },
    Case {
        name: "a policy lets everybody into a bucket that blocks nothing",
        aws: "accepted",
        page: "s3/PublicAccessBlockConfiguration",
        run: |lab| {
            let at = set(lab, BLOCK.0, BLOCK.1, blocked(false))?;
            let policy = policy(at["bucket"].as_str().unwrap_or_default(), "Allow");
            lab.make("s3.put_bucket_policy", json!({ "bucket": at["bucket"], "policy": policy })).map(|_| ())
        },
    },
    Case {
        name: "the policy of a bucket is deleted twice",
        aws: "none stands; the second time is no error",
        page: "s3/DeleteBucketPolicy",
        run: |lab| {
            let name = bucket(lab)?;
            lab.make("s3.put_bucket_policy", json!({ "bucket": name, "policy": policy(&name, "Deny") }))?;
            lab.deleted_again("s3.bucket_policy", json!({ "bucket": name }))
        },
    },
    Case {
        name: "what a new bucket keeps from the public",
        aws: "everything",
        page: "s3/GetPublicAccessBlock",
        run: |lab| {
            let found = lab.standing("s3.public_access_block", json!({ "bucket": bucket(lab)? }))?;
            is(&found, BLOCK.1, blocked(true))
        },
    },
    Case {
        name: "what a bucket keeps from the public is deleted twice",
        aws: "nothing is kept; the second time is no error",
        page: "s3/DeletePublicAccessBlock",
        run: |lab| {
            let at = set(lab, BLOCK.0, BLOCK.1, blocked(true))?;
            lab.deleted_again("s3.public_access_block", at)
        },
    },
    Case {
        name: "what a bucket that does not exist keeps from the public",
        aws: "`NoSuchBucket`",
        page: "s3/PutPublicAccessBlock",
        run: |lab| missing(lab, BLOCK.0, BLOCK.1, blocked(true)),
    },
];
