//! EC2, Route 53 and Cloud Map over moto: what takes its time, what is refused, what is mended.

use std::time::Duration;

use serde_json::json;

use super::{
    super::{Action, Failure, Fault, On, Phase, What, xml::Element},
    Plain, until, with_moto,
};

async fn made(plain: &Plain, action: &str, fields: &[(&str, &str)], path: &[&str]) -> String {
    let seen = plain.ec2(action, fields).await;
    let id = seen.xml().at(path).to_owned();
    assert!(!id.is_empty(), "{action}: {:?}", seen.body);
    id
}

async fn vpc(plain: &Plain, block: &str) -> String {
    made(plain, "CreateVpc", &[("CidrBlock", block)], &["vpc", "vpcId"]).await
}

async fn subnet(plain: &Plain, vpc: &str, block: &str, zone: &str) -> String {
    let fields = [("VpcId", vpc), ("CidrBlock", block), ("AvailabilityZone", zone)];
    made(plain, "CreateSubnet", &fields, &["subnet", "subnetId"]).await
}

async fn nat_state(plain: &Plain, id: &str) -> (String, String) {
    let seen = plain.ec2("DescribeNatGateways", &[("NatGatewayId.1", id)]).await.xml();
    let item = seen.items(&["natGatewaySet"]).first().cloned().unwrap_or_default();
    (item.at(&["state"]).to_owned(), item.at(&["failureCode"]).to_owned())
}

#[tokio::test]
async fn nat_gateways_take_their_time_hold_what_they_use_and_fail() {
    let Some((_moto, proxy, plain)) = with_moto(Duration::from_secs(4)).await else { return };
    let vpc = vpc(&plain, "10.5.0.0/16").await;
    let subnet = subnet(&plain, &vpc, "10.5.1.0/24", "us-east-1a").await;
    let gateway = made(&plain, "CreateInternetGateway", &[], &["internetGateway", "internetGatewayId"]).await;
    plain.ec2("AttachInternetGateway", &[("InternetGatewayId", &gateway), ("VpcId", &vpc)]).await;
    let address = made(&plain, "AllocateAddress", &[("Domain", "vpc")], &["allocationId"]).await;
    let wanted = [("SubnetId", subnet.as_str()), ("AllocationId", &address)];
    let nat = made(&plain, "CreateNatGateway", &wanted, &["natGateway", "natGatewayId"]).await;

    assert_eq!(nat_state(&plain, &nat).await.0, "pending");
    let pending = [("Filter.1.Name", "state"), ("Filter.1.Value.1", "pending")];
    assert_eq!(plain.ec2("DescribeNatGateways", &pending).await.xml().items(&["natGatewaySet"]).len(), 1);
    until("available", async || (nat_state(&plain, &nat).await.0 == "available").then_some(())).await;
    assert_eq!(plain.ec2("DescribeNatGateways", &pending).await.xml().items(&["natGatewaySet"]).len(), 0);

    let interfaces = plain.ec2("DescribeNetworkInterfaces", &[]).await.xml();
    let interface = &interfaces.items(&["networkInterfaceSet"])[0];
    assert_eq!((interface.at(&["status"]), interface.at(&["interfaceType"])), ("in-use", "nat_gateway"));
    for (action, fields, code) in [
        ("DeleteSubnet", ("SubnetId", subnet.as_str()), "DependencyViolation"),
        ("DeleteVpc", ("VpcId", &vpc), "DependencyViolation"),
        ("DetachInternetGateway", ("VpcId", &vpc), "DependencyViolation"),
        ("ReleaseAddress", ("AllocationId", &address), "InvalidIPAddress.InUse"),
        (
            "DeleteNetworkInterface",
            ("NetworkInterfaceId", interface.at(&["networkInterfaceId"])),
            "InvalidParameterValue",
        ),
    ] {
        assert_eq!(plain.ec2(action, &[fields]).await.code(), code, "{action}");
    }
    assert_eq!(plain.ec2("CreateNatGateway", &wanted).await.code(), "Resource.AlreadyAssociated");

    plain.ec2("DeleteNatGateway", &[("NatGatewayId", &nat)]).await;
    assert_eq!(nat_state(&plain, &nat).await.0, "deleting");
    until("deleted", async || (nat_state(&plain, &nat).await.0 == "deleted").then_some(())).await;
    let release = async || plain.ec2("ReleaseAddress", &[("AllocationId", &address)]).await.status.is_success();
    until("the address is free", async || release().await.then_some(())).await;
    assert_eq!(plain.ec2("DeleteNatGateway", &[("NatGatewayId", &nat)]).await.code(), "NatGatewayNotFound");

    let (code, message) = ("Gateway.NotAttached".to_owned(), "no gateway".to_owned());
    proxy.fail(Failure { what: What::NatGateway, name: Some(subnet.clone()), code, message });
    let address = made(&plain, "AllocateAddress", &[("Domain", "vpc")], &["allocationId"]).await;
    let wanted = [("SubnetId", subnet.as_str()), ("AllocationId", &address)];
    let nat = made(&plain, "CreateNatGateway", &wanted, &["natGateway", "natGatewayId"]).await;
    until("failed", async || (nat_state(&plain, &nat).await.0 == "failed").then_some(())).await;
    assert_eq!(nat_state(&plain, &nat).await.1, "Gateway.NotAttached");
    plain.ec2("DeleteNatGateway", &[("NatGatewayId", &nat)]).await;
    assert_eq!(nat_state(&plain, &nat).await.0, "deleted");
    let missing = plain.ec2("DescribeNatGateways", &[("NatGatewayId.1", "nat-0123456789abcdef0")]).await;
    assert_eq!(missing.code(), "NatGatewayNotFound");
}

