//! Releases as Helm keeps them: one Secret a revision, of type `helm.sh/release.v1`, its content JSON in gzip in base64.
//!
//! They are read from the API server instead of through `helm status`: only so its labels are known (3.x shows them nowhere), in one
//! read, without starting a program at each look. Source: <https://helm.sh/docs/topics/advanced/#storage-backends>.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use http::Method;
use runbook_modules::{
    error::{CallError, Class},
    k8s::types::{Type, text},
    target::{EFFECT_TAG, RUN_TAG},
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    client::Ask,
    objects::api::{Api, collection, encoded, path},
};

/// No release is larger; a Secret has 1 MiB at most, but it is compressed.
const LARGEST: u64 = 256 * 1024 * 1024;
/// Lists without contents.
const LABELS_ONLY: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";

/// The label that names the run.
pub const RUN_LABEL: &str = "runbook/run";
/// The label that names the effect.
pub const EFFECT_LABEL: &str = "runbook/effect";

/// A revision, by its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// From 1.
    pub number: u64,
    /// `deployed`, `superseded`, `failed`, `pending-install` …
    pub status: String,
    /// The Secret.
    pub secret: String,
    /// All labels of the Secret.
    pub labels: BTreeMap<String, String>,
}

impl Revision {
    /// Whose it is, as tags.
    pub fn tags(&self) -> BTreeMap<String, String> {
        let tag = |tag: &str, label: &str| Some((tag.to_owned(), self.labels.get(label)?.clone()));
        [tag(RUN_TAG, RUN_LABEL), tag(EFFECT_TAG, EFFECT_LABEL)].into_iter().flatten().collect()
    }

    /// Helm began something and has not ended it.
    pub fn is_pending(&self) -> bool {
        self.status.starts_with("pending-")
    }
}

/// What a revision holds, as far as it matters.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Content {
    /// How it went.
    pub info: Info,
    /// The chart.
    pub chart: Chart,
    /// The values that were given.
    pub config: Option<Map<String, Value>>,
    /// What was rendered, hooks left out.
    pub manifest: String,
    /// The hooks.
    pub hooks: Option<Vec<Hook>>,
}

/// How a release went.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Info {
    /// Its status.
    pub status: String,
    /// In Helm's words.
    pub description: String,
    /// When it was begun.
    pub last_deployed: Value,
}

/// The chart of a release.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Chart {
    /// What it says of itself.
    pub metadata: Metadata,
}

/// What a chart says of itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
}

/// A hook.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Hook {
    /// The object.
    pub manifest: String,
    /// `pre-install`, `post-upgrade` …
    pub events: Vec<String>,
    /// How its last run went.
    pub last_run: LastRun,
}

/// How a hook went.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LastRun {
    /// `Running`, `Succeeded`, `Failed`, `Unknown`; empty: it has not run.
    pub phase: String,
}

/// All revisions of a release, oldest first.
///
/// # Errors
/// As a read of Secrets.
pub async fn revisions(api: Api<'_>, namespace: &str, release: &str) -> Result<Vec<Revision>, CallError> {
    let selector = encoded(&format!("owner=helm,name={release}"));
    let list = format!("{}?labelSelector={selector}", collection(&secrets(), namespace)?);
    let found = api.send(&Ask::get(list).accept(LABELS_ONLY)).await?;
    let mut revisions: Vec<Revision> =
        found["items"].as_array().into_iter().flatten().filter_map(|secret| revision(&secret["metadata"])).collect();
    revisions.sort_by_key(|revision| revision.number);
    Ok(revisions)
}

/// What a revision holds; None when it is gone.
///
/// # Errors
/// As a read of a Secret; `GarbledRelease` for one that is no release.
pub async fn content(api: Api<'_>, namespace: &str, revision: &Revision) -> Result<Option<Content>, CallError> {
    let Some(secret) = api.object(&secrets(), namespace, &revision.secret).await? else { return Ok(None) };
    let content = decoded(&secret).ok_or_else(|| garbled(&revision.secret))?;
    serde_json::from_value(content).map(Some).map_err(|_| garbled(&revision.secret))
}

