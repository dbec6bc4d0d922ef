//! Accepts connections.

use std::sync::Arc;

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinSet};

use super::{
    flow,
    shared::Shared,
    socket::{Reset, Socket},
};

/// Serves connections until it is dropped; they end with it.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let (shared, reset) = (Arc::clone(&shared), Reset::default());
                let io = TokioIo::new(Socket::new(stream, reset.clone()));
                connections.spawn(async move {
                    let service = service_fn(move |request| flow::handle(Arc::clone(&shared), reset.clone(), request));
                    // A connection that a fault cut ends with an error: that is the fault's work.
                    let _ = http1::Builder::new().serve_connection(io, service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}
