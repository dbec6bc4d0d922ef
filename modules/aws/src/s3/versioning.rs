//! Whether a bucket keeps old versions: `put_bucket_versioning`, `get_bucket_versioning`.

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    sandbox::{sim::SimCall, world::World},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::bucket;

/// What switches it. See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The bucket's name.
    pub bucket: String,
    /// On or off.
    pub versioning_configuration: Configuration,
}

/// On or off.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// `Enabled` or `Suspended`.
    pub status: String,
}

/// `s3.put_bucket_versioning`.
pub static PUT: Operation = Operation {
    name: "s3.put_bucket_versioning",
    operation: "PutBucketVersioning",
    doc: "Switches the keeping of old versions on, or suspends it: there is no way back to a bucket that never kept any.\n\nSee the \
          [S3 reference](https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html).",
    class: Class::Update,
    schema: input::schema::<Input>,
    check: |value| match input::parse::<Input>(value)?.versioning_configuration.status.as_str() {
        "Enabled" | "Suspended" => Ok(()),
        other => Err(InputError::new(
            "versioning_configuration.status",
            format!("must be Enabled or Suspended, not {other:?}"),
        )),
    },
    token: None,
    settle: None,
    sim: put,
};

fn put(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let name = bucket::standing(world, call)?.id.clone();
    let status = call.input["versioning_configuration"]["status"].clone();
    world.change(bucket::META.name, "", &name, |bucket| bucket.body["versioning"] = status);
    Ok(json!({}))
}

/// `s3.get_bucket_versioning`.
pub static GET: Operation = Operation {
    name: "s3.get_bucket_versioning",
    operation: "GetBucketVersioning",
    doc: "Says whether a bucket keeps old versions, as `#{status: \"Enabled\"}`: Enabled, Suspended, or empty when it never did.\n\nSee \
          the [S3 reference](https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html).",
    class: Class::Read,
    schema: input::schema::<bucket::Named>,
    check: input::check::<bucket::Named>,
    token: None,
    settle: None,
    sim: |world, call| {
        let status = bucket::standing(world, call)?.body.get("versioning").cloned();
        Ok(json!({ "status": status.unwrap_or_else(|| "".into()) }))
    },
};
