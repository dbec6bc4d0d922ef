//! The main job, whole and live: redis-ha against two real control planes, the real helm, and AWS emulators behind the fault proxy.
//! What stands is read from the emulators and the API servers, never from our journal.

use std::{collections::BTreeSet, path::Path};

use runbook_testbed::{
    proxy::{Inventory, On, Phase},
    tools::{self, Tools},
};
use serde_json::json;

use crate::{
    golden,
    harness::{Place, Said},
    inventory,
    stand::Stand,
};

const CLUSTERS: [&str; 2] = ["redis1-demo-cluster", "redis2-demo-cluster"];

/// A testbed with our charts.
struct Redis(Stand);

impl Redis {
    fn new(tools: &Tools, helm: &Path) -> Self {
        Self(Stand::new(tools, helm))
    }

    fn run_args(&self) -> Vec<String> {
        let charts = self.0.bed.chart_parameters().into_iter().map(|(name, value)| format!("-p{name}={value}"));
        ["run", "redis-ha.rhai", "--yes", "--json"].map(str::to_owned).into_iter().chain(charts).collect()
    }

    fn run(&self) -> Said {
        let args = self.run_args();
        self.0.expect(0, &args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// What the newest run of a place did: `STEP OPERATION` of every effect.
    fn commands(&self, place: &Place) -> Vec<String> {
        let said = self.0.say(place, &["show", "latest", "--json"]);
        let mut commands = said.effects();
        commands.sort();
        assert!(!commands.is_empty(), "{}", said.err);
        commands
    }

    /// Kubernetes, as the API servers have it: `CLUSTER Kind namespace/name`.
    fn objects(&self) -> Vec<String> {
        let of = |cluster: &str| {
            let added = self.0.bed.added(cluster).expect("the objects");
            added.into_iter().map(|object| format!("{cluster} {object}")).collect::<Vec<_>>()
        };
        CLUSTERS.iter().flat_map(|cluster| of(cluster)).collect()
    }

    /// Insists that what stands, in AWS and in the clusters, is what was reviewed.
    fn stands_as_reviewed(&self, before: &Inventory, run: &str) {
        golden::same("redis-ha.inventory", &inventory::lines(&self.0.inventory().since(before), run));
        golden::same("redis-ha.objects", &self.objects());
    }

    /// Insists that undo brings back what was there before, and that no cluster was deleted with something of ours in it.
    fn undo_to(&self, before: &Inventory) {
        self.0.expect(0, &["undo", "latest", "--yes"]);
        assert_eq!(self.0.inventory().since(before), json!({}), "undo left something, or took too much");
        let left = self.0.bed.left_behind();
        assert_eq!(left.len(), CLUSTERS.len(), "{left:?}");
        for (cluster, left) in left {
            assert_eq!(left, BTreeSet::new(), "{cluster} was deleted with these in it");
        }
    }
}

/// The golden log and the golden inventory, the same effects as on the sandbox, and undo.
#[test]
fn with_helm_4_it_runs_and_is_undone_to_nothing() {
    let Some(tools) = tools::require() else { return };
    let redis = Redis::new(&tools, &tools.helm4);
    let before = redis.0.inventory();
    redis.run();
    let run = redis.0.id();
    // Branches that run side by side send in any order; what each call asks for does not depend on it.
    let mut calls = redis.0.bed.proxy().golden();
    calls.sort();
    golden::same("redis-ha.calls", &calls);
    redis.stands_as_reviewed(&before, &run);
    let rehearsed = Place::new();
    let args = [redis.run_args(), ["--sandbox", "--speed", "0"].map(str::to_owned).into()].concat();
    let said = redis.0.say(&rehearsed, &args.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(redis.commands(&redis.0.place), redis.commands(&rehearsed), "not what was rehearsed");
    redis.0.expect(0, &["verify", "latest"]);
    redis.undo_to(&before);
}

/// Killed at these mutating calls in turn, at three moments of a call, in one run: the same world as without, nothing twice. At its end the
/// sentinels, real ones, choose another master.
#[test]
fn with_helm_3_killed_and_resumed_it_ends_the_same() {
    let Some(tools) = tools::require() else { return };
    let redis = Redis::new(&tools, &tools.helm3);
    let before = redis.0.inventory();
    let kills = [
        (3, Phase::AfterForward),
        (31, Phase::BeforeForward),
        (64, Phase::Answered),
        (90, Phase::AfterForward),
        (100, Phase::AfterForward),
    ];
    let args = [redis.run_args(), vec!["-pfailover_drill=true".to_owned()]].concat();
    let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
    for (call, phase) in kills {
        redis.0.kill_at(&args, On::Call(call), phase);
        args = vec!["resume", "latest", "--json"];
    }
    redis.0.expect(0, &args);
    redis.stands_as_reviewed(&before, &redis.0.id());
    redis.undo_to(&before);
}
