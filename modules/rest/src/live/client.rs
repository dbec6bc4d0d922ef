//! One request in JSON over HTTPS, sent once.
//!
//! No connection is kept, nothing is sent again, and no redirection is followed: whether a request was executed is told by how it failed.

use std::{error::Error, sync::OnceLock, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT},
};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as Http, connect::HttpConnector},
    rt::TokioExecutor,
};
use runbook_modules::{
    error::{CallError, Class},
    host::Host,
    target::Api,
};
use serde_json::Value;

use crate::address;

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(60);
/// The largest answer that is read.
const LARGEST: usize = 16 << 20;

type Connections = Http<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Sends requests.
pub struct Client {
    http: OnceLock<Result<Connections, String>>,
    /// Nothing beyond this machine is spoken to.
    only_here: bool,
}

/// What is sent.
pub struct Asked<'a> {
    /// The method.
    pub method: Method,
    /// The whole address.
    pub url: String,
    /// The body, as JSON.
    pub body: Option<&'a Value>,
    /// Headers of the service's own.
    pub headers: &'a [(&'static str, &'static str)],
}

/// What was answered, whatever the status.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; Null when it is empty or no JSON.
    pub body: Value,
}

impl Client {
    /// A client without any connection yet.
    pub fn new(only_here: bool) -> Self {
        Self { http: OnceLock::new(), only_here }
    }

    /// Sends a request, once.
    ///
    /// # Errors
    /// `NotSent` when it never left, `Unknown` when no whole answer came. An answer is none, whatever its status.
    pub async fn send(&self, api: &Api, host: &dyn Host, asked: Asked<'_>) -> Result<Answer, CallError> {
        let (whole, query) = asked.url.split_once('?').unwrap_or((&asked.url, ""));
        let mut url = address::checked(whole).map_err(|why| not_built(format!("the address {why}")))?;
        if self.only_here && !address::is_loopback(&url) {
            return Err(CallError::refused("TestClock", "RUNBOOK_TEST_CLOCK is for services on this machine only"));
        }
        if !query.is_empty() {
            url = format!("{url}?{query}");
        }
        let request = request(api, host, &url, asked)?;
        let answer = tokio::time::timeout(ANSWER, self.answer(request)).await;
        answer.unwrap_or_else(|_| {
            let text = format!("no answer came within {} s", ANSWER.as_secs());
            Err(CallError::new(Class::Unknown, "Timeout", text))
        })
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> Result<Answer, CallError> {
        let http = self.http.get_or_init(connections).as_ref();
        let http = http.map_err(|why| CallError::new(Class::NotSent, "NoCertificates", why.as_str()))?;
        let answer = http.request(request).await.map_err(|error| {
            let (class, code) = match error.is_connect() {
                true => (Class::NotSent, "NotConnected"),
                false => (Class::Unknown, "ConnectionBroken"),
            };
            CallError::new(class, code, chain(&error))
        })?;
        let (parts, body) = answer.into_parts();
        let broken = |error: Box<dyn Error + Send + Sync>| {
            CallError::new(Class::Unknown, "AnswerBroken", format!("the answer broke off: {error}"))
        };
        let body = Limited::new(body, LARGEST).collect().await.map_err(broken)?.to_bytes();
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
    }
}

fn connections() -> Result<Connections, String> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_connect_timeout(Some(CONNECT));
    let https = HttpsConnectorBuilder::new()
        .with_native_roots()
        .map_err(|error| format!("the system's certificates cannot be read: {error}"))?
        // Addresses without TLS are this machine's own: `address::checked` lets no other through.
        .https_or_http()
        .enable_http1()
        .wrap_connector(http);
    let mut builder = Http::builder(TokioExecutor::new());
    builder.pool_max_idle_per_host(0).retry_canceled_requests(false);
    Ok(builder.build(https))
}

fn request(api: &Api, host: &dyn Host, url: &str, asked: Asked<'_>) -> Result<Request<Full<Bytes>>, CallError> {
    let uri: Uri = url.parse().map_err(|_| not_built("the address is malformed"))?;
    let body = asked.body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = asked.method;
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.insert(AUTHORIZATION, bearer(api, host)?);
    headers.insert(USER_AGENT, HeaderValue::from_static("runbook"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for &(name, value) in asked.headers {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(request)
}

/// The token, at its last hop. No error holds it.
fn bearer(api: &Api, host: &dyn Host) -> Result<HeaderValue, CallError> {
    let token = host.reveal(&Value::from(api.token.as_str())).map_err(|why| not_built(format!("the token: {why}")))?;
    let token = token.as_str().unwrap_or_default().trim();
    if token.is_empty() {
        return Err(CallError::new(Class::Credentials, "NoToken", "the token is empty"));
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| CallError::new(Class::Credentials, "BadToken", "the token holds what no header can"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn not_built(why: impl Into<String>) -> CallError {
    CallError::refused("RequestNotBuilt", why)
}

/// An error with all that caused it.
fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
