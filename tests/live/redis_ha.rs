//! The main job, whole and live: redis-ha against two real control planes, the real helm, and AWS emulators behind the fault proxy.
//! What stands is read from the emulators and the API servers, never from our journal.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
};

use runbook_testbed::{
    bed::{Bed, Options},
    proxy::{Action, Fault, Inventory, On, Phase},
    tools::{self, Tools},
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{
    golden,
    harness::{Place, Said, said},
    inventory,
};

const CLUSTERS: [&str; 2] = ["redis1-demo-cluster", "redis2-demo-cluster"];

/// Two whole clusters are enough for one machine: these tests wait for each other.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A testbed with our charts, and a place to run the program in.
struct Redis {
    bed: Bed,
    helm: PathBuf,
    place: Place,
    runtime: Runtime,
    _alone: MutexGuard<'static, ()>,
}

impl Redis {
    fn new(tools: &Tools, helm: PathBuf) -> Self {
        let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let bed = Bed::start(tools, Options::default()).expect("a testbed");
        let runtime = Runtime::new().expect("a runtime");
        Self { bed, helm, place: Place::new(), runtime, _alone: alone }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.place.command(args);
        command.envs(self.bed.env()).env("RUNBOOK_HELM", &self.helm);
        command
    }

    fn say(&self, args: &[&str]) -> Said {
        said(self.command(args).output().expect("the program starts"))
    }

    fn expect(&self, code: i32, args: &[&str]) -> Said {
        let said = self.say(args);
        assert_eq!(
            said.code,
            code,
            "{args:?}\nstdout:\n{}\nstderr:\n{}\ncalls: {}",
            said.out,
            said.err,
            self.last_calls()
        );
        said
    }

    /// The end of the oracle log, for a failure's message.
    fn last_calls(&self) -> String {
        let log = self.bed.proxy().log();
        let last = log.iter().rev().take(8).rev();
        last.map(|entry| format!("\n{} {} {:?} {:?}", entry.service, entry.operation, entry.outcome, entry.status))
            .collect()
    }

    fn run_args(&self) -> Vec<String> {
        let charts = self.bed.chart_parameters().into_iter().map(|(name, value)| format!("-p{name}={value}"));
        ["run", "redis-ha.rhai", "--yes", "--json"].map(str::to_owned).into_iter().chain(charts).collect()
    }

    fn run(&self) -> Said {
        let args = self.run_args();
        self.expect(0, &args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// AWS, as the emulators have it.
    fn inventory(&self) -> Inventory {
        self.runtime.block_on(self.bed.proxy().inventory()).expect("an inventory")
    }

    /// Kubernetes, as the API servers have it: `CLUSTER Kind namespace/name`.
    fn objects(&self) -> Vec<String> {
        let of = |cluster: &str| {
            let added = self.bed.added(cluster).expect("the objects");
            added.into_iter().map(|object| format!("{cluster} {object}")).collect::<Vec<_>>()
        };
        CLUSTERS.iter().flat_map(|cluster| of(cluster)).collect()
    }

    /// Insists that what stands, in AWS and in the clusters, is what was reviewed.
    fn stands_as_reviewed(&self, before: &Inventory, run: &str) {
        golden::same("redis-ha.inventory", &inventory::lines(&self.inventory().since(before), run));
        golden::same("redis-ha.objects", &self.objects());
    }

    /// Starts the program and kills it at a mutating call, by the proxy's hand.
    fn kill_at(&self, args: &[&str], call: u64, phase: Phase) {
        let child = self.command(args).spawn().expect("the program starts");
        let pid = i32::try_from(child.id()).expect("a pid");
        self.bed.proxy().faults().add(Fault::new(On::Call(call), phase, Action::Kill(Some(pid))));
        let said = said(child.wait_with_output().expect("its output"));
        let killed = said.code == -1;
        assert!(killed, "{args:?} ended before call {call}:\n{}\n{}\n{}", said.out, said.err, self.last_calls());
    }

    /// The id of the only run.
    fn id(&self) -> String {
        let shown = self.expect(0, &["show", "latest", "--json"]);
        let first: Value = serde_json::from_str(shown.out.lines().next().expect("a line")).expect("JSON");
        first["run"].as_str().expect("a run id").to_owned()
    }

    /// Insists that undo brings back what was there before, and that no cluster was deleted with something of ours in it.
    fn undo_to(&self, before: &Inventory) {
        self.expect(0, &["undo", "latest", "--yes"]);
        assert_eq!(self.inventory().since(before), json!({}), "undo left something, or took too much");
        let left = self.bed.left_behind();
        assert_eq!(left.len(), CLUSTERS.len(), "{left:?}");
        for (cluster, left) in left {
            assert_eq!(left, BTreeSet::new(), "{cluster} was deleted with these in it");
        }
    }
}

/// Both versions of helm, the golden log and the golden inventory, and undo.
fn undisturbed(redis: &Redis) {
    let before = redis.inventory();
    redis.run();
    let run = redis.id();
    // Branches that run side by side send in any order; what each call asks for does not depend on it.
    let mut calls = redis.bed.proxy().golden();
    calls.sort();
    golden::same("redis-ha.calls", &calls);
    redis.stands_as_reviewed(&before, &run);
    redis.expect(0, &["verify", "latest"]);
    redis.undo_to(&before);
}

#[test]
fn with_helm_3_it_runs_and_is_undone_to_nothing() {
    let Some(tools) = tools::require() else { return };
    undisturbed(&Redis::new(&tools, tools.helm3.clone()));
}

#[test]
fn with_helm_4_it_runs_and_is_undone_to_nothing() {
    let Some(tools) = tools::require() else { return };
    undisturbed(&Redis::new(&tools, tools.helm4.clone()));
}

/// Killed at these mutating calls in turn, at three moments of a call, in one run: the same world as without, nothing twice.
#[test]
fn killed_and_resumed_it_ends_the_same() {
    let Some(tools) = tools::require() else { return };
    let redis = Redis::new(&tools, tools.helm4.clone());
    let before = redis.inventory();
    let kills = [
        (3, Phase::AfterForward),
        (31, Phase::BeforeForward),
        (64, Phase::Answered),
        (90, Phase::AfterForward),
        (100, Phase::AfterForward),
    ];
    let args = redis.run_args();
    let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
    for (call, phase) in kills {
        redis.kill_at(&args, call, phase);
        args = vec!["resume", "latest", "--json"];
    }
    redis.expect(0, &args);
    redis.stands_as_reviewed(&before, &redis.id());
    redis.undo_to(&before);
}
