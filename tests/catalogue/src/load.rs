//! B10, B11, D4: many steps, many effects, much to keep, a reader that does not let go; the same commands each time.

use std::{
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::{
    Section,
    bench::Bench,
    harness::Place,
    sheet::Part,
    trials::{Tried, attacks::peak, calls, expect, world},
};

/// Large runs.
pub const LARGE: Section = Section {
    name: "large",
    title: "Large runs",
    how: "A run of many steps, one of many effects (a hundred in each step), and one whose steps give almost a megabyte each, to their ends; \
          then each is resumed, which answers all of it out of the journal. The time of a step is that of a run by the number of its steps. \
          Then one of many steps while another program keeps reading an old state of the database.",
    limits: &[
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

/// How long a program took, and the most memory that it had, in KiB.
#[derive(Clone, Copy)]
struct Took {
    time: Duration,
    peak_kib: u64,
}

fn large(bench: &Bench, part: &mut Part) {
    let place = || Place::of(bench.shipped());
    let (few, many) = (bench.pick(200, 1_000), bench.pick(1_000, 10_000));
    let (bundles, texts) = (bench.pick(10, 1_000), bench.pick(10, 100));
    let mut most = 0;
    let mut tried = |name: &str, script: &str, n: usize| match whole(&place(), script, n) {
        Ok(took) => {
            most = took.iter().map(|took| took.peak_kib).chain([most]).max().unwrap_or_default();
            Some(took)
        }
        Err(why) => {
            part.failed(bench, name, &why);
            None
        }
    };
    let (less, more) = (tried("few steps", STEPS, few), tried("many steps", STEPS, many));
    let (effects, texts_took) = (tried("effects", EFFECTS, bundles), tried("texts", TEXTS, texts));
    let each = |took: Option<[Took; 2]>, n: usize| took.map_or(f64::NAN, |[run, _]| run.time.as_secs_f64() / n as f64);
    let seconds = |took: Option<[Took; 2]>| took.map_or(f64::NAN, |[_, resume]| resume.time.as_secs_f64());
    part.at_least("B10", "steps of one run, and a resume that answers them", more.map_or(0, |_| many), 10_000);
    let growth = each(more, many) / each(less, few);
    part.at_most("B10", &format!("a step of {many}, by one of {few}"), growth, 1.5, "");
    part.told("B10", "the resume of them", format!("{:.2} s", seconds(more)));
    part.at_least(
        "B10",
        "effects of one run, and a resume that answers them",
        effects.map_or(0, |_| bundles * 100),
        100_000,
    );
    part.told("B10", "the resume of them", format!("{:.2} s", seconds(effects)));
    part.at_least("B10", "megabytes of results of one run", texts_took.map_or(0, |_| texts / 2), 50);
    part.at_most("B10", "most memory of any of these", most as f64 / 1024.0, 256.0, "MiB");
    match held(&place(), bench.pick(500, 5_000)) {
        Ok((kept, after)) => {
            part.told("B11", "the log while somebody reads an old state", format!("{:.1} MiB", mib(kept)));
            part.at_most("B11", "and of a run after that", mib(after), 16.0, "MiB");
        }
        Err(why) => part.failed(bench, "reader", &why),
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// A run and its resume.
fn whole(place: &Place, script: &str, n: usize) -> Tried<[Took; 2]> {
    place.write("s.rhai", script);
    let n = format!("n={n}");
    Ok([
        watched(place, &["run", "s.rhai", "--sandbox", "--speed", "0", "-q", "-p", &n])?,
        watched(place, &["resume", "latest", "-q"])?,
    ])
}

/// Runs the program to its end, which must be a good one.
fn watched(place: &Place, args: &[&str]) -> Tried<Took> {
    let err = place.root().join("err");
    let to = fs::File::create(&err).map_err(|error| error.to_string())?;
    let mut command: Command = place.command(args);
    let began = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(to).spawn().map_err(|error| error.to_string())?;
    let mut peak_kib = 0;
    let status = loop {
        peak_kib = peak(child.id()).max(peak_kib);
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let took = Took { time: began.elapsed(), peak_kib };
    let told = || fs::read_to_string(&err).unwrap_or_default();
    if status.success() { Ok(took) } else { Err(format!("{args:?} ended with {status}\n{}", told())) }
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
    let events = shown.out.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let done = events.filter(|event| event["event"] == "effect.done");
    let effects = done.map(|event| format!("{} {}", event["step"], event["op"]));
    let seen =
        calls(&world(place)?).into_iter().map(|call| format!("{} {} {}", call["op"], call["place"], call["outcome"]));
    let mut commands: Vec<String> = effects.chain(seen).collect();
    commands.sort();
    Ok(commands)
}
