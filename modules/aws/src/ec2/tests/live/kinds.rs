//! Kinds with an id and tags of their own.

use super::{answers::*, *};

fn ok(said: Said<Result<Value, CallError>>) -> Value {
    said.answer.unwrap_or_else(|e| panic!("{e}"))
}

const NAME: &str = "tag:runbook:effect";

#[test]
fn vpc() {
    let input = json!({ "cidr_block": "10.5.0.0/16", "instance_tenancy": "dedicated" });
    let made =
        create("ec2.vpc", input.clone(), vec![answer("CreateVpc", &format!("<vpc>{}</vpc>", vpc_xml("pending")))]);
    assert_eq!(made.actions(), ["CreateVpc"]);
    assert_eq!(made.fields(Some("vpc")), json!({ "CidrBlock": "10.5.0.0/16", "InstanceTenancy": "dedicated" }));
    let described = ok(made);
    assert_eq!(
        (&described["id"], &described["state"], &described["tags"]),
        (&json!("vpc-1"), &json!("pending"), &tag_json())
    );
    let simulated = Bench::new().make(&ec2::vpc::VPC, json!({ "cidr_block": "10.5.0.0/16" }));
    same_shape(&ec2::vpc::VPC, &simulated, &described, &[]);

    let list = || vec![answer("DescribeVpcs", &set("vpcSet", &vpc_xml("available")))];
    let found = find("ec2.vpc", input, list());
    assert_eq!(found.fields(None), json!({ "Filter.1.Name": NAME, "Filter.1.Value.1": &TOKEN[..32] }));
    assert_eq!(found.answer.map(|list| list.len()), Ok(1));
    let there = read("ec2.vpc", json!({ "vpc_id": "vpc-1" }), list());
    assert_eq!(there.fields(None), json!({ "VpcId.1": "vpc-1" }));
    assert_eq!(there.answer.map(|vpc| vpc.is_some()), Ok(true));
    let gone = read("ec2.vpc", json!({ "vpc_id": "vpc-1" }), vec![refusal(400, "InvalidVpcID.NotFound", "gone")]);
    assert_eq!(gone.answer, Ok(None));
    let deleted = delete("ec2.vpc", json!({ "vpc_id": "vpc-1" }), vec![answer("DeleteVpc", "<return>true</return>")]);
    assert_eq!((deleted.actions(), deleted.fields(None)), (vec!["DeleteVpc".to_owned()], json!({ "VpcId": "vpc-1" })));
    assert_eq!(deleted.answer, Ok(()));
}

fn vpc_xml(state: &str) -> String {
    super::answers::vpc(state)
}

#[test]
fn subnet() {
    let input = json!({ "vpc_id": "vpc-1", "cidr_block": "10.5.1.0/24", "availability_zone": "us-east-1a" });
    let xml = super::answers::subnet();
    let made = create("ec2.subnet", input.clone(), vec![answer("CreateSubnet", &format!("<subnet>{xml}</subnet>"))]);
    let fields = json!({ "VpcId": "vpc-1", "CidrBlock": "10.5.1.0/24", "AvailabilityZone": "us-east-1a" });
    assert_eq!(made.fields(Some("subnet")), fields);
    let described = ok(made);
    assert_eq!(ec2::subnet::SUBNET.differences(&input, &described), Vec::new());
    let mut bench = Bench::new();
    let vpc = bench.vpc("10.5.0.0/16");
    let simulated = bench.make(&ec2::subnet::SUBNET, json!({ "vpc_id": vpc, "cidr_block": "10.5.1.0/24" }));
    same_shape(&ec2::subnet::SUBNET, &simulated, &described, &[]);

    let found = find("ec2.subnet", input, vec![answer("DescribeSubnets", &set("subnetSet", &xml))]);
    let key = json!({
        "Filter.1.Name": "vpc-id", "Filter.1.Value.1": "vpc-1", "Filter.2.Name": "cidr-block", "Filter.2.Value.1": "10.5.1.0/24",
    });
    assert_eq!(found.fields(None), key);
    assert_eq!(found.answer.map(|list| list[0]["tags"].clone()), Ok(tag_json()));
    let deleted =
        delete("ec2.subnet", json!({ "subnet_id": "subnet-1" }), vec![answer("DeleteSubnet", "<return>true</return>")]);
    assert_eq!(deleted.fields(None), json!({ "SubnetId": "subnet-1" }));
}

