//! Certificates, from the request to the deletion.

use serde_json::{Value, json};

use crate::testing::{Lab, code, text};

fn status(lab: &Lab, arn: &Value) -> String {
    text(&lab.call("acm.describe_certificate", json!({ "certificate_arn": arn })).unwrap(), "status")
}

#[test]
fn a_certificate_is_issued_once_its_records_stand_in_a_public_zone() {
    let lab = Lab::new();
    let zone = lab.make("route53.create_hosted_zone", json!({ "name": "x.org" }));
    let asked =
        json!({ "domain_name": "a.x.org", "subject_alternative_names": ["b.x.org"], "validation_method": "DNS" });
    let made = lab.make("acm.request_certificate", asked);
    assert_eq!(text(&made, "status"), "PENDING_VALIDATION");
    let arn = made["certificate_arn"].clone();
    let options = made["domain_validation_options"].as_array().unwrap().clone();
    assert_eq!(options.len(), 2);
    for (i, option) in options.iter().enumerate() {
        assert_eq!(status(&lab, &arn), "PENDING_VALIDATION", "{i} records stand");
        let record = &option["resource_record"];
        lab.make(
            "route53.upsert_record_set",
            json!({
                "hosted_zone_id": zone["id"], "name": record["name"], "type": record["type"], "ttl": 300,
                "resource_records": [record["value"]],
            }),
        );
    }
    lab.pass(200);
    assert_eq!(status(&lab, &arn), "ISSUED");
    lab.delete("acm.certificate", json!({ "certificate_arn": arn })).unwrap();
    let gone = lab.call("acm.describe_certificate", json!({ "certificate_arn": arn }));
    assert_eq!(code(gone), "ResourceNotFoundException");
}

#[test]
fn a_record_in_a_private_zone_proves_nothing() {
    let lab = Lab::new();
    let (vpc, _) = lab.network(&["us-east-1a"]);
    let zone = lab.make(
        "route53.create_hosted_zone",
        json!({ "name": "x.org", "vpc": { "vpc_id": vpc, "vpc_region": "us-east-1" } }),
    );
    let made = lab.make("acm.request_certificate", json!({ "domain_name": "x.org" }));
    let record = &made["domain_validation_options"][0]["resource_record"];
    lab.make("route53.upsert_record_set", json!({
        "hosted_zone_id": zone["id"], "name": record["name"], "type": "CNAME", "ttl": 300, "resource_records": [record["value"]],
    }));
    lab.pass(3600);
    assert_eq!(status(&lab, &made["certificate_arn"]), "PENDING_VALIDATION");
    lab.pass(72 * 3600);
    assert_eq!(status(&lab, &made["certificate_arn"]), "VALIDATION_TIMED_OUT");
}

#[test]
fn a_certificate_in_use_is_not_deleted() {
    let lab = Lab::new();
    let (vpc, subnets) = lab.network(&["us-east-1a", "us-east-1b"]);
    let certificate = lab.make("acm.request_certificate", json!({ "domain_name": "a.x.org" }));
    let balancer = lab.make("elbv2.create_load_balancer", json!({ "name": "web", "subnets": subnets }));
    let group =
        lab.make("elbv2.create_target_group", json!({ "name": "web", "protocol": "HTTP", "port": 80, "vpc_id": vpc }));
    let listener = lab.make(
        "elbv2.create_listener",
        json!({
            "load_balancer_arn": balancer["load_balancer_arn"], "port": 443, "protocol": "HTTPS",
            "certificates": [{ "certificate_arn": certificate["certificate_arn"] }],
            "default_actions": [{ "type": "forward", "target_group_arn": group["target_group_arn"] }],
        }),
    );
    let at = json!({ "certificate_arn": certificate["certificate_arn"] });
    let found = lab.call("acm.describe_certificate", at.clone()).unwrap();
    assert_eq!(found["in_use_by"], json!([balancer["load_balancer_arn"]]));
    assert_eq!(code(lab.delete("acm.certificate", at.clone())), "ResourceInUseException");
    lab.delete("elbv2.listener", json!({ "listener_arn": listener["listener_arn"] })).unwrap();
    lab.delete("acm.certificate", at).unwrap();
}

#[test]
fn the_same_token_is_the_same_certificate() {
    let lab = Lab::new();
    let token = format!("{:064x}", 7);
    let one = lab.with_token(&token, "acm.request_certificate", json!({ "domain_name": "a.x.org" })).unwrap();
    let two = lab.with_token(&token, "acm.request_certificate", json!({ "domain_name": "a.x.org" })).unwrap();
    assert_eq!(one["certificate_arn"], two["certificate_arn"]);
    assert_eq!(lab.find("acm.certificate", &token, json!({ "domain_name": "a.x.org" })).len(), 1);
}
