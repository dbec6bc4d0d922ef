//! CreateOpenIDConnectProvider, GetOpenIDConnectProvider, DeleteOpenIDConnectProvider.

use runbook_modules::error::CallError;
use serde_json::{Value, json};

use super::{none_if_missing, pairs, tags};
use crate::{
    iam::open_id_connect_provider,
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, field, texts},
    },
};

pub(in crate::iam) struct Provider;
pub(in crate::iam) struct GetProvider;

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

impl Call for GetProvider {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        get_provider(clients, field(sent.input, "open_id_connect_provider_arn")).await
    }
}