#[test]
fn internet_gateway() {
    let xml = gateway("");
    let content = format!("<internetGateway>{xml}</internetGateway>");
    let made = create("ec2.internet_gateway", json!({}), vec![answer("CreateInternetGateway", &content)]);
    assert_eq!(made.fields(Some("internet-gateway")), json!({}));
    let simulated = Bench::new().make(&ec2::internet_gateway::INTERNET_GATEWAY, json!({}));
    same_shape(&ec2::internet_gateway::INTERNET_GATEWAY, &simulated, &ok(made), &[]);
    let listed = vec![answer("DescribeInternetGateways", &set("internetGatewaySet", &xml))];
    let found = find("ec2.internet_gateway", json!({}), listed);
    assert_eq!(found.fields(None), json!({ "Filter.1.Name": NAME, "Filter.1.Value.1": &TOKEN[..32] }));
    let at = json!({ "internet_gateway_id": "igw-1" });
    let deleted = delete("ec2.internet_gateway", at, vec![answer("DeleteInternetGateway", "<return>true</return>")]);
    assert_eq!(deleted.fields(None), json!({ "InternetGatewayId": "igw-1" }));
}

#[test]
fn address() {
    let xml = super::answers::address();
    let made = create("ec2.address", json!({ "domain": "vpc" }), vec![answer("AllocateAddress", &xml)]);
    assert_eq!(made.actions(), ["AllocateAddress"]);
    assert_eq!(made.fields(Some("elastic-ip")), json!({ "Domain": "vpc" }));
    let described = ok(made);
    assert_eq!((&described["allocation_id"], &described["tags"]), (&json!("eipalloc-1"), &tag_json()));
    let simulated = Bench::new().make(&ec2::address::ADDRESS, json!({ "domain": "vpc" }));
    same_shape(&ec2::address::ADDRESS, &simulated, &described, &[]);
    let found = find("ec2.address", json!({}), vec![answer("DescribeAddresses", &set("addressesSet", &xml))]);
    assert_eq!(found.fields(None), json!({ "Filter.1.Name": NAME, "Filter.1.Value.1": &TOKEN[..32] }));
    assert_eq!(found.answer.map(|list| list.len()), Ok(1));
    let at = json!({ "allocation_id": "eipalloc-1" });
    let deleted = delete("ec2.address", at, vec![answer("ReleaseAddress", "<return>true</return>")]);
    assert_eq!(
        (deleted.actions()[0].as_str(), deleted.fields(None)),
        ("ReleaseAddress", json!({ "AllocationId": "eipalloc-1" }))
    );
}

