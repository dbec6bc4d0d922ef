//! A17, D1, G, H: orphans, edited scripts, secrets, attacks by scripts.

use std::path::PathBuf;

use crate::{
    Section,
    bench::Bench,
    harness::Place,
    programs::passing,
    sheet::Part,
    trials::{attacks, audit, canaries, edits, recall},
};

/// D1.
pub const EDITS: Section = Section {
    name: "edits",
    title: "The script was changed",
    how: "A random script fails at its end, is edited at random (another thing, a step more, less, renamed, moved or wrapped, a function \
          changed, a loop longer or shorter, comments and white space) and gone on with. What must be kept, done or stopped at is computed \
          from the edits, not from the scripts. Every third resume is killed on its way and resumed plainly. Then it is undone to nothing.",
    limits: &["A finished step that is renamed is a new step: its thing is made again, and both are owned."],
    measure: edited,
};

/// A17.
pub const AUDIT: Section = Section {
    name: "audit",
    title: "Orphans",
    how: "Orphans are planted in the sandbox in each way in which one can come to be (a run of another state directory, an older backup of the \
          journal put back, gone by the journal and still there) among things that a run owns. `runbook audit` must name them, call nothing \
          else one, and change nothing.",
    limits: &["Live, it sees what the Resource Groups Tagging API lists; it says what that is not."],
    measure: orphans,
};

/// G1, G2, G8.
pub const SECRETS: Section = Section {
    name: "secrets",
    title: "Secrets",
    how: "A canary for each way in which a secret comes and goes: parameters (in texts, lists, maps, names of fields, URLs, headers, base64, JSON, \
          YAML, tags, descriptions, errors, refused requests, Secrets Manager, user data, Kubernetes Secrets, ConfigMaps and annotations, \
          Helm values, captures, branches, undo), a customer file, generated values, the key that seals them, variables of the environment, \
          a cluster's Secret, a secret parameter of Systems Manager, an access key. They go through a run that fails, is killed twice, goes \
          on, is shown, verified, audited, planned and undone, at RUST_LOG=trace, and on a terminal. Everything written is searched in every \
          encoding: files, databases with their freed pages and row by row, standard output and error, all that is sent to the terminal. \
          What the account itself holds may stand in the account. The search itself is tried on canaries that other encoders write into the \
          journal, the world, the events and a file.",
    limits: &[
        "Not searched: the memory of the process. Core files are forbidden and not searched for.",
        "A secret of fewer than four characters is masked only where it stands alone.",
        "Of a value inside longer base64 some bits of the first and last byte can be seen.",
        "On the sandbox: what the AWS SDK, kube and helm log by themselves is not searched here.",
    ],
    measure: secrets,
};

/// H1, H2, H4, H8.
pub const ATTACKS: Section = Section {
    name: "attacks",
    title: "What scripts may not do",
    how: "Scripts that want too much memory, time or stack, or something outside of their folder, each in a process with 6 GiB of address \
          space: it must end by itself, with an error and without a signal or a panic. Then imports and files by made-up paths, with \
          symbolic links that lead out. Every binding is called with what nobody would write, whole and in each of its fields (the \
          engine's own tests). Chart archives with paths and links that lead out, with a file that grows to 64 MiB, with a look-up, and \
          plugins of the user's are given to the real helm as we call it (tests of modules/kubernetes, where the testbed's helm is \
          installed).",
    limits: &[
        "Memory and time are those of the optimised build of a full run; the sample has one that is not, and needs more.",
        "What a chart renders and looks up on an install is helm's and the chart's: it has the run's rights in the cluster.",
    ],
    measure: held,
};

/// The tests of H4.
const HOSTILE: [&str; 2] = ["no_input_of_any_binding_is_a_panic", "no_value_of_a_script_makes_a_binding_panic"];

/// The tests of H8.
const CHARTS: [&str; 4] = [
    "an_archive_reads_and_writes_nothing_outside",
    "a_file_that_grows_when_it_is_unpacked_is_refused",
    "a_template_looks_nothing_up",
    "no_plugin_of_the_users_is_started",
];

