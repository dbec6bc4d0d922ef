//! What a request asks for: service, operation, fields, token, and whether it changes anything.
//!
//! Five ways to say it: a form with `Action` (EC2, IAM, STS, ELB, RDS), a header `X-Amz-Target` (Cloud Map, Secrets Manager, KMS,
//! …), a path with CBOR (CloudWatch), method and path with JSON (EKS, EFS, Account), method and path with XML (Route 53, S3). The service stands in the signature's scope.

use http::{HeaderMap, Method, Uri};
use serde_json::{Map, Value};

use super::{cbor, xml::Element};

mod credential;
mod fields;
mod mutating;
mod routes;
mod s3;
#[cfg(test)]
mod tests;

pub use credential::Credential;
pub use fields::pairs;

/// How a service words requests and errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Forms and XML, in EC2's own way.
    Ec2,
    /// Forms and XML.
    Query,
    /// JSON under a target.
    Json,
    /// CBOR under a path.
    Cbor,
    /// JSON under a path.
    RestJson,
    /// XML under a path.
    RestXml,
}

/// A field that makes a repeated request the same request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The field's name, e.g. `ClientToken`.
    pub field: &'static str,
    /// Its value.
    pub value: String,
}

/// A request, understood.
#[derive(Debug, Clone)]
pub struct Call {
    /// The service's name for signing, e.g. `ec2`, `eks`, `elasticloadbalancing`.
    pub service: String,
    /// The operation, e.g. `CreateVpc`; for an unknown REST operation the method and path.
    pub operation: String,
    /// How the service words things.
    pub protocol: Protocol,
    /// Who signed it, and where.
    pub credential: Credential,
    /// The account of the signer.
    pub account: String,
    /// The fields, from path, query and body.
    pub fields: Value,
    /// The token, when the operation has one and it is given.
    pub token: Option<Token>,
    /// Whether it changes anything.
    pub mutating: bool,
    /// The program that sent it: the header `user-agent`.
    pub agent: String,
}

impl Call {
    /// A field's text; empty when there is none.
    pub fn text(&self, field: &str) -> &str {
        self.fields.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// The region of the signature.
    pub fn region(&self) -> &str {
        &self.credential.region
    }
}

/// The fields that hold tokens. Cloud Map's and Route 53's have rules of their own (see `ledger`).
const TOKENS: [&str; 7] = [
    "ClientToken",
    "clientRequestToken",
    "ClientRequestToken",
    "clientToken",
    "CreatorRequestId",
    "CallerReference",
    "IdempotencyToken",
];

/// Understands a request. The account is the one given.
pub fn parse(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8], account: &str) -> Call {
    let credential = Credential::of(uri, headers);
    let query = pairs(uri.query().unwrap_or_default().as_bytes());
    let plain_query = || query.iter().filter(|(key, _)| !key.starts_with("X-Amz-")).cloned();
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut service = credential.service.clone();

    let (operation, protocol, fields) = if let Some((prefix, operation)) = header("x-amz-target").rsplit_once('.') {
        if service.is_empty() {
            service = prefix.split('_').next().unwrap_or_default().to_lowercase();
        }
        (operation.to_owned(), Protocol::Json, serde_json::from_slice(body).unwrap_or(Value::Null))
    } else if let Some((_, operation)) = cbor::target(uri.path(), headers) {
        (operation.to_owned(), Protocol::Cbor, cbor::decode(body))
    } else if let Some((operation, fields)) = form(&query, headers, body) {
        let protocol = if service == "ec2" { Protocol::Ec2 } else { Protocol::Query };
        (operation, protocol, fields)
    } else {
        let protocol =
            if matches!(service.as_str(), "route53" | "s3") { Protocol::RestXml } else { Protocol::RestJson };
        let mut fields = match Element::parse(body) {
            Some(document) if protocol == Protocol::RestXml => document.json(),
            _ => serde_json::from_slice(body).unwrap_or(Value::Null),
        };
        if !fields.is_object() {
            fields = Value::Object(Map::new());
        }
        let (operation, path_fields) = match routes::find(&service, method, uri.path()) {
            Some((operation, fields)) => (operation.to_owned(), fields),
            None if service == "s3" => (s3::operation(method, uri.path(), &query, headers), bucket(uri.path())),
            None => (format!("{method} {}", uri.path()), Map::new()),
        };
        if let Some(fields) = fields.as_object_mut() {
            fields.extend(plain_query().map(|(key, value)| (key, value.into())));
            fields.extend(path_fields);
        }
        (operation, protocol, fields)
    };
    let token = token(&fields);
    let mutating = mutating::is(&service, &operation, method);
    let agent = header("user-agent").to_owned();
    Call { service, operation, protocol, credential, account: account.to_owned(), fields, token, mutating, agent }
}

/// The operation and fields of a form, in the body or in the query.
fn form(query: &[(String, String)], headers: &HeaderMap, body: &[u8]) -> Option<(String, Value)> {
    let kind = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut all = if kind.starts_with("application/x-www-form-urlencoded") { pairs(body) } else { Vec::new() };
    all.extend(query.iter().filter(|(key, _)| !key.starts_with("X-Amz-")).cloned());
    let action = all.iter().find(|(key, _)| key == "Action")?.1.clone();
    all.retain(|(key, _)| key != "Action" && key != "Version");
    Some((action, fields::nested(all.into_iter())))
}

fn bucket(path: &str) -> Map<String, Value> {
    let mut parts = path.trim_start_matches('/').splitn(2, '/');
    let named = [("Bucket", parts.next()), ("Key", parts.next())];
    let given =
        named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.filter(|v| !v.is_empty())?.into())));
    given.collect()
}

fn token(fields: &Value) -> Option<Token> {
    TOKENS.iter().find_map(|field| {
        let value = fields.get(*field)?.as_str().filter(|value| !value.is_empty())?;
        Some(Token { field, value: value.to_owned() })
    })
}
