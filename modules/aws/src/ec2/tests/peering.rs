//! Peering connections.

use runbook_modules::resource::{Health, Kind};
use serde_json::{Value, json};

use super::Bench;
use crate::ec2::{
    accept_vpc_peering_connection::ACCEPT,
    modify_vpc_peering_connection_options::OPTIONS,
    route::ROUTE,
    route_table::ROUTE_TABLE,
    vpc::VPC,
    vpc_peering_connection::{self, PEERING},
};

fn pair(bench: &mut Bench, second: &str) -> (String, String, Value) {
    let (a, b) = (bench.vpc("10.5.0.0/16"), bench.vpc(second));
    let input = json!({ "vpc_id": a, "peer_vpc_id": b });
    (a, b, input)
}

#[test]
fn it_waits_for_acceptance_and_then_becomes_active() {
    let mut bench = Bench::new();
    let (a, b, input) = pair(&mut bench, "10.6.0.0/16");
    let made = bench.make(&PEERING, input.clone());
    assert_eq!(made["status"]["code"], "pending-acceptance");
    assert_eq!(bench.refused(&PEERING, input.clone()), "VpcPeeringConnectionAlreadyExists");
    let it = json!({ "vpc_peering_connection_id": made["id"] });
    let options = json!({
        "vpc_peering_connection_id": made["id"],
        "requester_peering_connection_options": { "allow_dns_resolution_from_remote_vpc": true },
    });
    assert_eq!(bench.call(&OPTIONS, options.clone()).map_err(|e| e.code), Err("OperationNotPermitted".to_owned()));

    let table = bench.id(&ROUTE_TABLE, json!({ "vpc_id": a }));
    let across = json!({ "route_table_id": table, "destination_cidr_block": "10.6.0.0/16", "vpc_peering_connection_id": made["id"] });
    let early = bench.begin(&ROUTE, across.clone()).expect("AWS takes it");
    assert_eq!(early["state"], "blackhole");

    let answer = bench.call(&ACCEPT, it.clone()).expect("accepted");
    let settle = ACCEPT.settle.expect("it settles");
    let poll = (settle.input)(&it, &answer);
    let pending = bench.call(&vpc_peering_connection::DESCRIBE, poll.clone()).expect("listed");
    assert_eq!((settle.judge)(&pending), Health::Pending("provisioning".to_owned()));
    bench.pass(10);
    let active = bench.call(&vpc_peering_connection::DESCRIBE, poll).expect("listed");
    assert_eq!((settle.judge)(&active), Health::Ready);
    assert_eq!(bench.call(&ACCEPT, it).map(|again| again["status"]["code"].clone()), Ok(json!("active")));

    let route = bench.read(&ROUTE, &across, &early).expect("there");
    assert_eq!(ROUTE.judge(&route), Health::Ready);
    bench.call(&OPTIONS, options).expect("now it may");
    let read = bench.read(&PEERING, &input, &made).expect("there");
    assert_eq!(read["requester_vpc_info"]["peering_options"]["allow_dns_resolution_from_remote_vpc"], true);
    assert_eq!(read["accepter_vpc_info"]["vpc_id"], b.as_str());

    assert_eq!(bench.delete(&VPC, &json!({ "vpc_id": b })), Err("DependencyViolation".to_owned()));
    assert_eq!(bench.delete(&PEERING, &read), Ok(()));
    assert_eq!(bench.delete(&VPC, &json!({ "vpc_id": b })), Ok(()));
}

#[test]
fn overlapping_blocks_fail_after_the_request_and_cannot_be_accepted() {
    let mut bench = Bench::new();
    let (_, b, input) = pair(&mut bench, "10.5.128.0/17");
    let begun = bench.begin(&PEERING, input.clone()).expect("AWS takes the request");
    bench.pass(5);
    let failed = bench.read(&PEERING, &input, &begun).expect("there");
    match PEERING.judge(&failed) {
        Health::Failed(reason) => assert!(reason.contains("overlapping CIDR"), "{reason}"),
        other => panic!("{other:?}"),
    }
    let refused = bench.call(&ACCEPT, json!({ "vpc_peering_connection_id": begun["id"] }));
    assert_eq!(refused.map_err(|e| e.code), Err("InvalidStateTransition".to_owned()));
    assert_eq!(bench.delete(&VPC, &json!({ "vpc_id": b })), Ok(()), "a failed connection holds nothing");
}

#[test]
fn both_vpcs_must_exist() {
    let mut bench = Bench::new();
    let vpc = bench.vpc("10.5.0.0/16");
    let missing = json!({ "vpc_id": vpc, "peer_vpc_id": "vpc-0" });
    assert_eq!(bench.refused(&PEERING, missing), "InvalidVpcID.NotFound");
    let elsewhere = bench.call(&ACCEPT, json!({ "vpc_peering_connection_id": "pcx-0" }));
    assert_eq!(elsewhere.map_err(|e| e.code), Err("InvalidVpcPeeringConnectionID.NotFound".to_owned()));
}

#[test]
fn a_vpc_of_another_region_accepts_from_there() {
    let mut bench = Bench::new();
    bench.region = "eu-west-1";
    let there = bench.id(&VPC, json!({ "cidr_block": "10.6.0.0/16" }));
    bench.region = "us-east-1";
    let here = bench.vpc("10.5.0.0/16");
    let made = bench.make(&PEERING, json!({ "vpc_id": here, "peer_vpc_id": there, "peer_region": "eu-west-1" }));
    bench.region = "eu-west-1";
    bench.call(&ACCEPT, json!({ "vpc_peering_connection_id": made["id"] })).expect("accepted");
}
