//! CreateWebACL, GetWebACL, DeleteWebACL.

use aws_sdk_wafv2::types::{AllowAction, BlockAction, DefaultAction, ResourceType, Scope};
use runbook_modules::error::CallError;
use serde_json::{Value, json};

use super::{key, none_if_missing, pairs, rule, tags, tags_of};
use crate::{
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, field},
    },
    wafv2::{self, web_acl},
};

pub(in crate::wafv2) struct WebAcl;
pub(in crate::wafv2) struct GetWebAcl;

fn default_action(asked: &web_acl::DefaultAction) -> DefaultAction {
    match asked {
        web_acl::DefaultAction::Allow(_) => DefaultAction::builder().allow(AllowAction::builder().build()).build(),
        web_acl::DefaultAction::Block(_) => DefaultAction::builder().block(BlockAction::builder().build()).build(),
    }
}

async fn get(clients: &Clients, at: &Value) -> Result<Value, CallError> {
    let (id, name, scope) = key(at);
    let answer =
        clients.wafv2.get_web_acl().id(id).name(name).scope(Scope::from(scope)).send().await.map_err(classify)?;
    let Some(acl) = answer.web_acl() else { return Ok(json!({})) };
    let tags = tags_of(clients, acl.arn()).await?;
    let default = match acl.default_action() {
        Some(action) if action.block().is_some() => json!({ "block": {} }),
        _ => json!({ "allow": {} }),
    };
    Ok(Described::new()
        .text("id", Some(acl.id()))
        .text("name", Some(acl.name()))
        .text("arn", Some(acl.arn()))
        .text("scope", Some(scope))
        .text("description", acl.description().filter(|text| !text.is_empty()))
        .value("default_action", Some(default))
        .list("rules", acl.rules(), rule::found)
        .value("visibility_config", acl.visibility_config().map(rule::visibility_found))
        .value("capacity", Some(acl.capacity()))
        .text("lock_token", answer.lock_token())
        .tags(pairs(&tags))
        .done())
}

impl Driver for WebAcl {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: web_acl::Input = sent.typed()?;
        let rules = input.rules.iter().map(rule::rule).collect::<Result<Vec<_>, _>>()?;
        let request = clients
            .wafv2
            .create_web_acl()
            .name(&input.name)
            .scope(Scope::from(input.scope.as_str()))
            .default_action(default_action(&input.default_action))
            .set_description(input.description.clone())
            .set_rules(Some(rules))
            .visibility_config(rule::visibility(&input.visibility_config)?)
            .set_tags(Some(tags(sent)?));
        let answer = request.send().await.map_err(classify)?;
        let made = answer.summary();
        Ok(Described::new()
            .text("id", made.and_then(|made| made.id()))
            .text("name", Some(&input.name))
            .text("arn", made.and_then(|made| made.arn()))
            .text("scope", Some(&input.scope))
            .text("description", input.description.as_ref())
            .value("default_action", Some(json!(input.default_action)))
            .value("rules", Some(wafv2::rule::normal(&json!(input.rules))))
            .value("visibility_config", Some(json!(input.visibility_config)))
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
            let request = clients.wafv2.list_web_acls().scope(Scope::from(scope)).set_next_marker(marker);
            let page = request.send().await.map_err(classify)?;
            if let Some(found) = page.web_acls().iter().find(|acl| acl.name() == Some(name)) {
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
        let request = clients.wafv2.delete_web_acl().id(id).name(name).scope(Scope::from(scope));
        request.lock_token(field(&found, "lock_token")).send().await.map_err(classify).map(|_| ())
    }

    async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String> {
        let Ok(found) = get(clients, at).await else { return Vec::new() };
        let request = clients.wafv2.list_resources_for_web_acl().web_acl_arn(field(&found, "arn"));
        let request = request.resource_type(ResourceType::ApplicationLoadBalancer);
        request.send().await.map(|answer| answer.resource_arns().to_vec()).unwrap_or_default()
    }
}

impl Call for GetWebAcl {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        get(clients, sent.input).await
    }
}
