//! VPCs, subnets, interfaces, zones.

use runbook_modules::resource::Kind;
use serde_json::json;

use super::Bench;
use crate::ec2::{
    availability_zone, instance, instance_type, instance_type_offering, modify_subnet_attribute, modify_vpc_attribute,
    network_interface::{self, NETWORK_INTERFACE},
    route_table, security_group,
    subnet::{self, SUBNET},
    volume::{self, VOLUME},
    vpc::{self, VPC},
};

#[test]
fn a_vpc_brings_its_main_route_table_and_default_group_and_takes_them_along() {
    let mut bench = Bench::new();
    let made = bench.make(&VPC, json!({ "cidr_block": "10.5.0.0/16" }));
    assert_eq!(made["state"], "available");
    assert_eq!(made["vpc_id"], made["id"]);
    let of_it = json!({ "filters": { "vpc-id": made["id"] } });
    assert_eq!(bench.count(&route_table::DESCRIBE, "route_tables", of_it.clone()), 1);
    assert_eq!(bench.count(&security_group::DESCRIBE, "security_groups", of_it.clone()), 1);
    assert_eq!(bench.delete(&VPC, &made), Ok(()));
    assert_eq!(bench.count(&route_table::DESCRIBE, "route_tables", of_it.clone()), 0);
    assert_eq!(bench.count(&security_group::DESCRIBE, "security_groups", of_it), 0);
}

#[test]
fn a_block_of_the_wrong_size_is_refused() {
    let mut bench = Bench::new();
    assert_eq!(bench.refused(&VPC, json!({ "cidr_block": "10.0.0.0/8" })), "InvalidVpc.Range");
    assert_eq!(bench.refused(&VPC, json!({ "cidr_block": "10.0.0.0/29" })), "InvalidVpc.Range");
    assert!(VPC.check(&json!({ "cidr_block": "10.5.0.1/16" })).is_err(), "host bits");
    assert!(VPC.check(&json!({ "cidr_block": "10.5.0.0/16", "cidr": "x" })).is_err(), "an unknown field");
}

#[test]
fn subnets_lie_in_the_vpc_apart_from_each_other_in_a_zone_of_the_region() {
    let mut bench = Bench::new();
    let vpc = bench.vpc("10.5.0.0/16");
    let ask = |block: &str, zone: &str| json!({ "vpc_id": vpc, "cidr_block": block, "availability_zone": zone });
    let made = bench.make(&SUBNET, ask("10.5.1.0/24", "us-east-1b"));
    assert_eq!((&made["available_ip_address_count"], &made["availability_zone_id"]), (&json!(251), &json!("use1-az2")));
    assert_eq!(bench.refused(&SUBNET, ask("10.6.1.0/24", "us-east-1a")), "InvalidSubnet.Range");
    assert_eq!(bench.refused(&SUBNET, ask("10.5.1.0/24", "us-east-1a")), "InvalidSubnet.Conflict");
    assert_eq!(bench.refused(&SUBNET, ask("10.5.0.0/20", "us-east-1a")), "InvalidSubnet.Conflict");
    assert_eq!(bench.refused(&SUBNET, ask("10.5.2.0/24", "us-east-1g")), "InvalidParameterValue");
    assert_eq!(
        bench.refused(&SUBNET, json!({ "vpc_id": "vpc-0", "cidr_block": "10.5.2.0/24" })),
        "InvalidVpcID.NotFound"
    );
    assert_eq!(bench.count(&subnet::DESCRIBE, "subnets", json!({ "filters": { "vpc-id": vpc } })), 1);
}

#[test]
fn what_stands_in_a_vpc_keeps_it() {
    let mut bench = Bench::new();
    let vpc = bench.make(&VPC, json!({ "cidr_block": "10.5.0.0/16" }));
    let subnet = bench.make(&SUBNET, json!({ "vpc_id": vpc["id"], "cidr_block": "10.5.1.0/24" }));
    let eni = bench.make(&NETWORK_INTERFACE, json!({ "subnet_id": subnet["id"], "description": "probe" }));
    assert_eq!(eni["private_ip_address"], "10.5.1.4");
    assert_eq!(bench.delete(&VPC, &vpc), Err("DependencyViolation".to_owned()));
    assert_eq!(bench.delete(&SUBNET, &subnet), Err("DependencyViolation".to_owned()));
    let by_text = json!({ "filters": { "description": "pro*", "subnet-id": [subnet["id"]] } });
    assert_eq!(bench.count(&network_interface::DESCRIBE, "network_interfaces", by_text), 1);
    assert_eq!(bench.delete(&NETWORK_INTERFACE, &eni), Ok(()));
    assert_eq!(bench.delete(&SUBNET, &subnet), Ok(()));
    assert_eq!(bench.delete(&VPC, &vpc), Ok(()));
    assert_eq!(
        bench.call(&vpc::DESCRIBE, json!({ "vpc_ids": [vpc["id"]] })).map_err(|e| e.code),
        Err("InvalidVpcID.NotFound".to_owned())
    );
}

