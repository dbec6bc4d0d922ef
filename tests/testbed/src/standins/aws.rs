//! AWS as the stand-ins' controllers ask it: plain requests through the fault proxy, in the wire formats of AWS.
//!
//! The signature is a dummy (the emulators check none); what matters is the credential scope, which names the service. The user
//! agent names the controller, so that the proxy's log can tell its calls from a run's.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

use super::xml::Element;

/// Every user agent of a stand-in begins with this.
pub const AGENT: &str = "testbed-standin/";

/// A refusal by AWS, or no answer (code empty).
#[derive(Debug, Clone)]
pub struct Refusal {
    /// AWS's error code, such as `NamespaceAlreadyExists`.
    pub code: String,
    /// What was asked, and AWS's message.
    pub message: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl From<Refusal> for String {
    fn from(refusal: Refusal) -> Self {
        refusal.to_string()
    }
}

type Answer<T> = Result<T, Refusal>;

/// One controller's access to AWS.
#[derive(Clone)]
pub struct Aws {
    client: Client<HttpConnector, Full<Bytes>>,
    url: String,
    region: String,
    agent: String,
}

impl Aws {
    /// Through the proxy at `url`, in `region`, as the controller `agent`.
    pub fn new(url: &str, region: &str, agent: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self {
            client,
            url: url.trim_end_matches('/').to_owned(),
            region: region.to_owned(),
            agent: format!("{AGENT}{agent}"),
        }
    }

    /// The same access as another controller.
    pub fn as_agent(&self, agent: &str) -> Self {
        Self { agent: format!("{AGENT}{agent}"), ..self.clone() }
    }

    /// The region that it asks in.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// EC2, IAM and Elastic Load Balancing: the query protocol.
    ///
    /// # Errors
    /// AWS refuses, or does not answer.
    pub async fn query(&self, service: &str, action: &str, parameters: &[(&str, &str)]) -> Answer<Element> {
        let version = match service {
            "iam" => "2010-05-08",
            "elasticloadbalancing" => "2015-12-01",
            _ => "2016-11-15",
        };
        let fixed = [("Action", action), ("Version", version)];
        let form =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(fixed.iter().chain(parameters)).finish();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let asked =
            Asked { service, method: Method::POST, path: "/", headers: &headers, body: form.into(), what: action };
        let text = self.send(asked).await?;
        Element::read(&text).map_err(|message| Refusal { code: String::new(), message })
    }

    /// A service that wants JSON with the operation in a header, such as `AWSWAF_20190729.AssociateWebACL`.
    ///
    /// # Errors
    /// AWS refuses, or does not answer.
    pub async fn target(&self, service: &str, target: &str, body: &Value) -> Answer<Value> {
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
        let what = target.rsplit('.').next().unwrap_or(target);
        let body = Bytes::from(body.to_string());
        let text = self.send(Asked { service, method: Method::POST, path: "/", headers: &headers, body, what }).await?;
        json(&text)
    }

    /// Cloud Map: JSON with the operation in a header.
    ///
    /// # Errors
    /// AWS refuses, or does not answer.
    pub async fn cloud_map(&self, operation: &str, body: &Value) -> Answer<Value> {
        self.target("servicediscovery", &format!("Route53AutoNaming_v20170314.{operation}"), body).await
    }

    /// EKS: REST with JSON; only reading.
    ///
    /// # Errors
    /// AWS refuses, or does not answer.
    pub async fn eks(&self, path: &str) -> Answer<Value> {
        let headers = [("content-type", "application/json")];
        let (method, body) = (Method::GET, Bytes::new());
        let text = self.send(Asked { service: "eks", method, path, headers: &headers, body, what: path }).await?;
        json(&text)
    }

    /// Route 53: REST with XML; GET without a body.
    ///
    /// # Errors
    /// AWS refuses, or does not answer.
    pub async fn route53(&self, path: &str, body: Option<String>) -> Answer<Element> {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let (url, headers) = (format!("/2013-04-01{path}"), [("content-type", "text/xml")]);
        let body = Bytes::from(body.unwrap_or_default());
        let asked = Asked { service: "route53", method, path: &url, headers: &headers, body, what: path };
        let text = self.send(asked).await?;
        Element::read(&text).map_err(|message| Refusal { code: String::new(), message })
    }

    /// S3: an object by its path `/BUCKET/KEY`.
    ///
    /// # Errors
    /// AWS refuses, or does not answer.
    pub async fn s3(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Bytes) -> Answer<()> {
        self.send(Asked { service: "s3", method, path, headers, body, what: path }).await.map(|_| ())
    }

    async fn send(&self, asked: Asked<'_>) -> Answer<String> {
        let Asked { service, method, path, headers, body, what } = asked;
        let region = if matches!(service, "route53" | "iam") { "us-east-1" } else { &self.region };
        let unanswered = |message: String| Refusal { code: String::new(), message: format!("{what}: {message}") };
        let scope = format!("test/20260101/{region}/{service}/aws4_request");
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("user-agent", &self.agent)
            .header("x-amz-date", "20260101T000000Z")
            .header("authorization", format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body)).map_err(|error| unanswered(error.to_string()))?;
        let response = self.client.request(request).await.map_err(|error| unanswered(error.to_string()))?;
        let status = response.status();
        let bytes = response.into_body().collect().await.map_err(|error| unanswered(error.to_string()))?.to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if status.is_success() { Ok(text) } else { Err(refusal(status, &text, what)) }
    }
}

/// One request.
struct Asked<'a> {
    service: &'a str,
    method: Method,
    path: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: Bytes,
    /// What is asked for, for messages.
    what: &'a str,
}

fn json(text: &str) -> Answer<Value> {
    let text = if text.is_empty() { "{}" } else { text };
    serde_json::from_str(text).map_err(|error| Refusal { code: String::new(), message: format!("no JSON: {error}") })
}

fn refusal(status: StatusCode, text: &str, what: &str) -> Refusal {
    let (code, message) = if let Ok(body) = serde_json::from_str::<Value>(text) {
        let part = |names: [&str; 2]| names.iter().find_map(|n| body[*n].as_str()).unwrap_or_default().to_owned();
        let code = part(["__type", "code"]);
        (code.rsplit(['#', '.']).next().unwrap_or_default().to_owned(), part(["message", "Message"]))
    } else if let Ok(body) = Element::read(text) {
        let part = |name| body.deep(name).map_or("", Element::own).to_owned();
        (part("Code"), part("Message"))
    } else {
        (String::new(), format!("{text:.200}"))
    };
    let code = if code.is_empty() { status.as_u16().to_string() } else { code };
    Refusal { code, message: format!("{what}: {message}") }
}
