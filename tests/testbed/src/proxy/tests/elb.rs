//! Load balancers over moto: what they hold, how long, and names.

use std::time::Duration;

use super::{Plain, until, with_moto};

const ELB: &str = "elasticloadbalancing";

/// A VPC with an internet gateway and two subnets.
async fn network(plain: &Plain) -> (String, String, [String; 2]) {
    let vpc = plain.ec2("CreateVpc", &[("CidrBlock", "10.5.0.0/16")]).await.xml().at(&["vpc", "vpcId"]).to_owned();
    let gateway = plain.ec2("CreateInternetGateway", &[]).await.xml();
    let gateway = gateway.at(&["internetGateway", "internetGatewayId"]).to_owned();
    plain.ec2("AttachInternetGateway", &[("InternetGatewayId", &gateway), ("VpcId", &vpc)]).await;
    let mut subnets = [String::new(), String::new()];
    for (subnet, (zone, block)) in
        subnets.iter_mut().zip([("us-east-1a", "10.5.1.0/24"), ("us-east-1b", "10.5.2.0/24")])
    {
        let fields = [("VpcId", vpc.as_str()), ("CidrBlock", block), ("AvailabilityZone", zone)];
        *subnet = plain.ec2("CreateSubnet", &fields).await.xml().at(&["subnet", "subnetId"]).to_owned();
    }
    (vpc, gateway, subnets)
}

async fn described(plain: &Plain) -> Vec<(String, String)> {
    let seen = plain.form(ELB, "DescribeLoadBalancers", &[]).await.unwrap().xml();
    let all = seen.items(&["DescribeLoadBalancersResult", "LoadBalancers"]);
    all.iter().map(|one| (one.at(&["LoadBalancerArn"]).to_owned(), one.at(&["State", "Code"]).to_owned())).collect()
}

#[tokio::test]
async fn a_load_balancer_holds_its_network_while_it_stands_and_a_while_longer() {
    let Some((_moto, proxy, plain)) = with_moto(Duration::from_secs(1)).await else { return };
    let (vpc, gateway, subnets) = network(&plain).await;
    let before = proxy.inventory().await.unwrap();
    let group = [("GroupName", "web"), ("GroupDescription", "web"), ("VpcId", &vpc)];
    let group = plain.ec2("CreateSecurityGroup", &group).await.xml().at(&["groupId"]).to_owned();
    let mut asked = vec![("Name", "web"), ("Subnets.member.1", subnets[0].as_str()), ("Subnets.member.2", &subnets[1])];
    asked.push(("SecurityGroups.member.1", &group));
    let made = plain.form(ELB, "CreateLoadBalancer", &asked).await.unwrap();
    assert!(made.status.is_success(), "{:?}", made.body);
    assert_eq!(described(&plain).await[0].1, "provisioning");
    until("active", async || (described(&plain).await[0].1 == "active").then_some(())).await;

    // Asked for again it is the same one; its name is not for another.
    let again = plain.form(ELB, "CreateLoadBalancer", &asked).await.unwrap();
    let (arn, _) = described(&plain).await.remove(0);
    assert_eq!(again.xml().items(&["CreateLoadBalancerResult", "LoadBalancers"])[0].at(&["LoadBalancerArn"]), arn);
    asked.push(("Scheme", "internal"));
    assert_eq!(plain.form(ELB, "CreateLoadBalancer", &asked).await.unwrap().code(), "DuplicateLoadBalancerName");
    assert_eq!(described(&plain).await.len(), 1);

    let interfaces = plain.ec2("DescribeNetworkInterfaces", &[]).await.xml();
    let interfaces = interfaces.items(&["networkInterfaceSet"]);
    let about = format!("ELB {}", arn.split_once(":loadbalancer/").unwrap().1);
    assert_eq!((interfaces.len(), interfaces[0].at(&["description"])), (2, about.as_str()));
    let interface = interfaces[0].at(&["networkInterfaceId"]).to_owned();
    let held = [
        ("DeleteSubnet", vec![("SubnetId", subnets[0].as_str())], "DependencyViolation"),
        ("DeleteSecurityGroup", vec![("GroupId", &group)], "DependencyViolation"),
        ("DetachInternetGateway", vec![("VpcId", &vpc), ("InternetGatewayId", &gateway)], "DependencyViolation"),
        ("DeleteNetworkInterface", vec![("NetworkInterfaceId", &interface)], "InvalidParameterValue"),
    ];
    for (action, fields, code) in &held {
        assert_eq!(plain.ec2(action, fields).await.code(), *code, "{action}");
    }
    plain.form(ELB, "DeleteLoadBalancer", &[("LoadBalancerArn", &arn)]).await.unwrap();
    assert_eq!(described(&plain).await, []);
    assert_eq!(plain.ec2("DeleteSubnet", &[("SubnetId", &subnets[0])]).await.code(), "DependencyViolation");
    let fields = [("GroupId", group.as_str())];
    until("free", async || plain.ec2("DeleteSecurityGroup", &fields).await.status.is_success().then_some(())).await;
    assert_eq!(proxy.inventory().await.unwrap().since(&before), serde_json::json!({}));
}
