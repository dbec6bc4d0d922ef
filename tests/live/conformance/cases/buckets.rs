//! S3 buckets, their versions and the objects in them.

use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, Other, Seen, holds, is, list, text},
    lab::{Lab, REGION},
};

/// A bucket of this case's own: its name.
pub fn bucket(lab: &Lab) -> Result<String, Other> {
    let name = lab.name("files");
    lab.make("s3.create_bucket", json!({ "bucket": name }))?;
    Ok(name)
}

/// Switches the keeping of old versions.
fn switch(lab: &Lab, bucket: &str, status: &str) -> Result<Value, Other> {
    let input = json!({ "bucket": bucket, "versioning_configuration": { "status": status } });
    lab.call("s3.put_bucket_versioning", input).ok()?;
    lab.call("s3.get_bucket_versioning", json!({ "bucket": bucket })).ok()
}

/// A call that names a bucket that does not exist.
fn missing(lab: &Lab, function: &str, mut input: Value) -> Seen {
    input["bucket"] = lab.name("none").into();
    lab.refused(function, input, &["NoSuchBucket"])
}

pub const CASES: &[Case] = &[
    Case {
        name: "a bucket is described as it was made",
        aws: "in the region of the request, its objects the owner's, the tags",
        page: "s3/CreateBucket",
        run: |lab| {
            let made = lab.make("s3.create_bucket", json!({ "bucket": lab.name("files") }))?;
            is(&made, "bucket_region", REGION)?;
            is(&made, "object_ownership", "BucketOwnerEnforced")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a bucket whose writers own their objects",
        aws: "ObjectWriter, as it was asked for",
        page: "s3/GetBucketOwnershipControls",
        run: |lab| {
            let input = json!({ "bucket": lab.name("files"), "object_ownership": "ObjectWriter" });
            is(&lab.make("s3.create_bucket", input)?, "object_ownership", "ObjectWriter")
        },
    },
    Case {
        name: "a second bucket of the same name",
        aws: "`BucketAlreadyOwnedByYou`; in us-east-1 S3 itself says 200, so our call asks first",
        page: "s3/CreateBucket",
        run: |lab| {
            let input = json!({ "bucket": lab.name("files") });
            lab.refused_again("s3.create_bucket", input, &["BucketAlreadyOwnedByYou"])
        },
    },
    Case {
        name: "whether the name of a bucket is taken",
        aws: "404 before it is made, 200 afterwards",
        page: "s3/HeadBucket",
        run: |lab| {
            let input = json!({ "bucket": lab.name("files") });
            is(&lab.call("s3.head_bucket", input.clone()).ok()?, "status", 404)?;
            bucket(lab)?;
            is(&lab.call("s3.head_bucket", input).ok()?, "status", 200)
        },
    },
    Case {
        name: "where a bucket stands",
        aws: "no constraint in us-east-1, for which our call says the region",
        page: "s3/GetBucketLocation",
        run: |lab| {
            let found = lab.call("s3.get_bucket_location", json!({ "bucket": bucket(lab)? })).ok()?;
            is(&found, "location_constraint", REGION)
        },
    },
    Case {
        name: "where a bucket stands that does not exist",
        aws: "`NoSuchBucket`",
        page: "s3/GetBucketLocation",
        run: |lab| missing(lab, "s3.get_bucket_location", json!({})),
    },
    Case {
        name: "a bucket keeps old versions",
        aws: "nothing is said at first, then Enabled, then Suspended",
        page: "s3/PutBucketVersioning",
        run: |lab| {
            let name = bucket(lab)?;
            is(&lab.call("s3.get_bucket_versioning", json!({ "bucket": name })).ok()?, "status", "")?;
            for status in ["Enabled", "Suspended"] {
                is(&switch(lab, &name, status)?, "status", status)?;
            }
            Ok(())
        },
    },
    Case {
        name: "the versions of a bucket that does not exist are switched on",
        aws: "`NoSuchBucket`",
        page: "s3/PutBucketVersioning",
        run: |lab| {
            let input = json!({ "versioning_configuration": { "status": "Enabled" } });
            missing(lab, "s3.put_bucket_versioning", input)
        },
    },
    Case {
        name: "the objects of a new bucket",
        aws: "none",
        page: "s3/ListObjectsV2",
        run: |lab| {
            let found = lab.call("s3.list_objects_v2", json!({ "bucket": bucket(lab)? })).ok()?;
            holds(found["contents"].is_array() && list(&found, "contents").is_empty(), "some")
        },
    },
    Case {
        name: "the objects of a bucket that does not exist",
        aws: "`NoSuchBucket`",
        page: "s3/ListObjectsV2",
        run: |lab| missing(lab, "s3.list_objects_v2", json!({})),
    },
    Case {
        name: "objects are deleted that are not there",
        aws: "no error",
        page: "s3/DeleteObjects",
        run: |lab| {
            let input = json!({ "bucket": bucket(lab)?, "keys": ["a", "b"] });
            is(&lab.call("s3.delete_objects", input).ok()?, "deleted", 0)
        },
    },
    Case {
        name: "objects of a bucket that does not exist are deleted",
        aws: "`NoSuchBucket`",
        page: "s3/DeleteObjects",
        run: |lab| missing(lab, "s3.delete_objects", json!({ "keys": ["a"] })),
    },
    Case {
        name: "a bucket is deleted twice",
        aws: "`NoSuchBucket`",
        page: "s3/DeleteBucket",
        run: |lab| lab.deleted_twice("s3.bucket", json!({ "bucket": bucket(lab)? }), &["NoSuchBucket"]),
    },
    Case {
        name: "the name of a deleted bucket is used again",
        aws: "accepted, without what was set on the first one",
        page: "s3/DeleteBucket",
        run: |lab| {
            let name = bucket(lab)?;
            switch(lab, &name, "Enabled")?;
            lab.delete("s3.bucket", json!({ "bucket": name })).ok()?;
            lab.gone("s3.bucket", json!({ "bucket": name }))?;
            bucket(lab)?;
            let found = lab.call("s3.get_bucket_versioning", json!({ "bucket": name })).ok()?;
            holds(text(&found, "status").is_empty(), "it keeps versions")
        },
    },
];
