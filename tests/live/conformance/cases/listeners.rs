//! Target groups, and the listeners that send to them.

use serde_json::{Value, json};

use super::{
    certificates,
    load_balancers::{self, balancer, secure_listener},
};
use crate::conformance::{
    case::{Case, Other, holds, is, list, text},
    lab::Lab,
};

fn group(lab: &Lab, vpc: &Value) -> Value {
    json!({ "name": lab.name("web"), "protocol": "HTTP", "port": 8080, "vpc_id": vpc, "target_type": "ip" })
}

/// A target group in a new VPC.
fn alone(lab: &Lab) -> Result<Value, Other> {
    lab.make("elbv2.create_target_group", group(lab, &lab.vpc()?.into()))
}

/// A load balancer, a target group, and what a listener between them is made of.
fn asked(lab: &Lab) -> Result<(Value, Value, Value), Other> {
    let balancer = balancer(lab)?;
    let group = lab.make("elbv2.create_target_group", group(lab, &balancer["vpc_id"]))?;
    let input = forward(&balancer, &group["target_group_arn"]);
    Ok((balancer, group, input))
}

fn forward(balancer: &Value, group: &Value) -> Value {
    json!({
        "load_balancer_arn": balancer["load_balancer_arn"], "port": 80, "protocol": "HTTP",
        "default_actions": [{ "type": "forward", "target_group_arn": group }],
    })
}

fn at(group: &Value) -> Value {
    json!({ "target_group_arn": group["target_group_arn"] })
}

const NO_GROUP: &str = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/none/0123456789abcdef";

