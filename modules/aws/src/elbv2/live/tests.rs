//! The shape of the requests to Elastic Load Balancing, on the real SDK client.

use runbook_modules::{
    error::Class,
    resource::{Health, Kind},
};
use serde_json::json;

use crate::{
    elbv2::{call, driver, load_balancer},
    live::testing::{Wire, sent, tags, xml_answer},
};

const ARN: &str = "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/net/web/50dc";

fn balancers(action: &str, state: &str) -> (u16, String) {
    xml_answer(&format!(
        "<{action}Response><{action}Result><LoadBalancers><member><LoadBalancerArn>{ARN}</LoadBalancerArn>\
         <LoadBalancerName>web</LoadBalancerName><DNSName>web-50dc.elb.us-east-1.amazonaws.com</DNSName>\
         <CanonicalHostedZoneId>Z26RNL4JYFTOTI</CanonicalHostedZoneId><Scheme>internal</Scheme><VpcId>vpc-1</VpcId>\
         <Type>network</Type><State><Code>{state}</Code></State><AvailabilityZones><member><ZoneName>us-east-1a</ZoneName>\
         <SubnetId>subnet-1</SubnetId></member></AvailabilityZones></member></LoadBalancers></{action}Result></{action}Response>"
    ))
}

fn tagged(key: &str, value: &str) -> (u16, String) {
    xml_answer(&format!(
        "<DescribeTagsResponse><DescribeTagsResult><TagDescriptions><member><ResourceArn>{ARN}</ResourceArn><Tags><member>\
         <Key>{key}</Key><Value>{value}</Value></member></Tags></member></TagDescriptions></DescribeTagsResult></DescribeTagsResponse>"
    ))
}

fn refused(code: &str) -> (u16, String) {
    (
        400,
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
        ),
    )
}

#[tokio::test]
async fn a_load_balancer_is_made_with_our_tags_and_read_with_its_own() {
    let wire = Wire::answering([
        balancers("CreateLoadBalancer", "provisioning"),
        balancers("DescribeLoadBalancers", "active"),
        tagged("Name", "web"),
        refused("LoadBalancerNotFound"),
        refused("DuplicateLoadBalancerName"),
    ]);
    let driver = driver("elbv2.load_balancer").unwrap();
    let input = json!({ "name": "web", "subnets": ["subnet-1"], "scheme": "internal", "type": "network" });
    let tags = tags();
    let made = driver.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!(load_balancer::KIND.judge(&made), Health::Pending("provisioning".to_owned()));
    let at = load_balancer::KIND.locate(&input, &made).unwrap();
    assert_eq!(at, json!({ "load_balancer_arn": ARN }));
    let found = driver.read(&wire.clients, &at).await.unwrap().unwrap();
    assert_eq!((load_balancer::KIND.judge(&found), &found["tags"]), (Health::Ready, &json!({ "Name": "web" })));
    assert_eq!(load_balancer::KIND.differences(&input, &found), []);
    assert_eq!(driver.read(&wire.clients, &at).await.unwrap(), None);
    let error = driver.create(&wire.clients, &sent(&input, &tags)).await.unwrap_err();
    assert_eq!(error.class, Class::AlreadyExists);

    let form = wire.seen()[0].form();
    for (field, value) in [
        ("Action", "CreateLoadBalancer"),
        ("Name", "web"),
        ("Subnets.member.1", "subnet-1"),
        ("Scheme", "internal"),
        ("Type", "network"),
    ] {
        assert_eq!(form.get(field).map(String::as_str), Some(value), "{form:?}");
    }
    let keys = form.keys().filter(|key| key.starts_with("Tags.member.") && key.ends_with(".Key")).count();
    assert_eq!(keys, tags.len());
}

#[tokio::test]
async fn a_wait_reads_all_and_keeps_what_is_meant() {
    let empty = xml_answer(
        "<DescribeLoadBalancersResponse><DescribeLoadBalancersResult><LoadBalancers/></DescribeLoadBalancersResult>\
         </DescribeLoadBalancersResponse>",
    );
    let wire = Wire::answering([
        balancers("DescribeLoadBalancers", "active"),
        tagged("elbv2.k8s.aws/cluster", "c1"),
        balancers("DescribeLoadBalancers", "active"),
        tagged("elbv2.k8s.aws/cluster", "other"),
        empty,
    ]);
    let call = call("elbv2.wait_load_balancers_deleted").unwrap();
    let input = json!({ "tags": { "elbv2.k8s.aws/cluster": "c1" } });
    let mut done = Vec::new();
    for _ in 0..3 {
        done.push(call.call(&wire.clients, &sent(&input, &tags())).await.unwrap()["done"] == true);
    }
    assert_eq!(done, [false, true, true]);
    assert_eq!(wire.seen()[1].form()["ResourceArns.member.1"], ARN);
}

#[tokio::test]
async fn a_listener_carries_its_action_and_certificate() {
    let wire = Wire::answering([xml_answer(
        "<CreateListenerResponse><CreateListenerResult><Listeners><member><ListenerArn>arn:l</ListenerArn><Port>443</Port>\
         <Protocol>TLS</Protocol></member></Listeners></CreateListenerResult></CreateListenerResponse>",
    )]);
    let input = json!({
        "load_balancer_arn": ARN, "port": 443, "protocol": "TLS", "certificates": [{ "certificate_arn": "arn:c" }],
        "default_actions": [{ "type": "forward", "target_group_arn": "arn:t" }],
    });
    let made = driver("elbv2.listener").unwrap().create(&wire.clients, &sent(&input, &tags())).await.unwrap();
    assert_eq!((&made["id"], &made["port"]), (&json!("arn:l"), &json!(443)));
    let form = wire.seen()[0].form();
    assert_eq!(form["Certificates.member.1.CertificateArn"], "arn:c");
    assert_eq!(
        (form["DefaultActions.member.1.Type"].as_str(), form["DefaultActions.member.1.TargetGroupArn"].as_str()),
        ("forward", "arn:t")
    );
}

#[tokio::test]
async fn a_target_group_in_use_is_blocked() {
    let wire = Wire::answering([refused("ResourceInUse"), refused("TargetGroupNotFound")]);
    let call = call("elbv2.delete_target_group").unwrap();
    let input = json!({ "target_group_arn": "arn:t" });
    let ask = async || call.call(&wire.clients, &sent(&input, &tags())).await.unwrap_err().class;
    assert_eq!((ask().await, ask().await), (Class::Blocked, Class::NotFound));
}
