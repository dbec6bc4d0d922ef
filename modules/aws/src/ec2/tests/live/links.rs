//! Kinds that join others: attachments, routes, associations, peerings, rules.

use super::{answers::*, *};

fn tables() -> Vec<Answer> {
    vec![answer("DescribeRouteTables", &set("routeTableSet", &table()))]
}

#[test]
fn attachment() {
    let input = json!({ "internet_gateway_id": "igw-1", "vpc_id": "vpc-1" });
    let fields = json!({ "InternetGatewayId": "igw-1", "VpcId": "vpc-1" });
    let kind = "ec2.internet_gateway_attachment";
    let made = create(kind, input.clone(), vec![answer("AttachInternetGateway", "<return>true</return>")]);
    assert_eq!((made.actions()[0].as_str(), made.fields(None)), ("AttachInternetGateway", fields.clone()));
    assert_eq!(made.answer.map(|made| made["id"].clone()), Ok(json!("igw-1/vpc-1")));
    let listed =
        |attached: &str| vec![answer("DescribeInternetGateways", &set("internetGatewaySet", &gateway(attached)))];
    let attached = "<item><vpcId>vpc-1</vpcId><state>available</state></item>";
    let there = find(kind, input.clone(), listed(attached));
    assert_eq!(there.fields(None), json!({ "InternetGatewayId.1": "igw-1" }));
    let described = there.answer.unwrap_or_default().remove(0);
    assert_eq!((&described["state"], described.get("tags")), (&json!("available"), None), "it bears no tags");
    assert_eq!(read(kind, input.clone(), listed("")).answer, Ok(None));
    let deleted = delete(kind, input, vec![answer("DetachInternetGateway", "<return>true</return>")]);
    assert_eq!((deleted.actions()[0].as_str(), deleted.fields(None)), ("DetachInternetGateway", fields));
}

#[test]
fn route() {
    let input = json!({ "route_table_id": "rtb-1", "destination_cidr_block": "0.0.0.0/0", "gateway_id": "igw-1" });
    let made = create("ec2.route", input.clone(), vec![answer("CreateRoute", "<return>true</return>")]);
    let fields = json!({ "RouteTableId": "rtb-1", "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1" });
    assert_eq!(made.fields(None), fields);
    let found = find("ec2.route", input.clone(), tables());
    assert_eq!(found.fields(None), json!({ "RouteTableId.1": "rtb-1" }));
    let described = found.answer.unwrap_or_default().remove(0);
    assert_eq!((&described["id"], &described["state"]), (&json!("rtb-1/0.0.0.0/0"), &json!("active")));
    assert_eq!(ec2::route::ROUTE.differences(&input, &described), Vec::new());
    let other = json!({ "route_table_id": "rtb-1", "destination_cidr_block": "0.0.0.0/0", "nat_gateway_id": "nat-1" });
    assert_eq!(ec2::route::ROUTE.differences(&other, &described).len(), 1, "it goes elsewhere");
    let local = json!({ "route_table_id": "rtb-1", "destination_cidr_block": "10.5.0.0/16" });
    assert_eq!(read("ec2.route", local, tables()).answer, Ok(None), "the local route is not ours");
    let deleted = delete("ec2.route", input, vec![answer("DeleteRoute", "<return>true</return>")]);
    assert_eq!(deleted.fields(None), json!({ "RouteTableId": "rtb-1", "DestinationCidrBlock": "0.0.0.0/0" }));

    let across = json!({ "route_table_id": "rtb-1", "destination_cidr_block": "10.6.0.0/16", "vpc_peering_connection_id": "pcx-1" });
    let made = create("ec2.route", across, vec![answer("CreateRoute", "<return>true</return>")]);
    assert_eq!(made.fields(None)["VpcPeeringConnectionId"], "pcx-1");
    let out = json!({ "route_table_id": "rtb-1", "destination_cidr_block": "0.0.0.0/0", "nat_gateway_id": "nat-1" });
    let made = create("ec2.route", out, vec![refusal(400, "RouteAlreadyExists", "no")]);
    assert_eq!(made.fields(None)["NatGatewayId"], "nat-1");
    assert_eq!(class(made), Some(Class::AlreadyExists));
}

