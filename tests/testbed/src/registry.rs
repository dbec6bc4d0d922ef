//! A registry for charts: as much of the OCI distribution API as `helm push` and `helm pull` use, in memory, over plain HTTP on the
//! loopback. Source: <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::{net::TcpListener, process::Command, task::JoinHandle};

use crate::tools::Tools;

/// Our charts, by their folders.
pub const CHARTS: [&str; 4] = ["redis", "external-dns", "hooks", "slow"];
const DIGEST: &str = "docker-content-digest";

/// A registry that answers until it is dropped.
#[derive(Debug)]
pub struct Registry {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Registry {
    /// Starts an empty one on a free port.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> Result<Self, String> {
        let listener =
            TcpListener::bind("127.0.0.1:0").await.map_err(|error| format!("the registry has no port: {error}"))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let kept = Arc::new(Mutex::new(Kept::default()));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                tokio::spawn(async move {
                    let answer = service_fn(|request| answer(&kept, request));
                    // A client that goes away in the middle is no concern of ours.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
                });
            }
        });
        Ok(Self { address, task })
    }

    /// `oci://127.0.0.1:PORT/charts`: a chart's reference is this and its name.
    #[must_use]
    pub fn url(&self) -> String {
        format!("oci://{}/charts", self.address)
    }

    /// Packages our charts and pushes them, with the real helm.
    ///
    /// # Errors
    /// What helm says.
    pub async fn push_charts(&self, tools: &Tools) -> Result<(), String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        for chart in CHARTS {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts").join(chart);
            self.push(tools, &source, folder.path()).await?;
        }
        Ok(())
    }

    /// Packages one chart and pushes it. `scratch`: a folder for helm's files.
    ///
    /// # Errors
    /// What helm says.
    pub async fn push(&self, tools: &Tools, chart: &Path, scratch: &Path) -> Result<(), String> {
        let packed = tempfile::tempdir_in(scratch).map_err(|error| error.to_string())?;
        let (from, into) = (chart.display().to_string(), packed.path().display().to_string());
        helm(tools, scratch, &["package", &from, "--destination", &into]).await?;
        let archive = std::fs::read_dir(packed.path()).map_err(|error| error.to_string())?.flatten().next();
        let archive = archive.ok_or_else(|| format!("helm package made no archive of {from}"))?.path();
        helm(tools, scratch, &["push", &archive.display().to_string(), &self.url(), "--plain-http"]).await
    }
}

async fn helm(tools: &Tools, home: &Path, arguments: &[&str]) -> Result<(), String> {
    let output =
        Command::new(&tools.helm3).args(arguments).env_clear().env("HOME", home).kill_on_drop(true).output().await;
    let output = output.map_err(|error| format!("helm does not start: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("helm {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
}

#[derive(Debug, Default)]
struct Kept {
    /// By digest.
    blobs: BTreeMap<String, Bytes>,
    /// Media type and text, by repository and tag or digest.
    manifests: BTreeMap<(String, String), (String, Bytes)>,
}

type Answer = Response<Full<Bytes>>;

async fn answer(kept: &Mutex<Kept>, request: Request<Incoming>) -> Result<Answer, Infallible> {
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return Ok(status(StatusCode::BAD_REQUEST)) };
    let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let digest = parts.uri.query().and_then(|query| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == "digest")
            .map(|(_, digest)| digest.into_owned())
    });
    let asked = Asked {
        method: &parts.method,
        path: parts.uri.path(),
        digest,
        media_type: header("content-type"),
        body: body.to_bytes(),
    };
    Ok(respond(&mut lock(kept), asked))
}

struct Asked<'a> {
    method: &'a Method,
    path: &'a str,
    digest: Option<String>,
    media_type: &'a str,
    body: Bytes,
}

