//! Reducto on the sandbox: every step of the specification, the traps of the original, and back to nothing.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{harness::Place, redis_ha::world, table, trials::wedges::account::documents};

const RUN: [&str; 6] = ["run", "reducto.rhai", "--sandbox", "--speed", "0", "--json"];
const ASKED: [&str; 6] =
    ["-p", "reducto_host=reducto.example.com", "-p", "acme_email=ops@example.com", "-p", "cloudflare_api_token=t0ken"];
/// Nothing outlives undo.
pub const PASSING: [&str; 6] =
    ["-p", "db_deletion_protection=false", "-p", "db_final_snapshot=false", "-p", "secret_recovery_days=0"];

fn arguments<'a>(more: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    RUN.iter().chain(&ASKED).chain(more).copied()
}

/// The steps of a run that ended well.
pub fn steps(place: &Place, more: &[&str]) -> BTreeSet<String> {
    table::run(place, &arguments(more).collect::<Vec<_>>())
}

fn objects(world: &Value, kind: &str) -> Vec<Value> {
    let all = world["objects"].as_array().expect("objects");
    all.iter().filter(|o| o["kind"] == kind).cloned().collect()
}

fn output(place: &Place, name: &str) -> String {
    place.expect(0, ["output", "latest", name]).out.trim().to_owned()
}

/// The kinds that stand.
pub fn kinds(place: &Place) -> BTreeSet<String> {
    let world = world(place);
    let all = world["objects"].as_array().expect("objects").iter();
    all.filter_map(|object| object["kind"].as_str().map(str::to_owned)).collect()
}

/// What was called in the world, in order.
pub fn calls(place: &Place) -> Vec<String> {
    let calls = world(place)["calls"].as_array().cloned().unwrap_or_default();
    calls.iter().filter_map(|call| call["op"].as_str().map(str::to_owned)).collect()
}

#[test]
fn it_runs_and_is_undone() {
    let place = Place::new();
    let done = steps(&place, &PASSING);
    table::names_every_step("reducto", 33);
    let told = table::told("reducto", |spec| {
        spec.starts_with(|c: char| c.is_ascii_digit()) && !spec.starts_with("34") || spec.starts_with("preflight")
    });
    let missing: Vec<&String> = told
        .iter()
        .filter(|key| !done.contains(*key) && !done.iter().any(|step| step.starts_with(&format!("{key}/"))))
        .collect();
    assert_eq!(missing, Vec::<&String>::new(), "told in the README, not done: {done:#?}");

    let world = world(&place);
    let workers = objects(&world, "ec2.instance");
    let workers: Vec<&Value> = workers.iter().filter(|o| o["tags"]["karpenter.sh/nodepool"] == "default").collect();
    assert_eq!(workers.len(), 1, "the workers' instance");
    assert_eq!(objects(&world, "ec2.nat_gateway").len(), 3, "one in each zone");
    let balancers = objects(&world, "elbv2.load_balancer");
    assert_eq!((balancers.len(), &balancers[0]["body"]["scheme"]), (1, &json!("internal")));
    assert!(output(&place, "dns record").starts_with("reducto.example.com CNAME "), "{}", output(&place, "dns record"));
    assert!(output(&place, "database proxy").starts_with("reducto-ai.proxy-"));
    assert!(output(&place, "try it").contains("svc/reducto-reducto-http 4567:80"));

    let records = objects(&world, "cloudflare.dns_record");
    let record = &records[0]["body"];
    assert_eq!(
        (&record["type"], &record["name"], &record["proxied"]),
        (&json!("CNAME"), &json!("reducto.example.com"), &json!(false))
    );
    let there = documents(&place).expect("the world");
    let (_, written) = there.iter().find(|(key, _)| key.starts_with("cloudflare.dns_record|")).expect("a record");
    assert_eq!(written["body"]["content"], json!(output(&place, "load balancer")));

    place.expect(0, ["verify", "latest"]);
    place.expect(0, ["undo", "latest", "--yes"]);
    assert_eq!(kinds(&place), BTreeSet::new(), "undo left something");
    let calls = calls(&place);
    let last = |op: &str| calls.iter().rposition(|call| call == op).unwrap_or_else(|| panic!("no {op} in {calls:#?}"));
    assert!(last("delete cloudflare.dns_record") < last("delete helm.release"), "the name goes first: {calls:#?}");
    assert!(last("delete sqs.queue") < last("delete eks.cluster"), "{calls:#?}");
    assert!(last("delete rds.db_proxy_targets") < last("delete rds.db_instance"), "{calls:#?}");
}

