//! What is put on a bucket: encryption, policy, public access block. Each is read, put, and deleted or put back.

use std::collections::BTreeMap;

use aws_sdk_s3::types::{
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use runbook_modules::error::CallError;
use serde_json::{Value, json};

use super::none_if_missing;
use crate::{
    iam::document::normal,
    live::{
        Clients, Driver, Sent, classify,
        convert::{built, field},
    },
    s3::{encryption, policy, public_access},
};

pub(in crate::s3) struct Encryption;
pub(in crate::s3) struct Policy;
pub(in crate::s3) struct PublicAccess;

/// The description of a bucket's setting.
pub fn described(bucket: &str, name: &str, setting: Value) -> Value {
    json!({ "id": bucket, "bucket": bucket, name: setting })
}

/// The input that puts a setting back, out of the description of what stood there.
pub fn before<T: serde::de::DeserializeOwned>(at: &Value, name: &str, before: &Value) -> Result<T, CallError> {
    let input = json!({ "bucket": field(at, "bucket"), name: before[name] });
    Sent { input: &input, token: "", tags: &BTreeMap::new() }.typed()
}

const ENCRYPTION: &str = "server_side_encryption_configuration";
const BLOCK: &str = "public_access_block_configuration";
const POLICY: &str = "policy";

async fn put_encryption(clients: &Clients, input: encryption::Input) -> Result<Value, CallError> {
    let said = described(&input.bucket, ENCRYPTION, json!(input.server_side_encryption_configuration));
    let rule = |rule: encryption::Rule| {
        let asked = rule.apply_server_side_encryption_by_default;
        let default = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(ServerSideEncryption::from(asked.sse_algorithm.as_str()))
            .set_kms_master_key_id(asked.kms_master_key_id)
            .build();
        Ok(ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(built(default)?)
            .bucket_key_enabled(rule.bucket_key_enabled)
            .build())
    };
    let rules =
        input.server_side_encryption_configuration.rules.into_iter().map(rule).collect::<Result<Vec<_>, _>>()?;
    let configuration = built(ServerSideEncryptionConfiguration::builder().set_rules(Some(rules)).build())?;
    let request = clients.s3.put_bucket_encryption().bucket(input.bucket);
    request.server_side_encryption_configuration(configuration).send().await.map_err(classify)?;
    Ok(said)
}

impl Driver for Encryption {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        put_encryption(clients, sent.typed()?).await
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let bucket = field(at, "bucket");
        let answer = clients.s3.get_bucket_encryption().bucket(bucket).send().await.map_err(classify);
        let Some(answer) = none_if_missing(answer)? else { return Ok(None) };
        let rule = |rule: &ServerSideEncryptionRule| {
            let mut default = json!({});
            if let Some(found) = rule.apply_server_side_encryption_by_default() {
                default["sse_algorithm"] = found.sse_algorithm().as_str().into();
                if let Some(key) = found.kms_master_key_id() {
                    default["kms_master_key_id"] = key.into();
                }
            }
            json!({
                "apply_server_side_encryption_by_default": default,
                "bucket_key_enabled": rule.bucket_key_enabled().unwrap_or_default(),
            })
        };
        let rules = answer.server_side_encryption_configuration().map(|c| c.rules()).unwrap_or_default();
        Ok(Some(described(bucket, ENCRYPTION, json!({ "rules": rules.iter().map(rule).collect::<Value>() }))))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, put_back: Option<&Value>) -> Result<(), CallError> {
        if let Some(prior) = put_back {
            return put_encryption(clients, before(at, ENCRYPTION, prior)?).await.map(|_| ());
        }
        clients.s3.delete_bucket_encryption().bucket(field(at, "bucket")).send().await.map_err(classify).map(|_| ())
    }
}

async fn put_policy(clients: &Clients, input: policy::Input) -> Result<Value, CallError> {
    let text = input.policy.text();
    let said = described(&input.bucket, POLICY, normal(&Value::from(text.as_str())));
    clients.s3.put_bucket_policy().bucket(input.bucket).policy(text).send().await.map_err(classify)?;
    Ok(said)
}

impl Driver for Policy {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        put_policy(clients, sent.typed()?).await
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let bucket = field(at, "bucket");
        let answer = clients.s3.get_bucket_policy().bucket(bucket).send().await.map_err(classify);
        let Some(answer) = none_if_missing(answer)? else { return Ok(None) };
        Ok(answer.policy().map(|text| described(bucket, POLICY, normal(&Value::from(text)))))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, put_back: Option<&Value>) -> Result<(), CallError> {
        if let Some(prior) = put_back {
            return put_policy(clients, before(at, POLICY, prior)?).await.map(|_| ());
        }
        clients.s3.delete_bucket_policy().bucket(field(at, "bucket")).send().await.map_err(classify).map(|_| ())
    }
}

async fn put_block(clients: &Clients, input: public_access::Input) -> Result<Value, CallError> {
    let asked = input.public_access_block_configuration;
    let configuration = PublicAccessBlockConfiguration::builder()
        .block_public_acls(asked.block_public_acls)
        .ignore_public_acls(asked.ignore_public_acls)
        .block_public_policy(asked.block_public_policy)
        .restrict_public_buckets(asked.restrict_public_buckets)
        .build();
    let said = described(&input.bucket, BLOCK, json!(asked));
    let request = clients.s3.put_public_access_block().bucket(input.bucket);
    request.public_access_block_configuration(configuration).send().await.map_err(classify)?;
    Ok(said)
}

impl Driver for PublicAccess {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        put_block(clients, sent.typed()?).await
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let bucket = field(at, "bucket");
        let answer = clients.s3.get_public_access_block().bucket(bucket).send().await.map_err(classify);
        let Some(answer) = none_if_missing(answer)? else { return Ok(None) };
        let Some(found) = answer.public_access_block_configuration() else { return Ok(None) };
        let configuration = public_access::Configuration {
            block_public_acls: found.block_public_acls().unwrap_or_default(),
            ignore_public_acls: found.ignore_public_acls().unwrap_or_default(),
            block_public_policy: found.block_public_policy().unwrap_or_default(),
            restrict_public_buckets: found.restrict_public_buckets().unwrap_or_default(),
        };
        Ok(Some(described(bucket, BLOCK, json!(configuration))))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, put_back: Option<&Value>) -> Result<(), CallError> {
        if let Some(prior) = put_back {
            return put_block(clients, before(at, BLOCK, prior)?).await.map(|_| ());
        }
        clients.s3.delete_public_access_block().bucket(field(at, "bucket")).send().await.map_err(classify).map(|_| ())
    }
}