#[test]
fn association() {
    let kind = "ec2.route_table_association";
    let input = json!({ "route_table_id": "rtb-1", "subnet_id": "subnet-1" });
    let content =
        "<associationId>rtbassoc-1</associationId><associationState><state>associated</state></associationState>";
    let made = create(kind, input.clone(), vec![answer("AssociateRouteTable", content)]);
    assert_eq!(made.fields(None), json!({ "RouteTableId": "rtb-1", "SubnetId": "subnet-1" }));
    let described = made.answer.unwrap_or_default();
    let found = find(kind, input, tables());
    assert_eq!(found.fields(None), json!({ "Filter.1.Name": "association.subnet-id", "Filter.1.Value.1": "subnet-1" }));
    assert_eq!(found.answer, Ok(vec![described]), "the answer and the look-up describe it alike");
    let at = || json!({ "route_table_association_id": "rtbassoc-1" });
    assert_eq!(read(kind, at(), tables()).answer.map(|there| there.is_some()), Ok(true));
    let none = vec![answer("DescribeRouteTables", "<routeTableSet/>")];
    assert_eq!(read(kind, at(), none).answer, Ok(None));
    let deleted = delete(kind, at(), vec![answer("DisassociateRouteTable", "<return>true</return>")]);
    assert_eq!(deleted.fields(None), json!({ "AssociationId": "rtbassoc-1" }));
}

#[test]
fn peering_connection() {
    let kind = "ec2.vpc_peering_connection";
    let input = json!({ "vpc_id": "vpc-1", "peer_vpc_id": "vpc-2" });
    let content =
        format!("<vpcPeeringConnection>{}</vpcPeeringConnection>", peering("initiating-request", "Initiating"));
    let made = create(kind, input.clone(), vec![answer("CreateVpcPeeringConnection", &content)]);
    assert_eq!(made.fields(Some("vpc-peering-connection")), json!({ "VpcId": "vpc-1", "PeerVpcId": "vpc-2" }));
    let described = made.answer.unwrap_or_default();
    assert_eq!(ec2::vpc_peering_connection::PEERING.differences(&input, &described), Vec::new());
    let mut bench = Bench::new();
    let (a, b) = (bench.vpc("10.5.0.0/16"), bench.vpc("10.6.0.0/16"));
    let simulated = bench.make(&ec2::vpc_peering_connection::PEERING, json!({ "vpc_id": a, "peer_vpc_id": b }));
    same_shape(&ec2::vpc_peering_connection::PEERING, &simulated, &described, &[]);

    let list =
        |code: &str| answer("DescribeVpcPeeringConnections", &set("vpcPeeringConnectionSet", &peering(code, "m")));
    let found = find(kind, input.clone(), vec![list("pending-acceptance")]);
    let key = json!({
        "Filter.1.Name": "requester-vpc-info.vpc-id", "Filter.1.Value.1": "vpc-1",
        "Filter.2.Name": "accepter-vpc-info.vpc-id", "Filter.2.Value.1": "vpc-2",
    });
    assert_eq!(found.fields(None), key);
    assert_eq!(found.answer.map(|list| list.len()), Ok(1));
    for over in ["failed", "rejected", "expired", "deleting", "deleted"] {
        assert_eq!(find(kind, input.clone(), vec![list(over)]).answer, Ok(vec![]), "{over}");
    }
    let at = || json!({ "vpc_peering_connection_id": "pcx-1" });
    assert_eq!(read(kind, at(), vec![list("deleted")]).answer, Ok(None));
    let deleted = delete(kind, at(), vec![answer("DeleteVpcPeeringConnection", "<return>true</return>")]);
    assert_eq!(deleted.fields(None), json!({ "VpcPeeringConnectionId": "pcx-1" }));
    let wrong = || refusal(400, "InvalidStateTransition", "no");
    assert_eq!(
        class(delete(kind, at(), vec![wrong(), list("failed")])),
        Some(Class::NotFound),
        "nothing is left of it"
    );
    assert_eq!(class(delete(kind, at(), vec![wrong(), list("provisioning")])), Some(Class::Blocked));
}

