//! The shape of the requests to Certificate Manager, on the real SDK client.

use runbook_modules::{
    error::Class,
    resource::{Health, Kind},
};
use serde_json::{Value, json};

use crate::{
    acm::{call, certificate, driver},
    live::testing::{TOKEN, Wire, json_answer, sent, tags},
};

fn detail(status: &str, record: bool) -> Value {
    let mut option =
        json!({ "DomainName": "a.x.org", "ValidationStatus": "PENDING_VALIDATION", "ValidationMethod": "DNS" });
    if record {
        option["ResourceRecord"] =
            json!({ "Name": "_1.a.x.org.", "Type": "CNAME", "Value": "_2.acm-validations.aws." });
    }
    json!({ "Certificate": {
        "CertificateArn": "arn:c", "DomainName": "a.x.org", "SubjectAlternativeNames": ["a.x.org"], "Status": status,
        "KeyAlgorithm": "RSA-2048", "DomainValidationOptions": [option],
    } })
}

#[tokio::test]
async fn a_request_carries_half_our_token_and_is_of_use_once_the_records_are_told() {
    let wire = Wire::answering([
        json_answer(200, json!({ "CertificateArn": "arn:c" })),
        json_answer(200, detail("PENDING_VALIDATION", false)),
        json_answer(200, json!({ "Tags": [{ "Key": "Name", "Value": "x" }] })),
        json_answer(200, detail("PENDING_VALIDATION", true)),
        json_answer(200, json!({ "Tags": [] })),
    ]);
    let driver = driver("acm.certificate").unwrap();
    let (input, tags) = (json!({ "domain_name": "a.x.org" }), tags());
    let made = driver.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    let at = certificate::KIND.locate(&input, &made).unwrap();
    assert_eq!(at, json!({ "certificate_arn": "arn:c" }));
    let early = driver.read(&wire.clients, &at).await.unwrap().unwrap();
    assert!(matches!(certificate::KIND.judge(&early), Health::Pending(_)));
    let told = driver.read(&wire.clients, &at).await.unwrap().unwrap();
    assert_eq!(certificate::KIND.judge(&told), Health::Ready);
    assert_eq!(told["domain_validation_options"][0]["resource_record"]["name"], "_1.a.x.org.");
    assert_eq!((certificate::KIND.differences(&input, &told), &told["key_algorithm"]), (vec![], &json!("RSA_2048")));

    let seen = &wire.seen()[0];
    assert_eq!(seen.target, "CertificateManager.RequestCertificate");
    assert_eq!(seen.json()["IdempotencyToken"], TOKEN[..32]);
    assert_eq!(seen.json()["ValidationMethod"], "DNS");
    assert_eq!(seen.json()["Tags"].as_array().map(Vec::len), Some(tags.len()));
}

#[tokio::test]
async fn a_certificate_in_use_is_blocked_and_an_unknown_one_is_gone() {
    let in_use = json!({ "__type": "ResourceInUseException", "message": "in use" });
    let missing = json!({ "__type": "ResourceNotFoundException", "message": "none" });
    let wire =
        Wire::answering([json_answer(400, in_use), json_answer(400, missing.clone()), json_answer(400, missing)]);
    let (driver, at) = (driver("acm.certificate").unwrap(), json!({ "certificate_arn": "arn:c" }));
    assert_eq!(driver.delete(&wire.clients, &at, None).await.unwrap_err().class, Class::Blocked);
    assert_eq!(driver.read(&wire.clients, &at).await.unwrap(), None);
    let asked = call("acm.describe_certificate").unwrap().call(&wire.clients, &sent(&at, &tags())).await;
    assert_eq!(asked.unwrap_err().class, Class::Refused);
}
