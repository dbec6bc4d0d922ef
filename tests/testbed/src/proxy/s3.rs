//! S3: the tags that a bucket is made with, which moto leaves out.

use http::{HeaderName, Method, Uri};

use super::{answer::Answer, emulator::Incoming, parse::Call, shared::Shared, xml::Element};

/// Answers a request to the service.
pub(super) async fn answer(shared: &Shared, incoming: &Incoming, call: &Call) -> Answer {
    let answer = shared.emulators.forward(incoming, call).await;
    let asked = Element::parse(&incoming.body).unwrap_or_default();
    let tags = asked.items(&["Tags"]);
    if call.operation != "CreateBucket" || !answer.ok() || tags.is_empty() {
        return answer;
    }
    match shared.emulators.forward(&tagging(incoming, tags), call).await {
        tagged if tagged.ok() => answer,
        refused => refused,
    }
}

/// PutBucketTagging for the bucket of a request.
fn tagging(incoming: &Incoming, tags: &[Element]) -> Incoming {
    let mut headers = incoming.headers.clone();
    // They are those of another body.
    let sums: Vec<HeaderName> = headers
        .keys()
        .filter(|name| ["checksum", "md5"].iter().any(|sum| name.as_str().contains(sum)))
        .cloned()
        .collect();
    for name in sums {
        headers.remove(name);
    }
    let uri = format!("{}?tagging", incoming.uri.path()).parse::<Uri>().unwrap_or_default();
    let set = Element::of("Tagging", vec![Element::of("TagSet", tags.to_vec())]);
    Incoming { method: Method::PUT, uri, headers, body: set.document().into() }
}
