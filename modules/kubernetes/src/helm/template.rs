//! `helm template`: the text that a chart renders to, without installing it.
//!
//! It is rendered with the placeholders of secrets instead of their values: the text goes into the journal, where a chart that encodes
//! a value would hide it from those who look for it.

use runbook_modules::{
    error::CallError,
    helm::{operations::Chart as Input, release::Registry},
    k8s::types::text,
};
use serde_json::Value;

use super::{
    answer::nothing_done,
    chart::Chart,
    install::fetched,
    values,
    work::{Call, Work, broken_off},
};
use crate::{client::Ask, target::revealed};

/// Renders a chart, for the version of the cluster that it would go to; for the one that helm takes, when the cluster does not stand yet.
///
/// # Errors
/// When the chart cannot be fetched or rendered.
pub async fn call(work: &Work<'_>, input: &Value) -> Result<Value, CallError> {
    let asked: Input =
        serde_json::from_value(input.clone()).map_err(|error| CallError::refused("InvalidInput", error.to_string()))?;
    let version = match work.has_cluster() {
        true => Some(text(&work.api().send(&Ask::get("/version")).await?, "gitVersion").to_owned()),
        false => None,
    };
    let folder = work.folder()?;
    let chart = Chart { reference: asked.chart, version: asked.version, repo: asked.repo };
    let login = revealed(work.host, input.get("registry").unwrap_or(&Value::Null))?;
    let login: Option<Registry> =
        serde_json::from_value(login).map_err(|error| CallError::refused("InvalidInput", error.to_string()))?;
    let path = fetched(work, &folder, &chart, login.as_ref()).await?;
    let mut arguments: Vec<String> = ["template", "--include-crds", "--values=-"].map(str::to_owned).into();
    arguments.extend(version.map(|version| format!("--kube-version={version}")));
    arguments.extend(["--".to_owned(), asked.release, path.display().to_string()]);
    let call = Call { arguments, input: Some(values::text(&asked.values)), prints: true, ..Call::default() };
    let ran = work.call(&folder, call).await?;
    if let Some(error) = broken_off(&ran) {
        return Err(error);
    }
    if !ran.succeeded {
        return Err(nothing_done(&ran.said));
    }
    Ok(String::from_utf8_lossy(&ran.printed).into_owned().into())
}
