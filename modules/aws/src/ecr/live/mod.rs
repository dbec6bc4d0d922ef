//! The SDK calls of ECR.

use aws_sdk_ecr::types::{ImageDetail, ImageScanningConfiguration, ImageTagMutability, Tag};
use runbook_modules::error::{CallError, Class};
use serde_json::{Value, json};

use super::{image, lifecycle_policy, repository};
use crate::{
    iam::document::normal,
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, built, field, texts},
        empty,
    },
};

#[cfg(test)]
mod tests;

pub(super) struct Repository;
pub(super) struct LifecyclePolicy;
pub(super) struct DescribeRepositories;
pub(super) struct DescribeImages;

fn none_if_missing<T>(found: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match found {
        Err(e) if e.class == Class::NotFound => Ok(None),
        other => other.map(Some),
    }
}

fn described(found: &aws_sdk_ecr::types::Repository) -> Described {
    let scan = found.image_scanning_configuration().map(|scan| json!({ "scan_on_push": scan.scan_on_push() }));
    Described::new()
        .text("id", found.repository_name())
        .text("name", found.repository_name())
        .text("repository_name", found.repository_name())
        .text("arn", found.repository_arn())
        .text("registry_id", found.registry_id())
        .text("repository_uri", found.repository_uri())
        .text("image_tag_mutability", found.image_tag_mutability())
        .value("image_scanning_configuration", scan)
        .time("created_at", found.created_at())
}

impl Driver for Repository {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: repository::Input = sent.typed()?;
        let tag = |(key, value): (&String, &String)| built(Tag::builder().key(key).value(value).build());
        let tags = sent.tags.iter().map(tag).collect::<Result<Vec<_>, _>>()?;
        let scan = |asked: repository::Scanning| {
            ImageScanningConfiguration::builder().scan_on_push(asked.scan_on_push).build()
        };
        let request = clients
            .ecr
            .create_repository()
            .repository_name(input.repository_name)
            .set_image_scanning_configuration(input.image_scanning_configuration.map(scan))
            .set_image_tag_mutability(input.image_tag_mutability.as_deref().map(ImageTagMutability::from))
            .set_tags(Some(tags));
        let answer = request.send().await.map_err(classify)?;
        let made = answer.repository().map(described).ok_or_else(|| empty("repository"))?;
        let tags = sent.tags.iter().map(|(key, value)| (Some(key.as_str()), Some(value.as_str())));
        Ok(made.value(repository::CONSENT, input.empty_on_undo).tags(tags).done())
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let request = clients.ecr.describe_repositories().repository_names(field(at, "repository_name"));
        let answer = none_if_missing(request.send().await.map_err(classify))?;
        let Some(found) = answer.as_ref().and_then(|answer| answer.repositories().first()) else { return Ok(None) };
        let tags = clients.ecr.list_tags_for_resource().resource_arn(found.repository_arn().unwrap_or_default());
        let tags = tags.send().await.map_err(classify)?;
        let pairs = tags.tags().iter().map(|tag| (Some(tag.key()), Some(tag.value())));
        Ok(Some(described(found).value(repository::CONSENT, at.get(repository::CONSENT).cloned()).tags(pairs).done()))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let name = field(at, "repository_name");
        let force = at.get(repository::CONSENT) == Some(&Value::Bool(true));
        match clients.ecr.delete_repository().repository_name(name).force(force).send().await.map_err(classify) {
            Err(error) if error.code == "RepositoryNotEmptyException" => {
                Err(repository::not_empty(name, &self.obstacles(clients, at).await))
            }
            other => other.map(|_| ()),
        }
    }

    async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String> {
        let found = images(clients, field(at, "repository_name")).await.unwrap_or_default();
        found.iter().take(10).map(image::called).collect()
    }
}

async fn put_policy(clients: &Clients, input: lifecycle_policy::Input) -> Result<Value, CallError> {
    let text = input.lifecycle_policy_text.text();
    let said = policy_described(&input.repository_name, &text);
    let request = clients.ecr.put_lifecycle_policy().repository_name(input.repository_name).lifecycle_policy_text(text);
    request.send().await.map_err(classify)?;
    Ok(said)
}

fn policy_described(name: &str, text: &str) -> Value {
    json!({ "id": name, "repository_name": name, "lifecycle_policy_text": normal(&text.into()) })
}

impl Driver for LifecyclePolicy {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        put_policy(clients, sent.typed()?).await
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let name = field(at, "repository_name");
        let request = clients.ecr.get_lifecycle_policy().repository_name(name);
        let answer = none_if_missing(request.send().await.map_err(classify))?;
        Ok(answer.and_then(|answer| Some(policy_described(name, answer.lifecycle_policy_text()?))))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, put_back: Option<&Value>) -> Result<(), CallError> {
        let name = field(at, "repository_name");
        if let Some(before) = put_back {
            let input = json!({ "repository_name": name, "lifecycle_policy_text": before["lifecycle_policy_text"] });
            let before = Sent { input: &input, token: "", tags: &std::collections::BTreeMap::new() }.typed()?;
            return put_policy(clients, before).await.map(|_| ());
        }
        clients.ecr.delete_lifecycle_policy().repository_name(name).send().await.map_err(classify).map(|_| ())
    }
}

async fn images(clients: &Clients, name: &str) -> Result<Vec<Value>, CallError> {
    let pages = clients.ecr.describe_images().repository_name(name).into_paginator().items().send();
    let all: Vec<ImageDetail> = pages.try_collect().await.map_err(classify)?;
    let one = |image: &ImageDetail| {
        Described::new()
            .text("image_digest", image.image_digest())
            .value("image_tags", Some(texts(image.image_tags())))
            .time("image_pushed_at", image.image_pushed_at())
            .done()
    };
    Ok(all.iter().map(one).collect())
}

impl Call for DescribeImages {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        Ok(json!({ "image_details": images(clients, field(sent.input, "repository_name")).await? }))
    }
}

impl Call for DescribeRepositories {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: repository::Describe = sent.typed()?;
        let request = clients.ecr.describe_repositories().set_repository_names(input.repository_names);
        let pages = request.into_paginator().items().send();
        let all: Vec<aws_sdk_ecr::types::Repository> = pages.try_collect().await.map_err(classify)?;
        Ok(json!({ "repositories": all.iter().map(|one| described(one).done()).collect::<Value>() }))
    }
}
