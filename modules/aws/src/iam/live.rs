//! The SDK calls of IAM.

use async_trait::async_trait;
use aws_sdk_iam::types::{PolicyScopeType, Tag};
use runbook_modules::error::{CallError, Class};
use serde_json::{Value, json};

use super::{document::normal, open_id_connect_provider, policy, role, role_policy, role_policy_attachment};
use crate::live::{
    Call, Clients, Driver, Sent, classify,
    convert::{Described, built, field, texts},
};

pub(super) struct Role;
pub(super) struct Attachment;
pub(super) struct RolePolicy;
pub(super) struct Policy;
pub(super) struct Provider;
pub(super) struct GetRole;
pub(super) struct ListAttached;
pub(super) struct GetProvider;

fn tags(sent: &Sent<'_>) -> Result<Vec<Tag>, CallError> {
    sent.tags.iter().map(|(key, value)| built(Tag::builder().key(key).value(value).build())).collect()
}

fn pairs(tags: &[Tag]) -> impl Iterator<Item = (Option<&str>, Option<&str>)> {
    tags.iter().map(|tag| (Some(tag.key()), Some(tag.value())))
}

fn none_if_missing<T>(found: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match found {
        Err(e) if e.class == Class::NotFound => Ok(None),
        other => other.map(Some),
    }
}

fn described_role(role: &aws_sdk_iam::types::Role) -> Value {
    let document = role.assume_role_policy_document().map(|text| normal(&Value::from(text)));
    let boundary = role.permissions_boundary().and_then(|boundary| boundary.permissions_boundary_arn());
    Described::new()
        .text("id", Some(role.role_name()))
        .text("name", Some(role.role_name()))
        .text("role_name", Some(role.role_name()))
        .text("arn", Some(role.arn()))
        .text("role_id", Some(role.role_id()))
        .text("path", Some(role.path()))
        .text("description", role.description())
        .value("max_session_duration", role.max_session_duration())
        .text("permissions_boundary", boundary)
        .value("assume_role_policy_document", document)
        .tags(pairs(role.tags()))
        .done()
}

async fn get_role(clients: &Clients, name: &str) -> Result<Value, CallError> {
    let answer = clients.iam.get_role().role_name(name).send().await.map_err(classify)?;
    Ok(answer.role().map(described_role).unwrap_or_default())
}

#[async_trait]
impl Driver for Role {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: role::Input = sent.typed()?;
        let request = clients
            .iam
            .create_role()
            .role_name(input.role_name)
            .assume_role_policy_document(input.assume_role_policy_document.text())
            .set_path(input.path)
            .set_description(input.description)
            .set_max_session_duration(input.max_session_duration)
            .set_permissions_boundary(input.permissions_boundary)
            .set_tags(Some(tags(sent)?));
        let answer = request.send().await.map_err(classify)?;
        Ok(answer.role().map(described_role).unwrap_or_default())
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        none_if_missing(get_role(clients, field(at, "role_name")).await)
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        clients.iam.delete_role().role_name(field(at, "role_name")).send().await.map_err(classify).map(|_| ())
    }

    async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String> {
        let name = field(at, "role_name");
        let attached = list_attached(clients, name).await.unwrap_or_default();
        let written = clients.iam.list_role_policies().role_name(name).into_paginator().items().send();
        let written: Vec<String> = written.try_collect().await.unwrap_or_default();
        let attached = attached.iter().map(|policy| format!("attached policy {}", field(policy, "policy_arn")));
        attached.chain(written.iter().map(|name| format!("written policy {name}"))).collect()
    }
}

async fn list_attached(clients: &Clients, role: &str) -> Result<Vec<Value>, CallError> {
    let pages = clients.iam.list_attached_role_policies().role_name(role).into_paginator().items().send();
    let all: Vec<aws_sdk_iam::types::AttachedPolicy> = pages.try_collect().await.map_err(classify)?;
    Ok(all.iter().map(|p| json!({ "policy_name": p.policy_name(), "policy_arn": p.policy_arn() })).collect())
}

