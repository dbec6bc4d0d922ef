//! The live path as far as it goes without AWS: what is refused, and that it is refused before anything is made.

use std::{
    process::{Command, Output},
    sync::atomic::{AtomicUsize, Ordering},
};

use crate::{
    canned::{CALLER, Canned, action},
    harness::Place,
    trials::scanner::Sinks,
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

/// Breaks when something is to be made, and never shows anything.
fn breaking(body: &str) -> (u16, String) {
    match action(body) {
        "CreateVpc" => {
            let error = "<Error><Code>InternalError</Code><Message>broken</Message></Error>";
            (500, format!("<Response><Errors>{error}</Errors><RequestID>1</RequestID></Response>"))
        }
        "DescribeVpcs" => (200, "<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>".to_owned()),
        _ => only_the_caller(body),
    }
}

/// The SDK sends by itself what was answered so, unless that is switched off: then something would be made twice that nobody looked for.
#[test]
fn a_creation_without_an_answer_is_looked_for_before_it_is_sent_again() {
    let (place, server) = (place(), Canned::new(breaking));
    let output = live(&place, &server, &["run", "s.rhai", "--yes"])
        .env("RUNBOOK_TEST_CLOCK", "1000")
        .output()
        .expect("the program starts");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && err.contains("RB0411") && err.contains("nothing was made"), "{err}");
    let actions = server.actions();
    let sent = actions.iter().filter(|action| *action == "CreateVpc").count();
    assert!(sent > 1, "it was sent {sent} times: {actions:?}\n{err}");
    let at_once = actions.windows(2).any(|two| two.iter().all(|action| action == "CreateVpc"));
    assert!(!at_once, "{actions:?}\n{err}");
}

#[test]
fn a_target_that_is_busy_is_asked_again_who_it_is() {
    let asked = AtomicUsize::new(0);
    let busy = move |body: &str| match action(body) {
        "GetCallerIdentity" if asked.fetch_add(1, Ordering::Relaxed) % 3 < 2 => (503, "<html>busy</html>".to_owned()),
        _ => only_the_caller(body),
    };
    let (place, server) = (place(), Canned::new(busy));
    let err = String::from_utf8_lossy(&trial(&place, &server, "1000").stderr).into_owned();
    assert!(server.actions().contains(&"CreateVpc".to_owned()), "{:?}\n{err}", server.actions());
}

#[test]
fn what_a_proxy_answers_instead_is_told_in_a_line() {
    let (place, server) = (place(), Canned::new(|_: &str| (502, "<html>\n  Bad Gateway\n</html>".to_owned())));
    let output = trial(&place, &server, "1000");
    refused(&output, &["RB0431", "Http502", "none of AWS's: <html> Bad Gateway </html>"]);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(!err.contains("ServiceError") && !err.contains("sso"), "{err}");
    assert_eq!(server.actions().len(), 5);
    no_run(&place);
}

/// What the SDK sends holds the values of secrets, and what is answered may hold them again.
const SECRETIVE: &str = r#"const P = params(#{ password: secret() });
const AWS = aws(#{ region: "us-east-1" });
step("vpc", || AWS.ec2.create_vpc(#{ name: "one", cidr_block: "10.0.0.0/16", tags: #{ Password: P.password + "" } }));
"#;

/// Refuses everything, and says why in the caller's own words.
fn echoing(body: &str) -> (u16, String) {
    match action(body) {
        "GetCallerIdentity" => (200, CALLER.to_owned()),
        _ => {
            let words: String = body.split('&').filter_map(|pair| pair.split_once('=')).map(|(_, word)| word).collect();
            let error = format!("<Error><Code>InvalidParameterValue</Code><Message>{words}</Message></Error>");
            (400, format!("<Response><Errors>{error}</Errors><RequestID>1</RequestID></Response>"))
        }
    }
}

#[test]
fn a_live_run_at_its_most_talkative_writes_no_secret() {
    let (place, server) = (place(), Canned::new(echoing));
    place.write("s.rhai", SECRETIVE);
    let canaries = ["Cnry7f3a9c0eParameter", "Cnry7f3a9c0eAccessKey", "Cnry7f3a9c0eSessionToken"].map(str::to_owned);
    let password = format!("password={}", canaries[0]);
    let mut sinks = Sinks::default();
    for args in [&["run", "s.rhai", "--yes", "-p", &password][..], &["resume", "latest"], &["undo", "latest", "--yes"]]
    {
        let mut command = live(&place, &server, args);
        command.env("AWS_SECRET_ACCESS_KEY", &canaries[1]).env("AWS_SESSION_TOKEN", &canaries[2]);
        let output =
            command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full").output().expect("the program starts");
        sinks.add(format!("{args:?}: standard output"), output.stdout);
        sinks.add(format!("{args:?}: standard error"), output.stderr);
    }
    assert!(server.bodies().iter().any(|body| body.contains(&canaries[0])), "it was never sent: {:?}", server.bodies());
    sinks.add_folder(place.root());
    let hits = sinks.hits(&canaries);
    assert!(hits.is_empty(), "{}", hits.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
}
