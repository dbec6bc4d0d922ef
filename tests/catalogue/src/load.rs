//! B10, B11, D4: many steps, many effects, much to keep, a reader that does not let go; the same commands each time.

use std::{fs, process::Stdio, time::Duration};

use rusqlite::{Connection, OpenFlags};

use crate::{
    Section,
    bench::Bench,
    harness::Place,
    sheet::Part,
    trials::{
        Tried, calls, expect,
        watched::{Watched, watched},
        world,
    },
};

/// Large runs.
pub const LARGE: Section = Section {
    name: "large",
    title: "Large runs",
    how: "A run of many steps, one of many effects (a hundred in each step), and one whose steps give half a megabyte each, to their ends; \
          then each is resumed, which answers all of it out of the journal. The time of a step is that of a run by the number of its steps. \
          Then one of many steps while another program keeps reading an old state of the database.",
    limits: &[
        "What a process keeps in memory of its run, 1 KiB an effect, is charged to the script: after 131,000 effects it ends with RB0107. Nothing \
         is lost, and a resume does the next ones.",
        "As long as somebody reads an old state, SQLite's write-ahead log grows: the run is not held up, and the log is used anew once the \
         reader has gone. runbook's own readers (`show`, `logs`, `runs`) read for a moment each.",
    ],
    measure: large,
};

/// D4.
pub const SAME: Section = Section {
    name: "same",
    title: "The same commands each time",
    how: "Each shipped runbook is run several times on an empty sandbox. What is asked of the target, by which step, must be the same each \
          time (of branches that run side by side the order is left out).",
    limits: &["Scripts have no clock, no dice and no environment of their own; maps go by their keys."],
    measure: same,
};

