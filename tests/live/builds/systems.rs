//! The other four systems, whole and live, notejam by both its deliveries: one real control plane, the real helm with what the rehearsal
//! file says its charts hold, and AWS emulators behind the fault proxy. What stands is read from the emulators and the API server, never
//! from our journal.

use runbook_testbed::{
    bed::Options,
    proxy::{Inventory, On, Phase},
    rehearsed::rehearsal,
    tools::{self, Tools},
};
use serde_json::{Value, json};

use crate::{golden, inventory, stand::Stand};

/// When the program is killed.
enum Kill {
    /// At the mutating call of this number.
    Call(u64, Phase),
    /// When the first request of this operation was answered, whoever sent it.
    First(&'static str),
}

use Kill::{Call, First};

/// A runbook on a testbed of its own.
struct System {
    name: &'static str,
    /// The name of its golden files.
    label: &'static str,
    cluster: &'static str,
    stand: Stand,
    file: String,
}

impl System {
    /// With parameters, which a customer file holds.
    fn new(tools: &Tools, name: &'static str, cluster: &'static str, params: &Value) -> Self {
        let given = params.as_object().cloned().unwrap_or_default();
        let rehearsal = rehearsal(name).expect("a rehearsal file").with_params(given);
        let options = Options { rehearsal: Some(rehearsal), ..Options::default() };
        let stand = Stand::with(tools, &tools.helm4, 1, options);
        let file = stand.place.root().join("customer.yaml");
        let text = json!({"customer": "testbed", "region": "us-east-1", "params": params}).to_string();
        std::fs::write(&file, text).expect("a customer file");
        Self { name, label: name, cluster, stand, file: file.display().to_string() }
    }

    /// With golden files of its own, beside those of another system with this runbook.
    fn labelled(self, label: &'static str) -> Self {
        Self { label, ..self }
    }

    fn run_args(&self) -> Vec<String> {
        let runbook = format!("{}.rhai", self.name);
        ["run", &runbook, "--yes", "--json", "--params", &self.file].map(str::to_owned).into()
    }

    /// Kills the program at these moments in turn, then lets it end.
    fn run(&self, kills: &[Kill]) {
        let args = self.run_args();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        self.end(&args, &["resume", "latest", "--json"], kills);
    }

    /// Begins with these arguments, and goes on with those of `again` each time that it was killed.
    fn end(&self, args: &[&str], again: &[&str], kills: &[Kill]) {
        let mut args = args;
        for kill in kills {
            match kill {
                Call(call, phase) => self.stand.kill_at(args, On::Call(*call), *phase),
                First(operation) => self.stand.kill_at(args, On::first(operation), Phase::Answered),
            }
            args = again;
        }
        self.stand.expect(0, args);
    }

    /// Insists that what stands, in AWS and in the cluster, is what was reviewed.
    fn stands_as_reviewed(&self, before: &Inventory) {
        let lines = inventory::lines(&self.stand.inventory().since(before), &self.stand.id());
        golden::same(&format!("{}.inventory", self.label), &lines);
        let objects = self.stand.bed.added(self.cluster).expect("the objects");
        golden::same(&format!("{}.objects", self.label), &objects.into_iter().collect::<Vec<_>>());
    }

    /// Insists that undo, killed at these moments, brings back what was there before, and which definitions it left in the cluster when
    /// that was deleted.
    fn undo_to(&self, before: &Inventory, kills: &[Kill]) {
        let args = ["undo", "latest", "--yes"];
        self.end(&args, &args, kills);
        assert_eq!(self.stand.inventory().since(before), json!({}), "undo left something, or took too much");
        let left = self.stand.bed.left_behind().remove(self.cluster).unwrap_or_default();
        golden::same(&format!("{}.left", self.label), &left.into_iter().collect::<Vec<_>>());
    }

