//! Operations: describe calls with ids and filters, pages, updates.

use super::{answers::*, *};

#[test]
fn describe_calls_send_ids_and_filters_and_go_through_all_pages() {
    let page = |more: &str| answer("DescribeVpcs", &format!("{}{more}", set("vpcSet", &vpc("available"))));
    let input = json!({ "vpc_ids": ["vpc-1"], "filters": { "cidr": "10.5.0.0/16", "tag:Name": ["a", "b"] } });
    let listed = call("ec2.describe_vpcs", input, vec![page("<nextToken>t</nextToken>"), page("")]);
    let first = json!(listed.seen[0].form());
    for (field, value) in [
        ("VpcId.1", "vpc-1"),
        ("Filter.1.Name", "cidr"),
        ("Filter.1.Value.1", "10.5.0.0/16"),
        ("Filter.2.Name", "tag:Name"),
        ("Filter.2.Value.1", "a"),
        ("Filter.2.Value.2", "b"),
    ] {
        assert_eq!(first[field], value, "{field}");
    }
    assert_eq!(listed.fields(None)["NextToken"], "t");
    assert_eq!(listed.answer.map(|all| all["vpcs"].as_array().map(Vec::len)), Ok(Some(2)));
}

#[test]
fn describe_calls_answer_as_the_sandbox_does() {
    let zone = "<zoneName>us-east-1a</zoneName><zoneId>use1-az1</zoneId><zoneState>available</zoneState>\
                <regionName>us-east-1</regionName><optInStatus>opt-in-not-required</optInStatus>";
    let offering =
        "<instanceType>t3.medium</instanceType><locationType>region</locationType><location>us-east-1</location>";
    let instance = "<ownerId>1</ownerId><instancesSet><item><instanceId>i-1</instanceId><instanceState><name>running</name></instanceState>\
         <instanceLifecycle>spot</instanceLifecycle>\
         <placement><availabilityZone>us-east-1a</availabilityZone></placement></item></instancesSet>";
    lists(
        "availability_zones",
        "DescribeAvailabilityZones",
        &set("availabilityZoneInfo", zone),
        "0/zone_name",
        "us-east-1a",
    );
    lists(
        "instance_type_offerings",
        "DescribeInstanceTypeOfferings",
        &set("instanceTypeOfferingSet", offering),
        "0/instance_type",
        "t3.medium",
    );
    let kind = "<instanceType>t3.medium</instanceType><vCpuInfo><defaultVCpus>2</defaultVCpus></vCpuInfo>";
    lists("instance_types", "DescribeInstanceTypes", &set("instanceTypeSet", kind), "0/instance_type", "t3.medium");
    let types = json!({ "instance_types": ["t3.medium"], "filters": { "instance-type": "t3.*" } });
    let asked = call(
        "ec2.describe_instance_types",
        types,
        vec![answer("DescribeInstanceTypes", &set("instanceTypeSet", kind))],
    );
    let sent = json!({ "InstanceType.1": "t3.medium", "Filter.1.Name": "instance-type", "Filter.1.Value.1": "t3.*" });
    assert_eq!(asked.fields(None), sent);
    let answered = asked.answer.unwrap_or_default();
    assert_eq!(answered.pointer("/instance_types/0/v_cpu_info/default_v_cpus"), Some(&json!(2)));
    lists("subnets", "DescribeSubnets", &set("subnetSet", &subnet()), "0/id", "subnet-1");
    lists("internet_gateways", "DescribeInternetGateways", &set("internetGatewaySet", &gateway("")), "0/id", "igw-1");
    lists("addresses", "DescribeAddresses", &set("addressesSet", &address()), "0/id", "eipalloc-1");
    lists("nat_gateways", "DescribeNatGateways", &set("natGatewaySet", &nat("available")), "0/state", "available");
    lists(
        "route_tables",
        "DescribeRouteTables",
        &set("routeTableSet", &table()),
        "0/associations/0/subnet_id",
        "subnet-1",
    );
    lists(
        "vpc_peering_connections",
        "DescribeVpcPeeringConnections",
        &set("vpcPeeringConnectionSet", &peering("active", "Active")),
        "0/status/code",
        "active",
    );
    lists("security_groups", "DescribeSecurityGroups", &set("securityGroupInfo", &group()), "0/name", "web");
    lists(
        "network_interfaces",
        "DescribeNetworkInterfaces",
        &set("networkInterfaceSet", &interface("in-use")),
        "0/groups/0/group_id",
        "sg-1",
    );
    lists("volumes", "DescribeVolumes", &set("volumeSet", &volume("available")), "0/volume_type", "gp3");
    let instances =
        call("ec2.describe_instances", json!({}), vec![answer("DescribeInstances", &set("reservationSet", instance))]);
    let answered = instances.answer.unwrap_or_default();
    assert_eq!(answered.pointer("/reservations/0/instances/0/state/name"), Some(&json!("running")));
    assert_eq!(answered.pointer("/reservations/0/instances/0/instance_lifecycle"), Some(&json!("spot")));
}

