//! PutLoggingConfiguration, GetLoggingConfiguration, DeleteLoggingConfiguration.

use aws_sdk_wafv2::types::LoggingConfiguration;
use runbook_modules::error::CallError;
use serde_json::{Value, json};

use super::none_if_missing;
use crate::{
    live::{
        Clients, Driver, Sent, classify,
        convert::{built, field, texts},
    },
    wafv2::logging,
};

pub(in crate::wafv2) struct Logging;

fn described(arn: &str, places: Value) -> Value {
    let configuration = json!({ "resource_arn": arn, "log_destination_configs": places });
    json!({ "id": arn, "resource_arn": arn, "logging_configuration": configuration })
}

async fn put(clients: &Clients, arn: &str, places: Vec<String>) -> Result<Value, CallError> {
    let said = described(arn, texts(&places));
    let configuration = LoggingConfiguration::builder().resource_arn(arn).set_log_destination_configs(Some(places));
    let request = clients.wafv2.put_logging_configuration().logging_configuration(built(configuration.build())?);
    request.send().await.map_err(classify)?;
    Ok(said)
}

impl Driver for Logging {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let asked = sent.typed::<logging::Input>()?.logging_configuration;
        put(clients, &asked.resource_arn, asked.log_destination_configs).await
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let arn = field(at, "resource_arn");
        let request = clients.wafv2.get_logging_configuration().resource_arn(arn);
        let answer = none_if_missing(request.send().await.map_err(classify))?;
        let found = answer.as_ref().and_then(|answer| answer.logging_configuration());
        Ok(found.map(|found| described(arn, texts(found.log_destination_configs()))))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        let at = sent.input.get("logging_configuration").cloned().unwrap_or_default();
        Ok(self.read(clients, &at).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, put_back: Option<&Value>) -> Result<(), CallError> {
        let arn = field(at, "resource_arn");
        if let Some(before) = put_back {
            let places = &before["logging_configuration"]["log_destination_configs"];
            let places = places.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
            return put(clients, arn, places).await.map(|_| ());
        }
        clients.wafv2.delete_logging_configuration().resource_arn(arn).send().await.map_err(classify).map(|_| ())
    }
}
