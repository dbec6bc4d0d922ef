//! CreateAddon, DescribeAddon, DeleteAddon; UpdateAddon.

use aws_sdk_eks::types::{self, ResolveConflicts};
use runbook_modules::error::CallError;
use serde_json::Value;

use super::{deleting, health, none_if_missing, update};
use crate::{
    eks::{
        addon::{self, Input},
        addon_settings::{self, taken},
    },
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{self, Described, field},
        empty,
    },
};

pub(in crate::eks) struct Addon;
pub(in crate::eks) struct AddonSettings;
pub(in crate::eks) struct DescribeAddon;

fn described(found: &types::Addon) -> Value {
    let (cluster, name) = (found.cluster_name().unwrap_or_default(), found.addon_name().unwrap_or_default());
    let issues = found.health().map(|health| health.issues()).unwrap_or_default().iter().map(|issue| {
        let code = issue.code().map(types::AddonIssueCode::as_str).unwrap_or_default();
        (code.to_owned(), issue.message().unwrap_or_default().to_owned())
    });
    Described::new()
        .text("id", Some(&format!("{cluster}/{name}")))
        .text("name", Some(name))
        .text("arn", found.addon_arn())
        .text("cluster_name", Some(cluster))
        .text("addon_name", Some(name))
        .text("addon_version", found.addon_version())
        .text("status", found.status().map(types::AddonStatus::as_str))
        .text("service_account_role_arn", found.service_account_role_arn())
        .text("configuration_values", found.configuration_values())
        .value("health", Some(health(issues)))
        .tag_map(found.tags())
        .done()
}

async fn describe(clients: &Clients, at: &Value) -> Result<Value, CallError> {
    let request = clients.eks.describe_addon().cluster_name(field(at, "cluster_name"));
    let answer = request.addon_name(field(at, "addon_name")).send().await.map_err(classify)?;
    answer.addon().map(described).ok_or_else(|| empty("addon"))
}

impl Driver for Addon {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: Input = sent.typed()?;
        let request = clients
            .eks
            .create_addon()
            .cluster_name(input.cluster_name)
            .addon_name(input.addon_name)
            .set_addon_version(input.addon_version)
            .set_service_account_role_arn(input.service_account_role_arn)
            .set_resolve_conflicts(input.resolve_conflicts.map(|how| ResolveConflicts::from(how.as_str())))
            .set_configuration_values(input.configuration_values)
            .client_request_token(sent.token)
            .set_tags(Some(convert::hash_map(sent.tags)));
        let answer = request.send().await.map_err(classify)?;
        answer.addon().map(described).ok_or_else(|| empty("addon"))
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        none_if_missing(describe(clients, at).await)
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        let found = self.read(clients, sent.input).await?;
        Ok(found.into_iter().filter(|found| field(found, "status") != "DELETING").collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let request = clients.eks.delete_addon().cluster_name(field(at, "cluster_name"));
        let answer = request.addon_name(field(at, "addon_name")).send().await;
        deleting(answer.map_err(classify).map(|_| ()))
    }
}

/// Sends an update. What is not named stays, but for the role, which EKS takes off then.
async fn change(clients: &Clients, settings: addon_settings::Input, token: Option<String>) -> Result<Value, CallError> {
    let request = clients
        .eks
        .update_addon()
        .cluster_name(settings.cluster_name)
        .addon_name(settings.addon_name)
        .set_addon_version(settings.addon_version)
        .set_service_account_role_arn(settings.service_account_role_arn)
        .set_resolve_conflicts(settings.resolve_conflicts.map(|how| ResolveConflicts::from(how.as_str())))
        .set_configuration_values(settings.configuration_values)
        .set_client_request_token(token);
    let answer = request.send().await.map_err(classify)?;
    answer.update().map(update::described).ok_or_else(|| empty("update"))
}

fn given(described: &Value, name: &str) -> Option<String> {
    Some(field(described, name).to_owned()).filter(|text| !text.is_empty())
}

impl Driver for AddonSettings {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let mut settings: addon_settings::Input = sent.typed()?;
        let stands = describe(clients, sent.input).await?;
        if settings.service_account_role_arn.is_none() {
            settings.service_account_role_arn = given(&stands, "service_account_role_arn");
        }
        let begun = change(clients, settings, Some(sent.token.to_owned())).await?;
        Ok(taken(stands, sent.input, begun))
    }

    /// With the update, as long as EKS knows it.
    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let Some(mut found) = none_if_missing(describe(clients, at).await)? else { return Ok(None) };
        if let Some(id) = given(at, "update_id") {
            let (cluster, addon) = (field(at, "cluster_name").to_owned(), given(at, "addon_name"));
            if let Some(update) = none_if_missing(update::describe(clients, cluster, addon, id).await)? {
                found["update_id"] = update["id"].clone();
                found["update"] = update;
            }
        }
        Ok(Some(found))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(none_if_missing(describe(clients, sent.input).await)?.into_iter().collect())
    }

    /// Settings where there were none before are put back as empty ones.
    async fn delete(&self, clients: &Clients, at: &Value, put_back: Option<&Value>) -> Result<(), CallError> {
        let Some(before) = put_back else { return Err(addon::nothing_before()) };
        let settings = addon_settings::Input {
            cluster_name: field(at, "cluster_name").to_owned(),
            addon_name: field(at, "addon_name").to_owned(),
            addon_version: given(before, "addon_version"),
            service_account_role_arn: given(before, "service_account_role_arn"),
            resolve_conflicts: given(at, "resolve_conflicts"),
            configuration_values: Some(given(before, "configuration_values").unwrap_or_else(|| "{}".to_owned())),
        };
        deleting(change(clients, settings, None).await.map(|_| ()))
    }
}

impl Call for DescribeAddon {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        describe(clients, sent.input).await
    }
}
