//! C7: the wall clock is put forward or back while a run waits, between its crash and its resume, and for who wants its lease. Waits keep
//! to the time that passes, no lease is taken from a living process, nothing is made twice.
//!
//! The clock is libfaketime's (Debian: faketime): it gives the built program another wall time, and leaves alone what has passed
//! since the machine was started.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    harness::{Place, Said, said},
    running::Running,
    trials::{Make, Tried, calls, expect, made, wedges::emptied, world},
};

const SCRIPT: &str = r#"const AWS = aws(#{ region: "us-east-1" });
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ name: "v", cidr_block: "10.0.0.0/16" }));
step("gateway", || AWS.ec2.create_internet_gateway(#{ name: "g" }));
step("pause", || sleep("5m"));
step("address", || AWS.ec2.allocate_address(#{ name: "a" }));
step("subnet", || AWS.ec2.create_subnet(#{ name: "s", vpc_id: vpc.id, cidr_block: "10.0.1.0/24" }));
"#;
const MADE: [&str; 4] = ["ec2.address a", "ec2.internet_gateway g", "ec2.subnet s", "ec2.vpc v"];
/// How many calls the run makes.
pub const CALLS: usize = 4;
/// The pace at which the pause takes a second of real time.
const PACE: &str = "300";
const PAUSE: Duration = Duration::from_secs(1);
/// How much longer a busy machine may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How far the clock is put, as libfaketime reads it.
pub const SHIFTS: [&str; 6] = ["+1h", "-1h", "+1d", "-1d", "+10y", "-1y"];

/// When the clock is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// While the run waits.
    Waiting,
    /// Between its crash after this call and its resume.
    Crashed(usize),
    /// For another process that wants the run.
    Wanted,
}

/// The library that puts the clock; None: it is not installed.
pub fn library() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    let mut all = folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1"));
    all.find(|library| library.exists())
}

/// Puts the clock and looks what becomes of the run.
///
/// # Errors
/// What went wrong.
pub fn one(make: Make<'_>, library: &Path, shift: &str, when: When) -> Tried<()> {
    let place = make();
    place.write("s.rhai", SCRIPT);
    let clock = Clock { library, file: place.root().join("clock") };
    clock.put("+0")?;
    match when {
        When::Waiting => waiting(&place, &clock, shift)?,
        When::Crashed(n) => crashed(&place, &clock, shift, n)?,
        When::Wanted => wanted(&place, &clock, shift)?,
    }
    let now = made(&world(&place)?);
    if now != MADE {
        return Err(format!("there stands {now:?}"));
    }
    once(&world(&place)?)?;
    for args in [&["show", "latest"][..], &["logs", "latest"], &["runs"], &["verify", "latest"]] {
        good(&clock.run(&place, args)?, args)?;
    }
    clock.put("+0")?;
    expect(&place, 0, &["verify", "latest"])?;
    emptied(&place)
}

/// The clock of a program.
struct Clock<'a> {
    library: &'a Path,
    /// Holds how far it is put; the library reads it each time.
    file: PathBuf,
}

impl Clock<'_> {
    fn put(&self, shift: &str) -> Tried<()> {
        let beside = self.file.with_extension("new");
        let written = fs::write(&beside, shift).and_then(|()| fs::rename(&beside, &self.file));
        written.map_err(|error| error.to_string())
    }

    fn command(&self, place: &Place, args: &[&str]) -> Command {
        let mut command = place.command(args);
        command
            .env("LD_PRELOAD", self.library)
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("NO_FAKE_STAT", "1");
        command
    }

    fn run(&self, place: &Place, args: &[&str]) -> Tried<Said> {
        Ok(said(self.command(place, args).output().map_err(|error| error.to_string())?))
    }
}

fn waiting(place: &Place, clock: &Clock<'_>, shift: &str) -> Tried<()> {
    let mut running = Told::start(place, clock, PACE)?;
    running.until("step.started", "pause")?;
    let began = Instant::now();
    clock.put(shift)?;
    running.until("step.done", "pause")?;
    let took = began.elapsed();
    if took < PAUSE * 8 / 10 || took > PAUSE + PATIENCE {
        return Err(format!("a pause of {PAUSE:?} took {took:?}"));
    }
    running.end()
}

fn crashed(place: &Place, clock: &Clock<'_>, shift: &str, n: usize) -> Tried<()> {
    let mut command = clock.command(place, &["run", "s.rhai", "--sandbox", "--speed", "0"]);
    command.env("RUNBOOK_FAULT", format!("kill-after:{n}"));
    let killed = said(command.output().map_err(|error| error.to_string())?);
    if killed.code != -1 {
        return Err(format!("it was not killed, it ended with {}:\n{}", killed.code, killed.err));
    }
    clock.put(shift)?;
    good(&clock.run(place, &["resume", "latest", "--speed", "0"])?, &["resume"])
}

fn wanted(place: &Place, clock: &Clock<'_>, shift: &str) -> Tried<()> {
    let mut running = Told::start(place, clock, PACE)?;
    running.until("step.started", "pause")?;
    // The holder has its own clock's time; whoever comes has another.
    let others = Clock { library: clock.library, file: place.root().join("others") };
    others.put(shift)?;
    for args in [&["resume", "latest"][..], &["undo", "latest", "--yes"]] {
        let told = others.run(place, args)?;
        let pid = running.run.child().id().to_string();
        if told.code != 5 || !told.err.contains(&pid) {
            return Err(format!("{args:?} beside a living run ended with {}:\n{}", told.code, told.err));
        }
    }
    running.end()
}

/// A run in another process, read event by event.
struct Told {
    run: Running,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    err: PathBuf,
}

impl Told {
    fn start(place: &Place, clock: &Clock<'_>, pace: &str) -> Tried<Self> {
        let err = place.root().join("err");
        let file = File::create(&err).map_err(|error| error.to_string())?;
        let mut command = clock.command(place, &["run", "s.rhai", "--sandbox", "--json", "--speed", pace]);
        command.stdout(Stdio::piped()).stderr(file);
        let mut run = Running::start(command)?;
        let lines = BufReader::new(run.child().stdout.take().ok_or("no output")?).lines();
        Ok(Self { run, lines, err })
    }

    fn told(&self) -> String {
        fs::read_to_string(&self.err).unwrap_or_default()
    }

    fn until(&mut self, event: &str, step: &str) -> Tried<()> {
        for line in self.lines.by_ref().map_while(Result::ok) {
            let told: Value = serde_json::from_str(&line).map_err(|error| format!("{error}: {line}"))?;
            if told["event"] == event && told["step"] == step {
                return Ok(());
            }
        }
        Err(format!("no {event} of {step}:\n{}", self.told()))
    }

    fn end(&mut self) -> Tried<()> {
        self.lines.by_ref().for_each(drop);
        let status = self.run.end()?;
        if status.success() { Ok(()) } else { Err(format!("the run ended with {status}:\n{}", self.told())) }
    }
}

fn good(told: &Said, args: &[&str]) -> Tried<()> {
    if told.code == 0 && !told.err.contains("panicked") {
        return Ok(());
    }
    Err(format!("{args:?} ended with {}:\n{}\n{}", told.code, told.out, told.err))
}

/// Insists that each request was executed once.
fn once(world: &Value) -> Tried<()> {
    let mut made: BTreeMap<String, usize> = BTreeMap::new();
    for call in calls(world).iter().filter(|call| call["outcome"] == "done") {
        *made.entry(call["token"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    if made.len() == CALLS && made.values().all(|count| *count == 1) {
        return Ok(());
    }
    Err(format!("executed: {made:?}"))
}
