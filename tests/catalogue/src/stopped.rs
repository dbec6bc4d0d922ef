//! C2: the process that drives a run is stopped beyond its lease, another one takes over and finishes, and the first is continued.

use std::{
    fs::File,
    process::Stdio,
    time::{Duration, Instant},
};

use runbook_state::{sqlite::Sqlite, store::Store as _};
use rusqlite::Connection;

use crate::{
    Section,
    bench::Bench,
    harness::{Place, Said},
    running::Running,
    sheet::Part,
    trial,
    trials::{Make, restored},
};

/// C2.
pub const SECTION: Section = Section {
    name: "stopped",
    title: "Stopped beyond its lease, taken over, continued",
    how: "The process that drives a run of fourteen things, one after the other, is stopped (SIGSTOP) at one call: when its intent is committed and it is not sent \
          yet, when it is executed and the answer is not committed, or when it is committed. Its lease is made one of another host \
          whose heartbeat ended ten minutes ago; another process resumes the run to its end, with the world of an undisturbed run. Then the first one is continued: it must end with the exit code of a lost lease, and journal and world must \
          be as they were, call by call.",
    limits: &[
        "A request that is on its way while the process is stopped is that of a dead process (A7).",
        "On one host a stopped process keeps its lease as long as it lives.",
    ],
    measure,
};

/// The first process stays stopped for at least so long.
const STOPPED: Duration = Duration::from_secs(3);

fn measure(bench: &Bench, part: &mut Part) {
    let make = || Place::of(bench.trial());
    let calm = match restored::calm(&make) {
        Ok(calm) => calm,
        Err(why) => return part.failed(bench, "calm", &why),
    };
    let points = trial::traced(&restored::begun(&make), &restored::RUN);
    let (mut tried, mut good) = (0, 0);
    for (moment, what) in [
        ("after intent ", "before the call was sent"),
        ("before done ", "when the call was executed, the answer not committed"),
        ("after done ", "when the answer was committed"),
    ] {
        let all: Vec<&String> = points.iter().filter(|point| point.starts_with(moment)).collect();
        let total = all.len();
        let cases = bench.sample(what, all, 3);
        tried += cases.len();
        let ended = bench.each(part, &cases, ToString::to_string, |point| one(&make, &calm, point));
        part.all("C2", &format!("holders stopped {what}"), ended.len(), total);
        good += ended.len();
    }
    part.zero("C2", "writes and calls of a continued process, things made twice or without an owner", tried - good);
}

fn one(make: Make<'_>, calm: &restored::Calm, point: &str) -> Result<(), String> {
    let place = restored::begun(make);
    let err = place.root().join("err");
    let mut command = place.command(restored::RUN);
    command.env("RUNBOOK_CRASH", point).env("RUNBOOK_CRASH_SIGNAL", "STOP");
    command.stdout(Stdio::null()).stderr(File::create(&err).map_err(|error| error.to_string())?);
    let mut holder = Running::start(command)?;
    holder.stopped()?;
    let began = Instant::now();
    elsewhere(&place, &mut holder)?;
    let finished = |told: &Said| match restored::went_on(&place, calm, told)? {
        restored::Ended::Same => Ok(()),
        restored::Ended::Refused => Err(format!("it is not taken over:\n{}", told.err)),
    };
    let told = place.run(["resume", "latest", "--speed", "0"]);
    finished(&told)?;
    let (journal, calls) = (journal(&place)?, trial::world(&place).1.len());
    std::thread::sleep(STOPPED.saturating_sub(began.elapsed()));
    holder.send("CONT")?;
    let status = holder.end()?;
    let text = std::fs::read_to_string(&err).unwrap_or_default();
    if status.code() != Some(5) || text.contains("panicked") {
        return Err(format!("continued, it ended with {status}:\n{text}"));
    }
    if self::journal(&place)? != journal {
        return Err(format!("continued, it wrote to the journal:\n{text}"));
    }
    if trial::world(&place).1.len() != calls {
        return Err(format!("continued, it made a call:\n{text}"));
    }
    finished(&told)
}

/// The holder's lease becomes one of another host without a heartbeat. A holder that was stopped in the middle of a write goes on to its
/// end first: a database that it keeps locked nobody can take over.
fn elsewhere(place: &Place, holder: &mut Running) -> Result<(), String> {
    let lost = "UPDATE heads SET beat_ms = beat_ms - 600000, holder = json_set(holder, '$.host', 'elsewhere')";
    let mut why = String::new();
    for _ in 0..100 {
        let done = written(place, "sandbox.db", "").and_then(|_| written(place, "runs.db", lost));
        match done {
            Ok(1) => return Ok(()),
            Ok(rows) => why = format!("{rows} leases"),
            Err(error) => why = error.to_string(),
        }
        holder.send("CONT")?;
        holder.send("STOP")?;
        holder.stopped()?;
    }
    Err(format!("the lease could not be changed: {why}"))
}

/// How many rows a statement changed in a database that nobody keeps locked.
fn written(place: &Place, file: &str, statement: &str) -> rusqlite::Result<usize> {
    let path = place.state().join(file);
    if !path.exists() {
        return Ok(0);
    }
    let database = Connection::open(path)?;
    database.busy_timeout(Duration::ZERO)?;
    database.execute_batch("BEGIN IMMEDIATE")?;
    let rows = if statement.is_empty() { 0 } else { database.execute(statement, [])? };
    database.execute_batch("COMMIT").map(|()| rows)
}

fn journal(place: &Place) -> Result<String, String> {
    let text = |error: runbook_state::error::Error| error.to_string();
    let store = Sqlite::open(&place.state()).map_err(text)?;
    let run = store.runs().map_err(text)?.into_iter().next().ok_or("there is no run")?;
    Ok(format!("{:?}", store.journal(&run.id).map_err(text)?))
}
