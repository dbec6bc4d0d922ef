//! One request of each kind, and what is understood.

use http::{HeaderMap, HeaderValue, Method, Uri};
use serde_json::{Value, json};

use super::{Call, Protocol, parse};

fn call(service: &str, method: Method, uri: &str, extra: &[(&'static str, &str)], body: &str) -> Call {
    let mut headers = HeaderMap::new();
    if !service.is_empty() {
        let text = format!(
            "AWS4-HMAC-SHA256 Credential=AKIA1/20260101/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=ab"
        );
        headers.insert("authorization", HeaderValue::from_str(&text).unwrap());
    }
    for (name, value) in extra {
        headers.insert(*name, HeaderValue::from_str(value).unwrap());
    }
    parse(&method, &uri.parse::<Uri>().unwrap(), &headers, body.as_bytes(), "1")
}

fn form(service: &str, body: &str) -> Call {
    call(service, Method::POST, "/", &[("content-type", "application/x-www-form-urlencoded")], body)
}

fn target(service: &str, target: &str, body: Value) -> Call {
    call(service, Method::POST, "/", &[("x-amz-target", target)], &body.to_string())
}

#[test]
fn a_form_of_ec2() {
    let body = "Action=CreateNatGateway&Version=2016-11-15&SubnetId=subnet-1&ClientToken=t&TagSpecification.1.ResourceType=natgateway\
                &TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1.Value=a%20b";
    let call = form("ec2", body);
    let tags = json!([{ "ResourceType": "natgateway", "Tag": [{ "Key": "Name", "Value": "a b" }] }]);
    assert_eq!((call.operation.as_str(), call.protocol, call.mutating), ("CreateNatGateway", Protocol::Ec2, true));
    assert_eq!(call.fields, json!({ "SubnetId": "subnet-1", "ClientToken": "t", "TagSpecification": tags }));
    assert_eq!((call.region(), call.credential.access_key.as_str()), ("eu-west-1", "AKIA1"));
    let token = call.token.unwrap();
    assert_eq!((token.field, token.value.as_str()), ("ClientToken", "t"));
}

#[test]
fn forms_of_the_other_query_services() {
    for (service, action, mutating) in [
        ("iam", "CreateRole", true),
        ("iam", "GetRole", false),
        ("sts", "GetCallerIdentity", false),
        ("sts", "AssumeRole", false),
        ("elasticloadbalancing", "CreateLoadBalancer", true),
        ("rds", "DescribeDBInstances", false),
        ("rds", "ModifyDBInstance", true),
    ] {
        let call = form(service, &format!("Action={action}&Version=1"));
        assert_eq!((call.operation.as_str(), call.protocol, call.mutating), (action, Protocol::Query, mutating));
        assert_eq!(call.service, service);
    }
}

#[test]
fn a_presigned_request_has_its_scope_in_the_query() {
    let uri = "/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256\
               &X-Amz-Credential=AKIA2%2F20260101%2Fus-east-1%2Fsts%2Faws4_request&X-Amz-Security-Token=s&X-Amz-Signature=ff";
    let call = call("", Method::GET, uri, &[], "");
    assert_eq!((call.service.as_str(), call.operation.as_str()), ("sts", "GetCallerIdentity"));
    assert!(call.credential.presigned && !call.mutating);
    assert_eq!(call.credential.session.as_deref(), Some("s"));
    assert_eq!((call.region(), &call.fields), ("us-east-1", &json!({})));
}

#[test]
fn targets_of_the_json_services() {
    for (service, name, mutating) in [
        ("servicediscovery", "Route53AutoNaming_v20170314.CreateHttpNamespace", true),
        ("servicediscovery", "Route53AutoNaming_v20170314.DiscoverInstances", false),
        ("secretsmanager", "secretsmanager.CreateSecret", true),
        ("secretsmanager", "secretsmanager.GetRandomPassword", false),
        ("kms", "TrentService.CreateKey", true),
        ("kms", "TrentService.Decrypt", false),
        ("acm", "CertificateManager.RequestCertificate", true),
        ("sqs", "AmazonSQS.CreateQueue", true),
        ("wafv2", "AWSWAF_20190729.CreateWebACL", true),
    ] {
        let call = target(service, name, json!({ "Name": "n", "CreatorRequestId": "c" }));
        assert_eq!(call.operation, name.rsplit('.').next().unwrap());
        assert_eq!((call.protocol, call.mutating, call.text("Name")), (Protocol::Json, mutating, "n"));
        assert_eq!(call.token.unwrap().field, "CreatorRequestId");
    }
}

#[test]
fn the_paths_of_account_and_of_cbor() {
    let status = call("account", Method::POST, "/getRegionOptStatus", &[], r#"{"RegionName":"eu-south-1"}"#);
    assert_eq!(
        (status.operation.as_str(), status.mutating, status.text("RegionName")),
        ("GetRegionOptStatus", false, "eu-south-1")
    );
    assert!(call("account", Method::POST, "/enableRegion", &[], "{}").mutating);
    let speaks = [("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor")];
    for (operation, mutating) in [("PutMetricAlarm", true), ("DescribeAlarms", false)] {
        let path = format!("/service/GraniteServiceVersion20100801/operation/{operation}");
        let alarm = call("monitoring", Method::POST, &path, &speaks, "\u{0}");
        assert_eq!((alarm.operation.as_str(), alarm.protocol, alarm.mutating), (operation, Protocol::Cbor, mutating));
    }
}

#[test]
fn every_path_of_eks() {
    let entry = "/clusters/c/access-entries/arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr";
    for (method, path, operation, mutating) in [
        (Method::POST, "/clusters", "CreateCluster", true),
        (Method::GET, "/clusters?maxResults=1", "ListClusters", false),
        (Method::GET, "/clusters/c", "DescribeCluster", false),
        (Method::DELETE, "/clusters/c", "DeleteCluster", true),
        (Method::POST, "/clusters/c/update-config", "UpdateClusterConfig", true),
        (Method::POST, "/clusters/c/updates", "UpdateClusterVersion", true),
        (Method::GET, "/clusters/c/updates/u", "DescribeUpdate", false),
        (Method::POST, "/clusters/c/node-groups", "CreateNodegroup", true),
        (Method::GET, "/clusters/c/node-groups", "ListNodegroups", false),
        (Method::GET, "/clusters/c/node-groups/n", "DescribeNodegroup", false),
        (Method::DELETE, "/clusters/c/node-groups/n", "DeleteNodegroup", true),
        (Method::POST, "/clusters/c/node-groups/n/update-config", "UpdateNodegroupConfig", true),
        (Method::POST, "/clusters/c/addons", "CreateAddon", true),
        (Method::GET, "/clusters/c/addons/a", "DescribeAddon", false),
        (Method::DELETE, "/clusters/c/addons/a", "DeleteAddon", true),
        (Method::POST, "/clusters/c/addons/a/update", "UpdateAddon", true),
        (Method::GET, "/addons/supported-versions?addonName=a", "DescribeAddonVersions", false),
        (Method::GET, "/cluster-versions", "DescribeClusterVersions", false),
        (Method::GET, entry, "DescribeAccessEntry", false),
        (Method::POST, "/clusters/c/pod-identity-associations", "CreatePodIdentityAssociation", true),
        (Method::POST, "/tags/arn%3Aaws", "TagResource", true),
    ] {
        let call = call("eks", method, path, &[], "");
        assert_eq!((call.operation.as_str(), call.mutating, call.protocol), (operation, mutating, Protocol::RestJson));
    }
    let found = call("eks", Method::GET, entry, &[], "");
    assert_eq!(found.fields, json!({ "clusterName": "c", "principalArn": "arn:aws:iam::1:role/r" }));
    let created = call("eks", Method::POST, "/clusters", &[], "{\"name\":\"c\",\"clientRequestToken\":\"t\"}");
    assert_eq!((created.text("name"), created.token.as_ref().unwrap().field), ("c", "clientRequestToken"));
}

#[test]
fn every_path_of_route_53_that_we_use() {
    for (method, path, operation, mutating) in [
        (Method::POST, "hostedzone", "CreateHostedZone", true),
        (Method::GET, "hostedzone", "ListHostedZones", false),
        (Method::GET, "hostedzonesbyname?dnsname=a.", "ListHostedZonesByName", false),
        (Method::GET, "hostedzone/Z1", "GetHostedZone", false),
        (Method::DELETE, "hostedzone/Z1", "DeleteHostedZone", true),
        (Method::POST, "hostedzone/Z1/rrset/", "ChangeResourceRecordSets", true),
        (Method::GET, "hostedzone/Z1/rrset", "ListResourceRecordSets", false),
        (Method::POST, "hostedzone/Z1/associatevpc", "AssociateVPCWithHostedZone", true),
        (Method::POST, "hostedzone/Z1/disassociatevpc", "DisassociateVPCFromHostedZone", true),
        (Method::GET, "change/C1", "GetChange", false),
        (Method::POST, "tags/hostedzone/Z1", "ChangeTagsForResource", true),
        (Method::GET, "tags/hostedzone/Z1", "ListTagsForResource", false),
    ] {
        let call = call("route53", method, &format!("/2013-04-01/{path}"), &[], "");
        assert_eq!((call.operation.as_str(), call.mutating, call.protocol), (operation, mutating, Protocol::RestXml));
    }
    let body = "<CreateHostedZoneRequest xmlns=\"u\"><Name>a.</Name><CallerReference>t</CallerReference></CreateHostedZoneRequest>";
    let created = call("route53", Method::POST, "/2013-04-01/hostedzone", &[], body);
    assert_eq!(created.fields, json!({ "Name": "a.", "CallerReference": "t" }));
    assert_eq!(created.token.unwrap().field, "CallerReference");
}

#[test]
fn s3_and_what_is_only_known_by_its_path() {
    for (method, path, operation, mutating) in [
        (Method::GET, "/", "ListBuckets", false),
        (Method::PUT, "/b", "CreateBucket", true),
        (Method::HEAD, "/b", "HeadBucket", false),
        (Method::PUT, "/b?versioning", "PutBucketVersioning", true),
        (Method::GET, "/b?list-type=2", "ListObjectsV2", false),
        (Method::PUT, "/b/k/l", "PutObject", true),
        (Method::DELETE, "/b/k", "DeleteObject", true),
    ] {
        let call = call("s3", method, path, &[], "");
        assert_eq!((call.operation.as_str(), call.mutating), (operation, mutating));
    }
    let call = call("lambda", Method::POST, "/2015-03-31/functions", &[], "{}");
    assert_eq!((call.operation.as_str(), call.mutating), ("POST /2015-03-31/functions", true));
}
