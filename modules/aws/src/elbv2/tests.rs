//! Load balancers of our own, and the reads.

use serde_json::{Value, json};

use crate::testing::{Lab, code, text};

fn balancer(lab: &Lab) -> (Value, String) {
    let (vpc, subnets) = lab.network(&["us-east-1a", "us-east-1b"]);
    let made = lab.make(
        "elbv2.create_load_balancer",
        json!({ "name": "web", "subnets": subnets, "scheme": "internal", "type": "network" }),
    );
    (made, vpc)
}

#[test]
fn a_load_balancer_is_made_listed_and_deleted() {
    let lab = Lab::new();
    let (made, vpc) = balancer(&lab);
    assert_eq!((text(&made, "state.code").as_str(), text(&made, "vpc_id")), ("active", vpc.clone()));
    assert!(
        text(&made, "dns_name").starts_with("internal-web-")
            && text(&made, "dns_name").ends_with(".elb.us-east-1.amazonaws.com")
    );

    let list = |input: Value| {
        lab.call("elbv2.describe_load_balancers", input).map(|o| o["load_balancers"].as_array().unwrap().len())
    };
    assert_eq!(list(json!({ "vpc_id": vpc })), Ok(1));
    assert_eq!(list(json!({ "vpc_id": "vpc-9" })), Ok(0));
    assert_eq!(list(json!({ "tags": { "Name": "other" } })), Ok(0));
    assert_eq!(code(list(json!({ "names": ["other"] }))), "LoadBalancerNotFound");
    let again = json!({ "name": "web", "subnets": [made["availability_zones"][0]["subnet_id"]], "type": "network" });
    assert_eq!(code(lab.call("elbv2.create_load_balancer", again)), "DuplicateLoadBalancerName");

    let subnet = text(&made["availability_zones"][0], "subnet_id");
    let arn = text(&made, "load_balancer_arn");
    lab.delete("elbv2.load_balancer", json!({ "load_balancer_arn": arn })).unwrap();
    assert_eq!(
        code(lab.delete("ec2.subnet", json!({ "subnet_id": subnet }))),
        "DependencyViolation",
        "its interface lingers"
    );
    lab.pass(40);
    lab.delete("ec2.subnet", json!({ "subnet_id": subnet })).unwrap();
}

#[test]
fn a_target_group_stands_while_a_listener_sends_to_it() {
    let lab = Lab::new();
    let (made, vpc) = balancer(&lab);
    let group = json!({ "name": "web", "protocol": "TCP", "port": 8080, "vpc_id": vpc, "target_type": "ip" });
    let group = lab.make("elbv2.create_target_group", group);
    let arn = text(&group, "target_group_arn");
    let listener = |port: i64, to: &str| {
        json!({
            "load_balancer_arn": made["load_balancer_arn"], "port": port, "protocol": "TCP",
            "default_actions": [{ "type": "forward", "target_group_arn": to }],
        })
    };
    assert_eq!(code(lab.call("elbv2.create_listener", listener(80, "arn:none"))), "TargetGroupNotFound");
    lab.make("elbv2.create_listener", listener(80, &arn));
    assert_eq!(code(lab.call("elbv2.create_listener", listener(80, &arn))), "DuplicateListener");
    let found =
        lab.call("elbv2.describe_listeners", json!({ "load_balancer_arn": made["load_balancer_arn"] })).unwrap();
    assert_eq!(found["listeners"][0]["port"], 80);
    assert_eq!(code(lab.call("elbv2.delete_target_group", json!({ "target_group_arn": arn }))), "ResourceInUse");
    lab.call("elbv2.delete_load_balancer", json!({ "load_balancer_arn": made["load_balancer_arn"] })).unwrap();
    lab.pass(10);
    lab.call("elbv2.delete_target_group", json!({ "target_group_arn": arn })).unwrap();
    assert_eq!(lab.read("elbv2.target_group", json!({ "target_group_arn": arn })), None);
}

#[test]
fn waits_say_what_they_wait_for() {
    let lab = Lab::new();
    let wait = |gone: bool, input: Value| {
        let name = if gone { "elbv2.wait_load_balancers_deleted" } else { "elbv2.wait_load_balancer_available" };
        let answer = lab.call(name, input).unwrap();
        (answer["done"] == true, text(&answer, "waiting_for"))
    };
    let none = json!({ "dns_name": "none.elb.amazonaws.com" });
    assert_eq!(wait(false, none.clone()), (false, "no load balancer yet".to_owned()));
    assert_eq!(wait(true, none), (true, String::new()));
    let (made, vpc) = balancer(&lab);
    assert!(wait(false, json!({ "dns_name": made["dns_name"] })).0);
    assert_eq!(wait(true, json!({ "vpc_id": vpc })), (false, "web stands".to_owned()));
}
