//! The SRE platform on the sandbox: every step of its specification, its variants, the traps of the original, and back to nothing.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{harness::Place, redis_ha::world, table};

const RUN: [&str; 6] = ["run", "sre-platform.rhai", "--sandbox", "--speed", "0", "--json"];
const RETOOL: [&str; 4] = ["-p", "retool_enabled=true", "-p", "retool_licence_key=a-licence"];
const ROUTE_53: [&str; 4] = ["-p", "dns_mode=route53", "-p", "hosted_zone_id=Z0PLATFORM"];

/// The steps of a run that ended well.
fn steps(place: &Place, more: &[&str]) -> BTreeSet<String> {
    table::run(place, &[&RUN[..], more].concat())
}

/// The Kubernetes objects of a kind.
fn kubernetes(world: &Value, kind: &str) -> Vec<Value> {
    let all = world["objects"].as_array().expect("objects");
    all.iter().map(|o| o["body"].clone()).filter(|body| body["kind"] == kind).collect()
}

fn named<'a>(objects: &'a [Value], name: &str) -> &'a Value {
    objects.iter().find(|o| o["metadata"]["name"] == name).unwrap_or_else(|| panic!("no {name} in {objects:#?}"))
}

/// The AWS objects of a kind.
fn count(world: &Value, kind: &str) -> usize {
    world["objects"].as_array().expect("objects").iter().filter(|o| o["kind"] == kind).count()
}

fn output(place: &Place, name: &str) -> String {
    place.expect(0, ["output", "latest", name]).out.trim().to_owned()
}

fn undone(place: &Place) {
    place.expect(0, ["undo", "latest", "--yes"]);
    assert_eq!(world(place)["objects"], json!([]), "undo left something");
}

/// What was called in the world, in order.
fn calls(place: &Place) -> Vec<String> {
    let calls = world(place)["calls"].as_array().cloned().unwrap_or_default();
    calls.iter().filter_map(|call| call["op"].as_str().map(str::to_owned)).collect()
}

#[test]
fn every_step_of_the_specification_is_there_and_all_is_undone() {
    let place = Place::new();
    let done = steps(&place, &[&RETOOL[..], &ROUTE_53[..]].concat());
    table::names_every_step("sre-platform", 26);
    table::all_done(&table::told("sre-platform", |row| row != "letsencrypt"), &done);

    for (name, value) in [("load_balancer_kind", "Network Load Balancer"), ("region", "eu-south-1")] {
        assert_eq!(output(&place, name), value);
    }
    assert!(output(&place, "cluster_name").starts_with("sre-challenge-eks-"));
    assert_eq!(output(&place, "retool_sign_up"), "https://retool.sre-challenge.com/auth/signup");
    for name in [
        "cluster_endpoint",
        "cluster_ca",
        "cluster_security_group_id",
        "load_balancer",
        "load_balancer_addresses",
        "urls",
        "argocd_user",
        "warnings",
    ] {
        assert!(!output(&place, name).is_empty(), "{name}");
    }
    assert!(place.expect(0, ["output", "latest", "grafana_admin_password", "--reveal"]).out.trim().len() >= 24);

    let world = world(&place);
    traps_avoided(&world);
    assert_eq!(count(&world, "route53.record_set"), 4, "a name for each host");
    place.expect(0, ["verify", "latest"]);
    undone(&place);
    order_of_undo(&calls(&place));
}

