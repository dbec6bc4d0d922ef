//! The shape of the requests to Route 53, on the real SDK client.

use runbook_modules::{
    error::Class,
    resource::{Health, Kind},
};
use serde_json::{Value, json};

use crate::{
    live::testing::{Answer, TOKEN, Wire, sent, tag_json, tags, xml_answer},
    route53::{call, driver, hosted_zone},
};

const NS: &str = "xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"";

fn xml(root: &str, inside: &str) -> Answer {
    xml_answer(&format!("<?xml version=\"1.0\"?><{root} {NS}>{inside}</{root}>"))
}

fn change(status: &str) -> String {
    format!(
        "<ChangeInfo><Id>/change/C1</Id><Status>{status}</Status><SubmittedAt>2026-11-20T19:18:00Z</SubmittedAt></ChangeInfo>"
    )
}

fn zone() -> String {
    let config = "<Config><PrivateZone>true</PrivateZone></Config>";
    format!(
        "<HostedZone><Id>/hostedzone/Z1</Id><Name>redis-ha.internal.</Name><CallerReference>{TOKEN}</CallerReference>{config}</HostedZone>"
    )
}

fn zone_tags(tagged: bool) -> Answer {
    let tag = |(key, value): (&String, &String)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>");
    let all: String = if tagged { tags().iter().map(tag).collect() } else { String::new() };
    let set = format!(
        "<ResourceTagSet><ResourceType>hostedzone</ResourceType><ResourceId>Z1</ResourceId><Tags>{all}</Tags></ResourceTagSet>"
    );
    xml("ListTagsForResourceResponse", &set)
}

fn got_zone() -> Answer {
    let vpcs = "<VPCs><VPC><VPCRegion>us-east-1</VPCRegion><VPCId>vpc-1</VPCId></VPC></VPCs>";
    xml("GetHostedZoneResponse", &format!("{}{vpcs}", zone()))
}

fn input() -> Value {
    json!({ "name": "redis-ha.internal", "vpc": { "vpc_id": "vpc-1" } })
}

#[tokio::test]
async fn create_hosted_zone_has_our_token_as_caller_reference_and_tags_follow() {
    let made =
        format!("{}{}<VPC><VPCRegion>us-east-1</VPCRegion><VPCId>vpc-1</VPCId></VPC>", zone(), change("PENDING"));
    let wire = Wire::answering([xml("CreateHostedZoneResponse", &made), xml("ChangeTagsForResourceResponse", "")]);
    let (input, tags) = (input(), tags());
    let made = driver("route53.hosted_zone").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!((&made["id"], &made["change_id"], &made["tags"]), (&json!("Z1"), &json!("C1"), &tag_json()));
    assert_eq!(hosted_zone::KIND.judge(&made), Health::Pending("PENDING".to_owned()));
    assert_eq!(hosted_zone::KIND.locate(&input, &made), Some(json!({ "id": "Z1", "change_id": "C1" })));
    assert_eq!(hosted_zone::KIND.differences(&input, &made), []);

    let seen = wire.seen();
    assert_eq!(seen[0].path(), "/2013-04-01/hostedzone");
    for part in [
        format!("<CallerReference>{TOKEN}</CallerReference>"),
        "<Name>redis-ha.internal</Name>".to_owned(),
        "<VPCId>vpc-1</VPCId>".to_owned(),
        "<VPCRegion>us-east-1</VPCRegion>".to_owned(),
        "<PrivateZone>true</PrivateZone>".to_owned(),
    ] {
        assert!(seen[0].body.contains(&part), "{part} in {}", seen[0].body);
    }
    assert_eq!(seen[1].path(), "/2013-04-01/tags/hostedzone/Z1");
    assert!(seen[1].body.contains("<Key>runbook:effect</Key>"), "{}", seen[1].body);
}

