//! `s3.bucket`: a bucket. What others put into it is not the run's: undo deletes it only when somebody said so.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Identity, Kind, Meta, same_fields},
    sandbox::{
        sim::{Sim, SimCall, Simple},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{encryption, object, public_access};
use crate::{
    row::{Difference, Row, at_once},
    simulate::owned,
};

/// What makes a bucket. See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>.
///
/// It stands in the region of the call. There is no field for an ACL: S3 refuses one on new buckets, whose objects all belong to the
/// bucket's owner.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name, unique in all of AWS: 3 to 63 lower-case letters, digits, dots and hyphens.
    pub bucket: String,
    /// Who owns objects: `BucketOwnerEnforced` (S3's own default), `BucketOwnerPreferred` or `ObjectWriter`.
    pub object_ownership: Option<String>,
    /// Ours, not AWS's: undo deletes every object and version in it, then the bucket. Without it, undo deletes an empty bucket only.
    pub empty_on_undo: Option<bool>,
    /// Ours, not AWS's: ARN of the key with which others encrypt what they put into it. Undo leaves the key as long as the bucket stands,
    /// since without it the objects cannot be read.
    pub encrypted_with: Option<String>,
}

/// The constant facts.
pub static META: Meta = Meta {
    name: "s3.bucket",
    create: "create_bucket",
    operations: ("CreateBucket", "DeleteBucket"),
    doc: "Makes an S3 bucket.\n\nObjects that others put into it are not the run's. Undo leaves a bucket that holds any and says so, \
          unless the script gave `empty_on_undo: true` or a person says `runbook undo RUN --also s3://BUCKET`. See the \
          [S3 reference](https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html).",
    identity: Identity::Key,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: Some("S3 bucket (by what it holds)"),
    replaces: false,
    shared: false,
};

/// The kind.
pub static KIND: Row<Bucket> = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        let input = input::parse::<Input>(value)?;
        name_fits(&input.bucket)?;
        match input.object_ownership.as_deref() {
            None | Some("BucketOwnerEnforced" | "BucketOwnerPreferred" | "ObjectWriter") => Ok(()),
            Some(other) => Err(InputError::new(
                "object_ownership",
                format!("must be one of BucketOwnerEnforced, BucketOwnerPreferred, ObjectWriter, not {other:?}"),
            )),
        }
    },
    locator: &["bucket"],
    along: &[CONSENT],
    parents: &["encrypted_with"],
    judge: at_once,
    differences,
    sim: &SIM,
};

/// The field that says that undo may delete what is in the bucket.
pub const CONSENT: &str = "empty_on_undo";

/// `empty_on_undo` says what may happen, not what is.
fn differences(input: &Value, described: &Value) -> Vec<Difference> {
    let mut input = input.clone();
    if let Value::Object(map) = &mut input {
        map.remove(CONSENT);
    }
    same_fields(&input, described)
}

/// Whether a locator allows the bucket to be emptied.
pub fn may_be_emptied(at: &Value) -> bool {
    at.get(CONSENT) == Some(&Value::Bool(true))
}

/// The rules of names: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>.
fn name_fits(name: &str) -> Result<(), InputError> {
    let wrong = |why: &str| Err(InputError::new("bucket", format!("{name:?} {why}")));
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if !(3..=63).contains(&name.len()) {
        return wrong("must have 3 to 63 characters");
    }
    if !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.') {
        return wrong("may hold lower-case letters, digits, dots and hyphens only");
    }
    if !edge(name.chars().next()) || !edge(name.chars().last()) || name.contains("..") {
        return wrong("must begin and end with a letter or digit, without two dots in a row");
    }
    if name.parse::<std::net::Ipv4Addr>().is_ok() {
        return wrong("must not look like an IP address");
    }
    Ok(())
}

/// The refusal to delete a bucket that holds something, with what to do. Waiting would not help: nobody else empties it.
pub fn not_empty(bucket: &str, some: &[String], more: bool) -> CallError {
    let listed = some.join(", ");
    let count = match some.len() {
        1 if !more => "1 object".to_owned(),
        count => format!("{}{count} objects", if more { "more than " } else { "" }),
    };
    let text = format!(
        "the bucket {bucket} holds {count} ({listed}), and nobody allowed undo to delete them; \
         `runbook undo RUN --also s3://{bucket}` deletes the bucket with all that is in it"
    );
    CallError::refused("BucketNotEmpty", text)
}