/// What the specification's section 9 warns of.
fn traps_avoided(world: &Value) {
    let applications = kubernetes(world, "Application");
    assert_eq!(applications.len(), 6, "{applications:#?}");
    for application in &applications {
        let name = &application["metadata"]["name"];
        assert_eq!(
            application["metadata"]["finalizers"],
            json!(["resources-finalizer.argocd.argoproj.io"]),
            "{name} cascades"
        );
        assert_eq!(application["spec"]["syncPolicy"]["automated"]["selfHeal"], true, "{name} heals itself at the end");
        let text = application.to_string();
        assert!(
            !text.contains("{{secret:"),
            "{name} holds no secret: its values are read by everybody who reads Applications"
        );
    }
    let values = |name: &str| named(&applications, name)["spec"]["source"]["helm"]["valuesObject"].clone();
    assert_eq!(
        values("keycloak")["auth"]["existingSecret"],
        "keycloak-admin",
        "no password made anew with each rendering"
    );
    assert_eq!(values("keycloak")["image"]["repository"], "bitnamilegacy/keycloak");
    assert_eq!(values("traefik-ingress")["ingressRoute"]["dashboard"]["enabled"], false);
    assert!(!values("traefik-ingress").to_string().contains("api.insecure"));
    let sources = named(&applications, "monitoring")["spec"]["sources"].as_array().expect("two charts");
    let grafana = &sources.iter().find(|source| source["chart"] == "grafana").expect("grafana")["helm"]["valuesObject"];
    assert_eq!(grafana["admin"]["existingSecret"], "grafana-admin");
    assert_eq!(grafana["grafana.ini"]["server"]["domain"], "grafana.sre-challenge.com", "no scheme");

    let nodes = kubernetes(world, "Node");
    let of_kind = |kind: &str| -> Vec<&Value> {
        nodes
            .iter()
            .filter(|node| node["metadata"]["labels"]["workload-type"] == kind)
            .map(|node| &node["metadata"]["name"])
            .collect()
    };
    let (database, large) = (of_kind("database"), of_kind("large"));
    assert_eq!((nodes.len(), database.len(), large.len()), (9, 3, 1));
    // Where the pods run the snapshot leaves out: the run's own checks `placed` and `on the large node` look at that.
    for cluster in kubernetes(world, "Cluster") {
        let affinity = &cluster["spec"]["affinity"];
        assert_eq!(affinity["nodeSelector"], json!({ "workload-type": "database" }));
        assert_eq!(affinity["tolerations"][0]["value"], "database");
    }
    for ingress in kubernetes(world, "Ingress") {
        assert_eq!(ingress["spec"]["ingressClassName"], "traefik-ingress");
    }
    let secret = named(&kubernetes(world, "Secret"), "keycloak-app-secret").clone();
    assert_eq!(
        (&secret["type"], &secret["stringData"]["username"]),
        (&json!("kubernetes.io/basic-auth"), &json!("app"))
    );
    assert_eq!(count(world, "elbv2.load_balancer"), 1);
}

/// The specification's section 8.
fn order_of_undo(calls: &[String]) {
    let first = |op: &str| calls.iter().position(|call| call == op).unwrap_or_else(|| panic!("no {op} in {calls:#?}"));
    let last = |op: &str| calls.iter().rposition(|call| call == op).unwrap_or_else(|| panic!("no {op} in {calls:#?}"));
    assert!(last("route53.delete_record_sets") < first("delete k8s.patch"), "names go before anything else");
    assert!(last("delete k8s.patch") < first("delete k8s.object"), "automated sync is off before an Application goes");
    assert!(last("delete k8s.object") < first("delete eks.addon"), "the platform goes before the cluster");
    assert!(last("delete eks.nodegroup") < first("delete eks.cluster"));
    assert!(first("delete eks.cluster") < first("delete logs.log_group"), "EKS would make it again");
    assert!(first("delete kms.alias") < first("delete kms.key"));
    assert!(first("delete kms.key") < last("delete ec2.vpc"));
}

/// Writes a shipped runbook out, with something else in its rehearsal file.
pub fn rehearsed_otherwise(place: &Place, runbook: &str, text: &str, otherwise: &str) {
    let file = format!("runbooks/{runbook}.rehearsal.yaml");
    place.expect(0, ["eject", runbook]);
    let rehearsal = std::fs::read_to_string(place.work().join(&file)).expect("a rehearsal file");
    assert!(rehearsal.contains(text), "no {text:?} in:\n{rehearsal}");
    place.write(&file, &rehearsal.replace(text, otherwise));
}

#[test]
fn lets_encrypt_is_asked_when_the_names_lead_to_the_pages() {
    let place = Place::new();
    let issuer = ["-p", "issuer=letsencrypt", "-p", "acme_email=ops@example.com"];
    let done = steps(&place, &[&ROUTE_53[..], &issuer[..]].concat());
    let told = table::told("sre-platform", |row| row == "letsencrypt");
    assert!(!told.is_empty(), "no row letsencrypt");
    table::all_done(&told, &done);
    let found = world(&place);
    // The rehearsal file fails the run at a certificate whose host has no record.
    let certificates = kubernetes(&found, "Certificate");
    assert_eq!(certificates.len(), 3, "{certificates:#?}");
    assert!(certificates.iter().all(|one| one["spec"]["issuerRef"]["name"] == "letsencrypt"));
    let issuer = named(&kubernetes(&found, "ClusterIssuer"), "letsencrypt").clone();
    assert_eq!(issuer["spec"]["acme"]["email"], "ops@example.com");
    undone(&place);
    order_of_undo(&calls(&place));
}

