//! Internet gateways, addresses, NAT gateways, routes.

use runbook_modules::resource::{Health, Kind};
use serde_json::{Value, json};

use super::Bench;
use crate::ec2::{
    address::ADDRESS,
    internet_gateway::{self, INTERNET_GATEWAY},
    internet_gateway_attachment::ATTACHMENT,
    nat_gateway::NAT_GATEWAY,
    network_interface,
    route::ROUTE,
    route_table::{self, ROUTE_TABLE},
    route_table_association::ASSOCIATION,
    subnet::SUBNET,
};

struct Site {
    bench: Bench,
    vpc: String,
    subnet: String,
    gateway: Value,
    attachment: Value,
}

fn site() -> Site {
    let mut bench = Bench::new();
    let vpc = bench.vpc("10.5.0.0/16");
    let subnet = bench.subnet(&vpc, "10.5.1.0/24");
    let gateway = bench.make(&INTERNET_GATEWAY, json!({}));
    let attachment = bench.make(&ATTACHMENT, json!({ "internet_gateway_id": gateway["id"], "vpc_id": vpc }));
    Site { bench, vpc, subnet, gateway, attachment }
}

#[test]
fn a_gateway_is_at_one_vpc_and_a_vpc_has_one_gateway() {
    let Site { mut bench, vpc, gateway, attachment, .. } = site();
    let other_vpc = bench.vpc("10.6.0.0/16");
    let second = bench.id(&INTERNET_GATEWAY, json!({}));
    let attach = |gateway: &Value, vpc: &str| json!({ "internet_gateway_id": gateway, "vpc_id": vpc });
    assert_eq!(bench.refused(&ATTACHMENT, attach(&gateway["id"], &vpc)), "Resource.AlreadyAssociated");
    assert_eq!(bench.refused(&ATTACHMENT, attach(&gateway["id"], &other_vpc)), "Resource.AlreadyAssociated");
    assert_eq!(bench.refused(&ATTACHMENT, attach(&json!(second), &vpc)), "InvalidParameterValue");
    let here = json!({ "filters": { "attachment.vpc-id": vpc } });
    assert_eq!(bench.count(&internet_gateway::DESCRIBE, "internet_gateways", here.clone()), 1);
    assert_eq!(bench.delete(&INTERNET_GATEWAY, &gateway), Err("DependencyViolation".to_owned()));
    assert_eq!(bench.delete(&ATTACHMENT, &attachment), Ok(()));
    assert_eq!(bench.count(&internet_gateway::DESCRIBE, "internet_gateways", here), 0);
    assert_eq!(bench.delete(&INTERNET_GATEWAY, &gateway), Ok(()));
}

#[test]
fn a_nat_gateway_holds_its_address_its_subnet_and_the_internet_gateway() {
    let Site { mut bench, subnet, attachment, .. } = site();
    let address = bench.make(&ADDRESS, json!({ "domain": "vpc" }));
    let input = json!({ "subnet_id": subnet, "allocation_id": address["allocation_id"] });
    let begun = bench.begin(&NAT_GATEWAY, input.clone()).expect("begun");
    assert_eq!(NAT_GATEWAY.judge(&begun), Health::Pending("pending".to_owned()));
    bench.pass(200);
    let nat = bench.read(&NAT_GATEWAY, &input, &begun).expect("there");
    assert_eq!(NAT_GATEWAY.judge(&nat), Health::Ready);
    assert_eq!(NAT_GATEWAY.differences(&input, &nat), Vec::new());
    assert_eq!(nat["nat_gateway_addresses"][0]["public_ip"], address["public_ip"]);
    assert_eq!(bench.count(&network_interface::DESCRIBE, "network_interfaces", json!({})), 1);
    assert_eq!(bench.refused(&NAT_GATEWAY, input), "Resource.AlreadyAssociated");
    assert_eq!(bench.delete(&ADDRESS, &address), Err("InvalidIPAddress.InUse".to_owned()));
    assert_eq!(bench.delete(&ATTACHMENT, &attachment), Err("DependencyViolation".to_owned()));
    assert_eq!(bench.delete(&SUBNET, &json!({ "subnet_id": subnet })), Err("DependencyViolation".to_owned()));
    assert_eq!(bench.delete(&NAT_GATEWAY, &nat), Ok(()));
    assert_eq!(bench.delete(&ADDRESS, &address), Ok(()));
    assert_eq!(bench.delete(&ATTACHMENT, &attachment), Ok(()));
    assert_eq!(bench.delete(&SUBNET, &json!({ "subnet_id": subnet })), Ok(()));
}

