//! The way to the emulators: requests of clients passed on, and requests of the proxy itself.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

use super::{
    answer::{Answer, By},
    cbor,
    parse::{Call, Credential, Protocol},
    xml::Element,
};

/// A client's request, read whole.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Its method.
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// The emulators behind the proxy.
#[derive(Debug, Clone)]
pub struct Emulators {
    client: Client<HttpConnector, Full<Bytes>>,
    moto: String,
    ministack: Option<String>,
}

impl Emulators {
    /// Emulators at these base addresses (`http://127.0.0.1:PORT`).
    pub fn new(moto: String, ministack: Option<String>) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { client, moto: trimmed(moto), ministack: ministack.map(trimmed) }
    }

    /// Passes a request on. moto answers; what moto does not know at all (a 501, or a 404 without a service's error) is
    /// asked of ministack when there is one.
    pub async fn forward(&self, incoming: &Incoming, call: &Call) -> Answer {
        if call.protocol == Protocol::Cbor {
            let answer = self.passed_on(&cbor::as_json(incoming), call).await;
            return if answer.by == By::Proxy { answer } else { cbor::answered(answer) };
        }
        self.passed_on(&signed(incoming, call), call).await
    }

    async fn passed_on(&self, incoming: &Incoming, call: &Call) -> Answer {
        let answer = self.send(&self.moto, incoming, By::Moto).await.unwrap_or_else(|why| unreachable(call, &why));
        if !unknown(&answer) {
            return answer;
        }
        let other = match &self.ministack {
            Some(base) => self.send(base, incoming, By::Ministack).await.ok(),
            None => None,
        };
        let text =
            format!("{} of {} is in none of the emulators behind the testbed's proxy", call.operation, call.service);
        other.filter(|answer| !unknown(answer)).unwrap_or_else(|| Answer::error(call, 501, "NotImplemented", &text))
    }

    async fn send(&self, base: &str, incoming: &Incoming, by: By) -> Result<Answer, String> {
        let path = incoming.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::builder().method(&incoming.method).uri(format!("{base}{path}"));
        if let Some(headers) = request.headers_mut() {
            *headers = incoming.headers.clone();
            headers.remove(header::CONNECTION);
            headers.remove(header::CONTENT_LENGTH);
            headers.remove(header::TRANSFER_ENCODING);
            headers.remove(header::EXPECT);
        }
        let request = request.body(Full::new(incoming.body.clone())).map_err(|e| e.to_string())?;
        let answer = self.client.request(request).await.map_err(|e| format!("{base}: {e:?}"))?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(|e| format!("{base}: {e}"))?.to_bytes();
        Ok(Answer::forwarded(parts.status, parts.headers, body, by))
    }

    /// Asks moto on the proxy's own behalf, as the client whose credential it is: a form of EC2, IAM, RDS, ELB or STS.
    ///
    /// # Errors
    /// The service's code and message.
    pub async fn form(
        &self, who: &Credential, service: &str, action: &str, fields: &[(&str, &str)],
    ) -> Result<Element, String> {
        let version = match service {
            "ec2" => "2016-11-15",
            "iam" => "2010-05-08",
            "rds" => "2014-10-31",
            "elasticloadbalancing" => "2015-12-01",
            _ => "2011-06-15",
        };
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", action)
            .append_pair("Version", version)
            .extend_pairs(fields)
            .finish();
        let kind = "application/x-www-form-urlencoded";
        let answer = self.own(who, service, Method::POST, "/", &[("content-type", kind)], form).await?;
        let document = answer.document();
        if answer.ok() {
            return Ok(document);
        }
        let error =
            document.items(&["Errors"]).first().or_else(|| document.child("Error")).cloned().unwrap_or_default();
        Err(format!("{action}: {}: {}", error.at(&["Code"]), error.at(&["Message"])))
    }

    /// Asks moto for JSON: a target, or a path when the target is empty.
    ///
    /// # Errors
    /// The status and the body.
    pub async fn json(&self, who: &Credential, service: &str, how: Json<'_>, body: &Value) -> Result<Value, String> {
        let (method, path, target) = match how {
            Json::Target(target) => (Method::POST, "/", target),
            Json::Get(path) => (Method::GET, path, ""),
            Json::Delete(path) => (Method::DELETE, path, ""),
        };
        let body = if method == Method::POST { body.to_string() } else { String::new() };
        // A service that speaks several protocols goes by the type of the content.
        let named = [("x-amz-target", target), ("content-type", "application/x-amz-json-1.1")];
        let answer = self.own(who, service, method, path, if target.is_empty() { &[] } else { &named }, body).await?;
        match answer.ok() {
            true => Ok(answer.value()),
            false => Err(format!("{target}{path}: {}: {}", answer.status, String::from_utf8_lossy(&answer.body))),
        }
    }

    /// Reads XML from moto by its path, of Route 53 or S3.
    ///
    /// # Errors
    /// The status and the body.
    pub async fn xml(&self, who: &Credential, service: &str, path: &str) -> Result<Element, String> {
        let answer = self.own(who, service, Method::GET, path, &[], String::new()).await?;
        match answer.ok() {
            true => Ok(answer.document()),
            false => Err(format!("{path}: {}: {}", answer.status, String::from_utf8_lossy(&answer.body))),
        }
    }

    async fn own(
        &self, who: &Credential, service: &str, method: Method, path: &str, headers: &[(&'static str, &str)],
        body: String,
    ) -> Result<Answer, String> {
        let scope = Credential { service: service.to_owned(), ..who.clone() };
        let mut all = HeaderMap::new();
        for (name, value) in headers.iter().copied().chain([("authorization", scope.header().as_str())]) {
            all.insert(name, HeaderValue::from_str(value).map_err(|e| e.to_string())?);
        }
        if let Some(session) = &who.session {
            all.insert("x-amz-security-token", HeaderValue::from_str(session).map_err(|e| e.to_string())?);
        }
        let uri = path.parse().map_err(|e| format!("{path}: {e}"))?;
        self.send(&self.moto, &Incoming { method, uri, headers: all, body: body.into() }, By::Moto).await
    }
}

/// How JSON is asked for.
#[derive(Debug, Clone, Copy)]
pub enum Json<'a> {
    /// `X-Amz-Target`.
    Target(&'a str),
    /// GET of a path.
    Get(&'a str),
    /// DELETE of a path.
    Delete(&'a str),
}

fn trimmed(base: String) -> String {
    base.trim_end_matches('/').to_owned()
}

fn unknown(answer: &Answer) -> bool {
    let page = answer.headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    answer.status == StatusCode::NOT_IMPLEMENTED
        || (answer.status == StatusCode::NOT_FOUND && page && answer.body.starts_with(b"<!doctype html>"))
}

fn unreachable(call: &Call, why: &str) -> Answer {
    Answer::error(call, 502, "EmulatorUnreachable", &format!("the testbed's proxy could not reach the emulator: {why}"))
}

/// The emulators find the service in the `Authorization` header only: a presigned request becomes a signed form.
fn signed(incoming: &Incoming, call: &Call) -> Incoming {
    let mut incoming = incoming.clone();
    if !call.credential.presigned || call.service == "s3" {
        return incoming;
    }
    if let Ok(scope) = HeaderValue::from_str(&call.credential.header()) {
        incoming.headers.insert(header::AUTHORIZATION, scope);
    }
    if let Some(Ok(session)) = call.credential.session.as_deref().map(HeaderValue::from_str) {
        incoming.headers.insert("x-amz-security-token", session);
    }
    let query = super::parse::pairs(incoming.uri.query().unwrap_or_default().as_bytes());
    let plain = query.into_iter().filter(|(key, _)| !key.starts_with("X-Amz-"));
    incoming.body = form_urlencoded::Serializer::new(String::new()).extend_pairs(plain).finish().into();
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    incoming.headers.insert(header::CONTENT_TYPE, form);
    Incoming { method: Method::POST, uri: Uri::from_static("/"), ..incoming }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: StatusCode, kind: &'static str, body: &'static str) -> Answer {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))]);
        Answer::forwarded(status, headers, Bytes::from_static(body.as_bytes()), By::Moto)
    }

    #[test]
    fn what_moto_does_not_know_is_told_from_what_does_not_exist() {
        assert!(unknown(&answer(StatusCode::NOT_FOUND, "text/html; charset=utf-8", "<!doctype html><title>404")));
        assert!(unknown(&answer(StatusCode::NOT_IMPLEMENTED, "text/plain", "The action X has not been implemented")));
        assert!(!unknown(&answer(StatusCode::NOT_FOUND, "application/json", "{\"message\":\"No cluster found\"}")));
        assert!(!unknown(&answer(StatusCode::NOT_FOUND, "text/html", "<?xml version=\"1.0\"?><ErrorResponse/>")));
    }
}
