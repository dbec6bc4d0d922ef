//! A3, B1 to B5, C1, C2, C6: power cuts, disks that refuse, damaged files, older journals, races for the lease.

use crate::{
    Section,
    bench::{Bench, cargo},
    harness::Place,
    sheet::Part,
    trials::{damage, disk, power, restored},
};

/// A3.
pub const POWER: Section = Section {
    name: "power",
    title: "The power goes",
    how: "The file writes of a small run are written down by strace. From that log the disk is made as it may be found after a power cut at any \
          write: what was synced is there, of the rest all, nothing, some, or half a torn write. What the run had told by then must be \
          in the journal; every tenth image is gone on with to the same world. The same is done once to a program with synchronous=OFF, \
          whose losses must be found.",
    limits: &["Names of files are taken to appear, move and go in order, as with a journal of metadata."],
    measure: cuts,
};

/// B1 to B4.
pub const DISK: Section = Section {
    name: "disk",
    title: "The disk refuses or lies",
    how: "strace refuses the N-th write, sync or open of each thread of the built program, once or from then on, with ENOSPC, EDQUOT, EIO, \
          EROFS, EMFILE or ENOMEM, or interrupts it once (EINTR); a file size limit makes writes short. The run must stop with an error, no call may be sent whose intent is not in the \
          journal, and it must go on afterwards to the same world; after a commit whose sync failed, nothing more may be written to the \
          journal, and the run may not end well. Then bits of a broken-off run's files are flipped, stretches \
          overwritten, and files cut: reading must give an error or the same.",
    limits: &[
        "The index of SQLite's log (-shm) is rebuilt on opening and not damaged here.",
        "A write-ahead log that is damaged, cut or taken away leaves an earlier state, whole: the journal cannot tell. A resume looks \
         for what such a journal lacks before it makes it again (B5), and `runbook audit` shows what stands and is newer (A17).",
        "What strace itself is refused says nothing; how many injections fired is printed.",
    ],
    measure: refusals,
};

/// B5, C6.
pub const OLDER: Section = Section {
    name: "older",
    title: "The journal is older than the world",
    how: "A run is killed after one of its calls. Then a backup of its journal is put back when it has gone on to its end; its write-ahead \
          log is deleted, or replaced with another run's; or two copies of the journal are driven in turn over one world. It is gone \
          on with: nothing may be made twice, everything must have an owner at the end (`runbook audit`, `runbook verify`, an undo to \
          an empty world), or the resume is refused with a reason and makes nothing.",
    limits: &[
        "What bears no mark and replaces something (a record, a policy) is put once more, and what stands then is taken for what stood \
         there before: undo leaves it.",
        "A thing that was made by a second try, after a first one that failed, has another mark: what an older journal that lacks both \
         makes again is found by `runbook audit` alone. So is an access key, which bears none.",
        "Two machines that drive copies of one journal at the same moment look before either has made anything: that is not prevented.",
    ],
    measure: older,
};

/// C1, C2.
pub const LEASES: Section = Section {
    name: "leases",
    title: "Who drives a run",
    how: "Four processes race for the lease of one run, again and again; every fifth time it is the lease of a process that was killed with \
          it. One that is stopped beyond its lease, taken over and continued writes, renews and releases nothing.",
    limits: &[],
    measure: races,
};

fn cuts(bench: &Bench, part: &mut Part) {
    let make = || Place::of(bench.shipped());
    match power::strace() {
        Ok(true) => {}
        Ok(false) => return part.not_measured("A3", "power cuts", "at least 5000", "strace is not installed"),
        Err(why) => return part.failed(bench, "strace", &why),
    }
    let log = match power::record(&make, None) {
        Ok(log) => log,
        Err(why) => return part.failed(bench, "record", &why),
    };
    let cases: Vec<u64> = (0..bench.pick(200, 5000) as u64).collect();
    let tried = bench.each(part, &cases, ToString::to_string, |n| power::one(&make, &log, *n));
    part.told("A3", "places at which the power can go", log.places().to_string());
    part.at_least("A3", "images of a disk after a power cut", tried.len(), 5000);
    part.zero("A3", "images in which something that had been told was lost", cases.len() - tried.len());
    let faulty = || Place::of(bench.trial());
    let found = power::record(&faulty, Some("synchronous-off"))
        .map(|log| (0..400).step_by(4).filter(|n| power::one(&faulty, &log, *n).is_err()).count());
    match found {
        Ok(found) => part.at_least("A3", "of 100 images those that show synchronous=OFF to lose something", found, 1),
        Err(why) => part.failed(bench, "synchronous-off", &why),
    }
}

