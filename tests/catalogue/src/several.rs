//! A14: what is several calls for AWS, with some of it there already.

use crate::{Section, bench::Bench, harness::Place, sheet::Part, trial, trials::several};

/// A14.
pub const SECTION: Section = Section {
    name: "several",
    title: "Five rules, policies, settings and records, some of them somebody else's",
    how: "A run adds five rules to a group of somebody else's in one call, each way, and five one by one; five policies of both kinds to a \
          role of somebody else's, three settings to a bucket, five records to a zone; and the same to a group, a role and a bucket of \
          its own. Somebody else has made any of the five before, some with other contents. At every call the run is killed before and after \
          it was executed, its answer is lost or an error of the server, or the call is lost; it is killed around every commit; then it goes on. \
          So is its undo. What must stand after the run is the same whatever stood before, and after the undo it is what stood before; both are \
          read out of the sandbox's world, rule by rule.",
    limits: &[
        "AWS takes or refuses all rules of one call together, as the sandbox does: a call of which AWS executed a part is not played.",
    ],
    measure,
};

fn measure(bench: &Bench, part: &mut Part) {
    let make = || Place::of(bench.trial());
    let calm = match several::calm(&make) {
        Ok(calm) => calm,
        Err(why) => return part.failed(bench, "calm", &why),
    };
    let points = match several::begun(&make, 0) {
        Ok((place, ..)) => trial::traced(&place, &several::RUN),
        Err(why) => return part.failed(bench, "commits", &why),
    };
    let all = several::cases(&calm, points);
    let total = all.len();
    let cases = bench.sample("several", all, 40);
    let tried =
        bench.each(part, &cases, several::Case::name, |case| several::one(&make, &calm, case).map(|()| case.mask));
    part.all("A14", "places where it was broken off, then gone on with and undone", tried.len(), total);
    part.told(
        "A14",
        "of these, with something of the five there already",
        tried.iter().filter(|mask| **mask != 0).count().to_string(),
    );
    part.zero(
        "A14",
        "sets that are not exactly those asked for, or not what was there before",
        cases.len() - tried.len(),
    );
}
