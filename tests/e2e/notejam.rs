//! Notejam on the sandbox: both ways of delivery, what the traps of the original were, and back to nothing.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{harness::Place, redis_ha::world, sre_platform::rehearsed_otherwise, table};

/// A run that may be undone to nothing: what others put into bucket and repository goes with them.
const RUN: [&str; 12] = [
    "run",
    "notejam.rhai",
    "--sandbox",
    "--speed",
    "0",
    "--json",
    "-p",
    "delete_backups=true",
    "-p",
    "delete_images=true",
    "-p",
    "db_final_snapshot=false",
];

/// What delivers by Flux.
pub(crate) const FLUX: [&str; 4] = ["-p", "gitops_mode=flux", "-p", "github_token=ghp_simulated"];

/// The steps and checks of a run that ended well.
pub(crate) fn steps(place: &Place, more: &[&str]) -> BTreeSet<String> {
    table::run(place, &[&RUN[..], more].concat())
}

pub(crate) fn objects(world: &Value, kind: &str) -> Vec<Value> {
    let all = world["objects"].as_array().expect("objects");
    all.iter().filter(|o| o["kind"] == kind).cloned().collect()
}

/// The Kubernetes objects of a kind.
fn kubernetes(world: &Value, kind: &str) -> Vec<Value> {
    let all = world["objects"].as_array().expect("objects");
    all.iter()
        .map(|o| o["body"].clone())
        .filter(|body| body["kind"] == kind && body["apiVersion"].is_string())
        .collect()
}

fn output(place: &Place, name: &str) -> String {
    place.expect(0, ["output", "latest", name]).out.trim().to_owned()
}

/// What undo deletes of Flux's itself, in order.
fn taken_down(place: &Place) -> Vec<String> {
    let shown = place.expect(0, ["show", "latest", "--json"]).out;
    let events = shown.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
    let own =
        |e: &Value| e["event"] == "effect.done" && e["op"] == "k8s.delete" && e["step"] == "flux/kustomizations/undo";
    events.filter(own).filter_map(|e| e["name"].as_str().map(str::to_owned)).collect()
}

fn undone(place: &Place) {
    place.expect(0, ["undo", "latest", "--yes"]);
    assert_eq!(world(place)["objects"], json!([]), "undo left something");
}

#[test]
fn it_runs_with_every_step_and_is_undone() {
    let place = Place::new();
    let done = steps(&place, &[]);
    let told = table::told("notejam", |spec| !spec.contains("flux") && !spec.contains("precreate"));
    assert!(told.len() > 45, "{told:#?}");
    table::all_done(&told, &done);

    let world = world(&place);
    assert_eq!(objects(&world, "wafv2.ip_set").len(), 10, "the twins for IPv4 and IPv6");
    assert_eq!(objects(&world, "wafv2.web_acl")[0]["body"]["rules"].as_array().expect("rules").len(), 10);
    assert_eq!(objects(&world, "wafv2.web_acl_association").len(), 1, "the controller's own");
    assert_eq!(objects(&world, "elbv2.load_balancer").len(), 1, "one for both hosts");
    assert_eq!(objects(&world, "ec2.nat_gateway").len(), 3);
    assert_eq!(objects(&world, "ec2.flow_log").len(), 1);
    assert_eq!(objects(&world, "rds.db_instance").len(), 2);
    assert_eq!(objects(&world, "s3.object").len(), 1, "the first backup");
    let zones: BTreeSet<String> =
        objects(&world, "rds.db_instance").iter().map(|o| o["body"]["availability_zone"].to_string()).collect();
    assert_eq!(zones.len(), 2, "writer and reader in two zones");

    assert_eq!(output(&place, "url"), "http://prod-notejam.example.com/");
    assert_eq!(output(&place, "bucket"), "pgsql-notejam-backup-prod-123456789012");
    let secrets: Value = serde_json::from_str(&output(&place, "github_secrets")).expect("JSON");
    assert_eq!(secrets["PROD_REGISTRY"], "notejam-prod-ecr-registry", "the repository's name, not its address");
    place.expect(0, ["verify", "latest"]);
    undone(&place);
}

#[test]
fn the_table_says_of_every_step_where_it_is_done_or_why_not() {
    let rows: Vec<_> = table::rows("notejam").into_iter().filter(|(spec, _)| !spec.starts_with("acceptance")).collect();
    for number in 1..=40 {
        let of_it = |spec: &str| spec.split(|c: char| !c.is_ascii_digit()).any(|part| part == number.to_string());
        let told = |told: &'static str| table::keys(told).next().is_some() || told.starts_with("not done: ");
        assert!(rows.iter().any(|&(spec, row)| of_it(spec) && told(row)), "nothing of step {number} in {rows:#?}");
    }
}

