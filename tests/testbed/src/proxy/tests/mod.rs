//! The proxy whole: a plain client before it; behind it a stub of an emulator, or moto.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::{
    Config, Pending, Proxy,
    testing::{Plain, Seen},
    xml::Element,
};
use crate::{emulators::Moto, tools};

mod eks;
mod elb;
mod faults;
mod inventory;
mod services;

/// Asks until an answer is as wanted. Fails after a minute.
async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(found) = ask().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what} did not happen within a minute");
}

/// moto, and a proxy before it where everything takes this long.
async fn with_moto(pending: Duration) -> Option<(Moto, Proxy, Plain)> {
    let moto = Moto::start(&tools::require()?).unwrap();
    let proxy = Proxy::start(Config { pending: Pending::all(pending), ..Config::new(moto.url()) }).await.unwrap();
    let plain = Plain::of(&proxy);
    Some((moto, proxy, plain))
}

/// An emulator that answers everything with an XML document that has a number, and counts.
struct Stub {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl Stub {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (address, requests) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let counted = Arc::clone(&counted);
                let service = service_fn(move |_: Request<hyper::body::Incoming>| {
                    let number = counted.fetch_add(1, Ordering::SeqCst) + 1;
                    let body = format!("<Made><vpcSet><item><vpcId>vpc-0000000{number}</vpcId></item></vpcSet></Made>");
                    async move { Ok::<_, hyper::Error>(Response::new(Full::new(Bytes::from(body)))) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, requests }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn count(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// A stub, and a proxy before it.
async fn with_stub() -> (Stub, Proxy, Plain) {
    let stub = Stub::start().await;
    let proxy = Proxy::start(Config::new(stub.url())).await.unwrap();
    let plain = Plain::of(&proxy);
    (stub, proxy, plain)
}