#[async_trait]
impl Driver for Attachment {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let role_policy_attachment::Input { role_name, policy_arn } = sent.typed()?;
        let request = clients.iam.attach_role_policy().role_name(&role_name).policy_arn(&policy_arn);
        request.send().await.map_err(classify)?;
        Ok(
            json!({ "id": format!("{role_name}/{policy_arn}"), "role_name": role_name, "policy_arn": policy_arn, "tags": {} }),
        )
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let (role, arn) = (field(at, "role_name"), field(at, "policy_arn"));
        let attached = none_if_missing(list_attached(clients, role).await)?.unwrap_or_default();
        let stands = attached.iter().any(|policy| field(policy, "policy_arn") == arn);
        Ok(stands.then(|| json!({ "id": format!("{role}/{arn}"), "role_name": role, "policy_arn": arn, "tags": {} })))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, put_back: Option<&Value>) -> Result<(), CallError> {
        if put_back.is_some() {
            return Ok(());
        }
        let request = clients.iam.detach_role_policy().role_name(field(at, "role_name"));
        request.policy_arn(field(at, "policy_arn")).send().await.map_err(classify).map(|_| ())
    }
}

async fn put_role_policy(clients: &Clients, policy: role_policy::Input) -> Result<Value, CallError> {
    let document = policy.policy_document.text();
    let id = format!("{}/{}", policy.role_name, policy.policy_name);
    let described = Described::new()
        .text("id", Some(&id))
        .text("role_name", Some(&policy.role_name))
        .text("policy_name", Some(&policy.policy_name))
        .value("policy_document", Some(normal(&Value::from(document.as_str()))))
        .tags([]);
    let request = clients.iam.put_role_policy().role_name(policy.role_name).policy_name(policy.policy_name);
    request.policy_document(document).send().await.map_err(classify)?;
    Ok(described.done())
}

#[async_trait]
impl Driver for RolePolicy {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        put_role_policy(clients, sent.typed()?).await
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let (role, name) = (field(at, "role_name"), field(at, "policy_name"));
        let request = clients.iam.get_role_policy().role_name(role).policy_name(name);
        let Some(found) = none_if_missing(request.send().await.map_err(classify))? else { return Ok(None) };
        let document = normal(&Value::from(found.policy_document()));
        let id = format!("{role}/{name}");
        Ok(Some(json!({ "id": id, "role_name": role, "policy_name": name, "policy_document": document, "tags": {} })))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, put_back: Option<&Value>) -> Result<(), CallError> {
        let (role, name) = (field(at, "role_name"), field(at, "policy_name"));
        if let Some(document) = put_back.and_then(|before| before.get("policy_document")) {
            let before = json!({ "role_name": role, "policy_name": name, "policy_document": document });
            let tags = std::collections::BTreeMap::new();
            let before = Sent { input: &before, token: "", tags: &tags }.typed()?;
            return put_role_policy(clients, before).await.map(|_| ());
        }
        let request = clients.iam.delete_role_policy().role_name(role).policy_name(name);
        request.send().await.map_err(classify).map(|_| ())
    }
}

fn described_policy(policy: &aws_sdk_iam::types::Policy) -> Value {
    Described::new()
        .text("id", policy.arn())
        .text("arn", policy.arn())
        .text("name", policy.policy_name())
        .text("policy_name", policy.policy_name())
        .text("policy_id", policy.policy_id())
        .text("path", policy.path())
        .text("description", policy.description())
        .text("default_version_id", policy.default_version_id())
        .tags(pairs(policy.tags()))
        .done()
}

