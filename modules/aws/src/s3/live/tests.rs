//! The shape of the requests to S3, on the real SDK client.

use runbook_modules::{error::Class, resource::Kind};
use serde_json::{Value, json};

use crate::{
    live::testing::{Answer, Wire, sent, tag_json, tags, xml_answer},
    s3::{bucket, call, driver, encryption, lifecycle},
};

fn xml(root: &str, inside: &str) -> Answer {
    xml_answer(&format!("<{root} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inside}</{root}>"))
}

fn error(status: u16, code: &str) -> Answer {
    (status, format!("<Error><Code>{code}</Code><Message>no</Message></Error>"))
}

const FREE: Answer = (404, String::new());

fn done() -> Answer {
    (200, String::new())
}

fn tagging() -> Answer {
    let tag = |(key, value): (&String, &String)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>");
    xml("Tagging", &format!("<TagSet>{}</TagSet>", tags().iter().map(tag).collect::<String>()))
}

fn ownership() -> Answer {
    xml("OwnershipControls", "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>")
}

fn versions(keys: &[&str]) -> Answer {
    let one = |key: &&str| format!("<Version><Key>{key}</Key><VersionId>null</VersionId></Version>");
    xml("ListVersionsResult", &format!("<IsTruncated>false</IsTruncated>{}", keys.iter().map(one).collect::<String>()))
}

#[tokio::test]
async fn a_bucket_is_looked_for_then_made_with_our_tags_and_read_as_it_was_asked_for() {
    let wire = Wire::answering([FREE, done(), done(), tagging(), ownership()]);
    let (input, tags) = (json!({ "bucket": "backup-1", "empty_on_undo": true }), tags());
    let bucket = driver("s3.bucket").unwrap();
    let made = bucket.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!((&made["id"], &made["tags"]), (&json!("backup-1"), &tag_json()));
    let at = bucket::KIND.locate(&input, &made).unwrap();
    assert_eq!(at, input);
    let read = bucket.read(&wire.clients, &at).await.unwrap().unwrap();
    assert_eq!((&read["tags"], &read["empty_on_undo"]), (&tag_json(), &json!(true)));
    assert_eq!(bucket::KIND.differences(&input, &read), []);

    let seen = wire.seen();
    assert_eq!((seen[0].method.as_str(), seen[1].method.as_str()), ("HEAD", "PUT"));
    assert!(seen[1].uri.starts_with("https://backup-1.s3.us-east-1.amazonaws.com/"), "{}", seen[1].uri);
    assert!(seen[1].body.contains("<Tag><Key>runbook:effect</Key>"), "{}", seen[1].body);
    assert!(!seen[1].body.contains("LocationConstraint"), "us-east-1 takes none: {}", seen[1].body);
}

#[tokio::test]
async fn a_bucket_that_stands_is_never_made_again_for_us_east_1_would_say_yes() {
    let wire = Wire::answering([done(), (403, String::new())]);
    let (input, tags) = (json!({ "bucket": "backup-1" }), tags());
    let bucket = driver("s3.bucket").unwrap();
    let ours = bucket.create(&wire.clients, &sent(&input, &tags)).await.unwrap_err();
    assert_eq!((ours.class, ours.code.as_str()), (Class::AlreadyExists, "BucketAlreadyOwnedByYou"));
    let foreign = bucket.create(&wire.clients, &sent(&input, &tags)).await.unwrap_err();
    assert_eq!((foreign.class, foreign.code.as_str()), (Class::Refused, "BucketAlreadyExists"));
    assert!(wire.seen().iter().all(|seen| seen.method == "HEAD"));
}

#[tokio::test]
async fn without_consent_a_bucket_with_objects_is_left_and_they_are_named() {
    let wire = Wire::answering([error(409, "BucketNotEmpty"), versions(&["backup/a.gz"])]);
    let at = json!({ "bucket": "backup-1" });
    let refused = driver("s3.bucket").unwrap().delete(&wire.clients, &at, None).await.unwrap_err();
    assert_eq!((refused.class, refused.code.as_str()), (Class::Refused, "BucketNotEmpty"));
    assert!(refused.message.contains("backup/a.gz"), "{refused}");
    let methods: Vec<_> = wire.seen().iter().map(|seen| seen.method.clone()).collect();
    assert_eq!(methods, ["DELETE", "GET"], "nothing was deleted but the bucket tried");
}

#[tokio::test]
async fn with_consent_uploads_and_versions_go_first() {
    let upload = "<IsTruncated>false</IsTruncated><Upload><Key>big</Key><UploadId>u1</UploadId></Upload>";
    let wire = Wire::answering([
        xml("ListMultipartUploadsResult", upload),
        (204, String::new()),
        versions(&["a", "b"]),
        xml("DeleteResult", ""),
        versions(&[]),
        (204, String::new()),
    ]);
    let at = json!({ "bucket": "backup-1", "empty_on_undo": true });
    driver("s3.bucket").unwrap().delete(&wire.clients, &at, None).await.unwrap();
    let seen = wire.seen();
    assert!(seen[1].uri.contains("uploadId=u1"), "{}", seen[1].uri);
    assert!(seen[3].uri.contains("delete"), "{}", seen[3].uri);
    assert!(seen[3].body.contains("<Object><Key>a</Key><VersionId>null</VersionId></Object>"), "{}", seen[3].body);
    assert_eq!((seen[5].method.as_str(), seen[5].path().as_str()), ("DELETE", "/"));
}

fn encryption_of(key: &str) -> Value {
    let rule =
        json!({ "apply_server_side_encryption_by_default": { "sse_algorithm": "aws:kms", "kms_master_key_id": key } });
    json!({ "bucket": "backup-1", "server_side_encryption_configuration": { "rules": [rule] } })
}

