//! F, A18, C5: what keeps an undo from its end; secrets that are told once; several processes that want one run.

use crate::{
    Section,
    bench::Bench,
    harness::Place,
    sheet::Part,
    trial,
    trials::{one_shot, storms, wedges},
};

/// F, A18, C5.
pub const SECTION: Section = Section {
    name: "wedges",
    title: "What stands in the way of an undo",
    how: "A finished run gets one thing in its way, one a trial (the list below: a foreign interface, a finalizer, a protection, a denial \
          …). Its undo must end by itself in simulated minutes, name exactly what still stands by the sandbox's own account (kind, id, why, \
          what holds it, what it goes on costing), in NDJSON and in the text for people, and leave what is foreign; when the obstacle is gone \
          the next undo must leave nothing. One script is made and undone twenty times in one account. A run that makes an access key is \
          killed at every moment and resumed. Four processes want one run at once, at random moments.",
    limits: &[
        "How long an undo waits for an obstacle is simulated time.",
        "A namespace that the run made goes with all that is in it, whoever made it, as Kubernetes has it; so does a cluster.",
        "The sandbox gives the names of deleted buckets free at once; AWS may keep them for a while.",
        "EKS is taken to make its log group as soon as a cluster that logs is made, and 5 s after it was deleted under a standing one.",
    ],
    measure,
};

const CYCLES: usize = 20;
const STORMS: usize = 100;

fn measure(bench: &Bench, part: &mut Part) {
    held(bench, part);
    keys(bench, part);
    wanted(bench, part);
}

fn held(bench: &Bench, part: &mut Part) {
    let make = || Place::of(bench.trial());
    let cases = wedges::all();
    let count = cases.len();
    let tried = bench.each(
        part,
        &cases,
        |wedge| wedge.name.to_owned(),
        |wedge| wedge.one(&make).map(|ended| (wedge.name, ended)),
    );
    part.all("F", "wedges ended, leftovers named, the next undo left nothing", tried.len(), count);
    part.zero("F", "leftovers not named, foreign deletions, undos without an end", count - tried.len());
    for wedge in &cases {
        if let Some((_, ended)) = tried.iter().find(|(name, _)| *name == wedge.name) {
            part.told("F", wedge.name, format!("{} left, {:.1} min", ended.left, ended.minutes));
        }
    }
    let name = |count: &usize| format!("{count} cycles");
    let cycles = bench.each(part, &[CYCLES], name, |count| wedges::passed::cycles(&make, *count).map(|()| *count));
    part.all("F", "cycles of making and undoing without a clash of names", cycles.iter().sum(), CYCLES);
}

fn keys(bench: &Bench, part: &mut Part) {
    let make = || Place::of(bench.trial());
    let mut all = match one_shot::around_calls(&make) {
        Ok(moments) => moments,
        Err(why) => return part.failed(bench, "moments", &why),
    };
    let points = trial::traced(&one_shot::begun(&make), &one_shot::RUN);
    all.extend(points.into_iter().map(|point| ("RUNBOOK_CRASH", point)));
    let count = all.len();
    let tried = bench.each(part, &all, |(_, when)| format!("key {when}"), |moment| one_shot::one(&make, moment));
    part.all("A18", "moments at which a run that makes an access key was killed, then resumed", tried.len(), count);
    part.zero("A18", "ends without exactly one key alive, the one whose secret is kept", count - tried.len());
}

fn wanted(bench: &Bench, part: &mut Part) {
    let make = || Place::of(bench.trial());
    let (mut storms, mut wanted, mut refused, mut wrong) = (0, 0, 0, 0);
    for (kind, what) in storms::KINDS.iter().enumerate() {
        let seeds: Vec<u64> = (0..bench.pick(5, STORMS) as u64).map(|n| bench.seed().wrapping_add(n)).collect();
        let tried = bench.each(part, &seeds, |seed| format!("{what}, {seed}"), |seed| storms::one(&make, kind, *seed));
        part.at_least("C5", &format!("storms: {what}"), tried.len(), STORMS);
        storms += tried.len();
        wanted += tried.iter().map(|storm| storm.processes).sum::<usize>();
        refused += tried.iter().map(|storm| storm.refused).sum::<usize>();
        wrong += seeds.len() - tried.len();
    }
    part.told(
        "C5",
        "processes in them, and those refused since another one drove the run",
        format!("{wanted}, {refused}"),
    );
    part.at_least("C5", "processes refused", refused, storms / 4);
    part.zero("C5", "overlaps, things made or deleted twice", wrong);
}
