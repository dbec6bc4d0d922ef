//! Load balancers.

use std::time::Duration;

use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, Other, Seen, holds, is, list, other, text},
    lab::Lab,
};

/// What an application load balancer inside a new VPC is made of.
fn asked(lab: &Lab) -> Result<Value, Other> {
    let vpc = lab.vpc()?;
    let subnets = [lab.subnet(&vpc, 1, 'a')?, lab.subnet(&vpc, 2, 'b')?];
    Ok(json!({ "name": lab.name("web"), "subnets": subnets, "scheme": "internal" }))
}

/// A load balancer of this case's own.
pub fn balancer(lab: &Lab) -> Result<Value, Other> {
    lab.make("elbv2.create_load_balancer", asked(lab)?)
}

/// A listener for HTTPS that sends everybody to another port.
pub fn secure_listener(balancer: &Value, certificate: &Value) -> Value {
    let redirect = json!({ "status_code": "HTTP_301", "port": "8443" });
    json!({
        "load_balancer_arn": balancer["load_balancer_arn"], "port": 443, "protocol": "HTTPS",
        "certificates": [{ "certificate_arn": certificate }],
        "default_actions": [{ "type": "redirect", "redirect_config": redirect }],
    })
}

/// The locator of one.
pub fn at(balancer: &Value) -> Value {
    json!({ "load_balancer_arn": balancer["load_balancer_arn"] })
}

/// One that is refused because of one field.
fn refused(lab: &Lab, field: &str, value: Value, codes: &[&str]) -> Seen {
    let mut input = asked(lab)?;
    input[field] = value;
    lab.refused("elbv2.create_load_balancer", input, codes)
}

/// A load balancer that does not exist.
pub const NOT_THERE: &str =
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/none/0123456789abcdef";