#[test]
fn the_newest_image_is_that_of_the_last_run() {
    let place = Place::new();
    // As text 9 would come after 10. The last two are none of the workflow's on the branch main.
    let runs = ["2026.11.21.main-ffffffff-9", "2026.11.21.main-0a1b2c3d-10"];
    let others = ["2026.11.22.main-0a1b2c3d-x", "2026.11.22.other-0a1b2c3d-11"];
    let tags = json!([runs, others].concat()).to_string();
    rehearsed_otherwise(&place, "notejam", r#"["2026.11.21.main-0a1b2c3d-7"]"#, &tags);
    steps(&place, &[]);
    let deployments = kubernetes(&world(&place), "Deployment");
    let notejam = deployments.iter().find(|one| one["metadata"]["name"] == "notejam-prod").expect("the application");
    let image = notejam["spec"]["template"]["spec"]["containers"][0]["image"].as_str().expect("an image");
    assert!(image.ends_with("/notejam-prod-ecr-registry:2026.11.21.main-0a1b2c3d-10"), "{image}");
}

#[test]
fn a_secret_that_is_scheduled_for_deletion_stops_the_next_run_with_a_way_out() {
    let place = Place::new();
    steps(&place, &["-p", "keep_secrets=true"]);
    place.expect(0, ["undo", "latest", "--yes"]);
    let said = place.expect(1, RUN).out;
    for part in ["notejam-db-name-prod is scheduled for deletion", "restore-secret", "--force-delete-without-recovery"]
    {
        assert!(said.contains(part), "no {part:?} in: {said}");
    }
}

#[test]
fn the_traps_of_the_original_are_avoided() {
    let place = Place::new();
    steps(&place, &[]);
    let world = world(&place);
    assert_eq!(
        kubernetes(&world, "CronJob")[0]["spec"]["schedule"],
        "0 */4 * * *",
        "not every minute of each fourth hour"
    );
    assert_eq!(kubernetes(&world, "HorizontalPodAutoscaler")[0]["apiVersion"], "autoscaling/v2");
    assert_eq!(kubernetes(&world, "Secret").iter().filter(|s| s["metadata"]["name"] == "db-credentials").count(), 1);
    let lifecycle = objects(&world, "s3.bucket_lifecycle_configuration")[0]["body"]["lifecycle_configuration"].clone();
    assert_eq!(lifecycle["rules"][0]["expiration"]["days"], 1095, "three years, as the README of the original says");
    for ingress in kubernetes(&world, "Ingress") {
        let said = &ingress["metadata"]["annotations"];
        assert!(said["alb.ingress.kubernetes.io/wafv2-acl-arn"].as_str().is_some_and(|arn| arn.contains("/webacl/")));
        let group = said["alb.ingress.kubernetes.io/security-groups"].as_str().expect("a group");
        let named = objects(&world, "ec2.security_group").into_iter().filter(|o| o["tags"]["Name"] == group).count();
        assert_eq!(named, 1, "the annotation names a group by its tag Name");
    }
    for template in objects(&world, "ec2.launch_template") {
        let metadata = &template["body"]["launch_template_data"]["metadata_options"];
        assert_eq!(
            (&metadata["http_tokens"], &metadata["http_put_response_hop_limit"]),
            (&json!("required"), &json!(2))
        );
    }
    let text = world.to_string();
    assert!(!text.contains("acl\":\"private"), "no ACL on the bucket");
    let maps = kubernetes(&world, "ConfigMap");
    assert!(!json!(maps).to_string().contains("POSTGRES_PASS"), "no password in a ConfigMap");
}

#[test]
fn what_others_put_there_is_left_until_somebody_says_so() {
    let place = Place::new();
    let run = ["run", "notejam.rhai", "--sandbox", "--speed", "0", "-p", "db_final_snapshot=false"];
    place.expect(0, run);
    let said = place.run(["undo", "latest", "--yes"]);
    assert_ne!(said.code, 0, "{}", said.err);
    for part in ["BucketNotEmpty", "s3://pgsql-notejam-backup-prod-123456789012", "RepositoryNotEmptyException"] {
        assert!(said.err.contains(part), "no {part:?} in:\n{}", said.err);
    }
    let left: BTreeSet<String> = world(&place)["objects"]
        .as_array()
        .expect("objects")
        .iter()
        .map(|o| o["kind"].as_str().unwrap_or_default().to_owned())
        .filter(|kind| kind.starts_with("s3.") || kind.starts_with("ecr."))
        .collect();
    assert!(left.contains("s3.object") && left.contains("ecr.image"), "{left:?}");
    let also = ["--also", "s3://pgsql-notejam-backup-prod-123456789012", "--also", "ecr://notejam-prod-ecr-registry"];
    place.expect(0, ["undo", "latest", "--yes"].iter().chain(&also).copied());
    assert_eq!(world(&place)["objects"], json!([]), "undo left something");
}

#[test]
fn dev_with_the_runs_own_records_and_load_balancer() {
    let place = Place::new();
    let certificate = "tls_certificate_arn=arn:aws:acm:eu-west-1:123456789012:certificate/c";
    let more = ["-p", "env=dev", "-p", "dns_mode=route53", "-p", "alb_mode=precreate", "-p", certificate];
    let done = steps(&place, &more);
    assert!(done.contains("load balancer") && !done.contains("external-dns"), "{done:#?}");
    let found = world(&place);
    assert_eq!(objects(&found, "elbv2.load_balancer").len(), 1, "adopted, not made twice");
    let rules = objects(&found, "ec2.security_group").iter().map(ToString::to_string).collect::<String>();
    assert!(rules.contains("10.10.0.0/16") && !rules.contains("192.168.0.0/16"), "the VPC's own block in the rules");
    assert_eq!(output(&place, "url"), "https://dev-notejam.example.com/");
    undone(&place);
}

#[test]
fn flux_delivers_it_and_is_taken_down_in_order() {
    let place = Place::new();
    let done = steps(&place, &FLUX);
    let told = table::told("notejam", |spec| spec.contains("flux"));
    assert!(told.len() >= 20, "{told:#?}");
    table::all_done(&told, &done);
    let standing = world(&place);
    assert!(!standing.to_string().contains("ghp_simulated"), "the token is sealed");
    assert_eq!(objects(&standing, "github.repository")[0]["id"], "example/operations-k8s-prod");
    assert_eq!(objects(&standing, "github.commit").len(), 2, "the one that it begins with, and the manifests");
    place.expect(0, ["verify", "latest"]);
    assert_eq!(objects(&world(&place), "s3.object").len(), 1, "the first backup, by the CronJob's own pod");
    undone(&place);
    let parts = ["notejam-prod-application", "ingress-class", "infrastructure", "namespaces"];
    assert_eq!(taken_down(&place), parts);
}

#[test]
fn the_manifests_get_the_names_of_their_account_and_env() {
    let place = Place::new();
    steps(&place, &[&FLUX[..], &["-p", "env=dev"]].concat());
    let values: Value = serde_json::from_str(&output(&place, "manifests")).expect("JSON");
    for (name, value) in [
        ("account_id", "123456789012"),
        ("namespace", "dev"),
        ("host", "dev-notejam.example.com"),
        ("zone_id", "Z0SIMULATED"),
        ("security_group", "NoteJam-Alb-SG-dev"),
        ("load_balancer_controller_role", "arn:aws:iam::123456789012:role/load-balancer-controller-dev"),
        ("secrets_role", "arn:aws:iam::123456789012:role/ascp-dev"),
    ] {
        assert_eq!(values[name], value, "{name}");
    }
    let found = world(&place);
    let maps = kubernetes(&found, "ConfigMap");
    let map = maps.iter().find(|map| map["metadata"]["name"] == "dev-values").expect("the values for Flux");
    assert_eq!(map["data"]["namespace"], "dev");
    assert_eq!(kubernetes(&found, "HelmRelease").len(), 8);
    assert!(!json!(kubernetes(&found, "Namespace")).to_string().contains("production"), "the other env's namespace");
    undone(&place);
}

#[test]
fn flux_without_a_token_stops_before_the_first_effect() {
    let place = Place::new();
    let said = place.run(["run", "notejam.rhai", "--sandbox", "--speed", "0", "-p", "gitops_mode=flux"]);
    assert!(said.code != 0 && said.err.contains("github_token"), "{}", said.err);
    assert_eq!(world(&place)["objects"], json!([]));
}

#[test]
fn a_repository_that_stands_is_left_alone_when_the_run_is_told_so() {
    let place = Place::new();
    let done = steps(&place, &[&FLUX[..], &["-p", "ops_repo_create=false", "-p", "ops_repo_write=false"]].concat());
    assert!(!done.contains("flux/repository") && !done.contains("flux/manifests"), "{done:#?}");
    assert_eq!(objects(&world(&place), "github.repository"), Vec::<Value>::new());
    undone(&place);
}

#[test]
fn a_repository_that_is_to_stand_and_does_not_stops_before_the_first_effect() {
    let place = Place::new();
    let more = ["-p", "ops_repo_create=false"];
    let said = place.run(RUN.iter().filter(|part| **part != "--json").chain(&FLUX).chain(&more).copied());
    assert!(said.code != 0 && said.err.contains("sees no repository example/operations-k8s-prod"), "{}", said.err);
    assert_eq!(world(&place)["objects"], json!([]));
}

/// Somebody's repository, as the rehearsal file gives it.
const THEIRS: &str = "given:
  - { kind: github.repository, id: example/operations-k8s-prod, place: \"\", body: { full_name: example/operations-k8s-prod, private: true } }
";

#[test]
fn somebody_elses_repository_stops_before_the_first_effect() {
    let place = Place::new();
    rehearsed_otherwise(&place, "notejam", "given:\n", THEIRS);
    let run = RUN.map(|part| if part == "notejam.rhai" { "runbooks/notejam.rhai" } else { part });
    let said = place.run(run.iter().filter(|part| **part != "--json").chain(&FLUX).copied());
    assert!(said.code != 0 && said.err.contains("ops_repo_create=false uses it"), "{}", said.err);
    assert_eq!(world(&place)["objects"], json!([]));
}
