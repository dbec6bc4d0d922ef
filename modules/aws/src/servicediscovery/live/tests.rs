//! The shape of the requests to Cloud Map, on the real SDK client.

use runbook_modules::{
    error::Class,
    resource::{Health, Kind},
};
use serde_json::{Value, json};

use crate::{
    live::testing::{TOKEN, Wire, json_answer, sent, tags},
    servicediscovery::{call, driver, namespace},
};

fn target(operation: &str) -> String {
    format!("Route53AutoNaming_v20170314.{operation}")
}

fn sent_tags() -> Value {
    tags().iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

#[tokio::test]
async fn a_namespace_is_followed_by_its_operation() {
    let operation =
        |status: &str| json!({ "Operation": { "Id": "op-1", "Status": status, "Targets": { "NAMESPACE": "ns-1" } } });
    let got = json!({ "Namespace": { "Id": "ns-1", "Arn": "arn:ns", "Name": "default", "Type": "HTTP", "CreatorRequestId": TOKEN } });
    let wire = Wire::answering([
        json_answer(200, json!({ "OperationId": "op-1" })),
        json_answer(200, operation("PENDING")),
        json_answer(200, operation("SUCCESS")),
        json_answer(200, got),
        json_answer(200, json!({ "Tags": sent_tags() })),
    ]);
    let (driver, input, tags) =
        (driver("servicediscovery.http_namespace").unwrap(), json!({ "name": "default" }), tags());
    let made = driver.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    let at = namespace::HTTP.locate(&input, &made).unwrap();
    assert_eq!(at, json!({ "name": "default", "operation_id": "op-1" }));
    let pending = driver.read(&wire.clients, &at).await.unwrap().unwrap();
    assert_eq!(namespace::HTTP.judge(&pending), Health::Pending("PENDING".to_owned()));
    let ready = driver.read(&wire.clients, &at).await.unwrap().unwrap();
    assert_eq!(namespace::HTTP.judge(&ready), Health::Ready);
    assert_eq!((&ready["id"], &ready["tags"]), (&json!("ns-1"), &json!(tags)));
    assert_eq!(namespace::HTTP.locate(&input, &ready).unwrap()["id"], "ns-1");

    let seen = &wire.seen()[0];
    assert_eq!(seen.target, target("CreateHttpNamespace"));
    assert_eq!(seen.json(), json!({ "Name": "default", "CreatorRequestId": TOKEN, "Tags": sent_tags() }));
}

#[tokio::test]
async fn a_failed_operation_says_why_and_an_existing_namespace_is_looked_up() {
    let failed =
        json!({ "Operation": { "Id": "op-1", "Status": "FAIL", "ErrorCode": "ACCESS_DENIED", "ErrorMessage": "no" } });
    let exists = json!({ "__type": "NamespaceAlreadyExists", "Message": "there", "CreatorRequestId": "x", "NamespaceId": "ns-9" });
    let wire = Wire::answering([json_answer(200, failed), json_answer(400, exists)]);
    let driver = driver("servicediscovery.http_namespace").unwrap();
    let found =
        driver.read(&wire.clients, &json!({ "name": "default", "operation_id": "op-1" })).await.unwrap().unwrap();
    assert_eq!(namespace::HTTP.judge(&found), Health::Failed("ACCESS_DENIED: no".to_owned()));
    let (input, tags) = (json!({ "name": "default" }), tags());
    let error = driver.create(&wire.clients, &sent(&input, &tags)).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::AlreadyExists, "NamespaceAlreadyExists"));
}