#[test]
fn attributes_change_one_a_call() {
    let mut bench = Bench::new();
    let vpc = bench.vpc("10.5.0.0/16");
    let subnet = bench.subnet(&vpc, "10.5.1.0/24");
    assert!(
        (modify_vpc_attribute::MODIFY.check)(
            &json!({ "vpc_id": vpc, "enable_dns_support": true, "enable_dns_hostnames": true })
        )
        .is_err()
    );
    bench.call(&modify_vpc_attribute::MODIFY, json!({ "vpc_id": vpc, "enable_dns_hostnames": true })).expect("changed");
    bench
        .call(&modify_subnet_attribute::MODIFY, json!({ "subnet_id": subnet, "map_public_ip_on_launch": true }))
        .expect("changed");
    let subnets = bench.call(&subnet::DESCRIBE, json!({ "subnet_ids": [subnet] })).expect("listed");
    let attributes = bench.world.get(vpc::ATTRIBUTES, "us-east-1", &vpc, bench.now_ms).expect("kept");
    assert_eq!(attributes.body, json!({ "enable_dns_support": true, "enable_dns_hostnames": true }));
    assert_eq!(subnets["subnets"][0]["map_public_ip_on_launch"], true);
    let missing = bench.call(&modify_vpc_attribute::MODIFY, json!({ "vpc_id": "vpc-0", "enable_dns_support": true }));
    assert_eq!(missing.map_err(|e| e.code), Err("InvalidVpcID.NotFound".to_owned()));
}

#[test]
fn zones_offerings_volumes_and_instances_are_listed() {
    let mut bench = Bench::new();
    assert_eq!(bench.count(&availability_zone::DESCRIBE, "availability_zones", json!({})), 6);
    let two = json!({ "zone_names": ["us-east-1a", "us-east-1b"], "filters": { "state": "available" } });
    assert_eq!(bench.count(&availability_zone::DESCRIBE, "availability_zones", two), 2);
    let offers = json!({ "location_type": "availability-zone", "filters": { "instance-type": "t3.medium" } });
    assert_eq!(bench.count(&instance_type_offering::DESCRIBE, "instance_type_offerings", offers), 5);
    let small = json!({ "instance_types": ["t3.small", "m5.2xlarge", "c6i.8xlarge"] });
    let types = bench.call(&instance_type::DESCRIBE, small).expect("types")["instance_types"].clone();
    let processors = |name: &str| {
        let found = types.as_array().into_iter().flatten().find(|one| one["instance_type"] == name);
        found.map(|one| one["v_cpu_info"]["default_v_cpus"].clone())
    };
    let known = ["t3.small", "m5.2xlarge", "c6i.8xlarge", "m5.large"].map(processors);
    assert_eq!(known, [Some(json!(2)), Some(json!(8)), Some(json!(32)), None]);
    let family = json!({ "filters": { "instance-type": "t3.*" } });
    assert_eq!(bench.count(&instance_type::DESCRIBE, "instance_types", family), 6);
    let unknown = bench.call(&instance_type::DESCRIBE, json!({ "instance_types": ["t3.huge"] }));
    assert_eq!(unknown.map_err(|e| e.code), Err("InvalidInstanceType".to_owned()));
    let disk = bench.make(&VOLUME, json!({ "availability_zone": "us-east-1a", "size": 8, "volume_type": "gp3" }));
    assert_eq!(bench.count(&volume::DESCRIBE, "volumes", json!({ "filters": { "status": "available" } })), 1);
    assert_eq!(bench.delete(&VOLUME, &disk), Ok(()));
    assert_eq!(bench.count(&instance::DESCRIBE, "reservations", json!({})), 0);
}

#[test]
fn the_same_token_gives_the_same_interface_and_another_input_a_mismatch() {
    let mut bench = Bench::new();
    let vpc = bench.vpc("10.5.0.0/16");
    let subnet = bench.subnet(&vpc, "10.5.1.0/24");
    let input = json!({ "subnet_id": subnet });
    let first = bench.begin(&NETWORK_INTERFACE, input.clone()).expect("made");
    bench.calls -= 1;
    let again = bench.begin(&NETWORK_INTERFACE, input).expect("the first one");
    assert_eq!(first["id"], again["id"]);
    bench.calls -= 1;
    let other = json!({ "subnet_id": subnet, "description": "x" });
    assert_eq!(bench.refused(&NETWORK_INTERFACE, other), "IdempotentParameterMismatch");
}
