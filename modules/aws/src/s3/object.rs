//! The objects in a bucket. They are not the run's: they are listed, and deleted by name.

use runbook_modules::{
    error::CallError,
    input,
    operation::{Class, Operation},
    sandbox::{
        sim::SimCall,
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::bucket;
use crate::{row::text, simulate::body};

/// The sandbox's kind of an object, made by rehearsal files: body `bucket`, `key` and what else the list answers.
pub const OBJECT: &str = "s3.object";

/// The objects in a bucket.
pub fn inside<'w>(world: &'w World, call: &SimCall<'_>, bucket: &str) -> impl Iterator<Item = &'w Object> + use<'w> {
    let bucket = bucket.to_owned();
    world.list(OBJECT, "", call.now_ms).filter(move |object| body(object, "bucket") == bucket)
}

/// An object's key in its bucket.
pub fn key(object: &Object) -> &str {
    body(object, "key")
}

/// Which objects are asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The bucket's name.
    pub bucket: String,
    /// Only keys that begin so.
    pub prefix: Option<String>,
}

/// `s3.list_objects_v2`.
pub static LIST: Operation = Operation {
    name: "s3.list_objects_v2",
    operation: "ListObjectsV2",
    doc: "Lists the objects of a bucket, as `#{contents: [#{key, size, storage_class, last_modified}]}`, all pages.\n\nSee the \
          [S3 reference](https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html).",
    class: Class::Read,
    schema: input::schema::<List>,
    check: input::check::<List>,
    token: None,
    settle: None,
    sim: |world, call| {
        let name = bucket::standing(world, call)?.id.clone();
        let prefix = call.text("prefix");
        let found = inside(world, call, &name).filter(|object| key(object).starts_with(prefix));
        Ok(json!({ "contents": found.map(listed).collect::<Value>() }))
    },
};

fn listed(object: &Object) -> Value {
    let mut listed = object.body.clone();
    if let Value::Object(map) = &mut listed {
        map.retain(|field, _| !matches!(field.as_str(), "bucket" | "id"));
    }
    listed
}

/// Which objects go.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// The bucket's name.
    pub bucket: String,
    /// The keys. Of each, all versions and delete markers go.
    pub keys: Vec<String>,
}

/// `s3.delete_objects`.
pub static DELETE: Operation = Operation {
    name: "s3.delete_objects",
    operation: "DeleteObjects",
    doc: "Deletes objects of a bucket by their keys, with all their versions. Answers how many were `deleted`; a key that does not exist \
          is no error.\n\nSee the [S3 reference](https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html).",
    class: Class::Delete,
    schema: input::schema::<Delete>,
    check: input::check::<Delete>,
    token: None,
    settle: None,
    sim: delete,
};

fn delete(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let name = bucket::standing(world, call)?.id.clone();
    let keys = call.input.get("keys").and_then(Value::as_array).cloned().unwrap_or_default();
    let gone: Vec<String> = inside(world, call, &name)
        .filter(|object| keys.iter().any(|wanted| wanted == text(&object.body, "key")))
        .map(Object::key)
        .collect();
    gone.iter().for_each(|key| world.remove(key));
    Ok(json!({ "deleted": gone.len() }))
}
