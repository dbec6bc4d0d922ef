//! A server over TLS, whatever it answers.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use hyper::{
    body::{Body, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use crate::certificates::Certified;

/// Why a request gets no answer, or why its answer breaks off.
pub type Broken = Box<dyn std::error::Error + Send + Sync>;

/// A server of HTTP/1.1 over TLS on a free loopback port. It stops when it is dropped.
#[derive(Debug)]
pub struct Server {
    url: String,
    serving: JoinHandle<()>,
}

impl Server {
    /// Starts one. A connection whose request is answered with an error is closed.
    ///
    /// # Errors
    /// The certificate or the port cannot be had.
    pub async fn start<F, B>(
        certified: &Certified, answer: impl Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    ) -> Result<Self, String>
    where
        F: Future<Output = Result<Response<B>, Broken>> + Send + 'static,
        B: Body<Data = Bytes, Error: Into<Broken>> + Send + 'static,
    {
        let acceptor = acceptor(certified)?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|e| format!("no port: {e}"))?;
        let address = listener.local_addr().map_err(|e| format!("no port: {e}"))?;
        let serving = tokio::spawn(serve(listener, acceptor, Arc::new(answer)));
        Ok(Self { url: format!("https://{address}"), serving })
    }

    /// `https://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn acceptor(certified: &Certified) -> Result<TlsAcceptor, String> {
    let told = |what: &dyn std::fmt::Display| format!("the server's certificate: {what}");
    let certificate = CertificateDer::from_pem_slice(certified.certificate.as_bytes()).map_err(|e| told(&e))?;
    let key = PrivateKeyDer::from_pem_slice(certified.key.as_bytes()).map_err(|e| told(&e))?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![certificate], key))
        .map_err(|e| told(&e))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn serve<F, B>(
    listener: TcpListener, acceptor: TlsAcceptor, answer: Arc<impl Fn(Request<Incoming>) -> F + Send + Sync + 'static>,
) where
    F: Future<Output = Result<Response<B>, Broken>> + Send + 'static,
    B: Body<Data = Bytes, Error: Into<Broken>> + Send + 'static,
{
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let (acceptor, answer) = (acceptor.clone(), Arc::clone(&answer));
                connections.spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    // A client that goes away needs no answer.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(|it| answer(it))).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}
