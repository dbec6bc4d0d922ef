//! CreatePodIdentityAssociation, DescribePodIdentityAssociation, ListPodIdentityAssociations, DeletePodIdentityAssociation.

use aws_sdk_eks::types;
use runbook_modules::error::CallError;
use serde_json::Value;

use super::{deleting, none_if_missing};
use crate::{
    eks::pod_identity_association::Input,
    live::{
        Clients, Driver, Sent, classify,
        convert::{self, Described, field},
        empty,
    },
};

pub(in crate::eks) struct PodIdentity;

fn described(found: &types::PodIdentityAssociation) -> Value {
    let account = [found.namespace(), found.service_account()].map(Option::unwrap_or_default).join("/");
    Described::new()
        .text("id", found.association_id())
        .text("name", Some(&account))
        .text("arn", found.association_arn())
        .text("association_id", found.association_id())
        .text("cluster_name", found.cluster_name())
        .text("namespace", found.namespace())
        .text("service_account", found.service_account())
        .text("role_arn", found.role_arn())
        .tag_map(found.tags())
        .done()
}

async fn describe(clients: &Clients, cluster: &str, id: &str) -> Result<Option<Value>, CallError> {
    let request = clients.eks.describe_pod_identity_association().cluster_name(cluster).association_id(id);
    Ok(none_if_missing(request.send().await.map_err(classify))?.and_then(|answer| answer.association().map(described)))
}

impl Driver for PodIdentity {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: Input = sent.typed()?;
        let request = clients
            .eks
            .create_pod_identity_association()
            .cluster_name(input.cluster_name)
            .namespace(input.namespace)
            .service_account(input.service_account)
            .role_arn(input.role_arn)
            .client_request_token(sent.token)
            .set_tags(Some(convert::hash_map(sent.tags)));
        let answer = request.send().await.map_err(classify)?;
        answer.association().map(described).ok_or_else(|| empty("pod identity association"))
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        describe(clients, field(at, "cluster_name"), field(at, "association_id")).await
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        let cluster = field(sent.input, "cluster_name");
        let request = clients.eks.list_pod_identity_associations().cluster_name(cluster);
        let request = request.namespace(field(sent.input, "namespace"));
        let pages = request.service_account(field(sent.input, "service_account")).into_paginator().items().send();
        let all: Option<Vec<types::PodIdentityAssociationSummary>> =
            none_if_missing(pages.try_collect().await.map_err(classify))?;
        let mut found = Vec::new();
        for one in all.into_iter().flatten() {
            found.extend(describe(clients, cluster, one.association_id().unwrap_or_default()).await?);
        }
        Ok(found)
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let request = clients.eks.delete_pod_identity_association().cluster_name(field(at, "cluster_name"));
        let answer = request.association_id(field(at, "association_id")).send().await;
        deleting(answer.map_err(classify).map(|_| ()))
    }
}
