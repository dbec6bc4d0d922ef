//! `s3.public_access_block`: what keeps a bucket from the public.

use std::time::Duration;

use runbook_modules::{
    input,
    resource::{Identity, Meta, same_fields},
    sandbox::sim::{Ref, Simple},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::bucket::without;
use crate::{
    row::{Row, at_once},
    simulate::Upsert,
};

/// What blocks public access. See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The bucket's name.
    pub bucket: String,
    /// What is blocked.
    pub public_access_block_configuration: Configuration,
}

/// What is blocked; a field that is left out is not.
/// See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PublicAccessBlockConfiguration.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// New ACLs that are public are refused.
    #[serde(default)]
    pub block_public_acls: bool,
    /// Public ACLs have no effect.
    #[serde(default)]
    pub ignore_public_acls: bool,
    /// A bucket policy that is public is refused.
    #[serde(default)]
    pub block_public_policy: bool,
    /// A bucket whose policy is public is open to its own account and AWS services only.
    #[serde(default)]
    pub restrict_public_buckets: bool,
}

/// The constant facts.
pub static META: Meta = Meta {
    name: "s3.public_access_block",
    create: "put_public_access_block",
    operations: ("PutPublicAccessBlock", "DeletePublicAccessBlock"),
    doc: "Says what keeps a bucket from the public.\n\nNew buckets block everything; undo puts back what stood there. See the \
          [S3 reference](https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html).",
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
    check: input::check::<Input>,
    locator: &["bucket"],
    along: &[],
    parents: &["bucket"],
    judge: at_once,
    differences: |input, described| same_fields(&normal(input), described),
    sim: &SIM,
};

/// With what is left out filled in, so that asked and found compare.
fn normal(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(field) = value.get_mut("public_access_block_configuration")
        && let Ok(typed) = Configuration::deserialize(&*field)
    {
        *field = json!(typed);
    }
    value
}

/// What a new bucket has.
pub fn default(bucket: &str) -> (&'static str, Value) {
    let all = Configuration {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };
    (META.name, json!({ "id": bucket, "bucket": bucket, "public_access_block_configuration": all }))
}

static SIM: Upsert = Upsert(Simple {
    id: |call| call.text("bucket").to_owned(),
    global: true,
    refs: &[Ref { field: "bucket", kind: "s3.bucket", missing: "NoSuchBucket", owned: true }],
    missing: "NoSuchPublicAccessBlockConfiguration",
    describe: |_, call, _| normal(call.input),
    delete_other: without,
    taggable: false,
    ..Simple::DEFAULT
});
