//! What the kubelet stand-in and the programs in pods ask: `POST /CLUSTER/exec`, `/CLUSTER/logs` and `/CLUSTER/tool`, in JSON.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Weak},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{
    Shared,
    cluster::Inside,
    container,
    kube_objects::{items, text},
    tools,
};
use crate::rehearsed::{answers, charts};

/// A question about one container; the command is empty for logs.
#[derive(Debug, Deserialize)]
struct Question {
    namespace: String,
    pod: String,
    container: String,
    #[serde(default)]
    command: Vec<String>,
    #[serde(default)]
    stdin: String,
    #[serde(default)]
    env: BTreeMap<String, String>,
}

/// A refusal: the status and why.
type Refused = (StatusCode, String);

/// Answers until the task is ended.
pub(super) async fn serve(listener: TcpListener, shared: Weak<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        let service = service_fn(move |request| answered(shared.clone(), request));
        // A connection that breaks is the asker's to notice.
        tokio::spawn(async move { http1::Builder::new().serve_connection(TokioIo::new(stream), service).await });
    }
}

async fn answered(shared: Weak<Shared>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (status, body) = match answer(shared, request).await {
        Ok(body) => (StatusCode::OK, body.to_string()),
        Err((status, why)) => (status, why),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    Ok(response)
}

async fn answer(shared: Weak<Shared>, request: Request<Incoming>) -> Result<Value, Refused> {
    let path = request.uri().path().to_owned();
    let bytes = request.into_body().collect().await.map_err(|error| bad(&error))?.to_bytes();
    if path == "/chart" {
        return chart(shared, &bytes).await;
    }
    let question: Question = serde_json::from_slice(&bytes).map_err(|error| bad(&error))?;
    let (cluster, what) = path.trim_start_matches('/').split_once('/').unwrap_or_default();
    let inside = shared.upgrade().and_then(|shared| shared.cluster(cluster));
    let inside = inside.ok_or_else(|| (StatusCode::NOT_FOUND, format!("no cluster {cluster} is attached")))?;
    match what {
        "exec" => exec(&inside, question).await,
        "logs" => logs(&inside, question).await,
        "tool" => tool(&inside, question).await,
        other => Err((StatusCode::NOT_FOUND, format!("nothing answers {other}"))),
    }
}

/// The chart of a release, as a folder. Charts are of the one cluster of the testbed.
async fn chart(shared: Weak<Shared>, question: &[u8]) -> Result<Value, Refused> {
    let asked: charts::Asked = serde_json::from_slice(question).map_err(|error| bad(&error))?;
    let shared = shared.upgrade().ok_or_else(|| (StatusCode::GONE, "the testbed is going".to_owned()))?;
    let (Some(rehearsed), Some(inside)) = (shared.rehearsed(), shared.clusters().into_iter().next()) else {
        return Err((StatusCode::NOT_FOUND, "there is no rehearsal file, or no cluster".to_owned()));
    };
    let folder = charts::chart(&inside, rehearsed, &asked, shared.folder()).await;
    folder.map(|folder| json!({"chart": folder})).map_err(|why| (StatusCode::INTERNAL_SERVER_ERROR, why))
}

async fn exec(inside: &Arc<Inside>, question: Question) -> Result<Value, Refused> {
    let pod = pod(inside, &question).await?;
    let found = container::find(&pod, &question.container).ok_or_else(|| no_container(&question.container))?;
    if !is_running(&pod, &question.container) {
        return Err(no_container(&question.container));
    }
    let rehearsed = answers::exec(inside, &pod, text(found, "name"), &question.command).await;
    let done = match rehearsed {
        Ok(Some(done)) => Ok(done),
        Ok(None) => container::run(inside, &pod, found, &question.command, &question.stdin).await,
        Err(why) => Err(why),
    };
    done.map(|done| json!(done)).map_err(|why| (StatusCode::INTERNAL_SERVER_ERROR, why))
}

async fn logs(inside: &Arc<Inside>, question: Question) -> Result<Value, Refused> {
    let pod = pod(inside, &question).await?;
    let found = container::find(&pod, &question.container).ok_or_else(|| no_container(&question.container))?;
    let failed = |why| (StatusCode::INTERNAL_SERVER_ERROR, why);
    if let Some(said) = answers::logs(inside, &pod, text(found, "name")).await.map_err(failed)? {
        return Ok(json!({"stdout": said.stdout, "ended": true}));
    }
    let ended = matches!(text(&pod, "status.phase"), "Succeeded" | "Failed");
    Ok(json!({"stdout": inside.logs.read(&pod, &question.container), "ended": ended}))
}

async fn tool(inside: &Arc<Inside>, question: Question) -> Result<Value, Refused> {
    let pod = pod(inside, &question).await?;
    let Some((called, arguments)) = question.command.split_first() else {
        return Err((StatusCode::BAD_REQUEST, "which program?".into()));
    };
    let call = tools::Call { inside, pod: &pod, arguments, stdin: &question.stdin, env: &question.env };
    Ok(json!(tools::run(called, &call).await))
}

async fn pod(inside: &Inside, question: &Question) -> Result<Value, Refused> {
    let path = format!("/api/v1/namespaces/{}/pods/{}", question.namespace, question.pod);
    let found = inside.objects.get(&path).await.map_err(|why| (StatusCode::INTERNAL_SERVER_ERROR, why))?;
    found.ok_or_else(|| (StatusCode::NOT_FOUND, format!("pod {} not found", question.pod)))
}

fn is_running(pod: &Value, container: &str) -> bool {
    let mut statuses = items(pod, "status.containerStatuses").iter();
    statuses.any(|status| status["name"] == container && !status["state"]["running"].is_null())
}

fn no_container(container: &str) -> Refused {
    (StatusCode::NOT_FOUND, format!("container not found (\"{container}\")"))
}

fn bad(error: &dyn std::error::Error) -> Refused {
    (StatusCode::BAD_REQUEST, error.to_string())
}
