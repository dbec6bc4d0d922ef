//! K1: killed at a request to a real API server, by the live code on the testbed.

use crate::{Section, bench::Bench, sheet::Part, testbed::printed};

/// Kills at requests to a cluster.
pub const SECTION: Section = Section {
    name: "cluster",
    title: "Killed at requests to a cluster, live",
    how: "The program and the real helm, 3 and 4, against a real API server: a namespace, two objects, a patch, an install, an upgrade, and \
          an upgrade whose hook fails, so that it is rolled back. At one request, the program's own or its helm's, the run or its undo is \
          killed with its helm, before the API server has the request or after it has carried it out; or the program alone, and its helm \
          goes on. Resumed, the objects must be those of an undisturbed run, the newest revision of the release the only one deployed, \
          and none pending; after the undo, also of a run that is not resumed, nothing may stand. The test is tests/live/helm/killed.rs.",
    limits: &[
        "A request that reads is met the first time that it comes, one that changes each time; what is asked of the charts' registry is no \
         request to a cluster.",
        "An upgrade whose helm was killed is a failed revision in Helm's history, and is made again as the next one.",
        "Nodes and pods are kwok's.",
    ],
    measure,
};

fn measure(bench: &Bench, part: &mut Part) {
    let Some(printed) = printed(bench, part, "helm::killed", "killed", bench.pick(10, 1_000)) else { return };
    let (tried, wrong) = (printed.figure("tried"), printed.figure("wrong"));
    part.told("K1", "requests of a run and its undo, of both helms", printed.figure("requests").to_string());
    part.all("K1", "ways to be killed at one", tried, if bench.full() { printed.figure("cells") } else { tried });
    part.told("K1", "of these, the request did not come again", (tried - wrong - printed.figure("killed")).to_string());
    part.told("K1", "of these, with a revision more than undisturbed", printed.figure("more").to_string());
    part.zero("K1", "other objects, pending releases, things that undo left, runs that needed a person", wrong);
    if wrong > 0 {
        part.failed(bench, "killed", printed.text());
    }
}