#[test]
fn what_the_original_trips_over_is_avoided() {
    let place = Place::new();
    let secrets = ["-p", "slack_webhook_url=https://hooks.example.com/1", "-p", "reducto_helm_password=pa55"];
    steps(&place, &[&PASSING[..], &secrets].concat());
    let world = world(&place);
    let groups = objects(&world, "eks.nodegroup");
    let size = |o: &Value, field: &str| o["body"]["scaling_config"][field].as_i64().expect("a size");
    assert!(groups.iter().all(|group| size(group, "min_size") <= size(group, "desired_size")), "{groups:#?}");
    assert_eq!(groups.len(), 2, "no GPU nodes");
    let tagged = |o: &&Value| o["tags"].get("kubernetes.io/cluster/reducto-ai").is_some();
    assert_eq!(objects(&world, "ec2.security_group").iter().filter(tagged).count(), 1, "the controller wants one");
    let roles = objects(&world, "iam.role");
    let api = roles.iter().find(|role| role["id"] == "reducto-reducto-ai").expect("the API's role");
    let trust = api["body"]["assume_role_policy_document"].to_string();
    assert!(trust.contains("system:serviceaccount:reducto:*") && !trust.contains("reducto*:*"), "{trust}");
    let classes = objects(&world, "k8s.object");
    let default = |o: &&Value| {
        o["body"]["kind"] == "StorageClass"
            && o["body"]["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"
    };
    let default: Vec<_> = classes.iter().filter(default).map(|o| o["body"]["metadata"]["name"].clone()).collect();
    assert_eq!(default, [json!("gp3")]);
    let shown = place.expect(0, ["show", "latest"]);
    let all = format!("{}{}{world}", shown.out, shown.err);
    for secret in ["t0ken", "hooks.example.com", "pa55"] {
        assert!(!all.contains(secret), "{secret} is written nowhere");
    }
}

#[test]
fn a_protected_database_is_left_until_a_person_says_so() {
    let place = Place::new();
    steps(&place, &[]);
    let said = place.run(["undo", "latest", "--yes"]);
    assert_ne!(said.code, 0);
    assert!(said.err.contains("--also rds:db:reducto-ai"), "{}", said.err);
    assert!(!kinds(&place).contains("eks.cluster"), "what does not hold it is gone");
    assert!(kinds(&place).contains("ec2.vpc"), "what it stands in is not");
    place.expect(0, ["undo", "latest", "--yes", "--also", "rds:db:reducto-ai"]);
    let left = kinds(&place);
    assert!(left.contains("rds.db_snapshot") && !left.contains("ec2.vpc"), "{left:?}");
}

#[test]
fn at_the_record_it_waits_for_a_person() {
    let place = Place::new();
    let more = [&PASSING[..], &["-p", "enable_monitoring=false", "-p", "dns_mode=manual"]].concat();
    let said = place.expect(3, arguments(&more));
    assert!(said.out.contains("reducto.example.com CNAME"), "{}", said.out);
    place.expect(0, ["approve", "latest", "--yes"]);
    place.expect(0, ["resume", "latest"]);
    assert!(output(&place, "slack channel").starts_with('#'));
    let said = place.expect(0, ["undo", "latest", "--yes"]);
    assert!(said.err.contains("delete the record reducto.example.com"), "{}", said.err);
    assert_eq!(kinds(&place), BTreeSet::new(), "undo left something");
}

/// The shipped rehearsal file, written out and changed.
pub fn rehearsed(place: &Place, changes: &[(&str, &str)]) {
    place.expect(0, ["eject", "reducto"]);
    let file = place.work().join("runbooks").join("reducto.rehearsal.yaml");
    let mut text = std::fs::read_to_string(&file).expect("the ejected rehearsal file");
    for (from, to) in changes {
        assert!(text.contains(from), "no {from:?} in:\n{text}");
        text = text.replacen(from, to, 1);
    }
    std::fs::write(&file, text).expect("a changed one");
}

#[test]
fn another_clusters_nodes_do_not_hold_undo() {
    let place = Place::new();
    let theirs = "given:\n  - { kind: ec2.instance, id: i-0theirs, place: us-east-1, state: running, \
                  body: { instance_id: i-0theirs, state: { name: running } }, \
                  tags: { karpenter.sh/nodepool: default, kubernetes.io/cluster/theirs: owned } }\n";
    rehearsed(&place, &[("given:\n", theirs)]);
    steps(&place, &PASSING);
    place.expect(0, ["undo", "latest", "--yes"]);
    assert_eq!(kinds(&place), BTreeSet::new(), "undo left something");
}

#[test]
fn what_a_cluster_leaves_is_named() {
    let place = Place::new();
    let left = "given:\n  - { kind: ec2.volume, id: vol-0left, place: us-east-1, body: { volume_id: vol-0left, size: 1 }, \
                tags: { kubernetes.io/cluster/reducto-ai: owned } }\n";
    rehearsed(&place, &[("given:\n", left)]);
    steps(&place, &PASSING);
    let said = place.run(["undo", "latest", "--yes"]);
    assert_ne!(said.code, 0);
    assert!(said.err.contains("vol-0left"), "{}", said.err);
    assert_eq!(kinds(&place), BTreeSet::new(), "what is the run's own is gone");
}

#[test]
fn only_a_staging_certificate_may_be_one_that_nobody_trusts() {
    for (issuer, passes) in [("letsencrypt-prod", false), ("letsencrypt-staging", true)] {
        let place = Place::new();
        let untrusted = "where: { name: entry-probe, command: \"* --insecure *\" }";
        rehearsed(&place, &[("where: { name: entry-probe }", untrusted)]);
        let issuer = format!("acme_issuer={issuer}");
        let said = place.run(arguments(&[&PASSING[..], &["-p", issuer.as_str()]].concat()));
        assert_eq!(said.code == 0, passes, "{}", said.err);
        assert!(said.out.contains("verify/answer through the load balancer"), "{}", said.out);
    }
}