#[test]
fn rules_are_sent_when_they_are_missing_and_revoked_by_id() {
    let kind = "ec2.security_group_ingress";
    let input = json!({ "group_id": "sg-1", "ip_permissions": [{
        "ip_protocol": "-1", "ip_ranges": [{ "cidr_ip": "10.5.0.0/16" }, { "cidr_ip": "10.6.0.0/16", "description": "peer" }],
    }] });
    let source = |block: &str| format!("<cidrIpv4>{block}</cidrIpv4>");
    let foreign = rule("sgr-9", &source("10.5.0.0/16"), false, "");
    let out = rule("sgr-8", &source("10.6.0.0/16"), true, "");
    let own = rule("sgr-1", &source("10.6.0.0/16"), false, &tag_set());
    let listed = |items: &[&String]| {
        let items: String = items.iter().map(|item| item.as_str()).collect();
        answer("DescribeSecurityGroupRules", &format!("<securityGroupRuleSet>{items}</securityGroupRuleSet>"))
    };
    let added = format!("<return>true</return><securityGroupRuleSet>{own}</securityGroupRuleSet>");

    let made =
        create(kind, input.clone(), vec![listed(&[&foreign, &out]), answer("AuthorizeSecurityGroupIngress", &added)]);
    assert_eq!(made.actions(), ["DescribeSecurityGroupRules", "AuthorizeSecurityGroupIngress"]);
    let fields = json!({
        "GroupId": "sg-1", "IpPermissions.1.IpProtocol": "-1",
        "IpPermissions.1.IpRanges.1.CidrIp": "10.6.0.0/16", "IpPermissions.1.IpRanges.1.Description": "peer",
    });
    assert_eq!(made.fields(Some("security-group-rule")), fields, "10.5.0.0/16 stands already");
    let described = made.answer.unwrap_or_default();
    assert_eq!(described["security_group_rule_ids"], json!(["sgr-1"]));
    assert_eq!(described["tags"], tag_json());
    assert_eq!(ec2::security_group_rules::INGRESS.differences(&input, &described), Vec::new());

    let all = [&foreign, &own];
    let nothing = create(kind, input.clone(), vec![listed(&all)]);
    assert_eq!(nothing.actions(), ["DescribeSecurityGroupRules"], "nothing is missing, so nothing is sent");
    assert_eq!(nothing.answer.map(|made| made["security_group_rule_ids"].clone()), Ok(json!([])));

    let found = find(kind, input, vec![listed(&[&own]), listed(&all)]);
    let by_tag = json!(found.seen[0].form());
    assert_eq!(
        (&by_tag["Filter.2.Name"], &by_tag["Filter.2.Value.1"]),
        (&json!("tag:runbook:effect"), &json!(&TOKEN[..32]))
    );
    assert_eq!(found.answer, Ok(vec![described]), "the answer and the look-up describe it alike");

    let at = || json!({ "group_id": "sg-1", "security_group_rule_ids": ["sgr-1", "sgr-2"] });
    let revoked = answer("RevokeSecurityGroupIngress", "<return>true</return>");
    let deleted = delete(kind, at(), vec![listed(&all), revoked]);
    assert_eq!(
        deleted.fields(None),
        json!({ "GroupId": "sg-1", "SecurityGroupRuleId.1": "sgr-1" }),
        "sgr-2 is gone already"
    );
    assert_eq!(class(delete(kind, at(), vec![listed(&[&foreign])])), Some(Class::NotFound));
}

#[test]
fn a_look_that_failed_sent_nothing() {
    let input = || json!({ "group_id": "sg-1", "ip_permissions": [{ "ip_protocol": "-1", "source_group": "sg-2" }] });
    let failed = |status, code| class(create("ec2.security_group_egress", input(), vec![refusal(status, code, "no")]));
    assert_eq!(failed(500, "InternalError"), Some(Class::NotSent));
    assert_eq!(failed(400, "InvalidGroup.NotFound"), Some(Class::NotYet));
    let none = answer("DescribeSecurityGroupRules", "<securityGroupRuleSet/>");
    let made = create("ec2.security_group_egress", input(), vec![none, answer("AuthorizeSecurityGroupEgress", "")]);
    assert_eq!(made.actions()[1], "AuthorizeSecurityGroupEgress");
    let fields = made.fields(Some("security-group-rule"));
    assert_eq!(fields["IpPermissions.1.Groups.1.GroupId"], "sg-2");
}
