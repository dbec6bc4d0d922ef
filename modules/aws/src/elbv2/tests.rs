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
    let another = lab.with_token(&"e".repeat(64), "elbv2.create_listener", listener(80, &arn));
    assert_eq!(code(another), "DuplicateListener");
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

#[test]
fn the_same_request_is_answered_with_what_stands() {
    let lab = Lab::new();
    let (vpc, subnets) = lab.network(&["us-east-1a", "us-east-1b"]);
    let token = "f".repeat(64);
    let group = json!({ "name": "web", "protocol": "HTTP", "port": 80, "vpc_id": vpc });
    let input = json!({ "name": "web", "subnets": subnets });
    for (function, input) in [("elbv2.create_target_group", group), ("elbv2.create_load_balancer", input)] {
        let first = lab.with_token(&token, function, input.clone()).unwrap();
        assert_eq!(lab.with_token(&token, function, input.clone()).unwrap()["arn"], first["arn"]);
        assert!(code(lab.call(function, input)).starts_with("Duplicate"), "others' tags");
    }
}

#[test]
fn what_the_service_refuses_of_a_load_balancer() {
    let lab = Lab::new();
    let (_, subnets) = lab.network(&["us-east-1a", "us-east-1a"]);
    let named = |name: &str| json!({ "name": name, "subnets": subnets });
    assert_eq!(code(lab.call("elbv2.create_load_balancer", named("web"))), "InvalidConfigurationRequest");
    assert_eq!(code(lab.call("elbv2.create_load_balancer", named("internal-web"))), "ValidationError");
    let none = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/none/1";
    let balancer = json!({ "load_balancer_arn": none });
    assert_eq!(code(lab.call("elbv2.describe_listeners", balancer.clone())), "LoadBalancerNotFound");
    for (noun, wanted) in [("loadbalancer", "LoadBalancer"), ("targetgroup", "TargetGroup"), ("listener", "Listener")] {
        let arns = json!({ "resource_arns": [none.replace(":loadbalancer/", &format!(":{noun}/"))] });
        assert_eq!(code(lab.call("elbv2.describe_tags", arns)), format!("{wanted}NotFound"));
    }
    lab.delete("elbv2.load_balancer", balancer).unwrap();
    lab.delete("elbv2.target_group", json!({ "target_group_arn": none })).unwrap();
}

#[test]
fn a_target_group_belongs_to_one_load_balancer_as_long_as_a_listener_sends_to_it() {
    let lab = Lab::new();
    let (vpc, subnets) = lab.network(&["us-east-1a", "us-east-1b"]);
    let group = lab
        .make("elbv2.create_target_group", json!({ "name": "web", "protocol": "HTTPS", "port": 443, "vpc_id": vpc }));
    assert_eq!((&group["health_check_protocol"], &group["health_check_path"]), (&json!("HTTP"), &json!("/")));
    let arn = group["target_group_arn"].clone();
    let balancer = |name: &str| {
        lab.make("elbv2.create_load_balancer", json!({ "name": name, "subnets": subnets }))["load_balancer_arn"].clone()
    };
    let (first, second) = (balancer("first"), balancer("second"));
    let listener = |balancer: &Value| {
        let action = json!({ "type": "forward", "target_group_arn": arn });
        json!({ "load_balancer_arn": balancer, "port": 80, "protocol": "HTTP", "default_actions": [action] })
    };
    let senders =
        || lab.read("elbv2.target_group", json!({ "target_group_arn": arn })).unwrap()["load_balancer_arns"].clone();
    let made = lab.make("elbv2.create_listener", listener(&first));
    assert_eq!(senders(), json!([first]));
    assert_eq!(code(lab.call("elbv2.create_listener", listener(&second))), "TargetGroupAssociationLimit");
    lab.delete("elbv2.listener", json!({ "listener_arn": made["listener_arn"] })).unwrap();
    lab.make("elbv2.create_listener", listener(&second));
    lab.delete("elbv2.load_balancer", json!({ "load_balancer_arn": second })).unwrap();
    assert_eq!(senders(), json!([]));
}