#[tokio::test]
async fn a_zone_whose_tags_failed_is_unknown_then_found_by_its_reference_and_tagged() {
    let throttled = (
        400,
        format!(
            "<ErrorResponse {NS}><Error><Type>Sender</Type><Code>Throttling</Code><Message>slow</Message></Error></ErrorResponse>"
        ),
    );
    let listed = format!(
        "<HostedZones>{}</HostedZones><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems><Marker></Marker>",
        zone()
    );
    let wire = Wire::answering([
        xml("CreateHostedZoneResponse", &format!("{}{}", zone(), change("PENDING"))),
        throttled,
        xml("ListHostedZonesResponse", &listed),
        got_zone(),
        zone_tags(false),
        xml("ChangeTagsForResourceResponse", ""),
        got_zone(),
        zone_tags(true),
    ]);
    let (zone, input, tags) = (driver("route53.hosted_zone").unwrap(), input(), tags());
    assert_eq!(zone.create(&wire.clients, &sent(&input, &tags)).await.unwrap_err().class, Class::Unknown);
    let found = zone.find(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!((&found[0]["id"], &found[0]["tags"]), (&json!("Z1"), &tag_json()));
    assert_eq!(found[0]["vpcs"], json!([{ "vpc_id": "vpc-1", "vpc_region": "us-east-1" }]));
}

#[tokio::test]
async fn reading_a_zone_follows_its_change() {
    let wire = Wire::answering([got_zone(), zone_tags(true), xml("GetChangeResponse", &change("INSYNC"))]);
    let at = json!({ "id": "Z1", "change_id": "C1" });
    let found = driver("route53.hosted_zone").unwrap().read(&wire.clients, &at).await.unwrap().unwrap();
    assert_eq!(hosted_zone::KIND.judge(&found), Health::Ready);
    assert_eq!(wire.seen()[2].path(), "/2013-04-01/change/C1");
}

#[tokio::test]
async fn a_vpc_is_associated_found_and_taken_off() {
    let wire = Wire::answering([
        xml("AssociateVPCWithHostedZoneResponse", &change("PENDING")),
        got_zone(),
        xml("DisassociateVPCFromHostedZoneResponse", &change("PENDING")),
    ]);
    let (association, tags) = (driver("route53.vpc_association").unwrap(), tags());
    let input = json!({ "hosted_zone_id": "Z1", "vpc": { "vpc_id": "vpc-1", "vpc_region": "us-east-1" } });
    let made = association.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!((&made["vpc_id"], &made["change_info"]["status"]), (&json!("vpc-1"), &json!("PENDING")));
    assert_eq!(association.find(&wire.clients, &sent(&input, &tags)).await.unwrap()[0]["id"], "Z1/vpc-1");
    association.delete(&wire.clients, &made, None).await.unwrap();
    let seen = wire.seen();
    assert_eq!(seen[0].path(), "/2013-04-01/hostedzone/Z1/associatevpc");
    assert_eq!(seen[2].path(), "/2013-04-01/hostedzone/Z1/disassociatevpc");
    assert!(seen[2].body.contains("<VPCId>vpc-1</VPCId>"), "{}", seen[2].body);
}

fn records(records: &str) -> Answer {
    let page = format!(
        "<ResourceRecordSets>{records}</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>1</MaxItems>"
    );
    xml("ListResourceRecordSetsResponse", &page)
}

fn record(name: &str, kind: &str, value: &str) -> String {
    format!(
        "<ResourceRecordSet><Name>{name}</Name><Type>{kind}</Type><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>{value}</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>"
    )
}

#[tokio::test]
async fn a_record_is_upserted_put_back_and_deleted_as_it_stands() {
    let changed = || xml("ChangeResourceRecordSetsResponse", &change("PENDING"));
    let standing = record("web.redis-ha.internal.", "A", "10.0.0.9");
    let wire = Wire::answering([changed(), changed(), records(&standing), changed(), records("")]);
    let (set, tags) = (driver("route53.record_set").unwrap(), tags());
    let input = json!({ "hosted_zone_id": "Z1", "name": "web.redis-ha.internal", "type": "A", "ttl": 60, "resource_records": ["10.0.0.1"] });
    let made = set.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!((&made["name"], &made["change_id"]), (&json!("web.redis-ha.internal."), &json!("C1")));
    let before = json!({ "id": "x", "name": "web.redis-ha.internal.", "type": "A", "ttl": 300, "resource_records": ["10.0.0.2"], "tags": {}, "change_info": {} });
    set.delete(&wire.clients, &input, Some(&before)).await.unwrap();
    set.delete(&wire.clients, &input, None).await.unwrap();
    assert_eq!(set.delete(&wire.clients, &input, None).await.unwrap_err().class, Class::NotFound);
    let bodies: Vec<String> = wire.seen().into_iter().map(|seen| seen.body).collect();
    assert!(
        bodies[0].contains("<Action>UPSERT</Action>") && bodies[0].contains("<Value>10.0.0.1</Value>"),
        "{}",
        bodies[0]
    );
    assert!(bodies[1].contains("<Action>UPSERT</Action>") && bodies[1].contains("<TTL>300</TTL>"), "{}", bodies[1]);
    assert!(
        bodies[3].contains("<Action>DELETE</Action>") && bodies[3].contains("<Value>10.0.0.9</Value>"),
        "{}",
        bodies[3]
    );
}

#[tokio::test]
async fn delete_record_sets_keeps_the_zones_own() {
    let all = ["NS", "SOA"].map(|kind| record("redis-ha.internal.", kind, "x")).join("")
        + &record("web.redis-ha.internal.", "A", "10.0.0.1");
    let wire =
        Wire::answering([got_zone(), records(&all), xml("ChangeResourceRecordSetsResponse", &change("PENDING"))]);
    let (input, tags) = (json!({ "hosted_zone_id": "Z1" }), tags());
    let answer = call("route53.delete_record_sets").unwrap().call(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!(answer["deleted"], 1);
    let body = &wire.seen()[2].body;
    assert!(body.contains("<Type>A</Type>") && !body.contains("SOA") && !body.contains("NS</Type>"), "{body}");
}

#[tokio::test]
async fn the_reads_answer_as_aws_does() {
    let zones =
        format!("<HostedZones>{}</HostedZones><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems>", zone());
    let wire = Wire::answering([
        xml("ListHostedZonesByNameResponse", &zones),
        records(&record("\\052.redis-ha.internal.", "A", "10.0.0.1")),
        xml("GetChangeResponse", &change("INSYNC")),
    ]);
    let tags = tags();
    let ask =
        async |name: &str, input: Value| call(name).unwrap().call(&wire.clients, &sent(&input, &tags)).await.unwrap();
    let zones = ask("route53.list_hosted_zones_by_name", json!({ "dns_name": "redis-ha.internal" })).await;
    let zone = &zones["hosted_zones"][0];
    assert_eq!((&zone["id"], &zone["name"]), (&json!("Z1"), &json!("redis-ha.internal.")));
    let records = ask("route53.list_resource_record_sets", json!({ "hosted_zone_id": "Z1" })).await;
    let record = json!({ "name": "*.redis-ha.internal.", "type": "A", "ttl": 60, "resource_records": ["10.0.0.1"] });
    assert_eq!(records, json!({ "resource_record_sets": [record] }));
    assert_eq!(
        ask("route53.get_change", json!({ "id": "/change/C1" })).await,
        json!({ "id": "C1", "status": "INSYNC" })
    );
}
