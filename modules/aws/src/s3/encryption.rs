//! `s3.bucket_encryption`: how a bucket encrypts what is put into it.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    resource::{Identity, Meta, same_fields},
    sandbox::sim::{Ref, Simple},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::bucket::{put_default, without};
use crate::{
    row::{Row, at_once},
    simulate::Upsert,
};

/// What sets a bucket's encryption. See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The bucket's name.
    pub bucket: String,
    /// The rules; S3 takes one.
    pub server_side_encryption_configuration: Configuration,
}

/// The rules. See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionConfiguration.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// The rules.
    pub rules: Vec<Rule>,
}

/// A rule. See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionRule.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What is used when a request names nothing.
    pub apply_server_side_encryption_by_default: ByDefault,
    /// Whether one key of the bucket's own stands between the objects and KMS, which saves requests to KMS.
    #[serde(default)]
    pub bucket_key_enabled: bool,
}

/// An algorithm and a key. See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionByDefault.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ByDefault {
    /// `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub sse_algorithm: String,
    /// ARN or id of the key, for KMS; AWS's own key when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_master_key_id: Option<String>,
}

static META: Meta = Meta {
    name: "s3.bucket_encryption",
    create: "put_bucket_encryption",
    operations: ("PutBucketEncryption", "DeleteBucketEncryption"),
    doc: "Sets how a bucket encrypts new objects.\n\nEvery bucket has such a setting (AES256 at first): undo puts back what stood there. \
          See the [S3 reference](https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html).",
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
        let input = input::parse::<Input>(value)?;
        let [rule] = &input.server_side_encryption_configuration.rules[..] else {
            return Err(InputError::new("server_side_encryption_configuration.rules", "S3 takes exactly one rule"));
        };
        let ByDefault { sse_algorithm, kms_master_key_id } = &rule.apply_server_side_encryption_by_default;
        let path = "server_side_encryption_configuration.rules.0.apply_server_side_encryption_by_default";
        match (sse_algorithm.as_str(), kms_master_key_id) {
            ("AES256", Some(_)) => {
                Err(InputError::new(format!("{path}.kms_master_key_id"), "goes with aws:kms, not with AES256"))
            }
            ("AES256" | "aws:kms" | "aws:kms:dsse", _) => Ok(()),
            (other, _) => Err(InputError::new(
                format!("{path}.sse_algorithm"),
                format!("must be one of AES256, aws:kms, aws:kms:dsse, not {other:?}"),
            )),
        }
    },
    locator: &["bucket"],
    along: &[],
    parents: &["bucket"],
    judge: at_once,
    differences: |input, described| same_fields(&normal(input), &normal(described)),
    sim: &SIM,
};

/// With what is left out filled in, so that asked and found compare.
fn normal(value: &Value) -> Value {
    const FIELD: &str = "server_side_encryption_configuration";
    let mut value = value.clone();
    if let Some(field) = value.get_mut(FIELD)
        && let Ok(typed) = Configuration::deserialize(&*field)
    {
        *field = json!(typed);
    }
    value
}

/// What a new bucket has.
pub fn default(bucket: &str) -> (&'static str, Value) {
    let rule = json!({ "apply_server_side_encryption_by_default": { "sse_algorithm": "AES256" }, "bucket_key_enabled": false });
    (META.name, json!({ "id": bucket, "bucket": bucket, "server_side_encryption_configuration": { "rules": [rule] } }))
}

static SIM: Upsert = Upsert(Simple {
    id: |call| call.text("bucket").to_owned(),
    global: true,
    refs: &[Ref { field: "bucket", kind: "s3.bucket", missing: "NoSuchBucket", owned: true }],
    missing: "ServerSideEncryptionConfigurationNotFoundError",
    check: |world, call| {
        let input = input::parse::<Input>(call.input).map_err(|e| CallError::refused("MalformedXML", e.to_string()))?;
        let rule = input.server_side_encryption_configuration.rules.into_iter().next();
        let key = rule.and_then(|rule| rule.apply_server_side_encryption_by_default.kms_master_key_id);
        let region = |key: &str| key.split(':').nth(3).map(str::to_owned);
        let bucket = super::bucket::standing(world, call)?;
        match key.as_deref().and_then(region) {
            Some(region) if bucket.body["bucket_region"] != region.as_str() => {
                let text = format!("The key is in {region}, the bucket is not: S3 takes keys of the bucket's region");
                Err(CallError::refused("KMS.NotFoundException", text))
            }
            _ => Ok(()),
        }
    },
    deleted: |world, call, setting| {
        if let Some(bucket) = world.get("s3.bucket", "", &setting.id, call.now_ms).cloned() {
            put_default(world, &bucket, default(&bucket.id));
        }
    },
    delete_other: without,
    taggable: false,
    ..Simple::DEFAULT
});
