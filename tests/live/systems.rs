//! The other four systems, whole and live: one real control plane, the real helm with what the rehearsal file says its charts hold, and
//! AWS emulators behind the fault proxy. What stands is read from the emulators and the API server, never from our journal.

use runbook_testbed::{
    bed::Options,
    proxy::{Inventory, Phase},
    rehearsed::rehearsal,
    tools::{self, Tools},
};
use serde_json::{Value, json};

use crate::{golden, inventory, stand::Stand};

/// A runbook on a testbed of its own.
struct System {
    name: &'static str,
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
        Self { name, cluster, stand, file: file.display().to_string() }
    }

    fn run_args(&self) -> Vec<String> {
        let runbook = format!("{}.rhai", self.name);
        ["run", &runbook, "--yes", "--json", "--params", &self.file].map(str::to_owned).into()
    }

    /// Kills the program at these mutating calls in turn, then lets it end.
    fn run(&self, kills: &[(u64, Phase)]) {
        let args = self.run_args();
        let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
        for (call, phase) in kills {
            self.stand.kill_at(&args, *call, *phase);
            args = vec!["resume", "latest", "--json"];
        }
        self.stand.expect(0, &args);
    }

    /// Insists that what stands, in AWS and in the cluster, is what was reviewed.
    fn stands_as_reviewed(&self, before: &Inventory) {
        let lines = inventory::lines(&self.stand.inventory().since(before), &self.stand.id());
        golden::same(&format!("{}.inventory", self.name), &lines);
        let objects = self.stand.bed.added(self.cluster).expect("the objects");
        golden::same(&format!("{}.objects", self.name), &objects.into_iter().collect::<Vec<_>>());
    }

    /// Insists that undo brings back what was there before, and which definitions it left in the cluster when that was deleted.
    fn undo_to(&self, before: &Inventory) {
        self.stand.expect(0, &["undo", "latest", "--yes"]);
        assert_eq!(self.stand.inventory().since(before), json!({}), "undo left something, or took too much");
        let left = self.stand.bed.left_behind().remove(self.cluster).unwrap_or_default();
        golden::same(&format!("{}.left", self.name), &left.into_iter().collect::<Vec<_>>());
    }

    fn whole(&self, kills: &[(u64, Phase)]) {
        let before = self.stand.inventory();
        self.run(kills);
        self.stands_as_reviewed(&before);
        self.stand.expect(0, &["verify", "latest"]);
        self.undo_to(&before);
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
        "cloudflare_api_token": "made up", "secret_suffix": "abc", "bucket_suffix": "abc",
        // What keeps data by default, so that undo can end with nothing.
        "db_deletion_protection": false, "db_final_snapshot": false, "secret_recovery_days": 0,
    });
    System::new(tools, "reducto", "reducto-ai", &params)
}

fn notejam(tools: &Tools) -> System {
    let params = json!({
        "region": "us-east-1", "env": "prod", "domain": "notejam.example",
        "delete_backups": true, "delete_images": true, "db_final_snapshot": false,
    });
    System::new(tools, "notejam", "notejam-prod", &params)
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

/// Run and undone: as nobody disturbs it (`RUNBOOK_TRIALS=all`), or killed at these mutating calls and resumed each time.
fn tried(make: Make, kills: &[(u64, Phase)]) {
    let Some(tools) = tools::require() else { return };
    if std::env::var("RUNBOOK_TRIALS").is_ok_and(|trials| trials == "all") {
        make(&tools).whole(&[]);
    }
    make(&tools).whole(kills);
}

#[test]
fn openremote_killed_and_resumed_is_whole_and_undone_to_nothing() {
    tried(openremote, &[(5, Phase::AfterForward), (30, Phase::BeforeForward), (44, Phase::Answered)]);
}

#[test]
fn reducto_killed_and_resumed_is_whole_and_undone_to_nothing() {
    tried(reducto, &[(12, Phase::AfterForward), (55, Phase::AfterForward), (80, Phase::BeforeForward)]);
}

#[test]
fn notejam_killed_and_resumed_is_whole_and_undone_to_nothing() {
    tried(notejam, &[(20, Phase::AfterForward), (80, Phase::BeforeForward), (110, Phase::AfterForward)]);
}

#[test]
fn sre_platform_killed_and_resumed_is_whole_and_undone_to_nothing() {
    tried(sre_platform, &[(8, Phase::BeforeForward), (35, Phase::AfterForward), (50, Phase::Answered)]);
}
