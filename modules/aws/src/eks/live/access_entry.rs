//! CreateAccessEntry, DescribeAccessEntry, DeleteAccessEntry.

use aws_sdk_eks::types;
use runbook_modules::error::CallError;
use serde_json::Value;

use super::{deleting, none_if_missing};
use crate::{
    eks::access_entry::Input,
    live::{
        Clients, Driver, Sent, classify,
        convert::{self, Described, field, texts},
        empty,
    },
};

pub(in crate::eks) struct AccessEntry;

fn described(found: &types::AccessEntry) -> Value {
    let (cluster, principal) = (found.cluster_name().unwrap_or_default(), found.principal_arn().unwrap_or_default());
    Described::new()
        .text("id", Some(&format!("{cluster}/{principal}")))
        .text("name", Some(principal))
        .text("arn", found.access_entry_arn())
        .text("cluster_name", Some(cluster))
        .text("principal_arn", Some(principal))
        .text("type", found.r#type())
        .text("username", found.username())
        .value("kubernetes_groups", Some(texts(found.kubernetes_groups())))
        .tag_map(found.tags())
        .done()
}

impl Driver for AccessEntry {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: Input = sent.typed()?;
        let request = clients
            .eks
            .create_access_entry()
            .cluster_name(input.cluster_name)
            .principal_arn(input.principal_arn)
            .set_type(input.r#type)
            .set_kubernetes_groups(input.kubernetes_groups)
            .set_username(input.username)
            .client_request_token(sent.token)
            .set_tags(Some(convert::hash_map(sent.tags)));
        let answer = request.send().await.map_err(classify)?;
        answer.access_entry().map(described).ok_or_else(|| empty("access entry"))
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let request = clients.eks.describe_access_entry().cluster_name(field(at, "cluster_name"));
        let answer = request.principal_arn(field(at, "principal_arn")).send().await.map_err(classify);
        Ok(none_if_missing(answer)?.and_then(|answer| answer.access_entry().map(described)))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let request = clients.eks.delete_access_entry().cluster_name(field(at, "cluster_name"));
        let answer = request.principal_arn(field(at, "principal_arn")).send().await;
        deleting(answer.map_err(classify).map(|_| ()))
    }
}
