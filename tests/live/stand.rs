//! The built program before a whole testbed: what every test of a runbook on it needs.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Condvar, Mutex, PoisonError},
};

use runbook_testbed::{
    bed::{Bed, Options},
    proxy::{Action, Fault, Inventory, On, Phase},
    tools::Tools,
};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::harness::{Place, Said, said};

/// So many clusters stand at once, whatever the number of threads: enough to keep two cores busy while most tests wait for servers.
/// A test that finds no room waits for another to end.
static FREE: (Mutex<usize>, Condvar) = (Mutex::new(5), Condvar::new());

/// A place for so many clusters, until it is dropped.
struct Room(usize);

impl Room {
    fn for_clusters(count: usize) -> Self {
        let free = FREE.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = FREE.1.wait_while(free, |free| *free < count).unwrap_or_else(PoisonError::into_inner);
        *free -= count;
        Self(count)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        *FREE.0.lock().unwrap_or_else(PoisonError::into_inner) += self.0;
        FREE.1.notify_all();
    }
}

/// A testbed, and a place to run the program in.
pub struct Stand {
    /// The testbed.
    pub bed: Bed,
    /// Where the program runs.
    pub place: Place,
    helm: PathBuf,
    runtime: Runtime,
    // Dropped last: the next testbed starts when this one has ended.
    _room: Room,
}

impl Stand {
    /// A new one for two clusters, and a program that calls this helm.
    pub fn new(tools: &Tools, helm: &Path) -> Self {
        Self::with(tools, helm, 2, Options::default())
    }

    /// One for so many clusters, with more than the ordinary.
    pub fn with(tools: &Tools, helm: &Path, clusters: usize, options: Options) -> Self {
        let room = Room::for_clusters(clusters);
        let bed = Bed::start(tools, options).expect("a testbed");
        let helm = bed.helm(helm).expect("a helm");
        let runtime = Runtime::new().expect("a runtime");
        Self { bed, helm, place: Place::new(), runtime, _room: room }
    }

    /// The program with arguments, pointed at the testbed, not started.
    pub fn command(&self, place: &Place, args: &[&str]) -> Command {
        let mut command = place.command(args);
        command.envs(self.bed.env()).env("RUNBOOK_HELM", &self.helm);
        command
    }

    /// Runs the program to its end.
    pub fn say(&self, place: &Place, args: &[&str]) -> Said {
        said(self.command(place, args).output().expect("the program starts"))
    }

    /// Runs it in its own place and insists on an exit code.
    pub fn expect(&self, code: i32, args: &[&str]) -> Said {
        let said = self.say(&self.place, args);
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
    pub fn last_calls(&self) -> String {
        let log = self.bed.proxy().log();
        let last = log.iter().rev().take(8).rev();
        last.map(|entry| format!("\n{} {} {:?} {:?}", entry.service, entry.operation, entry.outcome, entry.status))
            .collect()
    }

    /// AWS, as the emulators have it.
    pub fn inventory(&self) -> Inventory {
        self.runtime.block_on(self.bed.proxy().inventory()).expect("an inventory")
    }

    /// Starts the program and kills it at a request, its own or another's, by the proxy's hand.
    pub fn kill_at(&self, args: &[&str], on: On, phase: Phase) {
        let child = self.command(&self.place, args).spawn().expect("the program starts");
        let pid = i32::try_from(child.id()).expect("a pid");
        self.bed.proxy().faults().add(Fault::new(on.clone(), phase, Action::Kill(Some(pid))));
        let said = said(child.wait_with_output().expect("its output"));
        let killed = said.code == -1;
        assert!(killed, "{args:?} ended before {on:?}:\n{}\n{}\n{}", said.out, said.err, self.last_calls());
    }

    /// The id of the only run.
    pub fn id(&self) -> String {
        let shown = self.expect(0, &["show", "latest", "--json"]);
        let first: Value = serde_json::from_str(shown.out.lines().next().expect("a line")).expect("JSON");
        first["run"].as_str().expect("a run id").to_owned()
    }
}
