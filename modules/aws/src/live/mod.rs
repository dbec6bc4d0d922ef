//! What the live calls share.
//!
//! SDK retries are off in every client: the engine owns retries, since only it knows what may be sent again.

use std::collections::BTreeMap;

use async_trait::async_trait;
use runbook_modules::error::CallError;
use serde_json::Value;

/// The clients of one place (region, profile, role).
pub struct Clients {
    /// EC2.
    pub ec2: aws_sdk_ec2::Client,
    /// EKS.
    pub eks: aws_sdk_eks::Client,
    /// IAM.
    pub iam: aws_sdk_iam::Client,
    /// Route 53.
    pub route53: aws_sdk_route53::Client,
    /// Cloud Map.
    pub servicediscovery: aws_sdk_servicediscovery::Client,
    /// STS.
    pub sts: aws_sdk_sts::Client,
    /// The region.
    pub region: String,
}

/// What a live creation or operation carries: the checked input with the values of secrets in it, the token, the tags.
pub struct Sent<'a> {
    /// The input.
    pub input: &'a Value,
    /// The idempotency token, 64 characters.
    pub token: &'a str,
    /// Tags for the same request.
    pub tags: &'a BTreeMap<String, String>,
}

/// The live calls of a kind. Each sends one request, but for `find` and `read`, which may page.
#[async_trait]
pub trait Driver: Send + Sync {
    /// Makes one. See [`runbook_modules::target::Target::create`].
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError>;
    /// Reads one by its locator; None: it does not exist.
    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError>;
    /// Finds what the request would have made, by natural key, else by the effect tag.
    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError>;
    /// Deletes one by its locator.
    async fn delete(&self, clients: &Clients, at: &Value, put_back: Option<&Value>) -> Result<(), CallError>;
    /// What keeps it from being deleted, for people.
    async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String> {
        let _ = (clients, at);
        Vec::new()
    }
}

/// The live call of an operation.
#[async_trait]
pub trait Call: Send + Sync {
    /// Makes it.
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError>;
}
