//! Each kind is made once, stands, and is taken away; moto is behind it.

use super::*;
use crate::{
    emulators::Moto,
    proxy::{Config, Proxy},
    tools,
};

/// An account with what the objects of rehearsal files refer to.
struct Account {
    aws: Aws,
    proxy: Proxy,
    zones: BTreeMap<String, String>,
    _moto: Moto,
}

const GROUP: &str = "demo-node";

async fn account() -> Option<Account> {
    let moto = Moto::start(&tools::require()?).unwrap();
    let proxy = Proxy::start(Config::new(moto.url())).await.unwrap();
    let aws = Aws::new(&proxy.url(), "us-east-1", "test");
    let vpc = aws.query("ec2", "CreateVpc", &[("CidrBlock", "10.9.0.0/16")]).await.unwrap();
    let vpc = vpc.text("vpc/vpcId").to_owned();
    let mut asked = vec![("Name", "web"), ("Scheme", "internal")];
    let mut subnets = Vec::new();
    for (zone, block) in [("us-east-1b", "10.9.1.0/24"), ("us-east-1a", "10.9.2.0/24")] {
        let asked = [("VpcId", vpc.as_str()), ("CidrBlock", block), ("AvailabilityZone", zone)];
        subnets.push(aws.query("ec2", "CreateSubnet", &asked).await.unwrap().text("subnet/subnetId").to_owned());
    }
    asked.extend([("Subnets.member.1", subnets[0].as_str()), ("Subnets.member.2", &subnets[1])]);
    aws.query("elasticloadbalancing", "CreateLoadBalancer", &asked).await.unwrap();
    let asked = [("GroupName", GROUP), ("GroupDescription", "nodes"), ("VpcId", vpc.as_str())];
    aws.query("ec2", "CreateSecurityGroup", &asked).await.unwrap();
    let asked = [("RoleName", "nodes"), ("AssumeRolePolicyDocument", "{}")];
    aws.query("iam", "CreateRole", &asked).await.unwrap();
    let visible = json!({ "SampledRequestsEnabled": false, "CloudWatchMetricsEnabled": false, "MetricName": "m" });
    let acl =
        json!({ "Name": "wall", "Scope": "REGIONAL", "DefaultAction": { "Allow": {} }, "VisibilityConfig": visible });
    aws.target("wafv2", "AWSWAF_20190729.CreateWebACL", &acl).await.unwrap();
    let create = "AmazonEC2ContainerRegistry_V20150921.CreateRepository";
    aws.target("ecr", create, &json!({ "repositoryName": "demo" })).await.unwrap();
    aws.s3(http::Method::PUT, "/demo-bucket", &[], bytes::Bytes::new()).await.unwrap();
    let given = json!({ "kind": "route53.hosted_zone", "id": "Z0SIMULATED", "body": { "name": "example.com." } });
    let zone = give(&aws, &given).await.unwrap();
    assert_eq!(give(&aws, &given).await.unwrap(), zone, "given once");
    assert_ne!(zone.1, "Z0SIMULATED");
    Some(Account { aws, proxy, zones: [zone].into(), _moto: moto })
}

/// Whether the object stands is asked of the proxy's inventory, by the words that tell of it there.
#[tokio::test(flavor = "multi_thread")]
async fn each_kind_is_made_once_and_taken_away() {
    let Some(Account { aws, proxy, zones, _moto }) = account().await else { return };
    let found = async |kind: &str, name: &str| find::find(&aws, kind, name).await.unwrap().unwrap();
    let (balancer, acl) = (found("elbv2.load_balancer", "web").await, found("wafv2.web_acl", "wall").await);
    assert_eq!(found("elbv2.load_balancer", text(&balancer, "arn")).await, balancer);
    let zone = found("route53.hosted_zone", "example.com").await;
    assert_eq!(text(&zone, "id"), zones["Z0SIMULATED"]);
    assert!(text(&found("ecr.repository", "demo").await, "repository_uri").ends_with("/demo"));
    assert_eq!(find::find(&aws, "ecr.repository", "other").await, Ok(None));

    let record = |kind: &str, rest: Value| {
        let mut body = json!({ "hosted_zone_id": "Z0SIMULATED", "name": "a.example.com.", "type": kind });
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        json!({ "kind": "route53.record_set", "body": body })
    };
    let alias = json!({ "alias_target": { "dns_name": balancer["dns_name"], "evaluate_target_health": true } });
    let profile = json!({ "instance_profile_name": "p", "path": "/", "roles": ["nodes"] });
    let tags = json!({ "Name": "node", "karpenter.sh/nodepool": "default" });
    let object = json!({ "bucket": "demo-bucket", "key": "backup/a_19:30.gz", "size": 483, "server_side_encryption": "aws:kms" });
    let image = json!({ "repository_name": "demo", "image_tags": ["main-1", "main-2"], "image_digest": "sha256:5f0c" });
    let items = [
        record("A", alias),
        record("TXT", json!({ "ttl": 300, "resource_records": ["\"heritage=external-dns\""] })),
        json!({ "kind": "iam.instance_profile", "body": profile }),
        json!({ "kind": "ec2.instance", "tags": tags, "body": { "instance_type": "c6i.4xlarge" }, "refs": [format!("ec2.security_group {GROUP}")] }),
        json!({ "kind": "wafv2.web_acl_association", "body": { "resource_arn": balancer["arn"], "web_acl_arn": acl["arn"] } }),
        json!({ "kind": "logs.log_group", "body": { "log_group_name": "/aws/demo" } }),
        json!({ "kind": "s3.object", "body": object }),
        json!({ "kind": "ecr.image", "body": image }),
    ];
    let before = proxy.inventory().await.unwrap();
    let mut handles = Vec::new();
    for item in &items {
        handles.push(make(&aws, item, &zones).await.unwrap().unwrap_or_else(|| panic!("stood before: {item}")));
        assert_eq!(make(&aws, item, &zones).await, Ok(None), "{item}");
    }
    let there = proxy.inventory().await.unwrap().since(&before);
    for seen in ["a.example.com.", "heritage=external-dns", "iam.instance_profile", "/aws/demo", "ec2.instance"] {
        assert!(there.to_string().contains(seen), "no {seen} in {there:#}");
    }
    let ask = json!({ "ResourceArn": balancer["arn"] });
    let acl = aws.target("wafv2", "AWSWAF_20190729.GetWebACLForResource", &ask).await.unwrap();
    assert_eq!(text(&acl, "WebACL.Name"), "wall");

    let group = found("ec2.security_group", GROUP).await;
    let held = aws.query("ec2", "DeleteSecurityGroup", &[("GroupId", text(&group, "id"))]).await;
    assert!(held.is_err(), "the instance's interface is in it: {held:?}");
    for handle in handles.iter().chain(&handles) {
        unmake(&aws, handle).await.unwrap();
    }
    assert_eq!(proxy.inventory().await.unwrap().since(&before), json!({}));
    let unknown = make(&aws, &json!({ "kind": "kms.key" }), &zones).await;
    assert!(unknown.is_err_and(|why| why.contains("makes no kms.key")));
}
