//! CreateAlias, ListAliases, DeleteAlias.

use aws_sdk_kms::types::AliasListEntry;
use runbook_modules::error::CallError;
use serde_json::{Value, json};

use crate::{
    kms::alias::Input,
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, field},
    },
};

pub(in crate::kms) struct Alias;
pub(in crate::kms) struct ListAliases;

fn described(alias: &AliasListEntry) -> Value {
    Described::new()
        .text("id", alias.alias_name())
        .text("name", alias.alias_name())
        .text("alias_name", alias.alias_name())
        .text("arn", alias.alias_arn())
        .text("alias_arn", alias.alias_arn())
        .text("target_key_id", alias.target_key_id())
        .done()
}

async fn list(clients: &Clients, key: Option<String>) -> Result<Vec<Value>, CallError> {
    let listed = clients.kms.list_aliases().set_key_id(key).into_paginator().items().send();
    let found = listed.try_collect().await.map_err(classify)?;
    Ok(found.iter().map(described).collect())
}

impl Driver for Alias {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: Input = sent.typed()?;
        let request = clients.kms.create_alias().alias_name(&input.alias_name).target_key_id(&input.target_key_id);
        request.send().await.map_err(classify)?;
        let key = input.target_key_id.rsplit('/').next().unwrap_or_default();
        let described = Described::new()
            .text("id", Some(&input.alias_name))
            .text("name", Some(&input.alias_name))
            .text("alias_name", Some(&input.alias_name))
            .text("target_key_id", Some(key));
        Ok(described.done())
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let name = field(at, "alias_name");
        Ok(list(clients, None).await?.into_iter().find(|alias| field(alias, "alias_name") == name))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        clients.kms.delete_alias().alias_name(field(at, "alias_name")).send().await.map_err(classify).map(|_| ())
    }
}

impl Call for ListAliases {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let key = Some(field(sent.input, "key_id")).filter(|key| !key.is_empty()).map(str::to_owned);
        Ok(json!({ "aliases": list(clients, key).await? }))
    }
}