#[tokio::test]
async fn ec2_refuses_to_delete_what_is_used_and_to_peer_twice() {
    let Some((_moto, _proxy, plain)) = with_moto(Duration::ZERO).await else { return };
    let (one, two) = (vpc(&plain, "10.5.0.0/16").await, vpc(&plain, "10.6.0.0/16").await);
    let group = async |name: &str| {
        let fields = [("GroupName", name), ("GroupDescription", "d"), ("VpcId", one.as_str())];
        made(&plain, "CreateSecurityGroup", &fields, &["groupId"]).await
    };
    let (first, second) = (group("first").await, group("second").await);
    let rule = [
        ("GroupId", second.as_str()),
        ("IpPermissions.1.IpProtocol", "-1"),
        ("IpPermissions.1.Groups.1.GroupId", &first),
    ];
    assert!(plain.ec2("AuthorizeSecurityGroupIngress", &rule).await.status.is_success());
    assert_eq!(plain.ec2("DeleteSecurityGroup", &[("GroupId", &first)]).await.code(), "DependencyViolation");
    assert_eq!(plain.ec2("DeleteVpc", &[("VpcId", &one)]).await.code(), "DependencyViolation");
    for id in [&second, &first] {
        assert!(plain.ec2("DeleteSecurityGroup", &[("GroupId", id)]).await.status.is_success());
    }
    let peer = async |from: &str, to: &str| {
        plain.ec2("CreateVpcPeeringConnection", &[("VpcId", from), ("PeerVpcId", to)]).await
    };
    let peering = peer(&one, &two).await.xml().at(&["vpcPeeringConnection", "vpcPeeringConnectionId"]).to_owned();
    assert_eq!(peer(&two, &one).await.code(), "VpcPeeringConnectionAlreadyExists");
    plain.ec2("DeleteVpcPeeringConnection", &[("VpcPeeringConnectionId", &peering)]).await;
    assert!(peer(&one, &two).await.status.is_success());
    assert!(plain.ec2("DeleteVpc", &[("VpcId", &one)]).await.status.is_success());
}

#[tokio::test]
async fn a_stale_list_lacks_what_is_new() {
    let Some((_moto, proxy, plain)) = with_moto(Duration::ZERO).await else { return };
    let old = vpc(&plain, "10.5.0.0/16").await;
    proxy.faults().add(Fault::new(On::first("CreateVpc"), Phase::AfterForward, Action::StaleReads(2)));
    let new = vpc(&plain, "10.6.0.0/16").await;
    let listed = async || {
        let seen = plain.ec2("DescribeVpcs", &[]).await.xml();
        [&old, &new].map(|id| seen.items(&["vpcSet"]).iter().any(|item| item.at(&["vpcId"]) == id))
    };
    assert_eq!(listed().await, [true, false]);
    assert_eq!(plain.ec2("DescribeVpcs", &[("VpcId.1", &new)]).await.code(), "InvalidVpcID.NotFound");
    assert_eq!(listed().await, [true, true]);
}

