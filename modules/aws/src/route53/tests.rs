//! What the sandbox's Route 53 answers and refuses.

use runbook_modules::error::Class;
use serde_json::{Value, json};

use crate::testing::{Lab, code, text};

fn lab() -> (Lab, Value) {
    let lab = Lab::new();
    let (vpc, _) = lab.network(&[]);
    let zone = lab.make("route53.create_hosted_zone", json!({ "name": "redis-ha.internal", "vpc": { "vpc_id": vpc } }));
    (lab, zone)
}

fn records(lab: &Lab, zone: &Value) -> Vec<(String, String)> {
    let found = lab.call("route53.list_resource_record_sets", json!({ "hosted_zone_id": zone["id"] })).unwrap();
    found["resource_record_sets"].as_array().unwrap().iter().map(|r| (text(r, "name"), text(r, "type"))).collect()
}

#[test]
fn a_zone_is_pending_then_in_sync_and_has_its_own_records() {
    let (lab, zone) = lab();
    assert_eq!(zone["name"], "redis-ha.internal.");
    assert_eq!(zone["change_info"]["status"], "INSYNC");
    assert_eq!(zone["config"]["private_zone"], true);
    let kinds: Vec<String> = records(&lab, &zone).into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(kinds, ["NS", "SOA"]);
    let found = lab.call("route53.list_hosted_zones_by_name", json!({ "dns_name": "redis-ha.internal" })).unwrap();
    assert_eq!(found["hosted_zones"][0]["id"], zone["id"]);
    let after = lab.call("route53.list_hosted_zones_by_name", json!({ "dns_name": "zz.internal" })).unwrap();
    assert_eq!(after, json!({ "hosted_zones": [] }));
    lab.delete("route53.hosted_zone", json!({ "id": zone["id"] })).unwrap();
}

#[test]
fn the_caller_reference_is_the_token() {
    let lab = Lab::new();
    let (token, input) = ("c".repeat(64), json!({ "name": "example.com" }));
    let made = lab.with_token(&token, "route53.create_hosted_zone", input.clone()).unwrap();
    assert_eq!(made["caller_reference"], token);
    assert_eq!(made["change_info"]["status"], "PENDING");
    let again = lab.with_token(&token, "route53.create_hosted_zone", input.clone()).unwrap_err();
    assert_eq!((again.class, again.code.as_str()), (Class::AlreadyExists, "HostedZoneAlreadyExists"));
    assert_eq!(lab.find("route53.hosted_zone", &token, input.clone())[0]["id"], made["id"]);
    lab.call("route53.create_hosted_zone", input).unwrap();
}

#[test]
fn a_second_vpc_sees_the_zone_and_the_last_one_stays() {
    let (lab, zone) = lab();
    let vpc = lab.make("ec2.create_vpc", json!({ "cidr_block": "10.6.0.0/16" }))["id"].clone();
    let input = json!({ "hosted_zone_id": zone["id"], "vpc": { "vpc_id": vpc, "vpc_region": "us-east-1" } });
    let made = lab.make("route53.associate_vpc_with_hosted_zone", input.clone());
    assert_eq!(code(lab.call("route53.associate_vpc_with_hosted_zone", input)), "ConflictingDomainExists");
    let got = lab.call("route53.get_hosted_zone", json!({ "id": zone["id"] })).unwrap();
    assert_eq!(got["vpcs"].as_array().unwrap().len(), 2);
    let at = json!({ "hosted_zone_id": zone["id"], "vpc_id": vpc, "change_id": made["change_id"] });
    lab.delete("route53.vpc_association", at).unwrap();
    assert_eq!(lab.call("route53.get_hosted_zone", json!({ "id": zone["id"] })).unwrap()["vpcs"], zone["vpcs"]);
    let nothing = json!({ "hosted_zone_id": zone["id"], "vpc": { "vpc_id": "vpc-0" } });
    assert_eq!(code(lab.call("route53.associate_vpc_with_hosted_zone", nothing)), "InvalidVPCId");
}

#[test]
fn a_record_is_upserted_and_what_stood_there_is_put_back() {
    let (lab, zone) = lab();
    let put = |ttl: i64| {
        let input = json!({ "hosted_zone_id": zone["id"], "name": "web.redis-ha.internal", "type": "A", "ttl": ttl, "resource_records": ["10.0.0.1"] });
        lab.make("route53.upsert_record_set", input)
    };
    let at = json!({ "hosted_zone_id": zone["id"], "name": "web.redis-ha.internal", "type": "A" });
    assert_eq!(lab.read("route53.record_set", at.clone()), None);
    let before = put(300);
    assert_eq!(before["name"], "web.redis-ha.internal.");
    put(60);
    assert_eq!(lab.read("route53.record_set", at.clone()).unwrap()["ttl"], 60);
    lab.put_back("route53.record_set", at.clone(), Some(&before)).unwrap();
    assert_eq!(lab.read("route53.record_set", at.clone()).unwrap()["ttl"], 300);
    lab.delete("route53.record_set", at.clone()).unwrap();
    assert_eq!(lab.read("route53.record_set", at), None);
    let foreign = json!({ "hosted_zone_id": zone["id"], "name": "web.example.com", "type": "A", "resource_records": ["10.0.0.1"] });
    assert_eq!(code(lab.call("route53.upsert_record_set", foreign)), "InvalidChangeBatch");
}

#[test]
fn the_soa_stands_before_and_can_be_changed() {
    let (lab, zone) = lab();
    let at = json!({ "hosted_zone_id": zone["id"], "name": "redis-ha.internal.", "type": "SOA" });
    let before = lab.read("route53.record_set", at.clone()).unwrap();
    let input = json!({ "hosted_zone_id": zone["id"], "name": "redis-ha.internal.", "type": "SOA", "ttl": 900, "resource_records": ["a b 1 7200 900 1209600 60"] });
    lab.make("route53.upsert_record_set", input);
    lab.put_back("route53.record_set", at.clone(), Some(&before)).unwrap();
    assert_eq!(lab.read("route53.record_set", at).unwrap()["resource_records"], before["resource_records"]);
}

#[test]
fn a_zone_with_records_is_not_deleted_until_they_are() {
    let (lab, zone) = lab();
    for name in ["a", "b"] {
        let name = format!("{name}.redis-ha.internal");
        lab.make("route53.upsert_record_set", json!({ "hosted_zone_id": zone["id"], "name": name, "type": "A", "ttl": 60, "resource_records": ["10.0.0.1"] }));
    }
    let error = lab.delete("route53.hosted_zone", json!({ "id": zone["id"] })).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::Blocked, "HostedZoneNotEmpty"));
    let one = json!([{ "name": "a.redis-ha.internal" }]);
    let deleted =
        lab.call("route53.delete_record_sets", json!({ "hosted_zone_id": zone["id"], "record_sets": one })).unwrap();
    assert_eq!(deleted["deleted"], 1);
    let deleted = lab.call("route53.delete_record_sets", json!({ "hosted_zone_id": zone["id"] })).unwrap();
    assert_eq!(deleted["deleted"], 1);
    lab.delete("route53.hosted_zone", json!({ "id": zone["id"] })).unwrap();
    assert_eq!(
        code(lab.call("route53.delete_record_sets", json!({ "hosted_zone_id": zone["id"] }))),
        "NoSuchHostedZone"
    );
}