#[test]
fn a_record_that_stood_under_a_name_is_put_back() {
    let place = Place::new();
    let record = concat!(
        r#"  - { kind: route53.record_set, id: "Z0PLATFORM/argocd.sre-challenge.com./A", body: { hosted_zone_id: Z0PLATFORM, "#,
        r#"name: "argocd.sre-challenge.com.", type: A, ttl: 60, resource_records: ["192.0.2.1"] } }"#
    );
    rehearsed_otherwise(&place, "sre-platform", "\nanswers:\n", &format!("{record}\n\nanswers:\n"));
    steps(&place, &ROUTE_53);
    place.expect(0, ["undo", "latest", "--yes"]);
    let left = world(&place)["objects"].as_array().cloned().unwrap_or_default();
    assert_eq!(left.len(), 1, "{left:#?}");
    assert_eq!((&left[0]["kind"], &left[0]["body"]["ttl"]), (&json!("route53.record_set"), &json!(60)));
}

#[test]
fn only_a_region_that_was_seen_to_be_off_is_refused() {
    let given = r#"- { kind: account.region, id: "${param.region}" }"#;
    let other = "- { kind: account.region, id: eu-south-2 }";
    let stands = |state: &str| format!(r#"- {{ kind: account.region, id: "${{param.region}}", state: {state} }}"#);
    for (otherwise, region, why) in [
        (stands("DISABLED"), "eu-south-1", "region eu-south-1 is DISABLED in this account"),
        (stands("DISABLING"), "eu-south-1", "region eu-south-1 is being disabled"),
        (stands("ENABLING"), "eu-south-1", "region eu-south-1 is being enabled"),
        // Refused, as to somebody who may not ask: the run goes on, and here ends at the zones.
        (other.to_owned(), "eu-nowhere-1", "whether region eu-nowhere-1 is enabled was not checked"),
    ] {
        let place = Place::new();
        rehearsed_otherwise(&place, "sre-platform", given, &otherwise);
        let chosen = format!("region={region}");
        let said = place.expect(1, ["run", "sre-platform.rhai", "--sandbox", "--speed", "0", "-p", chosen.as_str()]);
        assert!(said.err.contains(why), "no {why:?} in:\n{}", said.err);
        assert_eq!(said.err.contains("preflight/account"), region == "eu-nowhere-1", "{}", said.err);
        assert_eq!(world(&place)["calls"], json!([]), "{why}");
    }
}

#[test]
fn a_classic_load_balancer_is_called_what_it_is() {
    let place = Place::new();
    let done = steps(&place, &["-p", "lb_mode=classic"]);
    assert!(!done.contains("load balancer controller"));
    assert_eq!(output(&place, "load_balancer_kind"), "Classic Load Balancer");
    assert_eq!(count(&world(&place), "elbv2.load_balancer"), 0);
    let lines: Value = serde_json::from_str(&output(&place, "hosts_file")).expect("JSON");
    let hosts = ["argocd", "keycloak", "grafana"].map(|host| format!("203.0.113.11 {host}.sre-challenge.com"));
    assert_eq!(lines, json!(hosts), "one address for all, the first of the load balancer's");
    undone(&place);
}

#[test]
fn the_same_charts_are_installed_by_helm_alone() {
    let place = Place::new();
    let done = steps(&place, &["-p", "app_delivery=helm"]);
    assert!(!done.contains("automated sync"));
    let world = world(&place);
    assert_eq!(kubernetes(&world, "Application"), Vec::<Value>::new());
    assert_eq!(count(&world, "helm.release"), 8);
    undone(&place);
}

#[test]
fn what_cannot_work_is_refused_before_the_first_change() {
    for (arguments, why) in [
        (&["-p", "retool_enabled=true"][..], "needs retool_licence_key"),
        (&["-p", "dns_mode=route53"][..], "needs hosted_zone_id"),
        (&["-p", "issuer=letsencrypt"][..], "letsencrypt needs dns_mode route53"),
        (&["-p", "azs=eu-south-1a,eu-south-1b"][..], "give three zones"),
    ] {
        let place = Place::new();
        let run = ["run", "sre-platform.rhai", "--sandbox", "--speed", "0"];
        let said = place.expect(1, run.iter().chain(arguments).copied());
        assert!(said.err.contains(why), "{arguments:?}: {}", said.err);
        assert_eq!(world(&place)["calls"], json!([]), "{arguments:?}");
    }
}