fn zone(name: &str, reference: &str, vpc: &str) -> String {
    let private = match vpc {
        "" => String::new(),
        vpc => format!("<VPC><VPCRegion>us-east-1</VPCRegion><VPCId>{vpc}</VPCId></VPC>"),
    };
    format!(
        "<CreateHostedZoneRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Name>{name}</Name>{private}\
         <CallerReference>{reference}</CallerReference></CreateHostedZoneRequest>"
    )
}

fn associating(vpc: &str) -> String {
    format!("<R><VPC><VPCRegion>us-east-1</VPCRegion><VPCId>{vpc}</VPCId></VPC></R>")
}

fn change(action: &str, value: &str) -> String {
    format!(
        "<R><ChangeBatch><Changes><Change><Action>{action}</Action><ResourceRecordSet><Name>a.x.internal</Name><Type>A</Type>\
         <TTL>60</TTL><ResourceRecords><ResourceRecord><Value>{value}</Value></ResourceRecord></ResourceRecords>\
         </ResourceRecordSet></Change></Changes></ChangeBatch></R>"
    )
}

#[tokio::test]
async fn route_53_changes_take_their_time_and_conflicts_are_refused() {
    let Some((_moto, _proxy, plain)) = with_moto(Duration::from_secs(4)).await else { return };
    let (one, two) = (vpc(&plain, "10.5.0.0/16").await, vpc(&plain, "10.6.0.0/16").await);
    let made = plain.route53("POST", "hostedzone", &zone("x.internal", "r1", &one)).await.xml();
    assert_eq!(made.at(&["HostedZone", "Config", "PrivateZone"]), "true");
    let change_id = made.at(&["ChangeInfo", "Id"]).to_owned();
    let status = async || {
        let seen = plain.route53("GET", change_id.trim_start_matches('/'), "").await.xml();
        seen.at(&["ChangeInfo", "Status"]).to_owned()
    };
    assert_eq!((made.at(&["ChangeInfo", "Status"]), status().await.as_str()), ("PENDING", "PENDING"));
    until("INSYNC", async || (status().await == "INSYNC").then_some(())).await;
    assert_eq!(plain.route53("GET", "change/C0", "").await.code(), "NoSuchChange");

    let again = |reference: &str, vpc: &str| zone("x.internal", reference, vpc);
    for (body, code) in [
        (again("r1", &two), "HostedZoneAlreadyExists"),
        (again("r2", &one), "ConflictingDomainExists"),
        (again("r3", "vpc-00000000"), "InvalidVPCId"),
    ] {
        assert_eq!(plain.route53("POST", "hostedzone", &body).await.code(), code);
    }
    let path = made.at(&["HostedZone", "Id"]).trim_start_matches('/').to_owned();
    let post = async |what: &str, body: String| plain.route53("POST", &format!("{path}/{what}"), &body).await;
    assert_eq!(post("disassociatevpc", associating(&two)).await.code(), "VPCAssociationNotFound");
    assert!(post("associatevpc", associating(&two)).await.status.is_success());
    assert_eq!(post("associatevpc", associating(&two)).await.code(), "ConflictingDomainExists");
    assert!(post("disassociatevpc", associating(&two)).await.status.is_success());

    for (action, value, code) in [
        ("DELETE", "1.1.1.1", "InvalidChangeBatch"),
        ("CREATE", "1.1.1.1", ""),
        ("CREATE", "1.1.1.1", "InvalidChangeBatch"),
        ("DELETE", "1.1.1.2", "InvalidChangeBatch"),
        ("DELETE", "1.1.1.1", ""),
    ] {
        assert_eq!(post("rrset/", change(action, value)).await.code(), code, "{action} {value}");
    }
    let records = plain.route53("GET", &format!("{path}/rrset"), "").await.xml();
    let of_soa = |record: &&Element| record.at(&["Type"]) == "SOA";
    let soa =
        records.items(&["ResourceRecordSets"]).iter().find(of_soa).unwrap().items(&["ResourceRecords"])[0].clone();
    assert!(soa.at(&["Value"]).starts_with("ns-"), "{soa:?}");
}