    fn whole(&self, kills: &[Kill], in_undo: &[Kill]) {
        let before = self.stand.inventory();
        self.run(kills);
        self.stands_as_reviewed(&before);
        self.stand.expect(0, &["verify", "latest"]);
        self.undo_to(&before, in_undo);
    }
}

/// What a system is run with here.
type Make = fn(&Tools) -> System;

fn openremote(tools: &Tools) -> System {
    let params = json!({
        "region": "us-east-1", "domain": "openremote.example", "chart_source": "oci://charts.example/openremote",
        // What asks before it deletes data, so that undo can end with nothing.
        "volumes_on_undo": "delete",
    });
    System::new(tools, "openremote", "testcluster", &params)
}

fn reducto(tools: &Tools) -> System {
    let params = json!({
        "reducto_host": "api.reducto.example", "acme_email": "ops@reducto.example", "acme_issuer": "letsencrypt-prod",
        // The testbed has no Cloudflare.
        "cloudflare_api_token": "made up", "dns_mode": "print", "secret_suffix": "abc", "bucket_suffix": "abc",
        // What keeps data by default, so that undo can end with nothing.
        "db_deletion_protection": false, "db_final_snapshot": false, "secret_recovery_days": 0,
    });
    System::new(tools, "reducto", "reducto-ai", &params)
}

fn notejam(tools: &Tools) -> System {
    System::new(tools, "notejam", "notejam-prod", &notejam_params())
}

fn notejam_by_flux(tools: &Tools) -> System {
    let mut params = notejam_params();
    params["gitops_mode"] = "flux".into();
    params["github_token"] = "made up".into();
    // The testbed has no GitHub: the repository stands, and what Flux brings out of it is what the rehearsal file says.
    params["ops_repo_create"] = false.into();
    params["ops_repo_write"] = false.into();
    System::new(tools, "notejam", "notejam-prod", &params).labelled("notejam-flux")
}

fn notejam_params() -> Value {
    json!({
        "region": "us-east-1", "env": "prod", "domain": "notejam.example",
        "delete_backups": true, "delete_images": true, "db_final_snapshot": false,
    })
}

fn sre_platform(tools: &Tools) -> System {
    let params = json!({
        "region": "us-east-1", "azs": ["us-east-1a", "us-east-1b", "us-east-1c"], "cluster_name": "sre", "domain": "sre.example",
        // The rehearsal file asks for these, which have defaults.
        "issuer": "selfsigned-cluster-issuer", "storage_class": "gp3", "grafana_storage": "10Gi", "prometheus_storage": "8Gi",
        "keycloak_image": "bitnamilegacy/keycloak", "keycloak_tag": "23.0.6-debian-11-r0", "retool_tag": "3.20.16",
    });
    System::new(tools, "sre-platform", "sre", &params)
}

/// Run and undone: as nobody disturbs it (`RUNBOOK_TRIALS=all`), or killed at these moments and resumed each time.
fn tried(make: Make, kills: &[Kill], in_undo: &[Kill]) {
    let Some(tools) = tools::require() else { return };
    if std::env::var("RUNBOOK_TRIALS").is_ok_and(|trials| trials == "all") {
        make(&tools).whole(&[], &[]);
    }
    make(&tools).whole(kills, in_undo);
}

#[test]
fn openremote_killed_and_resumed_is_whole_and_undone_to_nothing() {
    tried(openremote, &[Call(5, Phase::AfterForward), Call(30, Phase::BeforeForward), Call(44, Phase::Answered)], &[]);
}

#[test]
fn reducto_killed_and_resumed_is_whole_and_undone_to_nothing() {
    tried(
        reducto,
        &[Call(12, Phase::AfterForward), Call(55, Phase::AfterForward), Call(80, Phase::BeforeForward)],
        &[],
    );
}

#[test]
fn notejam_killed_and_resumed_is_whole_and_undone_to_nothing() {
    tried(
        notejam,
        &[Call(20, Phase::AfterForward), Call(80, Phase::BeforeForward), Call(110, Phase::AfterForward)],
        &[],
    );
}

/// Killed while Flux delivers, and while it takes down: what it brings has the controller of the load balancer in it.
#[test]
fn notejam_delivered_by_flux_killed_and_resumed_is_whole_and_undone_to_nothing() {
    tried(notejam_by_flux, &[First("CreateLoadBalancer")], &[First("DeleteLoadBalancer")]);
}

#[test]
fn sre_platform_killed_and_resumed_is_whole_and_undone_to_nothing() {
    tried(
        sre_platform,
        &[Call(8, Phase::BeforeForward), Call(35, Phase::AfterForward), Call(50, Phase::Answered)],
        &[],
    );
}
