//! Whose credentials a run uses, what happens when they end in the middle of it, and who may go on. The built program against moto,
//! with a gate between them that can refuse a key.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpStream,
    process::Command,
};

use runbook_testbed::{emulators::Moto, tools};

use crate::{
    gate::Gate,
    harness::{Place, Said, said},
};

const NETWORK: &str = r#"const AWS = aws(#{ region: "us-east-1" });
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ name: "one", cidr_block: "10.0.0.0/16" }));
parallel(#{
    a: || step("subnet", || AWS.ec2.create_subnet(#{ name: "a", vpc_id: vpc.id, cidr_block: "10.0.1.0/24" })),
    b: || step("gateway", || AWS.ec2.create_internet_gateway(#{ name: "b" })),
});
step("second", || AWS.ec2.create_vpc(#{ name: "two", cidr_block: "10.1.0.0/16" }));
"#;
const VPC: &str = r#"const AWS = aws(#{ region: "us-east-1" });
step("vpc", || AWS.ec2.create_vpc(#{ name: "one", cidr_block: "10.0.0.0/16" }));
"#;
const PARKED: i32 = 10;

/// moto with a gate before it, and a place to work in.
struct Bed {
    place: Place,
    gate: Gate,
    moto: Moto,
    environment: BTreeMap<String, String>,
}

impl Bed {
    /// None, said loudly, where the testbed's programs are missing.
    fn new(script: &str) -> Option<Self> {
        let moto = Moto::start(&tools::require()?).expect("moto starts");
        let gate = Gate::before(moto.url().trim_start_matches("http://"));
        let place = Place::new();
        place.write("s.rhai", script);
        let environment = BTreeMap::from([("AWS_ENDPOINT_URL".to_owned(), gate.url.clone())]);
        Some(Self { place, gate, moto, environment }.with_key("AKIAFIRST"))
    }

    /// The same with a key in the environment.
    fn with_key(mut self, key: &str) -> Self {
        self.key(key);
        self
    }

    fn key(&mut self, key: &str) {
        self.set("AWS_ACCESS_KEY_ID", key);
        self.set("AWS_SECRET_ACCESS_KEY", "secret");
    }

    fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// No key in the environment, but these configuration files.
    fn configured(&mut self, config: &str) {
        self.environment.retain(|name, _| !name.contains("ACCESS_KEY"));
        let folder = self.place.root().join("home/.aws");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("config"), config).expect("a file");
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.place.command(args);
        command.envs(&self.environment);
        command
    }

    fn expect(&self, code: i32, args: &[&str]) -> Said {
        let said = said(self.command(args).output().expect("the program starts"));
        assert_eq!(said.code, code, "{args:?}\nstdout:\n{}\nstderr:\n{}", said.out, said.err);
        said
    }

    /// What the run made, by moto's own inventory of an account: the names of its VPCs, subnets and gateways.
    fn standing(&self, account: &str) -> Vec<String> {
        let mut names = Vec::new();
        for (action, item) in [
            ("DescribeVpcs", "vpcId"),
            ("DescribeSubnets", "subnetId"),
            ("DescribeInternetGateways", "internetGatewayId"),
        ] {
            let answer = ask(&self.moto.url(), account, action);
            for part in
                answer.split(&format!("<{item}>")).skip(1).filter(|part| part.contains("<key>runbook:run</key>"))
            {
                let name = part.split("<key>Name</key>").nth(1).and_then(|rest| rest.split("<value>").nth(1));
                names.push(name.and_then(|rest| rest.split('<').next()).unwrap_or_default().to_owned());
            }
        }
        names.sort();
        names
    }
}

/// Asks moto itself, past the gate.
fn ask(url: &str, account: &str, action: &str) -> String {
    let host = url.trim_start_matches("http://");
    let body = format!("Action={action}&Version=2016-11-15");
    let mut stream = TcpStream::connect(host).expect("moto");
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0\r\n\
         x-moto-account-id: {account}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

const ACCOUNT: &str = runbook_testbed::emulators::ACCOUNT;
const ALL: [&str; 4] = ["a", "b", "one", "two"];

fn has(said: &Said, texts: &[&str]) {
    for text in texts {
        assert!(said.err.contains(text), "no {text:?} in:\n{}", said.err);
    }
}

#[test]
fn expired_at_any_call_the_run_parks_and_goes_on_with_fresh_credentials() {
    let mut cut = 0;
    loop {
        let Some(mut bed) = Bed::new(NETWORK) else { return };
        cut += 1;
        bed.gate.refuse_after("AKIAFIRST", cut, "ExpiredToken");
        let run = said(bed.command(&["run", "s.rhai", "--yes"]).output().expect("the program starts"));
        if run.code == 0 {
            assert!(bed.gate.calls().iter().all(|call| !call.refused));
            break;
        }
        assert_eq!(run.code, PARKED, "call {cut}: {}", run.err);
        has(
            &run,
            &[
                "RB0403",
                "arn:aws:sts::123456789012:user/moto",
                "they last worked at",
                "ExpiredToken",
                "nothing is lost",
            ],
        );
        assert!(run.err.trim_end().lines().any(|line| line.contains("next") && line.contains("runbook resume ")));
        let before = bed.standing(ACCOUNT);
        // With the same ones nothing is sent, and nothing is lost.
        bed.gate.calls();
        has(&bed.expect(PARKED, &["resume", "latest"]), &["RB0432", "runbook resume "]);
        assert!(bed.gate.calls().iter().all(|call| call.action == "GetCallerIdentity"));
        bed.key("AKIASECOND");
        bed.expect(0, &["resume", "latest"]);
        let after = bed.standing(ACCOUNT);
        assert_eq!(after, ALL, "call {cut}");
        assert!(before.iter().all(|name| after.contains(name)));
        bed.expect(0, &["undo", "latest", "--yes"]);
        assert!(bed.standing(ACCOUNT).is_empty(), "call {cut}: {:?}", bed.standing(ACCOUNT));
        assert!(cut < 60, "it never ends");
    }
    // At least each of the four effects was cut off.
    assert!(cut > 4, "only {cut} calls");
}

#[test]
fn a_refused_effect_is_recorded_as_not_executed() {
    let Some(mut bed) = Bed::new(VPC) else { return };
    bed.gate.refuse_after("AKIAFIRST", 1, "ExpiredToken");
    bed.expect(PARKED, &["run", "s.rhai", "--yes"]);
    let logs = bed.expect(0, &["logs", "latest"]).out;
    assert!(logs.contains("the credentials were refused: nothing was executed"), "{logs}");
    let shown = bed.expect(0, &["show", "latest"]).out;
    assert!(shown.contains("RB0403") && shown.contains("they last worked at"), "{shown}");
    bed.key("AKIASECOND");
    let again = bed.expect(0, &["resume", "latest"]);
    assert!(!again.err.contains("unresolved"), "{}", again.err);
    assert_eq!(bed.gate.calls().iter().filter(|call| call.action == "CreateVpc" && !call.refused).count(), 1);
}

#[test]
fn every_way_of_saying_that_the_credentials_ended_parks() {
    for code in ["ExpiredTokenException", "RequestExpired", "InvalidClientTokenId", "UnrecognizedClientException"] {
        let Some(bed) = Bed::new(NETWORK) else { return };
        bed.gate.refuse_after("AKIAFIRST", 3, code);
        has(&bed.expect(PARKED, &["run", "s.rhai", "--yes"]), &["RB0403", code, "runbook resume "]);
    }
}

#[test]
fn an_undo_parks_and_goes_on() {
    let Some(mut bed) = Bed::new(NETWORK) else { return };
    bed.expect(0, &["run", "s.rhai", "--yes"]);
    let before = bed.gate.calls().iter().filter(|call| call.action != "GetCallerIdentity").count();
    assert!(before > 0);
    bed.gate.refuse_after("AKIAFIRST", 3, "ExpiredToken");
    has(&bed.expect(PARKED, &["undo", "latest", "--yes"]), &["RB0403", "runbook undo "]);
    bed.key("AKIASECOND");
    bed.expect(0, &["undo", "latest", "--yes"]);
    assert!(bed.standing(ACCOUNT).is_empty());
}

#[test]
fn profiles_are_those_of_the_command_of_the_environment_and_of_the_script() {
    let profiles = "[profile acme]\naws_access_key_id = AKIAACME\naws_secret_access_key = s\n\
                    [profile other]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = s\n";
    let Some(mut bed) = Bed::new(VPC) else { return };
    bed.configured(profiles);
    bed.expect(0, &["run", "s.rhai", "--yes", "--profile", "acme"]);
    assert_eq!(bed.gate.keys(), ["AKIAACME".to_owned()].into());
    bed.expect(0, &["undo", "latest", "--yes"]);
    assert_eq!(bed.gate.keys(), ["AKIAACME".to_owned()].into());
    bed.set("AWS_PROFILE", "other");
    bed.expect(0, &["run", "s.rhai", "--yes"]);
    assert_eq!(bed.gate.keys(), ["AKIAOTHER".to_owned()].into());
    bed.place.write("s.rhai", &VPC.replace("#{ region", "#{ profile: \"acme\", region"));
    bed.expect(0, &["run", "s.rhai", "--yes"]);
    let creates: Vec<String> =
        bed.gate.calls().into_iter().filter(|call| call.action == "CreateVpc").map(|call| call.key).collect();
    assert_eq!(creates, ["AKIAACME"]);
    bed.environment.remove("AWS_PROFILE");
    has(&bed.expect(2, &["run", "s.rhai", "--yes", "--profile", "nobody"]), &["RB0442"]);
}

/// A program that gives another key each time, good for so many seconds.
fn process(bed: &mut Bed, seconds: u32, program: &str) {
    let script = format!(
        "#!/bin/sh\ncd \"$(dirname \"$0\")\"\necho x >> asked\nn=$(wc -l < asked | tr -d ' ')\n{program}\n\
         echo \"{{\\\"Version\\\":1,\\\"AccessKeyId\\\":\\\"AKIA$n\\\",\\\"SecretAccessKey\\\":\\\"s\\\",\
         \\\"SessionToken\\\":\\\"t\\\",\\\"Expiration\\\":\\\"$(date -u -d \"+{seconds} seconds\" +%Y-%m-%dT%H:%M:%SZ)\\\"}}\"\n"
    );
    bed.place.write("sign-in", &script);
    let path = bed.place.work().join("sign-in");
    bed.configured(&format!("[default]\ncredential_process = sh {}\n", path.display()));
}

#[test]
fn credentials_that_expire_are_got_anew_while_the_run_goes_on() {
    let Some(mut bed) = Bed::new(NETWORK) else { return };
    process(&mut bed, 3, "");
    bed.expect(0, &["run", "s.rhai", "--yes"]);
    assert_eq!(bed.standing(ACCOUNT), ALL);
    let keys = bed.gate.keys();
    assert!(keys.len() > 2, "{keys:?}");
}

#[test]
fn credentials_that_are_refused_are_got_anew_while_the_run_goes_on() {
    let Some(mut bed) = Bed::new(NETWORK) else { return };
    process(&mut bed, 3600, "");
    // The first one asks who we are before the run, the second one is the run's.
    bed.gate.refuse_after("AKIA1", 4, "ExpiredToken");
    bed.expect(0, &["run", "s.rhai", "--yes"]);
    assert_eq!(bed.standing(ACCOUNT), ALL);
    let calls = bed.gate.calls();
    let refused = calls.iter().filter(|call| call.refused).count();
    assert!((1..=2).contains(&refused), "one of each branch: {calls:#?}");
    assert!(calls.iter().any(|call| call.key == "AKIA2" && !call.refused), "{calls:#?}");
}

#[test]
fn a_provider_that_fails_in_the_middle_parks_the_run() {
    let Some(mut bed) = Bed::new(NETWORK) else { return };
    process(&mut bed, 3, "[ \"$n\" -gt 5 ] && [ ! -e signed-in ] && { echo 'the session has ended' >&2; exit 1; }");
    let run = bed.expect(PARKED, &["run", "s.rhai", "--yes"]);
    has(&run, &["RB0403", "arn:aws:sts::123456789012:", "runbook resume "]);
    bed.place.write("signed-in", "");
    bed.expect(0, &["resume", "latest"]);
    assert_eq!(bed.standing(ACCOUNT), ALL);
}

const ROLE: &str = "arn:aws:iam::222222222222:role/deploy";

#[test]
fn a_role_is_assumed_and_its_resources_are_undone_in_its_account() {
    let script = VPC.replace("#{ region", &format!("#{{ assume_role: \"{ROLE}\", region"));
    let Some(bed) = Bed::new(&script) else { return };
    bed.expect(0, &["run", "s.rhai", "--yes"]);
    assert_eq!((bed.standing(ACCOUNT).len(), bed.standing("222222222222")), (0, vec!["one".to_owned()]));
    bed.expect(0, &["verify", "latest"]);
    bed.expect(0, &["undo", "latest", "--yes"]);
    assert!(bed.standing("222222222222").is_empty());
}

#[test]
fn a_profile_that_assumes_a_role_works_from_its_source() {
    let Some(mut bed) = Bed::new(VPC) else { return };
    bed.configured(&format!(
        "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n\
         [profile deploy]\nrole_arn = {ROLE}\nsource_profile = base\nregion = us-east-1\n"
    ));
    let run = bed.expect(0, &["run", "s.rhai", "--yes", "--profile", "deploy"]);
    assert!(run.err.contains("2222-2222-2222"), "{}", run.err);
    assert_eq!(bed.standing("222222222222"), ["one"]);
    let calls = bed.gate.calls();
    let assumed: Vec<&str> = calls.iter().filter(|c| c.action == "AssumeRole").map(|c| c.key.as_str()).collect();
    assert!(!assumed.is_empty() && assumed.iter().all(|key| *key == "AKIABASE"), "{calls:#?}");
}

#[test]
fn the_account_guard_holds_every_place_of_the_script() {
    let Some(bed) = Bed::new(VPC) else { return };
    bed.place.write("c.yaml", "customer: acme\naccount: \"999999999999\"\n");
    has(&bed.expect(2, &["run", "s.rhai", "--yes", "--params", "c.yaml"]), &["RB0441", "9999-9999-9999"]);
    assert!(bed.gate.calls().iter().all(|call| call.action == "GetCallerIdentity"));
    bed.place.write("c.yaml", &format!("customer: acme\naccount: \"{ACCOUNT}\"\n"));
    bed.place.write("s.rhai", &VPC.replace("#{ region", &format!("#{{ assume_role: \"{ROLE}\", region")));
    let run = bed.expect(2, &["run", "s.rhai", "--yes", "--params", "c.yaml"]);
    has(&run, &["RB0441", "222222222222"]);
    assert!(bed.gate.calls().iter().all(|call| ["GetCallerIdentity", "AssumeRole"].contains(&call.action.as_str())));
}

#[test]
fn another_account_region_or_endpoint_may_not_go_on() {
    let failing = format!("{VPC}step(\"bad\", || fail(\"not yet\"));\n").replace("#{ region: \"us-east-1\" }", "#{}");
    let Some(mut bed) = Bed::new(&failing) else { return };
    bed.set("AWS_REGION", "us-east-1");
    bed.expect(1, &["run", "s.rhai", "--yes"]);
    bed.gate.calls();
    bed.gate.caller("AKIASTRANGE", "arn:aws:iam::333333333333:user/eve");
    let first = bed.environment.clone();
    let elsewhere = Gate::before(bed.moto.url().trim_start_matches("http://")).url;
    for (name, value, text) in [
        ("AWS_ACCESS_KEY_ID", "AKIASTRANGE", "account 333333333333"),
        ("AWS_REGION", "eu-west-1", "region eu-west-1"),
        ("AWS_ENDPOINT_URL", elsewhere.as_str(), elsewhere.as_str()),
    ] {
        bed.set(name, value);
        for args in [&["resume", "latest"][..], &["undo", "latest", "--yes"], &["verify", "latest"]] {
            has(&bed.expect(2, args), &["RB0430", text]);
        }
        bed.environment.clone_from(&first);
    }
    assert!(bed.gate.calls().iter().all(|call| call.action == "GetCallerIdentity"));
    // Another identity of the same account may.
    bed.gate.caller("AKIACOLLEAGUE", &format!("arn:aws:iam::{ACCOUNT}:user/bob"));
    bed.key("AKIACOLLEAGUE");
    has(&bed.expect(1, &["resume", "latest"]), &["user/bob goes on"]);
    bed.expect(0, &["undo", "latest", "--yes"]);
    assert!(bed.standing(ACCOUNT).is_empty());
}

#[test]
fn who_made_the_clusters_goes_on_or_says_that_another_one_may() {
    let script = r#"const AWS = aws(#{ region: "us-east-1" });
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ name: "one", cidr_block: "10.0.0.0/16" }));
let subnet = |zone, cidr| AWS.ec2.create_subnet(#{ vpc_id: vpc.id, cidr_block: cidr, availability_zone: zone }).id;
let ids = step("subnets", || [subnet.call("us-east-1a", "10.0.1.0/24"), subnet.call("us-east-1b", "10.0.2.0/24")]);
step("cluster", || AWS.eks.create_cluster(#{
    name: "demo", role_arn: "arn:aws:iam::123456789012:role/eks", resources_vpc_config: #{ subnet_ids: ids },
}));
step("bad", || fail("not yet"));
"#;
    let Some(mut bed) = Bed::new(script) else { return };
    let role = |name: &str, session: &str| format!("arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}");
    bed.gate.caller("AKIAFIRST", &role("deploy", "monday"));
    bed.gate.caller("AKIASESSION", &role("deploy", "tuesday"));
    bed.gate.caller("AKIAOTHER", &role("admin", "eve"));
    bed.expect(1, &["run", "s.rhai", "--yes"]);
    bed.gate.calls();
    bed.key("AKIAOTHER");
    for args in [&["resume", "latest"][..], &["undo", "latest", "--yes"]] {
        has(&bed.expect(2, args), &["RB0433", "demo", "role/deploy/monday", "role/admin/eve", "--other-identity"]);
    }
    assert!(bed.gate.calls().iter().all(|call| call.action == "GetCallerIdentity"));
    bed.key("AKIASESSION");
    bed.expect(1, &["resume", "latest"]);
    bed.key("AKIAOTHER");
    bed.expect(1, &["resume", "latest", "--other-identity"]);
    bed.expect(0, &["undo", "latest", "--yes", "--other-identity"]);
    assert!(bed.standing(ACCOUNT).is_empty());
}

#[test]
fn each_service_may_have_an_endpoint_of_its_own() {
    let script = r#"const AWS = aws(#{ region: "us-east-1" });
step("ec2", || AWS.ec2.describe_availability_zones(#{}));
step("iam", || AWS.iam.create_role(#{ role_name: "r", assume_role_policy_document: "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }));
step("route53", || AWS.route53.create_hosted_zone(#{ name: "demo.example" }));
step("servicediscovery", || AWS.servicediscovery.create_http_namespace(#{ name: "demo" }));
step("eks", || AWS.eks.list_clusters(#{}));
step("sts", || AWS.sts.get_caller_identity(#{}));
"#;
    let Some(mut bed) = Bed::new(script) else { return };
    let services = ["ec2", "iam", "route53", "servicediscovery", "eks", "sts"];
    let upstream = bed.moto.url();
    let gates = services.map(|_| Gate::before(upstream.trim_start_matches("http://")));
    for (variable, gate) in ["EC2", "IAM", "ROUTE_53", "SERVICEDISCOVERY", "EKS", "STS"].iter().zip(&gates) {
        bed.set(&format!("AWS_ENDPOINT_URL_{variable}"), &gate.url);
    }
    let run = said(bed.command(&["run", "s.rhai", "--yes"]).output().expect("the program starts"));
    for (service, gate) in services.iter().zip(&gates) {
        let calls = gate.calls();
        assert!(!calls.is_empty(), "{service} was not asked where it is: {}", run.err);
        assert!(calls.iter().all(|call| call.service == *service), "{service}: {calls:#?}");
        assert!(run.err.contains(&gate.url), "{service}: the heading does not name {}:\n{}", gate.url, run.err);
    }
    assert!(bed.gate.calls().is_empty(), "the general endpoint was asked");
}

#[test]
fn the_heading_names_an_endpoint_that_is_not_aws_s_own() {
    let Some(bed) = Bed::new(VPC) else { return };
    let run = bed.expect(0, &["run", "s.rhai", "--yes"]);
    let heading = run.err.lines().find(|line| line.contains(" · run ")).unwrap_or_default();
    assert!(heading.contains(&format!("aws 1234-5678-9012 at {}", bed.gate.url)), "{}", run.err);
}

#[test]
fn without_a_region_nothing_is_made() {
    let Some(bed) = Bed::new(&VPC.replace("#{ region: \"us-east-1\" }", "#{}")) else { return };
    has(&bed.expect(1, &["run", "s.rhai", "--yes"]), &["RB0444", "AWS_REGION", "nothing was sent"]);
    assert!(bed.gate.calls().iter().all(|call| call.action == "GetCallerIdentity"));
}