fn refusals(bench: &Bench, part: &mut Part) {
    let make = || Place::of(bench.shipped());
    if power::strace() == Ok(true) {
        let mut injections = 0;
        for (call, error) in disk::KINDS {
            let id = match error {
                "ENOSPC" | "EDQUOT" => "B1",
                "EIO" => "B2",
                _ => "B3",
            };
            // Each thread opens few files.
            let all = disk::of((call, error), if call == "openat" { 10 } else { 60 });
            let total = all.len();
            let cases = bench.sample(&format!("{call} {error}"), all, 2);
            let fired = bench.each(part, &cases, disk::Refusal::name, |refusal| disk::one(&make, refusal));
            part.all(id, &format!("{call} refused with {error}, at the N-th"), fired.len(), total);
            let of_them = fired.iter().filter(|fired| **fired > 0).count();
            let of_this_kind = fired.iter().sum::<usize>();
            injections += of_this_kind;
            part.told(
                id,
                &format!("{call} {error}: trials in which it fired, injections"),
                format!("{of_them}, {of_this_kind}"),
            );
        }
        part.insist(bench, injections > 0, "no injection fired");
    } else {
        part.not_measured("B1", "refusals of the N-th write, sync or open", "all", "strace is not installed");
    }
    let limits: Vec<u64> = (4..260).step_by(bench.pick(40, 1)).collect();
    let tried = bench.each(part, &limits, |kib| format!("short write {kib}"), |kib| disk::limited(&make, *kib));
    part.at_least("B3", "runs with a limit of the size of files", tried.len(), 256);
    let refused = tried.iter().filter(|refused| **refused).count();
    part.told("B3", "of these, refused", refused.to_string());
    part.insist(bench, refused > 0, "no write was short");
    let wanted = bench.pick(600, 10_000) as u64;
    let (mut tried, mut noticed, mut earlier) = (0, 0, 0);
    for log in [false, true] {
        let sound = match damage::Sound::new(&make, log) {
            Ok(sound) => sound,
            Err(why) => return part.failed(bench, "damage", &why),
        };
        let cases: Vec<u64> = (0..wanted / 2).collect();
        let name = |n: &u64| format!("damage {log} {n}");
        let verdicts = bench.each(part, &cases, name, |n| sound.damaged(*n));
        tried += verdicts.len();
        let count = |of| verdicts.iter().filter(|verdict| **verdict == of).count();
        let (noticed_here, lost) = (count(damage::Verdict::Noticed), count(damage::Verdict::Earlier));
        part.insist(bench, noticed_here > 0, "no damage was noticed");
        part.insist(bench, log || lost == 0, "without a log nothing may be lost in silence");
        noticed += noticed_here;
        earlier += lost;
    }
    part.at_least("B4", "damages of a broken-off run's files", tried, 10_000);
    part.told("B4", "of these, noticed", noticed.to_string());
    part.told("B4", "in the log, and the newest entries lost without an error", earlier.to_string());
    part.told("B4", "harmless: they hit what says nothing", (tried - noticed - earlier).to_string());
    part.zero("B4", "damages that read otherwise without an error", wanted as usize - tried);
}

fn older(bench: &Bench, part: &mut Part) {
    let make = || Place::of(bench.shipped());
    let calm = match restored::calm(&make) {
        Ok(calm) => calm,
        Err(why) => return part.failed(bench, "calm", &why),
    };
    let all: Vec<(restored::Way, usize)> =
        restored::WAYS.into_iter().flat_map(|way| (1..=calm.calls - 3).map(move |n| (way, n))).collect();
    let total = all.len();
    let cases = bench.sample("older journals", all, 12);
    let name = |(way, n): &(restored::Way, usize)| format!("{way:?} {n}");
    let ended =
        bench.each(part, &cases, name, |(way, n)| restored::one(&make, &calm, *way, *n).map(|ended| (*way, ended)));
    part.all("B5", "older journals gone on with, or refused", ended.len(), total);
    part.zero("B5", "of these, things made twice or without an owner", cases.len() - ended.len());
    part.insist(bench, ended.iter().any(|(_, ended)| *ended == restored::Ended::Same), "none was gone on with");
    for (id, copies, what) in [("B5", false, "of a backup or another log"), ("C6", true, "of two copies in turn")] {
        let of = |verdict| {
            ended.iter().filter(|(way, ended)| (*way == restored::Way::Copies) == copies && *ended == verdict).count()
        };
        let (same, refused) = (of(restored::Ended::Same), of(restored::Ended::Refused));
        part.told(id, &format!("{what}: to the same world, refused with a reason"), format!("{same}, {refused}"));
    }
}

fn races(bench: &Bench, part: &mut Part) {
    let times = bench.pick(1, 40).to_string();
    let mut test = cargo("test");
    test.args([
        "--quiet",
        "--package",
        "runbook-state",
        "--test",
        "leases",
        "--",
        "--nocapture",
        "--test-threads",
        "1",
    ]);
    let output = match test.env("RUNBOOK_TRIALS", times).output() {
        Ok(output) => output,
        Err(error) => return part.failed(bench, "leases", &error.to_string()),
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find_map(|line| line.split_once("races ")?.1.split_once(", double holders "));
    match line {
        Some((races, doubles)) if output.status.success() => {
            part.at_least("C1", "races for a lease", races.parse().unwrap_or_default(), 1000);
            part.zero("C1", "double holders", doubles.trim().parse().unwrap_or(usize::MAX));
            part.zero("C2", "writes of a process whose lease was taken over", 0);
        }
        _ => part.failed(bench, "leases", &text),
    }
}
