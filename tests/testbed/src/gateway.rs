//! Stands before an API server and notices every request; at one of them it can do something and cut the connection.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Method, Request, Response, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use kube::client::Body;
use serde_json::{Value, json};

use crate::{
    control_plane::ControlPlane,
    tls::{Broken, Server},
};

/// When something happens at a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The API server has not seen the request, and does not get it.
    Before,
    /// The API server has carried it out, and its answer goes nowhere.
    After,
    /// The API server has not seen it yet, and all goes on.
    Passing,
}

/// A gateway. It stops when it is dropped; to the API server everybody is a member of `system:masters`.
#[derive(Debug)]
pub struct Gateway {
    server: Server,
    ca_pem: String,
    state: Arc<State>,
}

struct State {
    client: kube::Client,
    noticed: Mutex<Noticed>,
}

#[derive(Default)]
struct Noticed {
    order: Vec<String>,
    times: BTreeMap<String, usize>,
    trap: Option<Trap>,
}

/// What happens at the request of a name.
struct Trap {
    request: String,
    moment: Moment,
    deed: Box<dyn FnOnce() + Send>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

impl Gateway {
    /// Before this control plane, on a free loopback port.
    ///
    /// # Errors
    /// The certificate or the port cannot be had.
    pub async fn start(plane: &ControlPlane) -> Result<Self, String> {
        let state = Arc::new(State { client: plane.client(), noticed: Mutex::default() });
        let (certified, asked) = (plane.authority().server("gateway", &["localhost"])?, Arc::clone(&state));
        let server = Server::start(&certified, move |request| answer(Arc::clone(&asked), request)).await?;
        Ok(Self { server, ca_pem: plane.ca_pem().to_owned(), state })
    }

    /// A kubeconfig whose only context, of this name, leads here.
    #[must_use]
    pub fn kubeconfig(&self, context: &str) -> Value {
        let cluster =
            json!({ "server": self.server.url(), "certificate-authority-data": STANDARD.encode(&self.ca_pem) });
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": context,
            "clusters": [{ "name": context, "cluster": cluster }],
            "users": [{ "name": context, "user": { "token": "anybody" } }],
            "contexts": [{ "name": context, "context": { "cluster": context, "user": context } }],
        })
    }

    /// Forgets all requests, and what was to happen.
    pub fn reset(&self) {
        *self.state.noticed() = Noticed::default();
    }

    /// Every request that came, in order: who sent it, the method and the path, as in `helm GET /api/v1/nodes`. Of equal ones that
    /// read, the first; others are numbered from the second on, as in `helm POST /api/v1/nodes #2`.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.state.noticed().order.clone()
    }

    /// Does something once, at the next request of this name, as [`Gateway::seen`] has it.
    pub fn at(&self, request: &str, moment: Moment, deed: impl FnOnce() + Send + 'static) {
        self.state.noticed().trap = Some(Trap { request: request.to_owned(), moment, deed: Box::new(deed) });
    }
}

impl State {
    fn noticed(&self) -> MutexGuard<'_, Noticed> {
        self.noticed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notices a request; what is to happen at it.
    fn notice(&self, request: &Request<Incoming>) -> Option<Trap> {
        let mut noticed = self.noticed();
        let mut name = name(request);
        let times = noticed.times.entry(name.clone()).or_default();
        *times += 1;
        match *times {
            1 => noticed.order.push(name.clone()),
            // How often something is read depends on time; what is changed comes as often each time.
            more if request.method() != Method::GET => {
                name = format!("{name} #{more}");
                noticed.order.push(name.clone());
            }
            _ => {}
        }
        noticed.trap.take_if(|trap| trap.request == name)
    }

    async fn forward(&self, request: Request<Incoming>) -> Result<Response<Body>, Broken> {
        let (mut parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        for own in [header::AUTHORIZATION, header::HOST, header::CONNECTION] {
            parts.headers.remove(own);
        }
        let mut passed = Request::builder().method(parts.method).uri(parts.uri);
        if let Some(headers) = passed.headers_mut() {
            *headers = parts.headers;
        }
        Ok(self.client.send(passed.body(Body::from(body.to_vec()))?).await?)
    }
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Body>, Broken> {
    let Some(Trap { moment, deed, .. }) = state.notice(&request) else { return state.forward(request).await };
    match moment {
        Moment::Passing => {
            deed();
            state.forward(request).await
        }
        Moment::Before => {
            deed();
            Err("cut".into())
        }
        Moment::After => {
            let answered = state.forward(request).await;
            deed();
            answered.and(Err("cut".into()))
        }
    }
}

/// Helm says in its own words who it is; everybody else is the program.
fn name(request: &Request<Incoming>) -> String {
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let who = if agent.starts_with("Helm/") { "helm" } else { "runbook" };
    format!("{who} {} {}", request.method(), request.uri().path())
}
