//! Answers: those of the emulators, changed or not, and those of the proxy, worded as each service words them.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value};

use super::{
    cbor,
    parse::{Call, Protocol},
    xml::Element,
};

/// Who gave an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// The moto server.
    Moto,
    /// ministack.
    Ministack,
    /// The proxy itself.
    Proxy,
    /// The token ledger: an answer that was given before.
    Ledger,
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers, without those of the connection.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Who gave it.
    pub by: By,
}

const CONNECTION: [&str; 4] = ["connection", "transfer-encoding", "content-length", "keep-alive"];

impl Answer {
    /// An emulator's answer.
    pub fn forwarded(status: StatusCode, mut headers: HeaderMap, body: Bytes, by: By) -> Self {
        for name in CONNECTION {
            headers.remove(name);
        }
        Self { status, headers, body, by }
    }

    fn own(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static(kind));
        Self { status, headers, body: body.into(), by: By::Proxy }
    }

    /// JSON, as EKS and Cloud Map answer.
    pub fn json(body: &Value) -> Self {
        Self::own(StatusCode::OK, "application/json", body.to_string())
    }

    /// XML.
    pub fn xml(document: &Element) -> Self {
        Self::own(StatusCode::OK, "text/xml", document.document())
    }

    /// A page for people, with further headers.
    pub fn page(status: u16, headers: &BTreeMap<String, String>, body: &str) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut page = Self::own(status, "text/html", body.to_owned());
        for (name, value) in headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
                page.headers.insert(name, value);
            }
        }
        page
    }

    /// A service's error document.
    pub fn error(call: &Call, status: u16, code: &str, message: &str) -> Self {
        Self::error_with(call, status, code, message, Map::new())
    }

    /// A service's error document with further fields (JSON services).
    pub fn error_with(call: &Call, status: u16, code: &str, message: &str, mut fields: Map<String, Value>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let told = || vec![Element::text("Code", code), Element::text("Message", message)];
        let fault = if status.is_server_error() { "Receiver" } else { "Sender" };
        match call.protocol {
            Protocol::Ec2 => {
                let errors = Element::of("Errors", vec![Element::of("Error", told())]);
                let document = Element::of("Response", vec![errors, Element::text("RequestID", REQUEST)]);
                Self::own(status, "text/xml", document.document())
            }
            Protocol::RestXml if call.service == "s3" => {
                Self::own(status, "application/xml", Element::of("Error", told()).document())
            }
            Protocol::Query | Protocol::RestXml => {
                let mut error = vec![Element::text("Type", fault)];
                error.extend(told());
                let parts = vec![Element::of("Error", error), Element::text("RequestId", REQUEST)];
                Self::own(status, "text/xml", Element::of("ErrorResponse", parts).document())
            }
            Protocol::Json => {
                fields.insert("__type".to_owned(), code.into());
                fields.insert("Message".to_owned(), message.into());
                fields.insert("message".to_owned(), message.into());
                Self::own(status, "application/x-amz-json-1.1", Value::Object(fields).to_string())
            }
            Protocol::Cbor => {
                fields.insert("__type".to_owned(), code.into());
                fields.insert("message".to_owned(), message.into());
                let mut answer = Self::own(status, "application/cbor", cbor::encode(&Value::Object(fields)));
                answer.headers.insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
                answer
            }
            Protocol::RestJson => {
                fields.insert("message".to_owned(), message.into());
                let mut answer = Self::own(status, "application/json", Value::Object(fields).to_string());
                if let Ok(code) = HeaderValue::from_str(code) {
                    answer.headers.insert("x-amzn-errortype", code);
                }
                answer
            }
        }
    }

    /// Whether it is a 2xx.
    pub fn ok(&self) -> bool {
        self.status.is_success()
    }

    /// The body as JSON; Null when it is none.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The body as XML; an empty element when it is none.
    pub fn document(&self) -> Element {
        Element::parse(&self.body).unwrap_or_default()
    }

    /// The same answer with another JSON body.
    pub fn with_value(self, value: &Value) -> Self {
        Self { body: value.to_string().into(), ..self }
    }

    /// The same answer with another XML body.
    pub fn with_document(self, document: &Element) -> Self {
        Self { body: document.document().into(), ..self }
    }

    /// The same answer with a request id, in the headers that the services use.
    pub fn with_request_id(mut self, number: u64) -> Self {
        let id = format!("00000000-0000-4000-8000-{number:012x}");
        for name in ["x-amzn-requestid", "x-amz-request-id"] {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(&id)) {
                self.headers.insert(name, value);
            }
        }
        self
    }

    /// The service's code for "too many requests", as the service words it.
    pub fn throttled(call: &Call) -> Self {
        let (status, code) = match call.service.as_str() {
            "ec2" => (503, "RequestLimitExceeded"),
            "eks" => (429, "ThrottlingException"),
            "s3" => (503, "SlowDown"),
            "servicediscovery" => (400, "RequestLimitExceeded"),
            _ if call.protocol == Protocol::Json => (400, "ThrottlingException"),
            _ => (400, "Throttling"),
        };
        Self::error(call, status, code, "Rate exceeded")
    }
}

/// The request id in error documents; the header has the real one.
const REQUEST: &str = "00000000-0000-4000-8000-000000000000";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(service: &str, protocol: Protocol) -> Call {
        let parsed =
            super::super::parse::parse(&http::Method::GET, &http::Uri::from_static("/"), &HeaderMap::new(), b"", "1");
        Call { service: service.to_owned(), protocol, ..parsed }
    }

    #[test]
    fn errors_are_worded_as_each_service_words_them() {
        let error = |service, protocol| Answer::error(&call(service, protocol), 400, "Code", "a <b>");
        let ec2 = error("ec2", Protocol::Ec2).document();
        assert_eq!((ec2.name.as_str(), ec2.items(&["Errors"])[0].at(&["Message"])), ("Response", "a <b>"));
        for (service, protocol) in [("iam", Protocol::Query), ("route53", Protocol::RestXml)] {
            let document = error(service, protocol).document();
            assert_eq!((document.name.as_str(), document.at(&["Error", "Code"])), ("ErrorResponse", "Code"));
            assert_eq!(document.at(&["Error", "Type"]), "Sender");
        }
        assert_eq!(error("s3", Protocol::RestXml).document().name, "Error");
        assert_eq!(error("servicediscovery", Protocol::Json).value()["__type"], "Code");
        assert_eq!(
            cbor::decode(&error("monitoring", Protocol::Cbor).body),
            json!({ "__type": "Code", "message": "a <b>" })
        );
        let eks = error("eks", Protocol::RestJson);
        assert_eq!(
            (eks.headers["x-amzn-errortype"].to_str().ok(), eks.value()),
            (Some("Code"), json!({ "message": "a <b>" }))
        );
    }

    #[test]
    fn throttling_has_each_services_code() {
        for (service, protocol, status, code) in [
            ("ec2", Protocol::Ec2, 503, "RequestLimitExceeded"),
            ("iam", Protocol::Query, 400, "Throttling"),
            ("route53", Protocol::RestXml, 400, "Throttling"),
            ("eks", Protocol::RestJson, 429, "ThrottlingException"),
            ("secretsmanager", Protocol::Json, 400, "ThrottlingException"),
        ] {
            let answer = Answer::throttled(&call(service, protocol));
            let said = format!("{:?} {}", answer.headers, String::from_utf8_lossy(&answer.body));
            assert_eq!(answer.status, status);
            assert!(said.contains(code), "{said}");
        }
    }
}
