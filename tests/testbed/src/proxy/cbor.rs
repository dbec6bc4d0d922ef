//! CloudWatch's SDK speaks CBOR (<https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>), which moto does not: its
//! requests go on as JSON under a target, and the answers come back as CBOR.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Uri, header};
use serde_json::{Map, Value};

use super::{answer::Answer, emulator::Incoming};

/// The service's shape name and the operation in the path of such a request: `/service/SERVICE/operation/OPERATION`.
pub fn target<'a>(path: &'a str, headers: &HeaderMap) -> Option<(&'a str, &'a str)> {
    headers.get("smithy-protocol").filter(|protocol| *protocol == "rpc-v2-cbor")?;
    path.strip_prefix("/service/")?.split_once("/operation/")
}

/// A body as JSON; an empty map when it is none.
pub fn decode(body: &[u8]) -> Value {
    let told: Option<Value> = ciborium::from_reader(body).ok();
    told.filter(Value::is_object).unwrap_or_else(|| Value::Object(Map::new()))
}

/// JSON as a body.
pub fn encode(value: &Value) -> Vec<u8> {
    let mut body = Vec::new();
    match ciborium::into_writer(value, &mut body) {
        Ok(()) => body,
        Err(_) => Vec::new(),
    }
}

/// The same request in the words of the older protocol.
pub fn as_json(incoming: &Incoming) -> Incoming {
    let Some((service, operation)) = target(incoming.uri.path(), &incoming.headers) else { return incoming.clone() };
    let mut headers = incoming.headers.clone();
    for name in ["smithy-protocol", "accept", "x-amzn-query-mode"] {
        headers.remove(name);
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    if let Ok(target) = HeaderValue::from_str(&format!("{service}.{operation}")) {
        headers.insert("x-amz-target", target);
    }
    let body = decode(&incoming.body).to_string().into();
    Incoming { method: Method::POST, uri: Uri::from_static("/"), headers, body }
}

/// An emulator's answer as the SDK reads it.
pub fn answered(answer: Answer) -> Answer {
    let told = match answer.value() {
        Value::Null => Value::Object(Map::new()),
        told => without_times(told),
    };
    let mut headers = answer.headers;
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/cbor"));
    headers.insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    Answer { headers, body: Bytes::from(encode(&told)), ..answer }
}

/// In CBOR a time bears a tag, which JSON has no word for; nobody here asks when.
fn without_times(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(name, _)| !name.ends_with("Timestamp"));
            Value::Object(kept.map(|(name, value)| (name, without_times(value))).collect())
        }
        Value::Array(items) => items.into_iter().map(without_times).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::json;

    use super::{super::answer::By, *};

    #[test]
    fn a_request_goes_on_as_json_and_its_answer_comes_back_as_cbor() {
        let headers = HeaderMap::from_iter([
            ("smithy-protocol".parse().unwrap(), HeaderValue::from_static("rpc-v2-cbor")),
            (header::CONTENT_TYPE, HeaderValue::from_static("application/cbor")),
        ]);
        let asked = json!({ "AlarmNames": ["old"], "MaxRecords": 1 });
        let uri = Uri::from_static("/service/GraniteServiceVersion20100801/operation/DescribeAlarms");
        let incoming = Incoming { method: Method::POST, uri, headers, body: encode(&asked).into() };
        let json = as_json(&incoming);
        assert_eq!(
            (json.uri.path(), &json.headers["x-amz-target"]),
            ("/", &HeaderValue::from_static("GraniteServiceVersion20100801.DescribeAlarms"))
        );
        assert_eq!(serde_json::from_slice::<Value>(&json.body).unwrap(), asked);
        assert_eq!(json.headers.get("smithy-protocol"), None);

        let told =
            json!({ "MetricAlarms": [{ "AlarmName": "old", "Threshold": 600.0, "StateUpdatedTimestamp": 1.5 }] });
        let answer = Answer::forwarded(StatusCode::OK, HeaderMap::new(), told.to_string().into(), By::Moto);
        let answer = answered(answer);
        assert_eq!(decode(&answer.body), json!({ "MetricAlarms": [{ "AlarmName": "old", "Threshold": 600.0 }] }));
        assert_eq!(answer.headers["smithy-protocol"], "rpc-v2-cbor");
        let nothing = Answer::forwarded(StatusCode::OK, HeaderMap::new(), Bytes::new(), By::Moto);
        assert_eq!(decode(&answered(nothing).body), json!({}));
    }

    #[test]
    fn other_requests_are_left_alone() {
        assert_eq!(target("/service/a/operation/b", &HeaderMap::new()), None);
    }
}
