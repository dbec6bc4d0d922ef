//! The live path as far as it goes without AWS: what is refused, and that it is refused before anything is made.

use std::process::{Command, Output};

use crate::{
    canned::{CALLER, Canned, action},
    harness::Place,
};

const SCRIPT: &str = r#"const AWS = aws(#{ region: "us-east-1" });
step("vpc", || AWS.ec2.create_vpc(#{ name: "one", cidr_block: "10.0.0.0/16" }));
"#;

/// Comes to its chart only after a cluster.
const CHART: &str = r#"const AWS = aws(#{ region: "us-east-1" });
step("chart", || {
    let vpc = AWS.ec2.create_vpc(#{ name: "one", cidr_block: "10.0.0.0/16" });
    let subnets = [];
    for zone in ["a", "b"] {
        let cidr = cidr_subnet("10.0.0.0/16", 8, subnets.len());
        subnets.push(AWS.ec2.create_subnet(#{ vpc_id: vpc.id, availability_zone: `us-east-1${zone}`, cidr_block: cidr }).id);
    }
    let allow = #{ Effect: "Allow", Principal: #{ Service: "eks.amazonaws.com" }, Action: "sts:AssumeRole" };
    let trust = #{ Version: "2012-10-17", Statement: [allow] };
    let role = AWS.iam.create_role(#{ role_name: "one", assume_role_policy_document: trust });
    let cluster = AWS.eks.create_cluster(#{ name: "one", role_arn: role.arn, resources_vpc_config: #{ subnet_ids: subnets } });
    k8s(cluster).helm.upgrade_install(#{ release: "one", namespace: "default", chart: "oci://example.invalid/one" });
});
"#;

/// Knows the caller and nothing else.
fn only_the_caller(body: &str) -> (u16, String) {
    match action(body) {
        "GetCallerIdentity" => (200, CALLER.to_owned()),
        _ => (400, String::new()),
    }
}

fn live(place: &Place, server: &Canned, args: &[&str]) -> Command {
    let mut command = place.command(args);
    command.env("AWS_ENDPOINT_URL", &server.url).env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    command
}

fn refused(output: &Output, texts: &[&str]) {
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    for text in texts {
        assert!(err.contains(text), "no {text:?} in:\n{err}");
    }
}

/// No run stands in the state directory.
fn no_run(place: &Place) {
    assert_ne!(place.run(["show", "latest"]).code, 0, "a run was made");
}

fn place() -> Place {
    let place = Place::new();
    place.write("s.rhai", SCRIPT);
    place
}

#[test]
fn without_credentials_the_sandbox_is_named() {
    let (place, server) = (place(), Canned::new(only_the_caller));
    let mut command = place.command(["run", "s.rhai", "--yes"]);
    let output = command.env("AWS_ENDPOINT_URL", &server.url).output().expect("the program starts");
    refused(&output, &["RB0442", "--sandbox"]);
    assert!(server.bodies().is_empty(), "{:?}", server.actions());
    no_run(&place);
}

#[test]
fn without_a_terminal_nobody_said_yes() {
    let (place, server) = (place(), Canned::new(only_the_caller));
    let output = live(&place, &server, &["run", "s.rhai"]).output().expect("the program starts");
    refused(&output, &["RB0206", "--yes"]);
    assert!(server.actions().iter().all(|action| action == "GetCallerIdentity"), "{:?}", server.actions());
    no_run(&place);
}

fn trial(place: &Place, server: &Canned, clock: &str) -> Output {
    live(place, server, &["run", "s.rhai", "--yes"])
        .env("RUNBOOK_TEST_CLOCK", clock)
        .output()
        .expect("the program starts")
}

#[test]
fn a_test_clock_that_is_malformed_is_refused() {
    let (place, server) = (place(), Canned::new(only_the_caller));
    refused(&trial(&place, &server, "fast"), &["RB0446", "SPEED@MILLISECONDS"]);
    assert!(server.bodies().is_empty(), "{:?}", server.actions());
    no_run(&place);
}

#[test]
fn a_test_clock_is_only_for_this_machine() {
    let (place, server) = (place(), Canned::new(only_the_caller));
    let mut command = live(&place, &server, &["run", "s.rhai", "--yes"]);
    command.env("RUNBOOK_TEST_CLOCK", "10").env("AWS_ENDPOINT_URL_EC2", "http://ec2.invalid");
    refused(&command.output().expect("the program starts"), &["RB0446", "AWS_ENDPOINT_URL_EC2", "ec2.invalid"]);
    assert!(server.bodies().is_empty(), "{:?}", server.actions());
    no_run(&place);
}

#[test]
fn another_account_than_the_customers_is_refused() {
    let (place, server) = (place(), Canned::new(only_the_caller));
    place.write("c.yaml", "customer: other\naccount: \"999999999999\"\nregion: us-east-1\n");
    let args = ["run", "s.rhai", "--params", "c.yaml", "--yes"];
    refused(&live(&place, &server, &args).output().expect("the program starts"), &["RB0441"]);
    assert_eq!(server.actions(), ["GetCallerIdentity"]);
    no_run(&place);
}

#[test]
fn a_plan_opens_no_connection() {
    let (place, server) = (place(), Canned::new(only_the_caller));
    let output = live(&place, &server, &["plan", "s.rhai"]).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(server.bodies().is_empty(), "{:?}", server.actions());
}

#[test]
fn a_missing_helm_is_found_before_the_first_change() {
    let (place, server) = (place(), Canned::new(only_the_caller));
    place.write("h.rhai", CHART);
    let output = live(&place, &server, &["run", "h.rhai", "--yes"])
        .env("RUNBOOK_HELM", "/nonexistent/helm")
        .output()
        .expect("the program starts");
    refused(&output, &["RB0801", "/nonexistent/helm", "install Helm"]);
    assert!(server.actions().iter().all(|action| action == "GetCallerIdentity"), "{:?}", server.actions());
    no_run(&place);
}
