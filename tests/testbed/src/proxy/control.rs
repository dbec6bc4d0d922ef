//! The proxy's controls for other processes, on a port of their own: what `Proxy` offers, as JSON over HTTP.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

use super::{faults::Fault, inventory::Inventory, pending::Failure, shared::Shared};

/// Serves the controls until it is dropped.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let shared = Arc::clone(&shared);
                connections.spawn(async move {
                    let service = service_fn(move |request| answer(Arc::clone(&shared), request));
                    // Whoever goes away needs no answer.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn answer(
    shared: Arc<Shared>, request: Request<hyper::body::Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let (status, said) = match act(&shared, &parts.method, parts.uri.path(), &body).await {
        Ok(value) => (StatusCode::OK, value),
        Err((status, why)) => (status, json!({ "error": why })),
    };
    let mut response = Response::new(Full::new(said.to_string().into()));
    *response.status_mut() = status;
    Ok(response)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, (StatusCode, String)> {
    serde_json::from_slice(body).map_err(|e| (StatusCode::BAD_REQUEST, e.to_string()))
}

async fn act(shared: &Shared, method: &Method, path: &str, body: &[u8]) -> Result<Value, (StatusCode, String)> {
    let path = path.strip_prefix("/_testbed/").unwrap_or_default();
    match (method.as_str(), path) {
        ("GET", "log") => return Ok(json!(shared.log.entries())),
        ("GET", "faults") => return Ok(json!(shared.faults.happened())),
        ("POST", "faults") => shared.faults.add(read::<Fault>(body)?),
        ("DELETE", "faults") => shared.faults.clear(),
        ("POST", "release") => shared.faults.release(),
        ("POST", "failures") => shared.plans.add(read::<Failure>(body)?),
        ("POST", "token-expiry") => shared.ledger.expire_after(Duration::from_secs(read(body)?)),
        ("POST", "reset") => shared.reset(),
        ("GET", "eks") => return Ok(shared.access.0.inventory()),
        ("GET", "inventory") => {
            let found = Inventory::read(shared).await.map_err(|why| (StatusCode::BAD_GATEWAY, why))?;
            return Ok(found.since(&Inventory::default()));
        }
        _ => return Err((StatusCode::NOT_FOUND, format!("the proxy's controls have no {method} {path}"))),
    }
    Ok(json!({}))
}
