//! The inventory of moto: empty differences, whatever the ids.

use std::time::Duration;

use serde_json::json;

use super::{Plain, with_moto};

async fn network(plain: &Plain) -> (String, String) {
    let tags = [
        ("CidrBlock", "10.5.0.0/16"),
        ("TagSpecification.1.ResourceType", "vpc"),
        ("TagSpecification.1.Tag.1.Key", "Name"),
        ("TagSpecification.1.Tag.1.Value", "net"),
        ("TagSpecification.1.Tag.2.Key", "runbook:run"),
        ("TagSpecification.1.Tag.2.Value", "r1"),
    ];
    let vpc = plain.ec2("CreateVpc", &tags).await.xml().at(&["vpc", "vpcId"]).to_owned();
    let fields = [("VpcId", vpc.as_str()), ("CidrBlock", "10.5.1.0/24"), ("AvailabilityZone", "us-east-1a")];
    let subnet = plain.ec2("CreateSubnet", &fields).await.xml().at(&["subnet", "subnetId"]).to_owned();
    plain.form("iam", "CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", "{}")]).await.unwrap();
    plain.cloud_map("CreateHttpNamespace", json!({ "Name": "default" })).await;
    (vpc, subnet)
}

async fn undo(plain: &Plain, vpc: &str, subnet: &str) {
    plain.ec2("DeleteSubnet", &[("SubnetId", subnet)]).await;
    plain.ec2("DeleteVpc", &[("VpcId", vpc)]).await;
    plain.form("iam", "DeleteRole", &[("RoleName", "r")]).await.unwrap();
    let namespaces = plain.cloud_map("ListNamespaces", json!({})).await.json();
    plain.cloud_map("DeleteNamespace", json!({ "Id": namespaces["Namespaces"][0]["Id"] })).await;
}

#[tokio::test]
async fn what_was_made_is_told_without_ids_and_after_undo_nothing_is_left() {
    let Some((_moto, proxy, plain)) = with_moto(Duration::ZERO).await else { return };
    let before = proxy.inventory().await.unwrap();
    let (vpc, subnet) = network(&plain).await;
    let first = proxy.inventory().await.unwrap();
    let told = first.since(&before);
    let kinds: Vec<&String> = told.as_object().unwrap().keys().collect();
    let made =
        ["ec2.route_table", "ec2.security_group", "ec2.subnet", "ec2.vpc", "iam.role", "servicediscovery.namespace"];
    assert_eq!(kinds, made);
    assert_eq!(
        (&told["ec2.subnet"][0]["vpcId"], &told["ec2.vpc"][0]["enableDnsSupport"]),
        (&json!("vpc:net"), &json!("true"))
    );
    assert!(!told.to_string().contains(&vpc) && !told.to_string().contains("runbook:run"), "{told}");
    assert_eq!(first.count("ec2.vpc"), before.count("ec2.vpc") + 1);

    undo(&plain, &vpc, &subnet).await;
    let after = proxy.inventory().await.unwrap();
    assert_eq!(after.since(&before), json!({}));
    let (again, _) = network(&plain).await;
    assert_ne!(again, vpc);
    assert_eq!(proxy.inventory().await.unwrap().since(&before), told);
    assert_eq!(before.since(&first)["gone or changed"], told);
}
