//! The account's quotas: a run for which they leave too little room ends before it has made anything.

use serde_json::json;

use crate::{harness::Place, redis_ha::world, sre_platform::rehearsed_otherwise};

const REDUCTO: [&str; 4] = ["-p", "reducto_host=reducto.example.com", "-p", "acme_email=ops@example.com"];

/// A runbook's run with more objects given.
fn run(place: &Place, runbook: &str, given: &str, code: i32) -> String {
    let has = runbook != "redis-ha";
    let (text, otherwise) = match has {
        true => ("given:\n", format!("given:\n{given}")),
        false => ("answers:\n", format!("given:\n{given}\nanswers:\n")),
    };
    rehearsed_otherwise(place, runbook, text, &otherwise);
    let script = format!("{runbook}.rhai");
    let more = if runbook == "reducto" { &REDUCTO[..] } else { &[] };
    let arguments = ["run", script.as_str(), "--sandbox", "--speed", "0"];
    place.expect(code, arguments.iter().chain(more).copied()).err
}

fn quota(id: &str, body: &str) -> String {
    format!("  - {{ kind: servicequotas.quota, id: {id}, body: {{ {body} }} }}\n")
}

#[test]
fn too_small_a_quota_ends_the_run_before_it_has_made_anything() {
    for (runbook, id, value, why) in [
        (
            "redis-ha",
            "vpc/L-F678F1CE",
            1,
            "\"VPCs per Region\" (vpc/L-F678F1CE) is 1 in us-east-1, 0 are in use and 2 are needed",
        ),
        ("redis-ha", "vpc/L-FE5A380F", 1, "(vpc/L-FE5A380F) is 1 in us-east-1a, 0 are in use and 2 are needed"),
        ("openremote", "ec2/L-1216C47A", 1, "is 1 in eu-west-1, 0 are in use and 4 are needed"),
        ("openremote", "elasticloadbalancing/L-69A177A2", 0, "\"Network Load Balancers per Region\""),
        (
            "reducto",
            "ec2/L-0263D0A3",
            1,
            "\"EC2-VPC Elastic IPs\" (ec2/L-0263D0A3) is 1 in us-east-1, 0 are in use and 3 are needed",
        ),
        ("reducto", "rds/L-7B6409FD", 0, "\"DB instances\" (rds/L-7B6409FD) is 0"),
        ("sre-platform", "ec2/L-1216C47A", 1, "is 1 in eu-south-1, 0 are in use and 16 are needed"),
    ] {
        let place = Place::new();
        let said = run(&place, runbook, &quota(id, &format!("value: {value}")), 1);
        let page = format!("console.aws.amazon.com/servicequotas/home/services/{}", id.replace('/', "/quotas/"));
        for text in [why, page.as_str(), "preflight/quotas"] {
            assert!(said.contains(text), "{runbook}: no {text:?} in:\n{said}");
        }
        assert_eq!(world(&place)["calls"], json!([]), "{runbook}");
    }
}

/// What stands in an account and counts, and what does not.
const BUSY: &str = r#"
  - { each: 8, kind: ec2.instance, id: "i-0busy${each}", place: us-east-1, state: running, body: { instance_type: c6i.8xlarge, state: { name: running } } }
  - { kind: ec2.instance, id: i-0spot, place: us-east-1, state: running, body: { instance_type: c6i.8xlarge, instance_lifecycle: spot, state: { name: running } } }
  - { kind: ec2.instance, id: i-0other, place: us-east-1, state: running, body: { instance_type: g5.xlarge, state: { name: running } } }
  - { each: 4, kind: ec2.address, id: "eipalloc-0busy${each}", place: us-east-1, body: { public_ipv4_pool: amazon } }
  - { kind: ec2.address, id: eipalloc-0own, place: us-east-1, body: { public_ipv4_pool: ipv4pool-ec2-0own } }
  - { each: 5, kind: ec2.vpc, id: "vpc-0busy${each}", place: us-east-1, body: { owner_id: "${account}" } }
  - { each: 9, kind: ec2.vpc, id: "vpc-0shared${each}", place: us-east-1, body: { owner_id: "999999999999" } }
  - { kind: ec2.subnet, id: subnet-0busy, place: us-east-1, body: { availability_zone: us-east-1a } }
  - { each: 5, kind: ec2.nat_gateway, id: "nat-0busy${each}", place: us-east-1, state: available, body: { subnet_id: subnet-0busy } }
  - { each: 50, kind: elbv2.load_balancer, id: "arn:aws:elasticloadbalancing:${each}", place: us-east-1, body: { type: network } }
  - { each: 60, kind: elbv2.load_balancer, id: "arn:aws:elasticloadbalancing:web-${each}", place: us-east-1, body: { type: application } }
  - { each: 40, kind: rds.db_instance, id: "busy-${each}", place: us-east-1, body: { db_instance_identifier: "busy-${each}" } }
"#;

#[test]
fn what_others_use_is_not_free() {
    let place = Place::new();
    let said = run(&place, "reducto", BUSY, 1);
    for text in [
        "(ec2/L-1216C47A) is 256 in us-east-1, 256 are in use and 8 are needed",
        "(ec2/L-0263D0A3) is 5 in us-east-1, 4 are in use and 3 are needed",
        "(vpc/L-F678F1CE) is 5 in us-east-1, 5 are in use and 1 are needed",
        "(vpc/L-FE5A380F) is 5 in us-east-1a, 5 are in use and 1 are needed",
        "(elasticloadbalancing/L-69A177A2) is 50 in us-east-1, 50 are in use and 1 are needed",
        "(rds/L-7B6409FD) is 40 in us-east-1, 40 are in use and 1 are needed",
    ] {
        assert!(said.contains(text), "no {text:?} in:\n{said}");
    }
    assert!(!said.contains("not checked") && !said.contains("in us-east-1b"), "{said}");
    assert_eq!(world(&place)["calls"], json!([]));
}

#[test]
fn who_may_not_ask_goes_on_with_a_word() {
    let place = Place::new();
    let denied = quota("ec2/L-0263D0A3", "error: AccessDeniedException");
    let said = run(&place, "openremote", &denied, 0);
    let why = "quotas not checked: Service Quotas refused GetServiceQuota: AccessDeniedException";
    assert!(said.contains(why), "{said}");
    assert_eq!(said.matches("not checked").count(), 1, "said once: {said}");
}

#[test]
fn a_quota_that_aws_does_not_tell_hides_no_other() {
    let place = Place::new();
    let unknown = quota("ec2/L-0263D0A3", "error: NoSuchResourceException");
    let said = run(&place, "redis-ha", &(unknown + &quota("vpc/L-F678F1CE", "value: 1")), 1);
    assert!(said.contains("quota ec2/L-0263D0A3 not checked") && said.contains("(vpc/L-F678F1CE) is 1"), "{said}");
    assert_eq!(world(&place)["calls"], json!([]));
}