#[test]
fn nat_gateway() {
    let input = json!({ "subnet_id": "subnet-1", "allocation_id": "eipalloc-1", "connectivity_type": "public" });
    let content = format!("<natGateway>{}</natGateway>", nat("pending"));
    let made = create("ec2.nat_gateway", input.clone(), vec![answer("CreateNatGateway", &content)]);
    let fields = json!({
        "SubnetId": "subnet-1", "AllocationId": "eipalloc-1", "ConnectivityType": "public", "ClientToken": TOKEN,
    });
    assert_eq!(made.fields(Some("natgateway")), fields);
    let described = ok(made);
    assert_eq!(described["create_time"], "2026-11-20T19:43:14Z");
    assert_eq!(ec2::nat_gateway::NAT_GATEWAY.differences(&input, &described), Vec::new());
    let other = json!({ "subnet_id": "subnet-1", "allocation_id": "eipalloc-9" });
    assert!(!ec2::nat_gateway::NAT_GATEWAY.differences(&other, &described).is_empty());
    let mut bench = Bench::new();
    let vpc = bench.vpc("10.5.0.0/16");
    let (subnet, address) = (bench.subnet(&vpc, "10.5.1.0/24"), bench.id(&ec2::address::ADDRESS, json!({})));
    let private = json!({ "subnet_id": subnet, "connectivity_type": "private" });
    let simulated = bench.make(&ec2::nat_gateway::NAT_GATEWAY, private);
    same_shape(&ec2::nat_gateway::NAT_GATEWAY, &simulated, &described, &[]);
    assert!(!address.is_empty());

    let list = |state: &str| vec![answer("DescribeNatGateways", &set("natGatewaySet", &nat(state)))];
    let at = || json!({ "nat_gateway_id": "nat-1" });
    let there = read("ec2.nat_gateway", at(), list("deleting"));
    assert_eq!(there.fields(None), json!({ "NatGatewayId.1": "nat-1" }));
    assert_eq!(there.answer.map(|nat| nat.is_some()), Ok(true));
    assert_eq!(read("ec2.nat_gateway", at(), list("deleted")).answer, Ok(None), "a tombstone");
    let found = find("ec2.nat_gateway", input.clone(), list("available"));
    assert_eq!(found.fields(None), json!({ "Filter.1.Name": NAME, "Filter.1.Value.1": &TOKEN[..32] }));
    assert_eq!(find("ec2.nat_gateway", input, list("deleting")).answer, Ok(vec![]));
    let deleted =
        delete("ec2.nat_gateway", at(), vec![answer("DeleteNatGateway", "<natGatewayId>nat-1</natGatewayId>")]);
    assert_eq!(deleted.fields(None), json!({ "NatGatewayId": "nat-1" }));
}

#[test]
fn route_table() {
    let content = format!("<routeTable>{}</routeTable>", table());
    let made = create("ec2.route_table", json!({ "vpc_id": "vpc-1" }), vec![answer("CreateRouteTable", &content)]);
    assert_eq!(made.fields(Some("route-table")), json!({ "VpcId": "vpc-1", "ClientToken": TOKEN }));
    let described = ok(made);
    assert_eq!(described["routes"][0]["gateway_id"], "local");
    let mut bench = Bench::new();
    let vpc = bench.vpc("10.5.0.0/16");
    let simulated = bench.make(&ec2::route_table::ROUTE_TABLE, json!({ "vpc_id": vpc }));
    same_shape(&ec2::route_table::ROUTE_TABLE, &simulated, &described, &[]);
    let at = json!({ "route_table_id": "rtb-1" });
    let deleted = delete("ec2.route_table", at, vec![answer("DeleteRouteTable", "<return>true</return>")]);
    assert_eq!(deleted.fields(None), json!({ "RouteTableId": "rtb-1" }));
}