const STEPS: &str = "const P = params(#{ n: int(1) });\nfor i in 0..P.n { step(`s${i}`, || i); }\n";
const EFFECTS: &str = r#"const P = params(#{ n: int(1) });
const AWS = aws(#{ region: "us-east-1" });
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ name: "one", cidr_block: "10.0.0.0/16" }));
for i in 0..P.n {
    step(`s${i}`, || for j in 0..100 {
        AWS.ec2.modify_vpc_attribute(#{ vpc_id: vpc.id, enable_dns_hostnames: j % 2 == 0 });
    });
}
"#;
const TEXTS: &str = r#"const P = params(#{ n: int(1) });
let text = "runbook ";
for i in 0..16 { text += text; }
for i in 0..P.n { step(`s${i}`, || text); }
"#;

/// No call of the program takes longer, even on a busy machine.
const MOST: Duration = Duration::from_secs(1800);

/// A run and its resume: their times, the calls of the program that the run took, and the most memory of any.
struct Lived {
    run_s: f64,
    resume_s: f64,
    calls: usize,
    peak_kib: u64,
}

fn large(bench: &Bench, part: &mut Part) {
    let place = || Place::of(bench.shipped());
    let (few, many) = (bench.pick(200, 1_000), bench.pick(1_000, 10_000));
    let (bundles, texts) = (bench.pick(10, 1_000), bench.pick(10, 100));
    let tried = |part: &mut Part, name: &str, script: &str, n: usize| {
        let lived = whole(&place(), script, n);
        lived.map_err(|why| part.failed(bench, name, &why)).ok()
    };
    let less = tried(part, "few steps", STEPS, few);
    let more = tried(part, "many steps", STEPS, many);
    let effects = tried(part, "effects", EFFECTS, bundles);
    let kept = tried(part, "texts", TEXTS, texts);
    let each = |lived: &Option<Lived>, n: usize| lived.as_ref().map_or(f64::NAN, |lived| lived.run_s / n as f64);
    let resume = |lived: &Option<Lived>| lived.as_ref().map_or(f64::NAN, |lived| lived.resume_s);
    let peak = |lived: &Option<Lived>| lived.as_ref().map_or(f64::NAN, |lived| lived.peak_kib as f64 / 1024.0);
    let done = |lived: &Option<Lived>, n: usize| lived.as_ref().map_or(0, |_| n);
    part.at_least("B10", "steps of one run, and a resume that answers them", done(&more, many), 10_000);
    let growth = each(&more, many) / each(&less, few);
    let name = format!("the time of a step of {many}, by that of one of {few}");
    // In the sample it is over too soon to be judged.
    if bench.full() {
        part.at_most("B10", &name, growth, 1.5, "");
    } else {
        part.told("B10", &name, format!("{growth:.1}"));
    }
    part.told("B10", "the resume of them", format!("{:.2} s", resume(&more)));
    part.at_most("B10", "most memory", peak(&more), 256.0, "MiB");
    part.at_least("B10", "effects of one run, and a resume that answers them", done(&effects, bundles * 100), 100_000);
    let calls = effects.as_ref().map_or(f64::NAN, |lived| lived.calls as f64);
    part.at_most("B10", "calls of the program that they took", calls, 1.0, "");
    part.told("B10", "the resume of them", format!("{:.2} s", resume(&effects)));
    part.at_most("B10", "most memory", peak(&effects), 256.0, "MiB");
    part.at_least("B10", "results of half a megabyte of one run", done(&kept, texts), 100);
    part.at_most("B10", "most memory", peak(&kept), 256.0, "MiB");
    match held(&place(), bench.pick(500, 5_000)) {
        Ok((kept, after)) => {
            part.told("B11", "the log while somebody reads an old state", format!("{:.1} MiB", mib(kept)));
            part.at_most("B11", "and of a run after that", mib(after), 17.0, "MiB");
        }
        Err(why) => part.failed(bench, "reader", &why),
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// A run to its end, gone on with where it passed the limit of memory, and a resume that answers all of it.
fn whole(place: &Place, script: &str, n: usize) -> Tried<Lived> {
    place.write("s.rhai", script);
    let n = format!("n={n}");
    let mut lived = Lived { run_s: 0.0, resume_s: 0.0, calls: 0, peak_kib: 0 };
    let mut args = vec!["run", "s.rhai", "--sandbox", "--speed", "0", "-q", "-p", &n];
    loop {
        let (ended, wrong) = called(place, &args)?;
        lived.calls += 1;
        lived.run_s += ended.took.as_secs_f64();
        lived.peak_kib = lived.peak_kib.max(ended.peak_kib);
        match wrong {
            None => break,
            Some(why) if why.contains("RB0107") && lived.calls < 10 => args = vec!["resume", "latest", "-q"],
            Some(why) => return Err(why),
        }
    }
    let (ended, wrong) = called(place, &["resume", "latest", "-q"])?;
    lived.resume_s = ended.took.as_secs_f64();
    lived.peak_kib = lived.peak_kib.max(ended.peak_kib);
    wrong.map_or(Ok(lived), Err)
}

/// Runs the program to its end, and says how it ended if not well.
fn called(place: &Place, args: &[&str]) -> Tried<(Watched, Option<String>)> {
    let err = place.root().join("err");
    let to = fs::File::create(&err).map_err(|error| error.to_string())?;
    let ended = watched(place.command(args).stdout(Stdio::null()).stderr(to), MOST)?;
    let told = || fs::read_to_string(&err).unwrap_or_default();
    let wrong = (!ended.status.success()).then(|| format!("{args:?} ended with {}\n{}", ended.status, told()));
    Ok((ended, wrong))
}

/// The size of the write-ahead log after a run during which somebody read an old state, and after another one.
fn held(place: &Place, steps: usize) -> Tried<(u64, u64)> {
    place.write("s.rhai", STEPS);
    let n = format!("n={steps}");
    let run = ["run", "s.rhai", "--sandbox", "--speed", "0", "-q", "-p", &n];
    expect(place, 0, &["run", "s.rhai", "--sandbox", "--speed", "0", "-q"])?;
    let database = place.state().join("runs.db");
    let reader = Connection::open_with_flags(&database, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(|e| e.to_string())?;
    let count = |reader: &Connection| -> Tried<u64> {
        reader.query_row("SELECT count(*) FROM runs", [], |row| row.get(0)).map_err(|error| error.to_string())
    };
    reader.execute_batch("BEGIN").map_err(|error| error.to_string())?;
    let before = count(&reader)?;
    let log = || fs::metadata(place.state().join("runs.db-wal")).map_or(0, |found| found.len());
    expect(place, 0, &run)?;
    let kept = log();
    if count(&reader)? != before {
        return Err("it did not read an old state".to_owned());
    }
    reader.execute_batch("ROLLBACK").map_err(|error| error.to_string())?;
    // The reader stays, and reads nothing: the last one to go would delete the log.
    expect(place, 0, &run)?;
    let after = log();
    if kept == 0 {
        return Err("there was no log while somebody read".to_owned());
    }
    Ok((kept, after))
}

const RUNBOOKS: [&str; 5] = ["redis-ha", "openremote", "reducto", "notejam", "sre-platform"];

fn same(bench: &Bench, part: &mut Part) {
    let times = bench.pick(2, 5);
    let cases: Vec<&str> = RUNBOOKS.to_vec();
    let tried = bench.each(
        part,
        &cases,
        |name| (*name).to_owned(),
        |name| {
            let first = commands(&Place::of(bench.shipped()), name)?;
            for _ in 1..times {
                let again = commands(&Place::of(bench.shipped()), name)?;
                if again != first {
                    let differs = first.iter().zip(&again).find(|(first, again)| first != again);
                    return Err(format!("{} commands, then {}: {differs:?}", first.len(), again.len()));
                }
            }
            Ok(first.len() * times)
        },
    );
    part.all("D4", &format!("runbooks run {times} times with the same commands"), tried.len(), RUNBOOKS.len());
    part.told("D4", "commands compared", tried.iter().sum::<usize>().to_string());
}

/// `STEP OPERATION` of every effect of a run, and each call that the target has seen. Where it went may bear a name that the run made up.
fn commands(place: &Place, name: &str) -> Tried<Vec<String>> {
    expect(place, 0, &["run", &format!("{name}.rhai"), "--sandbox", "--speed", "0", "-q"])?;
    let shown = expect(place, 0, &["show", "latest", "--json"])?;
    let seen = calls(&world(place)?).into_iter().map(|call| format!("{} {}", call["op"], call["outcome"]));
    let mut commands: Vec<String> = shown.effects().into_iter().chain(seen).collect();
    commands.sort();
    Ok(commands)
}