#[tokio::test]
async fn encryption_is_put_read_and_put_back() {
    let key = "arn:aws:kms:us-east-1:123456789012:key/k";
    let rule = format!(
        "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>{key}</KMSMasterKeyID>\
         </ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule>"
    );
    let wire = Wire::answering([done(), xml("ServerSideEncryptionConfiguration", &rule), done()]);
    let (input, tags) = (encryption_of(key), tags());
    let kind = driver("s3.bucket_encryption").unwrap();
    let made = kind.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    let at = encryption::KIND.locate(&input, &made).unwrap();
    let read = kind.read(&wire.clients, &at).await.unwrap().unwrap();
    assert_eq!(encryption::KIND.differences(&input, &read), []);
    let rule = json!({ "apply_server_side_encryption_by_default": { "sse_algorithm": "AES256" }, "bucket_key_enabled": false });
    let prior = json!({ "bucket": "backup-1", "server_side_encryption_configuration": { "rules": [rule] } });
    kind.delete(&wire.clients, &at, Some(&prior)).await.unwrap();

    let seen = wire.seen();
    assert!(seen[0].uri.ends_with("?encryption") && seen[0].method == "PUT", "{}", seen[0].uri);
    assert!(seen[0].body.contains(&format!("<KMSMasterKeyID>{key}</KMSMasterKeyID>")), "{}", seen[0].body);
    assert!(
        seen[2].method == "PUT" && seen[2].body.contains("<SSEAlgorithm>AES256</SSEAlgorithm>"),
        "{}",
        seen[2].body
    );
}

#[tokio::test]
async fn lifecycle_rules_are_put_and_read_as_asked() {
    let rule = "<Rule><ID>keep</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>\
                <Transition><Days>90</Days><StorageClass>GLACIER</StorageClass></Transition><Expiration><Days>1095</Days></Expiration></Rule>";
    let wire =
        Wire::answering([done(), xml("LifecycleConfiguration", rule), error(404, "NoSuchLifecycleConfiguration")]);
    let asked = json!({
        "id": "keep", "transitions": [{ "days": 90, "storage_class": "GLACIER" }], "expiration": { "days": 1095 },
    });
    let (input, tags) = (json!({ "bucket": "backup-1", "lifecycle_configuration": { "rules": [asked] } }), tags());
    let kind = driver("s3.bucket_lifecycle_configuration").unwrap();
    kind.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    let at = json!({ "bucket": "backup-1" });
    let read = kind.read(&wire.clients, &at).await.unwrap().unwrap();
    assert_eq!(lifecycle::KIND.differences(&input, &read), []);
    assert_eq!(kind.read(&wire.clients, &at).await.unwrap(), None);
    let seen = wire.seen();
    for part in ["<ID>keep</ID>", "<Prefix></Prefix>", "<Days>1095</Days>", "<StorageClass>GLACIER</StorageClass>"] {
        assert!(seen[0].body.contains(part), "{part} in {}", seen[0].body);
    }
}

#[tokio::test]
async fn the_public_is_kept_out_and_a_policy_let_in() {
    let wire = Wire::answering([done(), done()]);
    let tags = tags();
    let all = json!({ "block_public_acls": true, "ignore_public_acls": true, "block_public_policy": true, "restrict_public_buckets": true });
    let input = json!({ "bucket": "backup-1", "public_access_block_configuration": all });
    driver("s3.public_access_block").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    let input = json!({ "bucket": "backup-1", "policy": { "Statement": [] } });
    driver("s3.bucket_policy").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    let seen = wire.seen();
    assert!(seen[0].uri.ends_with("?publicAccessBlock"), "{}", seen[0].uri);
    assert!(seen[0].body.contains("<RestrictPublicBuckets>true</RestrictPublicBuckets>"), "{}", seen[0].body);
    assert_eq!(seen[1].json(), json!({ "Statement": [] }));
}

#[tokio::test]
async fn objects_are_listed_in_all_pages_and_deleted_with_their_versions() {
    let page = |token: &str, key: &str| {
        let next = if token.is_empty() {
            String::new()
        } else {
            format!("<NextContinuationToken>{token}</NextContinuationToken>")
        };
        let more = !token.is_empty();
        xml(
            "ListBucketResult",
            &format!("<IsTruncated>{more}</IsTruncated>{next}<Contents><Key>{key}</Key><Size>7</Size></Contents>"),
        )
    };
    let wire = Wire::answering([page("t", "a"), page("", "b"), versions(&["a", "ab"]), xml("DeleteResult", "")]);
    let tags = tags();
    let input = json!({ "bucket": "backup-1" });
    let listed = call("s3.list_objects_v2").unwrap().call(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!(listed, json!({ "contents": [{ "key": "a", "size": 7 }, { "key": "b", "size": 7 }] }));
    let input = json!({ "bucket": "backup-1", "keys": ["a"] });
    let gone = call("s3.delete_objects").unwrap().call(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!(gone, json!({ "deleted": 1 }));
    assert!(!wire.seen()[3].body.contains("<Key>ab</Key>"), "{}", wire.seen()[3].body);
}

#[tokio::test]
async fn a_name_is_free_taken_or_within_reach() {
    let wire = Wire::answering([FREE, (403, String::new()), done()]);
    let (tags, input) = (tags(), json!({ "bucket": "backup-1" }));
    for status in [404, 403, 200] {
        let said = call("s3.head_bucket").unwrap().call(&wire.clients, &sent(&input, &tags)).await.unwrap();
        assert_eq!(said, json!({ "status": status }));
    }
}
