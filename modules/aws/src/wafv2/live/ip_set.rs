//! CreateIPSet, GetIPSet, UpdateIPSet, DeleteIPSet.

use aws_sdk_wafv2::types::{IpAddressVersion, Scope};
use runbook_modules::error::CallError;
use serde_json::{Value, json};

use super::{key, none_if_missing, pairs, tags, tags_of};
use crate::{
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, field, texts},
    },
    wafv2::ip_set,
};

pub(in crate::wafv2) struct IpSet;
pub(in crate::wafv2) struct GetIpSet;
pub(in crate::wafv2) struct UpdateIpSet;

/// Describes it; the lock token is the one that holds now.
async fn get(clients: &Clients, at: &Value) -> Result<Value, CallError> {
    let (id, name, scope) = key(at);
    let answer =
        clients.wafv2.get_ip_set().id(id).name(name).scope(Scope::from(scope)).send().await.map_err(classify)?;
    let Some(set) = answer.ip_set() else { return Ok(json!({})) };
    let tags = tags_of(clients, set.arn()).await?;
    Ok(Described::new()
        .text("id", Some(set.id()))
        .text("name", Some(set.name()))
        .text("arn", Some(set.arn()))
        .text("scope", Some(scope))
        .text("description", set.description().filter(|text| !text.is_empty()))
        .text("ip_address_version", Some(set.ip_address_version()))
        .value("addresses", Some(texts(set.addresses())))
        .text("lock_token", answer.lock_token())
        .tags(pairs(&tags))
        .done())
}

impl Driver for IpSet {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: ip_set::Input = sent.typed()?;
        let request = clients
            .wafv2
            .create_ip_set()
            .name(&input.name)
            .scope(Scope::from(input.scope.as_str()))
            .ip_address_version(IpAddressVersion::from(input.ip_address_version.as_str()))
            .set_addresses(Some(input.addresses.clone()))
            .set_description(input.description.clone())
            .set_tags(Some(tags(sent)?));
        let answer = request.send().await.map_err(classify)?;
        let made = answer.summary();
        Ok(Described::new()
            .text("id", made.and_then(|made| made.id()))
            .text("name", Some(&input.name))
            .text("arn", made.and_then(|made| made.arn()))
            .text("scope", Some(&input.scope))
            .text("description", input.description.as_ref())
            .text("ip_address_version", Some(&input.ip_address_version))
            .value("addresses", Some(input.addresses))
            .text("lock_token", made.and_then(|made| made.lock_token()))
            .tags(sent.tags.iter().map(|(key, value)| (Some(key.as_str()), Some(value.as_str()))))
            .done())
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        none_if_missing(get(clients, at).await)
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        let (_, name, scope) = key(sent.input);
        let mut marker = None;
        loop {
            let request = clients.wafv2.list_ip_sets().scope(Scope::from(scope)).set_next_marker(marker);
            let page = request.send().await.map_err(classify)?;
            if let Some(found) = page.ip_sets().iter().find(|set| set.name() == Some(name)) {
                let at = json!({ "id": found.id(), "name": name, "scope": scope });
                return Ok(self.read(clients, &at).await?.into_iter().collect());
            }
            marker = page.next_marker().filter(|marker| !marker.is_empty()).map(str::to_owned);
            if marker.is_none() {
                return Ok(Vec::new());
            }
        }
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let found = get(clients, at).await?;
        let (id, name, scope) = key(at);
        let request = clients.wafv2.delete_ip_set().id(id).name(name).scope(Scope::from(scope));
        request.lock_token(field(&found, "lock_token")).send().await.map_err(classify).map(|_| ())
    }
}

impl Call for GetIpSet {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        get(clients, sent.input).await
    }
}

impl Call for UpdateIpSet {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: ip_set::Update = sent.typed()?;
        let found = get(clients, sent.input).await?;
        let request = clients
            .wafv2
            .update_ip_set()
            .id(input.id)
            .name(input.name)
            .scope(Scope::from(input.scope.as_str()))
            .set_description(found.get("description").and_then(Value::as_str).map(str::to_owned))
            .set_addresses(Some(input.addresses))
            .lock_token(field(&found, "lock_token"));
        request.send().await.map_err(classify)?;
        Ok(json!({}))
    }
}
