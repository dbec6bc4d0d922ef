//! ListObjectsV2, ListObjectVersions, DeleteObjects, AbortMultipartUpload.

use aws_sdk_s3::types::{Delete, Object, ObjectIdentifier};
use runbook_modules::error::{CallError, Class};
use serde_json::{Value, json};

use crate::{
    live::{
        Call, Clients, Sent, classify,
        convert::{Described, built, field},
    },
    s3::object,
};

pub(in crate::s3) struct ListObjects;
pub(in crate::s3) struct DeleteObjects;

/// How many objects are named to a person.
const NAMED: i32 = 10;
/// How many versions one request lists, and one deletes.
const PAGE: i32 = 1000;

/// One page of versions and delete markers below a prefix. A bucket without versions has one of each object, `null`.
async fn page(
    clients: &Clients, bucket: &str, prefix: &str, most: i32,
) -> Result<(Vec<(String, String)>, bool), CallError> {
    let request = clients.s3.list_object_versions().bucket(bucket).prefix(prefix).max_keys(most);
    let answer = request.send().await.map_err(classify)?;
    let versions = answer.versions().iter().map(|version| (version.key(), version.version_id()));
    let markers = answer.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
    let all = versions.chain(markers).filter_map(|(key, version)| Some((key?.to_owned(), version?.to_owned())));
    Ok((all.collect(), answer.is_truncated() == Some(true)))
}

/// The keys of some objects, and whether there are more.
pub async fn some(clients: &Clients, bucket: &str) -> Result<(Vec<String>, bool), CallError> {
    let (found, more) = page(clients, bucket, "", NAMED).await?;
    Ok((found.into_iter().map(|(key, _)| key).collect(), more))
}

async fn remove(clients: &Clients, bucket: &str, versions: &[(String, String)]) -> Result<(), CallError> {
    let named =
        |(key, version): &(String, String)| built(ObjectIdentifier::builder().key(key).version_id(version).build());
    let objects = versions.iter().map(named).collect::<Result<Vec<_>, _>>()?;
    let delete = built(Delete::builder().set_objects(Some(objects)).quiet(true).build())?;
    let answer = clients.s3.delete_objects().bucket(bucket).delete(delete).send().await.map_err(classify)?;
    match answer.errors().first() {
        None => Ok(()),
        Some(first) => {
            let (key, message) = (first.key().unwrap_or_default(), first.message().unwrap_or_default());
            let text =
                format!("{} objects of {bucket} could not be deleted, {key} first: {message}", answer.errors().len());
            Err(CallError::refused(first.code().unwrap_or("DeleteObjects"), text))
        }
    }
}

/// Deletes every version, every delete marker and every unfinished upload. Doing it again goes on where it was.
pub async fn empty(clients: &Clients, bucket: &str) -> Result<(), CallError> {
    let uploads = clients.s3.list_multipart_uploads().bucket(bucket).send().await.map_err(classify)?;
    for upload in uploads.uploads() {
        let abort = clients.s3.abort_multipart_upload().bucket(bucket);
        let abort = abort.set_key(upload.key().map(str::to_owned)).set_upload_id(upload.upload_id().map(str::to_owned));
        match abort.send().await.map_err(classify) {
            Err(error) if error.class != Class::NotFound => return Err(error),
            _ => {}
        }
    }
    loop {
        let (versions, _) = page(clients, bucket, "", PAGE).await?;
        if versions.is_empty() {
            return Ok(());
        }
        remove(clients, bucket, &versions).await?;
    }
}

fn described(object: &Object) -> Value {
    Described::new()
        .text("key", object.key())
        .value("size", object.size())
        .text("storage_class", object.storage_class())
        .text("e_tag", object.e_tag())
        .time("last_modified", object.last_modified())
        .done()
}

impl Call for ListObjects {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: object::List = sent.typed()?;
        let request = clients.s3.list_objects_v2().bucket(input.bucket).set_prefix(input.prefix);
        let mut pages = request.into_paginator().send();
        let mut contents = Vec::new();
        while let Some(answer) = pages.next().await {
            contents.extend(answer.map_err(classify)?.contents().iter().map(described));
        }
        Ok(json!({ "contents": contents }))
    }
}

impl Call for DeleteObjects {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: object::Delete = sent.typed()?;
        let bucket = field(sent.input, "bucket");
        let mut deleted = 0;
        for key in &input.keys {
            loop {
                let (mut versions, more) = page(clients, bucket, key, PAGE).await?;
                versions.retain(|(found, _)| found == key);
                if versions.is_empty() {
                    break;
                }
                remove(clients, bucket, &versions).await?;
                deleted += 1;
                if !more {
                    break;
                }
            }
        }
        Ok(json!({ "deleted": deleted }))
    }
}