/// `ec2.describe_NOUN` sends the action without fields, and its answer has the value at the path.
fn lists(noun: &str, action: &str, content: &str, path: &str, value: &str) {
    let listed = call(&format!("ec2.describe_{noun}"), json!({}), vec![answer(action, content)]);
    assert_eq!((listed.actions(), listed.fields(None)), (vec![action.to_owned()], json!({})));
    let answered = listed.answer.unwrap_or_default();
    assert_eq!(answered.pointer(&format!("/{noun}/{path}")), Some(&json!(value)), "{noun}: {answered}");
}

#[test]
fn attributes_are_sent_as_values() {
    let done = |action| vec![answer(action, "<return>true</return>")];
    let input = json!({ "vpc_id": "vpc-1", "enable_dns_hostnames": true });
    let said = call("ec2.modify_vpc_attribute", input, done("ModifyVpcAttribute"));
    assert_eq!(said.fields(None), json!({ "VpcId": "vpc-1", "EnableDnsHostnames.Value": "true" }));
    let input = json!({ "subnet_id": "subnet-1", "map_public_ip_on_launch": true });
    let said = call("ec2.modify_subnet_attribute", input, done("ModifySubnetAttribute"));
    assert_eq!(said.fields(None), json!({ "SubnetId": "subnet-1", "MapPublicIpOnLaunch.Value": "true" }));
    let input = json!({ "subnet_id": "subnet-1", "map_public_ip_on_launch": true });
    let early = call("ec2.modify_subnet_attribute", input, vec![refusal(400, "InvalidSubnetID.NotFound", "no")]);
    assert_eq!(class(early), Some(Class::NotYet));
}

#[test]
fn accepting_twice_is_accepting_once() {
    let input = || json!({ "vpc_peering_connection_id": "pcx-1" });
    let content = format!("<vpcPeeringConnection>{}</vpcPeeringConnection>", peering("provisioning", "p"));
    let accepted =
        call("ec2.accept_vpc_peering_connection", input(), vec![answer("AcceptVpcPeeringConnection", &content)]);
    assert_eq!(accepted.fields(None), json!({ "VpcPeeringConnectionId": "pcx-1" }));
    assert_eq!(accepted.answer.map(|all| all["status"]["code"].clone()), Ok(json!("provisioning")));
    let again = |code: &str| {
        let listed = answer("DescribeVpcPeeringConnections", &set("vpcPeeringConnectionSet", &peering(code, "m")));
        call("ec2.accept_vpc_peering_connection", input(), vec![refusal(400, "InvalidStateTransition", "no"), listed])
    };
    assert_eq!(again("active").answer.map(|all| all["status"]["code"].clone()), Ok(json!("active")));
    assert_eq!(again("rejected").answer.map_err(|e| e.code), Err("InvalidStateTransition".to_owned()));
}

#[test]
fn peering_options_name_each_side() {
    let input = json!({
        "vpc_peering_connection_id": "pcx-1",
        "requester_peering_connection_options": { "allow_dns_resolution_from_remote_vpc": true },
        "accepter_peering_connection_options": { "allow_dns_resolution_from_remote_vpc": false },
    });
    let side = |name: &str, on: bool| {
        format!("<{name}><allowDnsResolutionFromRemoteVpc>{on}</allowDnsResolutionFromRemoteVpc></{name}>")
    };
    let content = side("requesterPeeringConnectionOptions", true) + &side("accepterPeeringConnectionOptions", false);
    let said = call(
        "ec2.modify_vpc_peering_connection_options",
        input,
        vec![answer("ModifyVpcPeeringConnectionOptions", &content)],
    );
    let fields = json!({
        "VpcPeeringConnectionId": "pcx-1",
        "RequesterPeeringConnectionOptions.AllowDnsResolutionFromRemoteVpc": "true",
        "AccepterPeeringConnectionOptions.AllowDnsResolutionFromRemoteVpc": "false",
    });
    assert_eq!(said.fields(None), fields);
    let answered = said.answer.unwrap_or_default();
    assert_eq!(answered["requester_peering_connection_options"]["allow_dns_resolution_from_remote_vpc"], true);
}
