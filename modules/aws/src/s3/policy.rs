//! `s3.bucket_policy`: who may do what with a bucket.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input,
    resource::{Identity, Meta, same_fields},
    sandbox::{
        sim::{Ref, SimCall, Simple},
        world::World,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{bucket::without, public_access};
use crate::{
    iam::document::{self, Document},
    row::{Row, at_once},
    simulate::Upsert,
};

/// What sets a bucket's policy. See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The bucket's name.
    pub bucket: String,
    /// The policy, with principals.
    pub policy: Document,
}

static META: Meta = Meta {
    name: "s3.bucket_policy",
    create: "put_bucket_policy",
    operations: ("PutBucketPolicy", "DeleteBucketPolicy"),
    doc: "Sets the policy of a bucket.\n\nAnother policy that stood there is put back by undo. See the \
          [S3 reference](https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html).",
    identity: Identity::Repeat,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: true,
    shared: false,
};

/// The kind.
pub static KIND: Row<Upsert> = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        input::check::<Input>(value)?;
        document::check(value, "policy")
    },
    locator: &["bucket"],
    along: &[],
    parents: &["bucket"],
    judge: at_once,
    differences: |input, described| same_fields(&document::with_normal(input, "policy"), described),
    sim: &SIM,
};

static SIM: Upsert = Upsert(Simple {
    id: |call| call.text("bucket").to_owned(),
    global: true,
    refs: &[Ref { field: "bucket", kind: "s3.bucket", missing: "NoSuchBucket", owned: true }],
    missing: "NoSuchBucketPolicy",
    check: refuse,
    delete_other: without,
    made: |world, _, object| {
        let body = document::with_normal(&object.body, "policy");
        world.change(META.name, "", &object.id, |policy| policy.body = body);
    },
    taggable: false,
    ..Simple::DEFAULT
});

fn refuse(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    let document = call.input.get("policy").map(document::normal).unwrap_or_default();
    let statements = document.get("Statement").unwrap_or(&Value::Null);
    let statements = statements.as_array().map_or(std::slice::from_ref(statements), Vec::as_slice);
    for statement in statements {
        let has = |names: [&str; 2]| names.iter().any(|name| statement.get(*name).is_some());
        if !has(["Principal", "NotPrincipal"]) {
            return Err(CallError::refused("MalformedPolicy", "Missing required field Principal"));
        }
        if !has(["Action", "NotAction"]) || !has(["Resource", "NotResource"]) {
            return Err(CallError::refused("MalformedPolicy", "Missing required field Action or Resource"));
        }
        if statement.get("Resource").is_some_and(|resource| !inside(resource, call.text("bucket"))) {
            return Err(CallError::refused("MalformedPolicy", "Policy has invalid resource"));
        }
    }
    let block = world.get(public_access::META.name, "", call.text("bucket"), call.now_ms);
    let blocks = block.is_some_and(|b| b.body["public_access_block_configuration"]["block_public_policy"] == true);
    if blocks && statements.iter().any(public) {
        let text = "public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access";
        return Err(CallError::refused("AccessDenied", text));
    }
    Ok(())
}

/// Whether all resources of a statement are the bucket, or what is in it.
fn inside(resource: &Value, bucket: &str) -> bool {
    let all = resource.as_array().map_or(std::slice::from_ref(resource), Vec::as_slice);
    all.iter().filter_map(Value::as_str).all(|arn| {
        let named = arn.split_once(":s3:::").map(|(_, path)| path.split_once('/').map_or(path, |(name, _)| name));
        named.is_none_or(|name| name == bucket || name.contains(['*', '?', '$']))
    })
}

/// Whether a statement lets everybody in.
fn public(statement: &Value) -> bool {
    let principal = statement.get("Principal").unwrap_or(&Value::Null);
    let everybody = principal == "*" || principal.get("AWS").is_some_and(|aws| aws == "*");
    everybody && statement.get("Effect").is_some_and(|effect| effect == "Allow") && statement.get("Condition").is_none()
}
