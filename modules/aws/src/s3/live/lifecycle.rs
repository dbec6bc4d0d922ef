//! PutBucketLifecycleConfiguration, GetBucketLifecycleConfiguration, DeleteBucketLifecycle.

use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule,
    LifecycleRuleFilter, NoncurrentVersionExpiration, Transition, TransitionStorageClass,
};
use runbook_modules::error::CallError;
use serde_json::{Value, json};

use super::{
    none_if_missing,
    settings::{before, described},
};
use crate::{
    live::{
        Clients, Driver, Sent, classify,
        convert::{built, field},
    },
    s3::lifecycle::{self, normal},
};

pub(in crate::s3) struct Lifecycle;

const RULES: &str = "lifecycle_configuration";

fn rule(asked: lifecycle::Rule) -> Result<LifecycleRule, CallError> {
    let transition = |asked: lifecycle::Transition| {
        let class = TransitionStorageClass::from(asked.storage_class.as_str());
        Transition::builder().days(asked.days).storage_class(class).build()
    };
    let transitions: Vec<Transition> = asked.transitions.into_iter().map(transition).collect();
    let expiration = asked.expiration.map(|asked| LifecycleExpiration::builder().days(asked.days).build());
    let old = asked.noncurrent_version_expiration;
    let old = old.map(|asked| NoncurrentVersionExpiration::builder().noncurrent_days(asked.noncurrent_days).build());
    let abort = asked.abort_incomplete_multipart_upload.map(|asked| {
        AbortIncompleteMultipartUpload::builder().days_after_initiation(asked.days_after_initiation).build()
    });
    let rule = LifecycleRule::builder()
        .id(asked.id)
        .status(ExpirationStatus::from(asked.status.as_str()))
        .filter(LifecycleRuleFilter::builder().prefix(asked.filter.prefix).build())
        .set_transitions(Some(transitions).filter(|list| !list.is_empty()))
        .set_expiration(expiration)
        .set_noncurrent_version_expiration(old)
        .set_abort_incomplete_multipart_upload(abort);
    built(rule.build())
}

/// A rule as S3 answers it, in the input's form; what the input cannot say stands as it is named there.
fn found(rule: &LifecycleRule) -> Value {
    let prefix = rule.filter().and_then(|filter| filter.prefix()).unwrap_or_default();
    let mut found = json!({
        "id": rule.id().unwrap_or_default(), "status": rule.status().as_str(), "filter": { "prefix": prefix },
    });
    let transition = |one: &Transition| json!({ "days": one.days(), "storage_class": one.storage_class().map(TransitionStorageClass::as_str) });
    if !rule.transitions().is_empty() {
        found["transitions"] = rule.transitions().iter().map(transition).collect();
    }
    if let Some(days) = rule.expiration().and_then(LifecycleExpiration::days) {
        found["expiration"] = json!({ "days": days });
    }
    if let Some(days) = rule.noncurrent_version_expiration().and_then(NoncurrentVersionExpiration::noncurrent_days) {
        found["noncurrent_version_expiration"] = json!({ "noncurrent_days": days });
    }
    let abort = rule.abort_incomplete_multipart_upload();
    if let Some(days) = abort.and_then(AbortIncompleteMultipartUpload::days_after_initiation) {
        found["abort_incomplete_multipart_upload"] = json!({ "days_after_initiation": days });
    }
    found
}

async fn put(clients: &Clients, input: lifecycle::Input) -> Result<Value, CallError> {
    let said = normal(&described(&input.bucket, RULES, json!(input.lifecycle_configuration)));
    let rules = input.lifecycle_configuration.rules.into_iter().map(rule).collect::<Result<Vec<_>, _>>()?;
    let configuration = built(BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build())?;
    let request = clients.s3.put_bucket_lifecycle_configuration().bucket(input.bucket);
    request.lifecycle_configuration(configuration).send().await.map_err(classify)?;
    Ok(said)
}

impl Driver for Lifecycle {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        put(clients, sent.typed()?).await
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let bucket = field(at, "bucket");
        let request = clients.s3.get_bucket_lifecycle_configuration().bucket(bucket);
        let Some(answer) = none_if_missing(request.send().await.map_err(classify))? else { return Ok(None) };
        let rules: Value = answer.rules().iter().map(found).collect();
        Ok(Some(described(bucket, RULES, json!({ "rules": rules }))))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, put_back: Option<&Value>) -> Result<(), CallError> {
        if let Some(prior) = put_back {
            return put(clients, before(at, RULES, prior)?).await.map(|_| ());
        }
        clients.s3.delete_bucket_lifecycle().bucket(field(at, "bucket")).send().await.map_err(classify).map(|_| ())
    }
}