fn respond(kept: &mut Kept, asked: Asked<'_>) -> Answer {
    let path = asked.path.trim_start_matches("/v2/");
    if path.is_empty() || path == "/v2" {
        return status(StatusCode::OK);
    }
    if let Some(repository) = path.strip_suffix("/tags/list") {
        return tags(kept, repository);
    }
    if let Some((repository, reference)) = path.split_once("/manifests/") {
        return manifest(kept, repository.to_owned(), reference.to_owned(), &asked);
    }
    let Some((repository, blob)) = path.split_once("/blobs/") else { return status(StatusCode::NOT_FOUND) };
    match (asked.method, blob.strip_prefix("uploads/")) {
        (&Method::POST, Some("")) => {
            let location = format!("/v2/{repository}/blobs/uploads/one");
            with(StatusCode::ACCEPTED, &[(LOCATION.as_str(), location)], Bytes::new())
        }
        (&Method::PUT, Some(_)) => {
            let digest = of(&asked.body);
            if asked.digest.as_ref() != Some(&digest) {
                return status(StatusCode::BAD_REQUEST);
            }
            kept.blobs.insert(digest.clone(), asked.body);
            let location = format!("/v2/{repository}/blobs/{digest}");
            with(StatusCode::CREATED, &[(LOCATION.as_str(), location), (DIGEST, digest)], Bytes::new())
        }
        (&Method::GET | &Method::HEAD, None) => match kept.blobs.get(blob) {
            Some(bytes) => content(asked.method, "application/octet-stream", blob, bytes),
            None => status(StatusCode::NOT_FOUND),
        },
        _ => status(StatusCode::METHOD_NOT_ALLOWED),
    }
}

fn tags(kept: &Kept, repository: &str) -> Answer {
    let tags: Vec<&String> = kept
        .manifests
        .keys()
        .filter(|(of, reference)| of == repository && !reference.contains(':'))
        .map(|(_, reference)| reference)
        .collect();
    if tags.is_empty() {
        return status(StatusCode::NOT_FOUND);
    }
    let text = json!({"name": repository, "tags": tags}).to_string();
    with(StatusCode::OK, &[(CONTENT_TYPE.as_str(), "application/json".to_owned())], text.into())
}

fn manifest(kept: &mut Kept, repository: String, reference: String, asked: &Asked<'_>) -> Answer {
    if asked.method == Method::PUT {
        let digest = of(&asked.body);
        let manifest = (asked.media_type.to_owned(), asked.body.clone());
        let location = format!("/v2/{repository}/manifests/{digest}");
        kept.manifests.insert((repository.clone(), digest.clone()), manifest.clone());
        kept.manifests.insert((repository, reference), manifest);
        return with(StatusCode::CREATED, &[(LOCATION.as_str(), location), (DIGEST, digest)], Bytes::new());
    }
    match kept.manifests.get(&(repository, reference)) {
        Some((media_type, bytes)) => content(asked.method, media_type, &of(bytes), bytes),
        None => status(StatusCode::NOT_FOUND),
    }
}

fn content(method: &Method, media_type: &str, digest: &str, bytes: &Bytes) -> Answer {
    let headers = [
        (CONTENT_TYPE.as_str(), media_type.to_owned()),
        (CONTENT_LENGTH.as_str(), bytes.len().to_string()),
        (DIGEST, digest.to_owned()),
    ];
    with(StatusCode::OK, &headers, if method == Method::HEAD { Bytes::new() } else { bytes.clone() })
}

fn of(bytes: &Bytes) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn status(status: StatusCode) -> Answer {
    with(status, &[], Bytes::new())
}

fn with(status: StatusCode, headers: &[(&str, String)], body: Bytes) -> Answer {
    let mut answer = Response::builder().status(status);
    for (name, value) in headers {
        answer = answer.header(*name, value);
    }
    answer.body(Full::new(body)).unwrap_or_default()
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools;

    #[tokio::test(flavor = "multi_thread")]
    async fn charts_that_were_pushed_are_pulled_by_both_helms() {
        let Some(tools) = tools::require() else { return };
        let registry = Registry::start().await.unwrap();
        registry.push_charts(&tools).await.unwrap();
        let scratch = tempfile::tempdir().unwrap();
        for program in [&tools.helm3, &tools.helm4] {
            for (chart, version) in [("redis", "19.6.4"), ("external-dns", "8.3.3")] {
                let output = Command::new(program)
                    .args(["show", "chart", &format!("{}/{chart}", registry.url()), "--plain-http"])
                    .env_clear()
                    .env("HOME", scratch.path())
                    .output()
                    .await
                    .unwrap();
                let shown = String::from_utf8_lossy(&output.stdout).into_owned();
                assert!(shown.contains(&format!("version: {version}")), "{output:?}");
            }
        }
    }
}
