//! UpdateClusterConfig, DescribeUpdate.

use aws_sdk_eks::types::{Update, VpcConfigRequest};
use runbook_modules::error::CallError;
use serde_json::Value;

use crate::{
    eks::{update::Describe, update_cluster_config::Input},
    live::{Call, Clients, Sent, classify, convert::Described, empty},
};

pub(in crate::eks) struct UpdateConfig;
pub(in crate::eks) struct DescribeUpdate;

pub(super) fn described(update: &Update) -> Value {
    Described::new()
        .text("id", update.id())
        .text("type", update.r#type())
        .text("status", update.status())
        .list("params", update.params(), |param| {
            Described::new().text("type", param.r#type()).text("value", param.value()).done()
        })
        .list("errors", update.errors(), |error| {
            Described::new().text("error_code", error.error_code()).text("error_message", error.error_message()).done()
        })
        .done()
}

/// An update of a cluster, or of an add-on of it.
pub(super) async fn describe(
    clients: &Clients, cluster: String, addon: Option<String>, id: String,
) -> Result<Value, CallError> {
    let request = clients.eks.describe_update().name(cluster).set_addon_name(addon).update_id(id);
    let answer = request.send().await.map_err(classify)?;
    answer.update().map(described).ok_or_else(|| empty("update"))
}

impl Call for UpdateConfig {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let Input { name, resources_vpc_config: endpoint } = sent.typed()?;
        let vpc = VpcConfigRequest::builder()
            .set_endpoint_public_access(endpoint.endpoint_public_access)
            .set_endpoint_private_access(endpoint.endpoint_private_access)
            .set_public_access_cidrs(endpoint.public_access_cidrs)
            .build();
        let request = clients.eks.update_cluster_config().name(name).resources_vpc_config(vpc);
        let answer = request.client_request_token(sent.token).send().await.map_err(classify)?;
        answer.update().map(described).ok_or_else(|| empty("update"))
    }
}

impl Call for DescribeUpdate {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let Describe { name, addon_name, update_id } = sent.typed()?;
        describe(clients, name, addon_name, update_id).await
    }
}