static SIMPLE: Simple = Simple {
    id: |call| call.text("bucket").to_owned(),
    global: true,
    unique: (&[], "BucketAlreadyOwnedByYou"),
    missing: "NoSuchBucket",
    describe: |_, call, id| {
        json!({
            "name": id, "arn": format!("arn:aws:s3:::{id}"), "bucket_region": call.place.region,
            "object_ownership": match call.text("object_ownership") { "" => "BucketOwnerEnforced", asked => asked },
        })
    },
    made: |world, _, bucket| {
        for default in [encryption::default(&bucket.id), public_access::default(&bucket.id)] {
            put_default(world, bucket, default);
        }
    },
    deleted: |world, call, bucket| {
        let inside: Vec<String> = object::inside(world, call, &bucket.id).map(Object::key).collect();
        inside.iter().for_each(|key| world.remove(key));
    },
    ..Simple::DEFAULT
};

static SIM: Bucket = Bucket;

/// The simulated bucket: the locator's consent is no field of the bucket.
pub struct Bucket;

fn with<'a>(call: &SimCall<'a>, input: &'a Value) -> SimCall<'a> {
    SimCall { input, ..*call }
}

fn named(call: &SimCall<'_>) -> Value {
    json!({ "bucket": call.text("bucket") })
}

impl Sim for Bucket {
    fn create(&self, kind: &dyn Kind, world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
        SIMPLE.create(kind, world, call)
    }

    fn read(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<Value> {
        SIMPLE.read(kind, world, &with(call, &named(call)))
    }

    fn find(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<Value> {
        SIMPLE.find(kind, world, call)
    }

    fn delete(
        &self, kind: &dyn Kind, world: &mut World, call: &SimCall<'_>, put_back: Option<&Value>,
    ) -> Result<(), CallError> {
        let held = self.obstacles(kind, world, call);
        if !held.is_empty() && !may_be_emptied(call.input) {
            return Err(not_empty(call.text("bucket"), &held, false));
        }
        SIMPLE.delete(kind, world, &with(call, &named(call)), put_back)
    }

    fn next_change(&self, kind: &dyn Kind, world: &World, call: &SimCall<'_>) -> Option<i64> {
        SIMPLE.next_change(kind, world, &with(call, &named(call)))
    }

    fn obstacles(&self, _: &dyn Kind, world: &World, call: &SimCall<'_>) -> Vec<String> {
        object::inside(world, call, call.text("bucket")).map(|object| object::key(object).to_owned()).collect()
    }
}

/// The bucket that a call names.
///
/// # Errors
/// NoSuchBucket.
pub fn standing<'w>(world: &'w World, call: &SimCall<'_>) -> Result<&'w Object, CallError> {
    let name = call.text("bucket");
    world
        .get(META.name, "", name, call.now_ms)
        .ok_or_else(|| CallError::not_found("NoSuchBucket", format!("The specified bucket does not exist: {name}")))
}

/// What the deletion of a setting comes to that does not stand: nothing, as long as the bucket does.
pub(super) fn without(world: &mut World, call: &SimCall<'_>) -> Option<Result<(), CallError>> {
    Some(standing(world, call).map(|_| ()))
}

/// Puts what a new bucket has by itself.
pub(super) fn put_default(world: &mut World, bucket: &Object, (kind, body): (&str, Value)) {
    world.put(owned(kind, "", &bucket.id, bucket, body, vec![bucket.key()]));
}

/// Which bucket is asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The bucket's name.
    pub bucket: String,
}

/// `s3.head_bucket`.
pub static HEAD: Operation = Operation {
    name: "s3.head_bucket",
    operation: "HeadBucket",
    doc: "Says whether a bucket's name is taken, as `#{status: 404}`: 200 when the bucket is within reach, 403 when it is somebody \
          else's, 404 when the name is free.\n\nSee the \
          [S3 reference](https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html).",
    class: Class::Read,
    schema: input::schema::<Named>,
    check: input::check::<Named>,
    token: None,
    settle: None,
    sim: |world, call| Ok(json!({ "status": if standing(world, call).is_ok() { 200 } else { 404 } })),
};

/// `s3.get_bucket_location`.
pub static LOCATION: Operation = Operation {
    name: "s3.get_bucket_location",
    operation: "GetBucketLocation",
    doc: "Says in which region a bucket stands, as `#{location_constraint: \"eu-west-1\"}`; unlike S3 itself it says us-east-1 too.\n\n\
          See the [S3 reference](https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html).",
    class: Class::Read,
    schema: input::schema::<Named>,
    check: input::check::<Named>,
    token: None,
    settle: None,
    sim: |world, call| Ok(json!({ "location_constraint": standing(world, call)?.body["bucket_region"] })),
};