/// Marks a revision that a dead helm left pending as failed, as helm itself does when it is asked to end. Refused by the API server when
/// somebody else has changed it meanwhile.
///
/// # Errors
/// As a read and a write of a Secret.
pub async fn mark_failed(api: Api<'_>, namespace: &str, revision: &Revision, why: &str) -> Result<(), CallError> {
    let at = path(&secrets(), namespace, &revision.secret)?;
    let Some(mut secret) = api.get(at.clone()).await? else { return Ok(()) };
    let mut content = decoded(&secret).ok_or_else(|| garbled(&revision.secret))?;
    content["info"]["status"] = "failed".into();
    content["info"]["description"] = why.into();
    secret["data"]["release"] = encoded_content(&content).ok_or_else(|| garbled(&revision.secret))?.into();
    secret["metadata"]["labels"]["status"] = "failed".into();
    let body = serde_json::to_vec(&secret).unwrap_or_default();
    api.send(&Ask::with(Method::PUT, at, "application/json", body)).await.map(|_| ())
}

fn secrets() -> Type {
    Type { api_version: "v1".to_owned(), kind: "Secret".to_owned(), plural: "secrets".to_owned(), namespaced: true }
}

fn garbled(secret: &str) -> CallError {
    CallError::new(Class::Refused, "GarbledRelease", format!("Secret {secret} is not a release as Helm keeps them"))
}

fn revision(metadata: &Value) -> Option<Revision> {
    let labels: BTreeMap<String, String> = serde_json::from_value(metadata["labels"].clone()).ok()?;
    Some(Revision {
        number: labels.get("version")?.parse().ok()?,
        status: labels.get("status")?.clone(),
        secret: text(metadata, "name").to_owned(),
        labels,
    })
}

fn decoded(secret: &Value) -> Option<Value> {
    let inner = STANDARD.decode(secret["data"]["release"].as_str()?).ok()?;
    let bytes = STANDARD.decode(inner).ok()?;
    let mut json = Vec::new();
    GzDecoder::new(&bytes[..]).take(LARGEST).read_to_end(&mut json).ok()?;
    serde_json::from_slice(&json).ok()
}

fn encoded_content(content: &Value) -> Option<String> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&serde_json::to_vec(content).ok()?).ok()?;
    Some(STANDARD.encode(STANDARD.encode(gzip.finish().ok()?)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_release_is_read_and_written_as_helm_does() {
        let content = json!({
            "name": "web", "version": 2, "info": {"status": "pending-upgrade", "description": "Preparing upgrade"},
            "chart": {"metadata": {"name": "web", "version": "1.0.0"}, "templates": [{"name": "x", "data": "eA=="}]},
            "config": {"a": 1}, "manifest": "---\n", "hooks": null,
        });
        let secret = json!({"data": {"release": encoded_content(&content).unwrap()}});
        assert_eq!(decoded(&secret).unwrap(), content);
        let read: Content = serde_json::from_value(content).unwrap();
        assert_eq!((read.info.status.as_str(), read.chart.metadata.version.as_str()), ("pending-upgrade", "1.0.0"));
        assert!(read.hooks.is_none() && read.config.unwrap()["a"] == 1);
        assert_eq!(decoded(&json!({"data": {"release": "bm8="}})), None);
    }

    #[test]
    fn a_revision_is_known_by_its_labels() {
        let labels =
            json!({"name": "web", "owner": "helm", "status": "pending-install", "version": "12", RUN_LABEL: "r"});
        let found = revision(&json!({"name": "sh.helm.release.v1.web.v12", "labels": labels})).unwrap();
        assert_eq!((found.number, found.is_pending()), (12, true));
        assert_eq!(found.tags(), BTreeMap::from([(RUN_TAG.to_owned(), "r".to_owned())]));
        assert_eq!(revision(&json!({"name": "x", "labels": {"owner": "helm"}})), None);
    }
}