#[tokio::test]
async fn cloud_map_operations_take_their_time_and_names_are_unique() {
    let Some((_moto, proxy, plain)) = with_moto(Duration::from_secs(4)).await else { return };
    let create = async |creator: &str| {
        plain.cloud_map("CreateHttpNamespace", json!({ "Name": "default", "CreatorRequestId": creator })).await
    };
    let operation = create("c1").await.json()["OperationId"].clone();
    let status = async |operation: &serde_json::Value| {
        plain.cloud_map("GetOperation", json!({ "OperationId": operation })).await.json()["Operation"].clone()
    };
    assert_eq!(status(&operation).await["Status"], "SUBMITTED");
    let duplicate = create("c1").await.json();
    assert_eq!((&duplicate["__type"], &duplicate["DuplicateOperationId"]), (&json!("DuplicateRequest"), &operation));
    let done = async || Some(status(&operation).await).filter(|found| found["Status"] == "SUCCESS");
    let namespace = until("SUCCESS", done).await["Targets"]["NAMESPACE"].clone();
    let exists = create("c1").await.json();
    assert_eq!((&exists["__type"], &exists["NamespaceId"]), (&json!("NamespaceAlreadyExists"), &namespace));
    assert_eq!(exists["CreatorRequestId"], "c1");

    let service = json!({ "Name": "s", "NamespaceId": namespace, "CreatorRequestId": "s1" });
    let service_id = plain.cloud_map("CreateService", service.clone()).await.json()["Service"]["Id"].clone();
    let exists = plain.cloud_map("CreateService", service).await.json();
    assert_eq!((&exists["__type"], &exists["ServiceId"]), (&json!("ServiceAlreadyExists"), &service_id));
    let instance =
        json!({ "ServiceId": service_id, "InstanceId": "i", "Attributes": { "AWS_INSTANCE_IPV4": "10.5.0.1" } });
    assert!(plain.cloud_map("RegisterInstance", instance.clone()).await.status.is_success());
    assert_eq!(plain.cloud_map("DeleteNamespace", json!({ "Id": namespace })).await.code(), "ResourceInUse");
    assert_eq!(plain.cloud_map("DeleteService", json!({ "Id": service_id })).await.code(), "ResourceInUse");
    assert!(plain.cloud_map("DeregisterInstance", instance.clone()).await.status.is_success());
    assert_eq!(plain.cloud_map("DeregisterInstance", instance).await.code(), "InstanceNotFound");
    assert!(plain.cloud_map("DeleteService", json!({ "Id": service_id })).await.status.is_success());
    assert!(plain.cloud_map("DeleteNamespace", json!({ "Id": namespace })).await.status.is_success());

    let (code, message) = ("LIMIT_EXCEEDED".to_owned(), "too many".to_owned());
    proxy.fail(Failure { what: What::Operation, name: None, code, message });
    let operation = create("c2").await.json()["OperationId"].clone();
    let failed = async || Some(status(&operation).await).filter(|found| found["Status"] == "FAIL");
    assert_eq!(until("FAIL", failed).await["ErrorCode"], "LIMIT_EXCEEDED");
    let none = async || plain.cloud_map("ListNamespaces", json!({})).await.json()["Namespaces"] == json!([]);
    until("no namespace", async || none().await.then_some(())).await;
}

#[tokio::test]
async fn quotas_of_vpcs_are_told_and_no_defaults() {
    let Some((_moto, _proxy, plain)) = with_moto(Duration::ZERO).await else { return };
    let ask = async |operation: &str, service: &str, code: &str| {
        let target = format!("ServiceQuotasV20190624.{operation}");
        let body = json!({ "ServiceCode": service, "QuotaCode": code }).to_string();
        plain.ask("servicequotas", "POST", "/", &[("x-amz-target", target.as_str())], body).await.unwrap()
    };
    assert_eq!(ask("GetServiceQuota", "vpc", "L-F678F1CE").await.json()["Quota"]["Value"], 5.0);
    for operation in ["GetServiceQuota", "GetAWSDefaultServiceQuota"] {
        assert_eq!(ask(operation, "ec2", "L-0263D0A3").await.code(), "NoSuchResourceException", "{operation}");
    }
}
