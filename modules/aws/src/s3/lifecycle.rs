//! `s3.bucket_lifecycle_configuration`: when objects move to cheaper storage, and when they go.

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

use super::bucket::without;
use crate::{
    row::{Row, at_once},
    simulate::Upsert,
};

/// What sets a bucket's rules.
/// See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The bucket's name.
    pub bucket: String,
    /// All rules of the bucket: others that stood there are replaced.
    pub lifecycle_configuration: Configuration,
}

/// The rules. See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_BucketLifecycleConfiguration.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// The rules, at most 1000.
    pub rules: Vec<Rule>,
}

/// A rule. See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html>.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name in the bucket.
    pub id: String,
    /// `Enabled` or `Disabled`; Enabled when left out.
    #[serde(default = "enabled")]
    pub status: String,
    /// Which objects; all when left out.
    #[serde(default)]
    pub filter: Filter,
    /// When they move to which storage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transitions: Vec<Transition>,
    /// When they go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Expiration>,
    /// When versions that are no longer current go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noncurrent_version_expiration: Option<NoncurrentExpiration>,
    /// When uploads that were never finished go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abort_incomplete_multipart_upload: Option<Abort>,
}

fn enabled() -> String {
    "Enabled".to_owned()
}

/// Which objects a rule is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Keys that begin so; empty: all.
    #[serde(default)]
    pub prefix: String,
}

/// A move to other storage. See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Transition.html>.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// Days after the object was made.
    pub days: i32,
    /// `STANDARD_IA`, `ONEZONE_IA`, `INTELLIGENT_TIERING`, `GLACIER_IR`, `GLACIER` or `DEEP_ARCHIVE`.
    pub storage_class: String,
}

/// When objects go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expiration {
    /// Days after the object was made.
    pub days: i32,
}

/// When old versions go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoncurrentExpiration {
    /// Days after the version was replaced.
    pub noncurrent_days: i32,
}

/// When unfinished uploads go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Abort {
    /// Days after the upload began.
    pub days_after_initiation: i32,
}

static META: Meta = Meta {
    name: "s3.bucket_lifecycle_configuration",
    create: "put_bucket_lifecycle_configuration",
    operations: ("PutBucketLifecycleConfiguration", "DeleteBucketLifecycle"),
    doc: "Sets the lifecycle rules of a bucket.\n\nOther rules that stood there are put back by undo. See the \
          [S3 reference](https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html).",
    identity: Identity::Repeat,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: true,
    shared: false,
};

const CLASSES: [&str; 6] =
    ["STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"];

/// The kind.
pub static KIND: Row<Upsert> = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        let rules = input::parse::<Input>(value)?.lifecycle_configuration.rules;
        if rules.is_empty() {
            return Err(InputError::new("lifecycle_configuration.rules", "needs at least one rule"));
        }
        rules.iter().enumerate().try_for_each(|(n, rule)| check(&format!("lifecycle_configuration.rules.{n}"), rule))
    },
    locator: &["bucket"],
    along: &[],
    parents: &["bucket"],
    judge: at_once,
    differences: |input, described| same_fields(&normal(input), &normal(described)),
    sim: &SIM,
};

fn check(path: &str, rule: &Rule) -> Result<(), InputError> {
    let wrong = |field: &str, why: String| Err(InputError::new(format!("{path}.{field}"), why));
    if !matches!(rule.status.as_str(), "Enabled" | "Disabled") {
        return wrong("status", format!("must be Enabled or Disabled, not {:?}", rule.status));
    }
    for transition in &rule.transitions {
        if !CLASSES.contains(&transition.storage_class.as_str()) {
            let known = CLASSES.join(", ");
            return wrong(
                "transitions",
                format!("storage_class must be one of {known}, not {:?}", transition.storage_class),
            );
        }
    }
    let acts = !rule.transitions.is_empty()
        || rule.expiration.is_some()
        || rule.noncurrent_version_expiration.is_some()
        || rule.abort_incomplete_multipart_upload.is_some();
    if acts { Ok(()) } else { wrong("id", "the rule does nothing: give an expiration or a transition".to_owned()) }
}

/// With what is left out filled in, so that asked and found compare.
pub fn normal(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(field) = value.get_mut("lifecycle_configuration")
        && let Ok(mut typed) = Configuration::deserialize(&*field)
    {
        typed.rules.sort_by(|one, other| one.id.cmp(&other.id));
        *field = json!(typed);
    }
    value
}

static SIM: Upsert = Upsert(Simple {
    id: |call| call.text("bucket").to_owned(),
    global: true,
    refs: &[Ref { field: "bucket", kind: "s3.bucket", missing: "NoSuchBucket", owned: true }],
    missing: "NoSuchLifecycleConfiguration",
    check: |_, call| {
        let input = input::parse::<Input>(call.input).map_err(|e| CallError::refused("MalformedXML", e.to_string()))?;
        let rules = input.lifecycle_configuration.rules;
        for (n, rule) in rules.iter().enumerate() {
            if rules[..n].iter().any(|other| other.id == rule.id) {
                let text = format!("Rule ID must be unique. Found same ID for more than one rule: {}", rule.id);
                return Err(CallError::refused("InvalidArgument", text));
            }
            refuse(rule)?;
        }
        Ok(())
    },
    describe: |_, call, _| normal(call.input),
    delete_other: without,
    taggable: false,
    ..Simple::DEFAULT
});

/// What S3 refuses in a rule beyond its form.
fn refuse(rule: &Rule) -> Result<(), CallError> {
    let early = |one: &&Transition| one.days < 30 && matches!(one.storage_class.as_str(), "STANDARD_IA" | "ONEZONE_IA");
    if let Some(Transition { storage_class, .. }) = rule.transitions.iter().find(early) {
        let text = format!(
            "'Days' in Transition action must be greater than or equal to 30 for storageClass '{storage_class}'"
        );
        return Err(CallError::refused("InvalidArgument", text));
    }
    let last = rule.transitions.iter().map(|transition| transition.days).max();
    match (&rule.expiration, last) {
        (Some(Expiration { days }), Some(last)) if *days <= last => {
            let text = format!(
                "'Days' in the Expiration action for rule '{}' must be greater than in its transitions",
                rule.id
            );
            Err(CallError::refused("InvalidArgument", text))
        }
        (Some(Expiration { days: ..1 }), _) => {
            Err(CallError::refused("InvalidArgument", "'Days' for Expiration action must be a positive integer"))
        }
        _ => Ok(()),
    }
}