#[async_trait]
impl Driver for Policy {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: policy::Input = sent.typed()?;
        let request = clients
            .iam
            .create_policy()
            .policy_name(input.policy_name)
            .policy_document(input.policy_document.text())
            .set_path(input.path)
            .set_description(input.description)
            .set_tags(Some(tags(sent)?));
        let answer = request.send().await.map_err(classify)?;
        Ok(answer.policy().map(described_policy).unwrap_or_default())
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let arn = field(at, "arn");
        let answer = clients.iam.get_policy().policy_arn(arn).send().await.map_err(classify);
        let Some(answer) = none_if_missing(answer)? else { return Ok(None) };
        let Some(found) = answer.policy() else { return Ok(None) };
        let mut described = described_policy(found);
        let version = found.default_version_id().unwrap_or_default();
        let answer = clients.iam.get_policy_version().policy_arn(arn).version_id(version).send().await;
        let version = answer.map_err(classify)?;
        if let Some(document) = version.policy_version().and_then(|version| version.document()) {
            described["policy_document"] = normal(&Value::from(document));
        }
        Ok(Some(described))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        let pages = clients.iam.list_policies().scope(PolicyScopeType::Local).into_paginator().items().send();
        let all: Vec<aws_sdk_iam::types::Policy> = pages.try_collect().await.map_err(classify)?;
        let named = all.iter().find(|policy| policy.policy_name() == Some(field(sent.input, "policy_name")));
        let Some(arn) = named.and_then(|policy| policy.arn()) else { return Ok(Vec::new()) };
        Ok(self.read(clients, &json!({ "arn": arn })).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        clients.iam.delete_policy().policy_arn(field(at, "arn")).send().await.map_err(classify).map(|_| ())
    }
}

async fn get_provider(clients: &Clients, arn: &str) -> Result<Value, CallError> {
    let request = clients.iam.get_open_id_connect_provider().open_id_connect_provider_arn(arn);
    let found = request.send().await.map_err(classify)?;
    let url = found.url().map(|url| format!("https://{}", url.trim_start_matches("https://")));
    let described = Described::new()
        .text("id", Some(arn))
        .text("arn", Some(arn))
        .text("url", url.as_ref())
        .value("client_id_list", Some(texts(found.client_id_list())))
        .value("thumbprint_list", Some(texts(found.thumbprint_list())));
    Ok(described.tags(pairs(found.tags())).done())
}

#[async_trait]
impl Driver for Provider {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: open_id_connect_provider::Input = sent.typed()?;
        let given = |list: Vec<String>| (!list.is_empty()).then_some(list);
        let request = clients
            .iam
            .create_open_id_connect_provider()
            .url(&input.url)
            .set_client_id_list(given(input.client_id_list))
            .set_thumbprint_list(given(input.thumbprint_list))
            .set_tags(Some(tags(sent)?));
        let answer = request.send().await.map_err(classify)?;
        let arn = answer.open_id_connect_provider_arn();
        let described = Described::new().text("id", arn).text("arn", arn).text("url", Some(&input.url));
        let tags = sent.tags.iter().map(|(key, value)| (Some(key.as_str()), Some(value.as_str())));
        Ok(described.value("client_id_list", sent.input.get("client_id_list").cloned()).tags(tags).done())
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        none_if_missing(get_provider(clients, field(at, "arn")).await)
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        let issuer = format!("/{}", field(sent.input, "url").trim_start_matches("https://"));
        let answer = clients.iam.list_open_id_connect_providers().send().await.map_err(classify)?;
        let arns = answer.open_id_connect_provider_list().iter().filter_map(|entry| entry.arn());
        match arns.into_iter().find(|arn| arn.ends_with(&issuer)) {
            Some(arn) => Ok(self.read(clients, &json!({ "arn": arn })).await?.into_iter().collect()),
            None => Ok(Vec::new()),
        }
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let request = clients.iam.delete_open_id_connect_provider();
        request.open_id_connect_provider_arn(field(at, "arn")).send().await.map_err(classify).map(|_| ())
    }
}

#[async_trait]
impl Call for GetRole {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        get_role(clients, field(sent.input, "role_name")).await
    }
}

#[async_trait]
impl Call for ListAttached {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        list_attached(clients, field(sent.input, "role_name")).await.map(Value::from)
    }
}

#[async_trait]
impl Call for GetProvider {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        get_provider(clients, field(sent.input, "open_id_connect_provider_arn")).await
    }
}
