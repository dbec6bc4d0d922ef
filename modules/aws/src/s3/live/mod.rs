//! The SDK calls of S3.

use aws_sdk_s3::types::Tag;
use runbook_modules::error::{CallError, Class};

use crate::live::{Sent, convert::built};

mod bucket;
mod lifecycle;
mod objects;
mod settings;
#[cfg(test)]
mod tests;

pub(super) use bucket::{Bucket, GetVersioning, Head, Location, PutVersioning};
pub(super) use lifecycle::Lifecycle;
pub(super) use objects::{DeleteObjects, ListObjects};
pub(super) use settings::{Encryption, Policy, PublicAccess};

fn tags(sent: &Sent<'_>) -> Result<Vec<Tag>, CallError> {
    sent.tags.iter().map(|(key, value)| built(Tag::builder().key(key).value(value).build())).collect()
}

fn none_if_missing<T>(found: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match found {
        Err(e) if e.class == Class::NotFound => Ok(None),
        other => other.map(Some),
    }
}