#[test]
fn a_public_nat_gateway_without_internet_gateway_fails_with_the_reason_and_holds_nothing() {
    let mut bench = Bench::new();
    let vpc = bench.vpc("10.5.0.0/16");
    let subnet = bench.subnet(&vpc, "10.5.1.0/24");
    let address = bench.make(&ADDRESS, json!({}));
    let input = json!({ "subnet_id": subnet, "allocation_id": address["id"] });
    let begun = bench.begin(&NAT_GATEWAY, input.clone()).expect("AWS takes the request");
    bench.pass(30);
    let failed = bench.read(&NAT_GATEWAY, &input, &begun).expect("there");
    assert_eq!(NAT_GATEWAY.judge(&failed), Health::Failed(format!("Network {vpc} has no Internet gateway attached")));
    assert_eq!(bench.delete(&ADDRESS, &address), Ok(()));
    assert_eq!(bench.delete(&NAT_GATEWAY, &failed), Ok(()));
    assert!(NAT_GATEWAY.check(&json!({ "subnet_id": subnet })).is_err(), "a public one needs an address");
}

#[test]
fn routes_have_one_target_of_the_same_network_and_stand_once() {
    let Site { mut bench, vpc, gateway, .. } = site();
    let other_vpc = bench.vpc("10.6.0.0/16");
    let foreign = bench.id(&ROUTE_TABLE, json!({ "vpc_id": other_vpc }));
    let table = bench.make(&ROUTE_TABLE, json!({ "vpc_id": vpc }));
    let ask = |table: &Value, to: &str| json!({ "route_table_id": table, "destination_cidr_block": to, "gateway_id": gateway["id"] });
    let route = bench.make(&ROUTE, ask(&table["id"], "0.0.0.0/0"));
    assert_eq!(route["state"], "active");
    assert_eq!(bench.refused(&ROUTE, ask(&table["id"], "0.0.0.0/0")), "RouteAlreadyExists");
    assert_eq!(bench.refused(&ROUTE, ask(&table["id"], "10.5.0.0/16")), "RouteAlreadyExists");
    assert_eq!(bench.refused(&ROUTE, ask(&json!(foreign), "0.0.0.0/0")), "InvalidParameterValue");
    assert_eq!(bench.refused(&ROUTE, ask(&json!("rtb-0"), "0.0.0.0/0")), "InvalidRouteTableID.NotFound");
    let nowhere =
        json!({ "route_table_id": table["id"], "destination_cidr_block": "10.9.0.0/16", "nat_gateway_id": "nat-0" });
    assert_eq!(bench.refused(&ROUTE, nowhere), "InvalidNatGatewayID.NotFound");
    assert!(ROUTE.check(&json!({ "route_table_id": "rtb-1", "destination_cidr_block": "0.0.0.0/0" })).is_err());
    let through = json!({ "filters": { "route.gateway-id": gateway["id"] } });
    assert_eq!(bench.count(&route_table::DESCRIBE, "route_tables", through.clone()), 1);
    assert_eq!(bench.delete(&ROUTE, &route), Ok(()));
    assert_eq!(bench.count(&route_table::DESCRIBE, "route_tables", through), 0);
    assert_eq!(bench.delete(&ROUTE_TABLE, &table), Ok(()));
}

#[test]
fn a_subnet_has_one_route_table_which_stays_while_it_is_used() {
    let Site { mut bench, vpc, subnet, .. } = site();
    let table = bench.make(&ROUTE_TABLE, json!({ "vpc_id": vpc }));
    let ask = json!({ "route_table_id": table["id"], "subnet_id": subnet });
    let association = bench.make(&ASSOCIATION, ask.clone());
    assert_eq!(bench.refused(&ASSOCIATION, ask), "Resource.AlreadyAssociated");
    let of_it = json!({ "filters": { "association.subnet-id": subnet } });
    assert_eq!(bench.count(&route_table::DESCRIBE, "route_tables", of_it.clone()), 1);
    assert_eq!(bench.delete(&ROUTE_TABLE, &table), Err("DependencyViolation".to_owned()));
    assert_eq!(bench.delete(&ASSOCIATION, &association), Ok(()));
    assert_eq!(bench.count(&route_table::DESCRIBE, "route_tables", of_it), 0);
    assert_eq!(bench.delete(&ROUTE_TABLE, &table), Ok(()));
}

#[test]
fn a_route_whose_nat_gateway_goes_away_becomes_a_blackhole() {
    let Site { mut bench, vpc, subnet, .. } = site();
    let address = bench.id(&ADDRESS, json!({}));
    let nat = bench.make(&NAT_GATEWAY, json!({ "subnet_id": subnet, "allocation_id": address }));
    let table = bench.id(&ROUTE_TABLE, json!({ "vpc_id": vpc }));
    let input = json!({ "route_table_id": table, "destination_cidr_block": "0.0.0.0/0", "nat_gateway_id": nat["id"] });
    let route = bench.make(&ROUTE, input.clone());
    assert_eq!(bench.delete(&NAT_GATEWAY, &nat), Ok(()));
    let left = bench.read(&ROUTE, &input, &route).expect("the route stays");
    assert!(matches!(ROUTE.judge(&left), Health::Pending(_)));
}
