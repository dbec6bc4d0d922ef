//! CreateBucket, HeadBucket, DeleteBucket, and what else is asked of a bucket.
//!
//! CreateBucket comes after a HeadBucket: in us-east-1 it answers 200 for a bucket that is the caller's own already, and resets its
//! ACLs. DeleteBucket empties the bucket first when somebody allowed that.

use aws_sdk_s3::{
    error::SdkError,
    operation::head_bucket::HeadBucketOutput,
    types::{BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, VersioningConfiguration},
};
use runbook_modules::error::{CallError, Class};
use serde_json::{Value, json};

use super::{none_if_missing, objects, tags};
use crate::{
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, field},
    },
    s3::{bucket, versioning},
};

pub(in crate::s3) struct Bucket;
pub(in crate::s3) struct Head;
pub(in crate::s3) struct Location;
pub(in crate::s3) struct PutVersioning;
pub(in crate::s3) struct GetVersioning;

/// The region where a bucket of that name needs no constraint.
const HOME: &str = "us-east-1";

/// What a HeadBucket says, by its status, for it has no body.
enum Headed {
    Within(Box<HeadBucketOutput>),
    Elsewhere(u16),
    Free,
}

async fn head(clients: &Clients, name: &str) -> Result<Headed, CallError> {
    match clients.s3.head_bucket().bucket(name).send().await {
        Ok(answer) => Ok(Headed::Within(Box::new(answer))),
        Err(SdkError::ServiceError(answer)) if matches!(answer.raw().status().as_u16(), 301 | 403) => {
            Ok(Headed::Elsewhere(answer.raw().status().as_u16()))
        }
        Err(SdkError::ServiceError(answer)) if answer.raw().status().as_u16() == 404 => Ok(Headed::Free),
        Err(error) => Err(classify(error)),
    }
}

fn constraint(region: &str) -> Option<BucketLocationConstraint> {
    (!region.is_empty() && region != HOME).then(|| region.into())
}

async fn described(clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
    let name = field(at, "bucket");
    let found = match head(clients, name).await? {
        Headed::Within(found) => found,
        Headed::Free => return Ok(None),
        Headed::Elsewhere(status) => {
            let text = format!(
                "HeadBucket of {name} answered {status}: it is another account's, or this caller may not see it"
            );
            return Err(CallError::refused("AccessDenied", text));
        }
    };
    let tagged = none_if_missing(clients.s3.get_bucket_tagging().bucket(name).send().await.map_err(classify))?;
    let owned =
        none_if_missing(clients.s3.get_bucket_ownership_controls().bucket(name).send().await.map_err(classify))?;
    let rules =
        owned.as_ref().and_then(|o| o.ownership_controls()).map(|controls| controls.rules()).unwrap_or_default();
    let tag_set = tagged.as_ref().map(|tagged| tagged.tag_set()).unwrap_or_default();
    let described = Described::new()
        .text("id", Some(name))
        .text("name", Some(name))
        .text("bucket", Some(name))
        .text("arn", Some(&format!("arn:aws:s3:::{name}")))
        .text("bucket_region", found.bucket_region())
        .text("object_ownership", rules.first().map(|rule| rule.object_ownership()))
        .value(bucket::CONSENT, at.get(bucket::CONSENT).cloned())
        .tags(tag_set.iter().map(|tag| (Some(tag.key()), Some(tag.value()))));
    Ok(Some(described.done()))
}

impl Driver for Bucket {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: bucket::Input = sent.typed()?;
        match head(clients, &input.bucket).await.map_err(unsent)? {
            Headed::Free => {}
            Headed::Within(_) => {
                let text = format!("the bucket {} stands already, in this account", input.bucket);
                return Err(CallError::new(Class::AlreadyExists, "BucketAlreadyOwnedByYou", text));
            }
            Headed::Elsewhere(_) => {
                let text = format!(
                    "the name {} is taken by somebody else: bucket names are unique in all of AWS",
                    input.bucket
                );
                return Err(CallError::refused("BucketAlreadyExists", text));
            }
        }
        let configuration = CreateBucketConfiguration::builder()
            .set_location_constraint(constraint(&clients.region))
            .set_tags(Some(tags(sent)?))
            .build();
        let request = clients
            .s3
            .create_bucket()
            .bucket(&input.bucket)
            .set_object_ownership(input.object_ownership.as_deref().map(Into::into))
            .create_bucket_configuration(configuration);
        request.send().await.map_err(classify)?;
        let ownership = input.object_ownership.as_deref().unwrap_or("BucketOwnerEnforced");
        Ok(Described::new()
            .text("id", Some(&input.bucket))
            .text("name", Some(&input.bucket))
            .text("bucket", Some(&input.bucket))
            .text("arn", Some(&format!("arn:aws:s3:::{}", input.bucket)))
            .text("bucket_region", Some(&clients.region))
            .text("object_ownership", Some(ownership))
            .value(bucket::CONSENT, input.empty_on_undo)
            .tags(sent.tags.iter().map(|(key, value)| (Some(key.as_str()), Some(value.as_str()))))
            .done())
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        described(clients, at).await
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(described(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let name = field(at, "bucket");
        if bucket::may_be_emptied(at) {
            objects::empty(clients, name).await?;
        }
        match clients.s3.delete_bucket().bucket(name).send().await.map_err(classify) {
            Err(error) if error.code == "BucketNotEmpty" => {
                let (some, more) = objects::some(clients, name).await?;
                Err(bucket::not_empty(name, &some, more))
            }
            other => other.map(|_| ()),
        }
    }

    async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String> {
        objects::some(clients, field(at, "bucket")).await.map(|(some, _)| some).unwrap_or_default()
    }
}

/// A read before the one request that makes something: whatever became of it, nothing was made.
fn unsent(mut error: CallError) -> CallError {
    if error.class == Class::Unknown {
        error.class = Class::NotSent;
    }
    error
}

impl Call for Head {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let status = match head(clients, field(sent.input, "bucket")).await? {
            Headed::Within(_) => 200,
            Headed::Elsewhere(_) => 403,
            Headed::Free => 404,
        };
        Ok(json!({ "status": status }))
    }
}

impl Call for Location {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let request = clients.s3.get_bucket_location().bucket(field(sent.input, "bucket"));
        let answer = request.send().await.map_err(classify)?;
        let region = answer.location_constraint().map(|region| region.as_str()).filter(|region| !region.is_empty());
        Ok(json!({ "location_constraint": region.unwrap_or(HOME) }))
    }
}

impl Call for PutVersioning {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: versioning::Input = sent.typed()?;
        let status = BucketVersioningStatus::from(input.versioning_configuration.status.as_str());
        let configuration = VersioningConfiguration::builder().status(status).build();
        let request = clients.s3.put_bucket_versioning().bucket(input.bucket).versioning_configuration(configuration);
        request.send().await.map_err(classify)?;
        Ok(json!({}))
    }
}

impl Call for GetVersioning {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let request = clients.s3.get_bucket_versioning().bucket(field(sent.input, "bucket"));
        let answer = request.send().await.map_err(classify)?;
        Ok(json!({ "status": answer.status().map(|status| status.as_str()).unwrap_or_default() }))
    }
}