fn edited(bench: &Bench, part: &mut Part) {
    let make = || Place::of(bench.shipped());
    let cases: Vec<u64> = (0..bench.pick(24, 600) as u64).collect();
    let tried = bench.each(part, &cases, ToString::to_string, |seed| edits::one(&make, *seed));
    part.at_least("D1", "edited scripts gone on with", tried.len(), 500);
    part.zero("D1", "wrong resumes", cases.len() - tried.len());
    let stopped = tried.iter().filter(|one| one.stopped).count();
    part.told("D1", "of these, stopped at a difference", stopped.to_string());
    part.insist(bench, stopped > 0, "no edit was a difference");
    part.told("D1", "killed on the way", tried.iter().filter(|one| one.killed).count().to_string());
    let cosmetic = tried.iter().filter(|one| one.edits.iter().all(|edit| *edit == "comments and white space"));
    part.told("D1", "of comments and white space alone, stopped 0", cosmetic.count().to_string());
}

fn orphans(bench: &Bench, part: &mut Part) {
    let make = || Place::of(bench.shipped());
    match audit::one(&make, bench.pick(50, 1000)) {
        Ok(audit::Figures { planted, found, owned, falsely }) => {
            part.all("A17", "planted orphans found", found, planted);
            part.zero("A17", &format!("of {owned} owned things, called an orphan"), falsely);
        }
        Err(why) => part.failed(bench, "audit", &why),
    }
}

fn secrets(bench: &Bench, part: &mut Part) {
    let make = || Place::of(bench.shipped());
    let life = match canaries::life(&make) {
        Ok(life) => life,
        Err(why) => return part.failed(bench, "life", &why),
    };
    let hits = life.hits();
    for hit in &hits {
        part.failed(bench, "life", &hit.to_string());
    }
    part.at_least("G1", "canaries, each in a way of its own", life.canaries(), 40);
    part.told("G1", "sinks searched", format!("{} with {} bytes", life.sinks.len(), life.sinks.bytes()));
    part.zero("G1", "canaries found in any encoding", hits.len());
    part.insist(
        bench,
        life.canaries() >= 40 && life.sinks.len() > 40,
        "too few canaries, or too few places to look in",
    );
    match recall::one(&make) {
        Ok(recall) => {
            recall.missed.iter().for_each(|missed| part.failed(bench, "recall", missed));
            let found = recall.planted - recall.missed.len();
            part.all("G8", "canaries planted where a run writes that the scanner finds", found, recall.planted);
        }
        Err(why) => part.failed(bench, "recall", &why),
    }
}

fn held(bench: &Bench, part: &mut Part) {
    let make = || Place::of(bench.shipped());
    let mut all = attacks::all();
    let total = all.len();
    // The last one is harmless, and always tried.
    let harmless = all.pop();
    let mut cases = bench.sample("attacks", all, 29);
    cases.extend(harmless);
    let held = bench.each(part, &cases, |attack| attack.name.clone(), |attack| attacks::one(&make, attack));
    part.all("H1", "attacks held", held.len(), total);
    part.zero("H1", "aborts, panics, and attacks that did not end", cases.len() - held.len());
    let peak = held.iter().map(|held| held.peak_kib).max().unwrap_or_default();
    part.at_most("H1", "most memory", peak as f64 / 1024.0, 256.0, "MiB");
    let slowest = held.iter().map(|held| held.took.as_secs_f64()).fold(0.0, f64::max);
    part.told("H1", "slowest end", format!("{slowest:.1} s"));
    let blocks: Vec<u64> = (0..bench.pick(3, 84) as u64).collect();
    let name = |block: &u64| format!("paths {block}");
    let tried = bench.each(part, &blocks, name, |block| attacks::paths(&make, block * 40..(block + 1) * 40));
    part.at_least("H2", "paths of imports and files", tried.iter().sum(), 10_000);
    part.zero("H2", "paths that led out", blocks.len() - tried.len());
    let hostile = HOSTILE.map(|filter| ("runbook_engine", filter));
    passing(bench, part, "H4", "tests of every binding with hostile inputs: none panics", &hostile);
    if !helm_is_here() {
        return part.not_measured(
            "H8",
            "tests of hostile charts and plugins",
            "all",
            "the testbed's helm is not installed",
        );
    }
    let charts = CHARTS.map(|filter| ("runbook_kubernetes", filter));
    passing(bench, part, "H8", "tests of hostile charts and plugins", &charts);
}

/// Whether those tests find the real helm, or skip.
fn helm_is_here() -> bool {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = folder("RUNBOOK_CACHE").or_else(|| Some(folder("HOME")?.join(".cache/runbook")));
    cache.is_some_and(|cache| ["helm3", "helm4"].iter().any(|name| cache.join("testbed/bin").join(name).exists()))
}
