//! What the sandbox's Service Quotas answer.

use runbook_modules::error::{CallError, Class};
use serde_json::{Value, json};

use crate::testing::Lab;

fn get(lab: &Lab, service: &str, code: &str) -> Result<Value, CallError> {
    lab.call("servicequotas.get_service_quota", json!({ "service_code": service, "quota_code": code }))
}

#[test]
fn the_defaults_of_aws_are_known() {
    let lab = Lab::new();
    for (service, code, name, value) in [
        ("vpc", "L-F678F1CE", "VPCs per Region", 5),
        ("vpc", "L-FE5A380F", "NAT gateways per Availability Zone", 5),
        ("ec2", "L-0263D0A3", "EC2-VPC Elastic IPs", 5),
        ("elasticloadbalancing", "L-69A177A2", "Network Load Balancers per Region", 50),
    ] {
        let found = get(&lab, service, code).unwrap();
        assert_eq!((&found["quota_name"], &found["value"]), (&json!(name), &json!(value)));
        assert_eq!((&found["service_code"], &found["quota_code"]), (&json!(service), &json!(code)));
    }
}

#[test]
fn the_customers_own_stands_in_the_rehearsal_file() {
    let lab = Lab::new();
    lab.put_object("servicequotas.quota", "us-east-1", "vpc/L-F678F1CE", json!({ "value": 1 }));
    lab.put_object("servicequotas.quota", "eu-west-1", "ec2/L-0263D0A3", json!({ "value": 1 }));
    lab.put_object("servicequotas.quota", "us-east-1", "sqs/L-06F64899", json!({ "value": 2.5 }));
    assert_eq!(get(&lab, "vpc", "L-F678F1CE").unwrap()["value"], 1);
    assert_eq!(get(&lab, "ec2", "L-0263D0A3").unwrap()["value"], 5, "another region's");
    let named = get(&lab, "sqs", "L-06F64899").unwrap();
    assert_eq!((&named["value"], &named["quota_name"]), (&json!(2.5), &json!("L-06F64899")));
}

#[test]
fn one_that_does_not_exist_is_not_found() {
    let lab = Lab::new();
    for (service, code) in [("vpc", "L-00000000"), ("ec2", "L-F678F1CE"), ("nothing", "L-F678F1CE")] {
        let error = get(&lab, service, code).unwrap_err();
        assert_eq!((error.class, error.code.as_str()), (Class::NotFound, "NoSuchResourceException"));
    }
}

#[test]
fn who_may_not_ask_is_refused() {
    let lab = Lab::new();
    lab.put_object("servicequotas.quota", "us-east-1", "vpc/L-F678F1CE", json!({ "error": "AccessDeniedException" }));
    let error = get(&lab, "vpc", "L-F678F1CE").unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::Refused, "AccessDeniedException"));
    assert_eq!(get(&lab, "vpc", "L-FE5A380F").unwrap()["value"], 5, "another one");
}

#[test]
fn codes_are_checked() {
    let lab = Lab::new();
    let check = |service: &str, code: &str| {
        lab.check("servicequotas.get_service_quota", json!({ "service_code": service, "quota_code": code }))
    };
    check("vpc", "L-F678F1CE").unwrap();
    assert_eq!(check("", "L-F678F1CE").unwrap_err().path, "service_code");
    assert_eq!(check("vpc", "F678/1CE").unwrap_err().path, "quota_code");
}