#[test]
fn security_group() {
    let input = json!({ "group_name": "web", "description": "test", "vpc_id": "vpc-1" });
    let content = format!("<groupId>sg-1</groupId><securityGroupArn>arn:g</securityGroupArn>{}", tag_set());
    let made = create("ec2.security_group", input.clone(), vec![answer("CreateSecurityGroup", &content)]);
    let fields = json!({ "GroupName": "web", "GroupDescription": "test", "VpcId": "vpc-1" });
    assert_eq!(made.fields(Some("security-group")), fields);
    assert_eq!(ok(made)["tags"], tag_json());
    let found =
        find("ec2.security_group", input, vec![answer("DescribeSecurityGroups", &set("securityGroupInfo", &group()))]);
    let key = json!({
        "Filter.1.Name": "group-name", "Filter.1.Value.1": "web", "Filter.2.Name": "vpc-id", "Filter.2.Value.1": "vpc-1",
    });
    assert_eq!(found.fields(None), key);
    let described = found.answer.unwrap_or_default().remove(0);
    assert_eq!(
        described["ip_permissions"][0]["ip_ranges"],
        json!([{ "cidr_ip": "10.5.0.0/16", "description": "web" }])
    );
    assert_eq!(ec2::rules::ungrouped(&described["ip_permissions"]).len(), 2);
    let mut bench = Bench::new();
    let vpc = bench.vpc("10.5.0.0/16");
    let asked = json!({ "group_name": "web", "description": "test", "vpc_id": vpc });
    let simulated = bench.make(&ec2::security_group::SECURITY_GROUP, asked);
    same_shape(&ec2::security_group::SECURITY_GROUP, &simulated, &described, &[]);
    let at = json!({ "group_id": "sg-1" });
    let deleted = delete("ec2.security_group", at, vec![answer("DeleteSecurityGroup", "<return>true</return>")]);
    assert_eq!(deleted.fields(None), json!({ "GroupId": "sg-1" }));
}

#[test]
fn network_interface() {
    let input = json!({ "subnet_id": "subnet-1", "groups": ["sg-1"], "description": "probe" });
    let content = format!("<networkInterface>{}</networkInterface>", interface("pending"));
    let made = create("ec2.network_interface", input.clone(), vec![answer("CreateNetworkInterface", &content)]);
    let fields = json!({
        "SubnetId": "subnet-1", "SecurityGroupId.1": "sg-1", "Description": "probe", "ClientToken": TOKEN,
    });
    assert_eq!(made.fields(Some("network-interface")), fields);
    let described = ok(made);
    assert_eq!(ec2::network_interface::NETWORK_INTERFACE.differences(&input, &described), Vec::new());
    let mut bench = Bench::new();
    let vpc = bench.vpc("10.5.0.0/16");
    let subnet = bench.subnet(&vpc, "10.5.1.0/24");
    let simulated = bench.make(&ec2::network_interface::NETWORK_INTERFACE, json!({ "subnet_id": subnet }));
    same_shape(&ec2::network_interface::NETWORK_INTERFACE, &simulated, &described, &[]);
    let at = json!({ "network_interface_id": "eni-1" });
    let deleted = delete("ec2.network_interface", at, vec![answer("DeleteNetworkInterface", "<return>true</return>")]);
    assert_eq!(deleted.fields(None), json!({ "NetworkInterfaceId": "eni-1" }));
}

#[test]
fn volume() {
    let input = json!({ "availability_zone": "us-east-1a", "size": 8, "volume_type": "gp3", "encrypted": true });
    let made = create("ec2.volume", input, vec![answer("CreateVolume", &super::answers::volume("creating"))]);
    let fields = json!({
        "AvailabilityZone": "us-east-1a", "Size": "8", "VolumeType": "gp3", "Encrypted": "true", "ClientToken": TOKEN,
    });
    assert_eq!(made.fields(Some("volume")), fields);
    assert_eq!(ok(made)["id"], "vol-1");
    let listed = vec![answer("DescribeVolumes", &set("volumeSet", &super::answers::volume("available")))];
    let there = read("ec2.volume", json!({ "volume_id": "vol-1" }), listed);
    let described = there.answer.ok().flatten().unwrap_or_default();
    let asked = json!({ "availability_zone": "us-east-1a", "size": 8 });
    let simulated = Bench::new().make(&ec2::volume::VOLUME, asked);
    same_shape(&ec2::volume::VOLUME, &simulated, &described, &[]);
    let deleted =
        delete("ec2.volume", json!({ "volume_id": "vol-1" }), vec![answer("DeleteVolume", "<return>true</return>")]);
    assert_eq!(deleted.fields(None), json!({ "VolumeId": "vol-1" }));
}