#[tokio::test]
async fn create_service_carries_our_token_and_tags() {
    let made = json!({ "Service": { "Id": "srv-1", "Arn": "arn:srv", "Name": "redis", "NamespaceId": "ns-1" } });
    let wire = Wire::answering([json_answer(200, made)]);
    let input = json!({ "name": "redis", "namespace_id": "ns-1", "dns_config": { "dns_records": [{ "type": "A", "ttl": 60 }] } });
    let tags = tags();
    let made = driver("servicediscovery.service").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!((&made["id"], &made["tags"]), (&json!("srv-1"), &json!(tags)));
    let (seen, body) = (&wire.seen()[0], wire.seen()[0].json());
    assert_eq!(seen.target, target("CreateService"));
    assert_eq!((&body["CreatorRequestId"], &body["Tags"]), (&json!(TOKEN), &sent_tags()));
    assert_eq!(body["DnsConfig"]["DnsRecords"], json!([{ "Type": "A", "TTL": 60 }]));
}

#[tokio::test]
async fn an_instance_is_registered_with_our_token_and_deregistered() {
    let wire = Wire::answering([
        json_answer(200, json!({ "OperationId": "op-1" })),
        json_answer(200, json!({ "OperationId": "op-2" })),
    ]);
    let input =
        json!({ "service_id": "srv-1", "instance_id": "i-1", "attributes": { "AWS_INSTANCE_IPV4": "10.0.0.1" } });
    let tags = tags();
    let made = driver("servicediscovery.instance").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!((&made["operation_id"], &made["operation_status"]), (&json!("op-1"), &json!("SUBMITTED")));
    let gone = json!({ "service_id": "srv-1", "instance_id": "i-1" });
    let answer =
        call("servicediscovery.deregister_instance").unwrap().call(&wire.clients, &sent(&gone, &tags)).await.unwrap();
    assert_eq!(answer, json!({ "operation_id": "op-2" }));
    let seen = wire.seen();
    assert_eq!(seen[0].target, target("RegisterInstance"));
    let body = json!({ "ServiceId": "srv-1", "InstanceId": "i-1", "CreatorRequestId": TOKEN, "Attributes": { "AWS_INSTANCE_IPV4": "10.0.0.1" } });
    assert_eq!(seen[0].json(), body);
    assert_eq!(seen[1].json(), json!({ "ServiceId": "srv-1", "InstanceId": "i-1" }));
}

#[tokio::test]
async fn deletions_that_must_wait_are_blocked() {
    let tags = tags();
    let in_use = json!({ "__type": "ResourceInUse", "Message": "has instances" });
    let missing = json!({ "__type": "NamespaceNotFound", "Message": "gone" });
    let wire = Wire::answering([json_answer(400, in_use), json_answer(400, missing)]);
    let ask = async |name: &str| {
        call(name).unwrap().call(&wire.clients, &sent(&json!({ "id": "x" }), &tags)).await.unwrap_err().class
    };
    assert_eq!(ask("servicediscovery.delete_service").await, Class::Blocked);
    assert_eq!(ask("servicediscovery.delete_namespace").await, Class::NotFound);
}

#[tokio::test]
async fn discovery_drops_the_host_prefix_at_an_endpoint_of_its_own() {
    let found = || {
        json_answer(
            200,
            json!({ "Instances": [{ "InstanceId": "i-1", "Attributes": { "A": "1" }, "HealthStatus": "HEALTHY" }] }),
        )
    };
    let input = json!({ "namespace_name": "default", "service_name": "redis", "query_parameters": { "A": "1" } });
    let tags = tags();
    let discover = call("servicediscovery.discover_instances").unwrap();
    let own = Wire::at(Some("http://localhost:4566"), [found()]);
    let answer = discover.call(&own.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!(
        (&answer["instances"][0]["instance_id"], &answer["instances"][0]["attributes"]),
        (&json!("i-1"), &json!({ "A": "1" }))
    );
    assert!(own.seen()[0].uri.starts_with("http://localhost:4566/"), "{}", own.seen()[0].uri);
    assert_eq!(own.seen()[0].json()["QueryParameters"], json!({ "A": "1" }));
    let aws = Wire::answering([found()]);
    discover.call(&aws.clients, &sent(&input, &tags)).await.unwrap();
    assert!(
        aws.seen()[0].uri.starts_with("https://data-servicediscovery.us-east-1.amazonaws.com/"),
        "{}",
        aws.seen()[0].uri
    );
}
