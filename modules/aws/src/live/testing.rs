//! Real SDK clients over prepared answers, so that a test sees each request's shape as it would go over the wire.

use std::collections::BTreeMap;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_runtime_api::{
    client::orchestrator::{HttpRequest, HttpResponse},
    http::StatusCode,
};
use aws_smithy_types::{body::SdkBody, retry::RetryConfig};
use runbook_modules::target::{EFFECT_TAG, RUN_TAG, STEP_TAG};
use serde_json::{Value, json};

use super::{Clients, Sent};

/// A prepared answer: status and body.
pub type Answer = (u16, String);

/// A JSON answer.
pub fn json_answer(status: u16, body: Value) -> Answer {
    (status, body.to_string())
}

/// An XML answer with status 200.
pub fn xml_answer(body: &str) -> Answer {
    (200, body.to_owned())
}

/// An answer in CBOR, with which CloudWatch answers.
pub fn cbor_answer(status: u16, body: Value) -> (u16, Vec<u8>) {
    let mut bytes = Vec::new();
    ciborium::into_writer(&body, &mut bytes).expect("JSON is CBOR");
    (status, bytes)
}

/// A request as it went out.
#[derive(Debug, Clone)]
pub struct Seen {
    /// `POST`, `GET`, `DELETE`.
    pub method: String,
    /// The URI with query.
    pub uri: String,
    /// The header `x-amz-target`, of JSON services.
    pub target: String,
    /// The body.
    pub body: String,
    /// The body, where it is no text.
    pub bytes: Vec<u8>,
}

impl Seen {
    /// The body as JSON; Null when it is not.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// The body as CBOR; Null when it is not.
    pub fn cbor(&self) -> Value {
        ciborium::from_reader(&self.bytes[..]).unwrap_or(Value::Null)
    }

    /// The fields of a query-protocol body (`Action=CreateVpc&…`), decoded.
    pub fn form(&self) -> BTreeMap<String, String> {
        self.body
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (decode(name), decode(value)))
            .collect()
    }

    /// The path without host and query.
    pub fn path(&self) -> String {
        let rest = self.uri.split_once("://").map_or(self.uri.as_str(), |(_, rest)| rest);
        rest.find('/').map_or("/", |at| &rest[at..]).split('?').next().unwrap_or_default().to_owned()
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let hex: String = rest.by_ref().take(2).map(char::from).collect();
                bytes.extend(u8::from_str_radix(&hex, 16));
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Clients over prepared answers.
pub struct Wire {
    /// The clients.
    pub clients: Clients,
    http: StaticReplayClient,
}

impl Wire {
    /// Answers the first request with the first answer, and so on.
    pub fn answering<B: Into<SdkBody>>(answers: impl IntoIterator<Item = (u16, B)>) -> Self {
        Self::at(None, answers)
    }

    /// As [`Wire::answering`], at an endpoint of its own.
    pub fn at<B: Into<SdkBody>>(endpoint: Option<&str>, answers: impl IntoIterator<Item = (u16, B)>) -> Self {
        let events = answers.into_iter().map(|(status, body)| {
            let status = StatusCode::try_from(status).expect("a valid status");
            let mut response = HttpResponse::new(status, body.into());
            response.headers_mut().insert("x-amzn-requestid", "req-1");
            ReplayEvent::new(HttpRequest::new(SdkBody::empty()), response)
        });
        let http = StaticReplayClient::new(events.collect());
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
            .retry_config(RetryConfig::disabled())
            .http_client(http.clone());
        if let Some(endpoint) = endpoint {
            config = config.endpoint_url(endpoint);
        }
        Self { clients: Clients::new(&config.build()), http }
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.http
            .actual_requests()
            .map(|request| Seen {
                method: request.method().to_owned(),
                uri: request.uri().to_owned(),
                target: request.headers().get("x-amz-target").unwrap_or_default().to_owned(),
                body: String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned(),
                bytes: request.body().bytes().unwrap_or_default().to_vec(),
            })
            .collect()
    }
}

/// A token as the engine makes them.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Tags as the engine gives them.
pub fn tags() -> BTreeMap<String, String> {
    [(EFFECT_TAG, &TOKEN[..32]), (RUN_TAG, "r1"), (STEP_TAG, "network/vpc"), ("Name", "web")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// What a call carries in a test: the input, [`TOKEN`] and the given tags.
pub fn sent<'a>(input: &'a Value, tags: &'a BTreeMap<String, String>) -> Sent<'a> {
    Sent { input, token: TOKEN, tags }
}

/// The ownership tags as a JSON map, to compare with.
pub fn tag_json() -> Value {
    json!(tags())
}