pub const CASES: &[Case] = &[
    Case {
        name: "a load balancer is described as it was made",
        aws: "`active` in the end; for HTTP, over IPv4 when nothing is said; a DNS name, its VPC and zones; the tags",
        page: "elbv2/CreateLoadBalancer",
        run: |lab| {
            let made = balancer(lab)?;
            is(&made, "state.code", "active")?;
            is(&made, "type", "application")?;
            is(&made, "ip_address_type", "ipv4")?;
            is(&made, "scheme", "internal")?;
            holds(text(&made, "dns_name").starts_with(&format!("internal-{}-", lab.name("web"))), "another DNS name")?;
            holds(!text(&made, "canonical_hosted_zone_id").is_empty(), "no hosted zone")?;
            holds(text(&made, "vpc_id").starts_with("vpc-"), "no VPC")?;
            is(&made, "availability_zones.1.zone_name", "us-east-1b")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a load balancer is provisioning at first",
        aws: "the answer says `provisioning`",
        page: "elbv2/LoadBalancerState",
        run: |lab| is(&lab.call("elbv2.create_load_balancer", asked(lab)?).ok()?, "state.code", "provisioning"),
    },
    Case {
        name: "a load balancer for TCP, seen from the internet",
        aws: "`network`; internet-facing when nothing is said",
        page: "elbv2/CreateLoadBalancer",
        run: |lab| {
            let vpc = lab.vpc()?;
            lab.gateway(&vpc)?;
            let input = json!({ "name": lab.name("web"), "subnets": [lab.subnet(&vpc, 1, 'a')?], "type": "network" });
            let made = lab.make("elbv2.create_load_balancer", input)?;
            is(&made, "type", "network")?;
            is(&made, "scheme", "internet-facing")?;
            holds(!text(&made, "dns_name").starts_with("internal-"), "another DNS name")
        },
    },
    Case {
        name: "the same request for a load balancer",
        aws: "the same load balancer again",
        page: "elbv2/CreateLoadBalancer",
        run: |lab| lab.same_again("elbv2.create_load_balancer", asked(lab)?, "load_balancer_arn"),
    },
    Case {
        name: "another load balancer of the same name",
        aws: "`DuplicateLoadBalancerName`",
        page: "elbv2/CreateLoadBalancer",
        run: |lab| {
            balancer(lab)?;
            refused(lab, "type", "network".into(), &["DuplicateLoadBalancerName"])
        },
    },
    Case {
        name: "a load balancer in two subnets of one zone",
        aws: "`InvalidConfigurationRequest`",
        page: "elbv2/CreateLoadBalancer",
        run: |lab| {
            let vpc = lab.vpc()?;
            let subnets = [lab.subnet(&vpc, 1, 'a')?, lab.subnet(&vpc, 2, 'a')?];
            let input = json!({ "name": lab.name("web"), "subnets": subnets, "scheme": "internal" });
            lab.refused("elbv2.create_load_balancer", input, &["InvalidConfigurationRequest"])
        },
    },
    Case {
        name: "a load balancer in subnets that do not exist",
        aws: "`SubnetNotFound`, or `InvalidSubnet`",
        page: "elbv2/CreateLoadBalancer",
        run: |lab| {
            let subnets = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"];
            refused(lab, "subnets", json!(subnets), &["SubnetNotFound", "InvalidSubnet"])
        },
    },
    Case {
        name: "a load balancer with a security group that does not exist",
        aws: "`InvalidSecurityGroup`",
        page: "elbv2/CreateLoadBalancer",
        run: |lab| refused(lab, "security_groups", json!(["sg-0123456789abcdef0"]), &["InvalidSecurityGroup"]),
    },
    Case {
        name: "a load balancer whose name begins with internal-",
        aws: "`ValidationError`",
        page: "elbv2/CreateLoadBalancer",
        run: |lab| refused(lab, "name", "internal-web".into(), &["ValidationError"]),
    },
    Case {
        name: "load balancers by name",
        aws: "those named",
        page: "elbv2/DescribeLoadBalancers",
        run: |lab| {
            let made = balancer(lab)?;
            let found = lab.call("elbv2.describe_load_balancers", json!({ "names": [lab.name("web")] })).ok()?;
            holds(list(&found, "load_balancers").len() == 1, "finds others")?;
            is(&found, "load_balancers.0.load_balancer_arn", made["load_balancer_arn"].clone())
        },
    },
    Case {
        name: "a load balancer that does not exist is described",
        aws: "`LoadBalancerNotFound`",
        page: "elbv2/DescribeLoadBalancers",
        run: |lab| {
            let input = json!({ "load_balancer_arns": [NOT_THERE] });
            lab.refused("elbv2.describe_load_balancers", input, &["LoadBalancerNotFound"])
        },
    },
    Case {
        name: "the tags of a load balancer",
        aws: "those of the request",
        page: "elbv2/DescribeTags",
        run: |lab| {
            let made = balancer(lab)?;
            let input = json!({ "resource_arns": [made["load_balancer_arn"]] });
            let found = lab.call("elbv2.describe_tags", input).ok()?;
            is(&found, "tag_descriptions.0.tags.Name", "conformance")
        },
    },
    Case {
        name: "the tags of a load balancer that does not exist",
        aws: "`LoadBalancerNotFound`",
        page: "elbv2/DescribeTags",
        run: |lab| {
            lab.refused("elbv2.describe_tags", json!({ "resource_arns": [NOT_THERE] }), &["LoadBalancerNotFound"])
        },
    },
    Case {
        name: "a load balancer is waited for by its DNS name, then its end",
        aws: "it stands, then none does",
        page: "elbv2/DescribeLoadBalancers",
        run: |lab| {
            let made = balancer(lab)?;
            let which = json!({ "dns_name": made["dns_name"] });
            let found = lab.call("elbv2.wait_load_balancer_available", which.clone()).ok()?;
            is(&found, "load_balancers.0.load_balancer_arn", made["load_balancer_arn"].clone())?;
            is(&lab.call("elbv2.wait_load_balancers_deleted", which.clone()).ok()?, "done", false)?;
            lab.delete("elbv2.load_balancer", at(&made)).ok()?;
            lab.gone("elbv2.load_balancer", at(&made))?;
            is(&lab.call("elbv2.wait_load_balancers_deleted", which).ok()?, "done", true)
        },
    },
    Case {
        name: "a load balancer is deleted twice",
        aws: "gone; the second time is no error",
        page: "elbv2/DeleteLoadBalancer",
        run: |lab| lab.deleted_again("elbv2.load_balancer", at(&balancer(lab)?)),
    },
    Case {
        name: "a load balancer that a controller made is deleted",
        aws: "gone; its name can be used again",
        page: "elbv2/DeleteLoadBalancer",
        run: |lab| {
            let made = balancer(lab)?;
            lab.call("elbv2.delete_load_balancer", at(&made)).ok()?;
            lab.gone("elbv2.load_balancer", at(&made))?;
            balancer(lab).map(|_| ())
        },
    },
    Case {
        name: "the subnet of a load balancer is deleted",
        aws: "`DependencyViolation`; accepted some time after the load balancer's end",
        page: "elbv2/DeleteLoadBalancer",
        run: |lab| {
            let made = balancer(lab)?;
            let subnet = json!({ "subnet_id": made["availability_zones"][0]["subnet_id"] });
            lab.delete("ec2.subnet", subnet.clone()).refused(&["DependencyViolation"])?;
            lab.delete("elbv2.load_balancer", at(&made)).ok()?;
            for _ in 0..40 {
                lab.pass(Duration::from_secs(5));
                if lab.delete("ec2.subnet", subnet.clone()).result.is_ok() {
                    return Ok(());
                }
            }
            Err(other("the subnet is held for ever"))
        },
    },
];