pub const CASES: &[Case] = &[
    Case {
        name: "a target group is described as it was made",
        aws: "its health is asked over HTTP at `/`, at the port of the traffic; no load balancer sends to it; the tags",
        page: "elbv2/CreateTargetGroup",
        run: |lab| {
            let made = alone(lab)?;
            is(&made, "health_check_protocol", "HTTP")?;
            is(&made, "health_check_path", "/")?;
            is(&made, "health_check_port", "traffic-port")?;
            holds(list(&made, "load_balancer_arns").is_empty(), "a load balancer")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a target group for TCP",
        aws: "of instances when nothing is said; its health is asked over TCP, at no path",
        page: "elbv2/CreateTargetGroup",
        run: |lab| {
            let input = json!({ "name": lab.name("web"), "protocol": "TCP", "port": 6379, "vpc_id": lab.vpc()? });
            let made = lab.make("elbv2.create_target_group", input)?;
            is(&made, "target_type", "instance")?;
            is(&made, "health_check_protocol", "TCP")?;
            holds(made["health_check_path"].is_null(), "a path")
        },
    },
    Case {
        name: "the same request for a target group",
        aws: "the same target group again",
        page: "elbv2/CreateTargetGroup",
        run: |lab| {
            let input = group(lab, &lab.vpc()?.into());
            lab.same_again("elbv2.create_target_group", input, "target_group_arn")
        },
    },
    Case {
        name: "another target group of the same name",
        aws: "`DuplicateTargetGroupName`",
        page: "elbv2/CreateTargetGroup",
        run: |lab| {
            let made = alone(lab)?;
            let mut input = group(lab, &made["vpc_id"]);
            input["port"] = 9090.into();
            lab.refused("elbv2.create_target_group", input, &["DuplicateTargetGroupName"])
        },
    },
    Case {
        name: "a target group in a VPC that does not exist",
        aws: "`InvalidConfigurationRequest`, or `ValidationError`",
        page: "elbv2/CreateTargetGroup",
        run: |lab| {
            let input = group(lab, &"vpc-0123456789abcdef0".into());
            lab.refused("elbv2.create_target_group", input, &["InvalidConfigurationRequest", "ValidationError"])
        },
    },
    Case {
        name: "the target groups of a load balancer",
        aws: "those that its listeners send to, with its ARN",
        page: "elbv2/DescribeTargetGroups",
        run: |lab| {
            let (balancer, group, input) = asked(lab)?;
            lab.make("elbv2.create_listener", input)?;
            let found = lab.call("elbv2.describe_target_groups", load_balancers::at(&balancer)).ok()?;
            holds(list(&found, "target_groups").len() == 1, "finds none, or others")?;
            is(&found, "target_groups.0.target_group_arn", group["target_group_arn"].clone())?;
            is(&found, "target_groups.0.load_balancer_arns", json!([balancer["load_balancer_arn"]]))
        },
    },
    Case {
        name: "a target group that does not exist is described",
        aws: "`TargetGroupNotFound`",
        page: "elbv2/DescribeTargetGroups",
        run: |lab| {
            let input = json!({ "names": [lab.name("none")] });
            lab.refused("elbv2.describe_target_groups", input, &["TargetGroupNotFound"])
        },
    },
    Case {
        name: "the health of a new target group",
        aws: "it has no targets",
        page: "elbv2/DescribeTargetHealth",
        run: |lab| {
            let found = lab.call("elbv2.describe_target_health", at(&alone(lab)?)).ok()?;
            holds(list(&found, "target_health_descriptions").is_empty(), "some")
        },
    },
    Case {
        name: "the health of a target group that does not exist",
        aws: "`TargetGroupNotFound`",
        page: "elbv2/DescribeTargetHealth",
        run: |lab| {
            let input = json!({ "target_group_arn": NO_GROUP });
            lab.refused("elbv2.describe_target_health", input, &["TargetGroupNotFound"])
        },
    },
    Case {
        name: "a target group is deleted twice",
        aws: "gone; the second time is no error",
        page: "elbv2/DeleteTargetGroup",
        run: |lab| lab.deleted_again("elbv2.target_group", at(&alone(lab)?)),
    },
    Case {
        name: "a target group that a listener sends to is deleted",
        aws: "`ResourceInUse`; accepted once the load balancer is gone",
        page: "elbv2/DeleteTargetGroup",
        run: |lab| {
            let (balancer, group, input) = asked(lab)?;
            lab.make("elbv2.create_listener", input)?;
            lab.call("elbv2.delete_target_group", at(&group)).refused(&["ResourceInUse"])?;
            lab.delete("elbv2.load_balancer", load_balancers::at(&balancer)).ok()?;
            lab.gone("elbv2.load_balancer", load_balancers::at(&balancer))?;
            lab.call("elbv2.delete_target_group", at(&group)).ok().map(|_| ())
        },
    },
    Case {
        name: "a listener is described as it was made",
        aws: "an ARN below its load balancer's, the tags; listed",
        page: "elbv2/CreateListener",
        run: |lab| {
            let (balancer, _, input) = asked(lab)?;
            let made = lab.make("elbv2.create_listener", input)?;
            let below = text(&balancer, "load_balancer_arn").replace(":loadbalancer/", ":listener/");
            holds(text(&made, "listener_arn").starts_with(&format!("{below}/")), "another ARN")?;
            lab.tagged(&made)?;
            let found = lab.call("elbv2.describe_listeners", load_balancers::at(&balancer)).ok()?;
            is(&found, "listeners.0.listener_arn", made["listener_arn"].clone())
        },
    },
    Case {
        name: "another listener at the same port",
        aws: "`DuplicateListener`",
        page: "elbv2/CreateListener",
        run: |lab| {
            let (_, _, mut input) = asked(lab)?;
            lab.make("elbv2.create_listener", input.clone())?;
            let redirect = json!({ "status_code": "HTTP_301", "port": "8443" });
            input["default_actions"] = json!([{ "type": "redirect", "redirect_config": redirect }]);
            lab.refused("elbv2.create_listener", input, &["DuplicateListener"])
        },
    },
    Case {
        name: "a listener of a load balancer that does not exist",
        aws: "`LoadBalancerNotFound`",
        page: "elbv2/CreateListener",
        run: |lab| {
            let none = json!({ "load_balancer_arn": load_balancers::NOT_THERE });
            let input = forward(&none, &alone(lab)?["target_group_arn"]);
            lab.refused("elbv2.create_listener", input, &["LoadBalancerNotFound"])
        },
    },
    Case {
        name: "a listener that sends to a target group that does not exist",
        aws: "`TargetGroupNotFound`",
        page: "elbv2/CreateListener",
        run: |lab| {
            let input = forward(&balancer(lab)?, &NO_GROUP.into());
            lab.refused("elbv2.create_listener", input, &["TargetGroupNotFound"])
        },
    },
    Case {
        name: "a target group of two load balancers",
        aws: "`TargetGroupAssociationLimit`: it belongs to one",
        page: "elbv2/CreateListener",
        run: |lab| {
            let (first, group, input) = asked(lab)?;
            lab.make("elbv2.create_listener", input)?;
            let subnets: Vec<Value> =
                list(&first, "availability_zones").iter().map(|zone| zone["subnet_id"].clone()).collect();
            let second = json!({ "name": lab.name("api"), "subnets": subnets, "scheme": "internal" });
            let second = lab.make("elbv2.create_load_balancer", second)?;
            let input = forward(&second, &group["target_group_arn"]);
            lab.refused("elbv2.create_listener", input, &["TargetGroupAssociationLimit"])
        },
    },
    Case {
        name: "a listener with a certificate that does not exist",
        aws: "`CertificateNotFound`",
        page: "elbv2/CreateListener",
        run: |lab| {
            let input = secure_listener(&balancer(lab)?, &certificates::NOT_THERE.into());
            lab.refused("elbv2.create_listener", input, &["CertificateNotFound"])
        },
    },
    Case {
        name: "the listeners of a load balancer that does not exist",
        aws: "`LoadBalancerNotFound`",
        page: "elbv2/DescribeListeners",
        run: |lab| {
            let input = json!({ "load_balancer_arn": load_balancers::NOT_THERE });
            lab.refused("elbv2.describe_listeners", input, &["LoadBalancerNotFound"])
        },
    },
    Case {
        name: "a listener is deleted twice",
        aws: "`ListenerNotFound`; its target group can then be deleted",
        page: "elbv2/DeleteListener",
        run: |lab| {
            let (_, group, input) = asked(lab)?;
            let made = lab.make("elbv2.create_listener", input)?;
            let own = json!({ "listener_arn": made["listener_arn"] });
            lab.deleted_twice("elbv2.listener", own, &["ListenerNotFound"])?;
            lab.delete("elbv2.target_group", at(&group)).ok()
        },
    },
    Case {
        name: "the listeners of a load balancer that is deleted",
        aws: "they go with it",
        page: "elbv2/DeleteLoadBalancer",
        run: |lab| {
            let (balancer, _, input) = asked(lab)?;
            let made = lab.make("elbv2.create_listener", input)?;
            lab.delete("elbv2.load_balancer", load_balancers::at(&balancer)).ok()?;
            lab.gone("elbv2.listener", json!({ "listener_arn": made["listener_arn"] }))
        },
    },
];
