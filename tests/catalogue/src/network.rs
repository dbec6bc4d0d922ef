//! E: the network fault matrix, by the live code on the testbed.

use crate::{Section, bench::Bench, sheet::Part, testbed::printed};

/// The matrix.
pub const SECTION: Section = Section {
    name: "network",
    title: "Faults of the network, live",
    how: "The program with the AWS SDK makes and undoes one thing of each way in which AWS's services speak (EC2 query, query, JSON, REST XML, \
          REST JSON, CBOR), against emulators behind the testbed's proxy. One request of it, a read and a wait too, meets a fault: it is \
          lost, throttled, refused, answered by something in between, or executed and its answer lost, broken, replaced or far too large; \
          or every creation meets it until a person resumes. What ends early must say where, and is resumed; then the emulators must hold \
          what they hold without a fault, and nothing after the undo. The test is tests/live/network.rs.",
    limits: &[
        "Names that do not resolve and certificates that are not to be trusted are no part of it: nothing is sent then, as modules/aws's tests \
         insist (live/unreached.rs).",
        "Kubernetes' API is no part of it: its answers are sorted by the tests of modules/kubernetes, and its calls are lost and killed in \
         `answers`, `crash` and `cluster`.",
        "The clock of these runs goes 200 times faster: how often it asks in a minute is not measured, only how often in all.",
    ],
    measure,
};

fn measure(bench: &Bench, part: &mut Part) {
    let Some(printed) = printed(bench, part, "network::", "network", bench.pick(20, 400)) else { return };
    let figure = |name: &str| printed.figure(name);
    let (tried, wrong) = (figure("tried"), figure("wrong"));
    part.told("E", "requests, and faults that each can meet", format!("{}, {}", figure("requests"), figure("faults")));
    part.told("E", "cells: a request with a fault, or every creation", figure("cells").to_string());
    part.all("E", "cells tried, spread over all, that ended as without a fault", tried - wrong, tried);
    part.told("E", "of these, the request did not come", figure("not_met").to_string());
    part.told("E", "of these, the program was called again", figure("again").to_string());
    part.at_most("E", "requests for one thing that never gets an answer", figure("most") as f64, 60.0, "");
    part.zero("E", "panics, calls of the program without an end, ends that do not say where, other worlds", wrong);
    if wrong > 0 {
        part.failed(bench, "network", printed.text());
    }
}
