//! C8: signals at every call, and a reader of the output that goes away there.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::{BufRead as _, BufReader},
    process::Stdio,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use runbook_state::{record::Record, sqlite::Sqlite, store::Store as _};

use crate::{
    Section,
    bench::Bench,
    harness::Place,
    running::Running,
    sheet::Part,
    trial::{self, Calm, Count, RUN, calm},
    trials::{calls, world},
};

/// C8.
pub const SECTION: Section = Section {
    name: "signals",
    title: "Signals at every call",
    how: "redis-ha on the sandbox is sent a signal at one call: in turns when its intent is committed and it is not sent yet, and when its \
          answer came and is not committed. After a first SIGINT, SIGTERM or SIGHUP it must end within 10 s with everything that was \
          executed and answered in its journal; after a second SIGINT, and when the reader of its events has gone, at once or as after a \
          first one; what SIGTSTP stopped must go on to its end after SIGCONT. Then it is resumed, and its world is held against that of \
          an undisturbed run.",
    limits: &[
        "The calls are those of the sandbox's redis-ha, which answer at once: how long a live call may hold up the end is not measured.",
        "Two signals of one kind that the system keeps waiting are one; between the two SIGINT lies a tenth of a second.",
    ],
    measure,
};

/// How long a stopped process stays stopped.
const STOPPED: Duration = Duration::from_millis(200);

/// What happens to the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// One signal asks it to park.
    First(&'static str),
    /// A second one asks it to end at once.
    Second,
    /// The reader of its events goes away.
    Reader,
    /// It is stopped and continued.
    Stopped,
}

const WAYS: [(Way, &str); 6] = [
    (Way::First("INT"), "SIGINT"),
    (Way::First("TERM"), "SIGTERM"),
    (Way::First("HUP"), "SIGHUP"),
    (Way::Second, "two SIGINT"),
    (Way::Reader, "a reader that goes away (SIGPIPE)"),
    (Way::Stopped, "SIGTSTP, then SIGCONT"),
];

/// One trial.
struct Case<'a> {
    way: Way,
    what: &'static str,
    /// Which of the run's intents, from 1.
    nth: usize,
    point: &'a str,
}

/// What was seen of one.
struct Ended {
    way: Way,
    code: i32,
    /// From the last signal to the end.
    took: Duration,
}

fn measure(bench: &Bench, part: &mut Part) {
    let calm = calm(bench);
    let known: HashSet<&str> = calm.points.iter().map(String::as_str).collect();
    let intents: Vec<&str> = calm.points.iter().filter_map(|point| point.strip_prefix("after intent ")).collect();
    let moments: Vec<[String; 2]> =
        intents.iter().map(|place| [format!("after intent {place}"), format!("before done {place}")]).collect();
    let counts = Mutex::new(Vec::new());
    let (mut ended, mut tried) = (Vec::new(), 0);
    for (turn, (way, what)) in WAYS.into_iter().enumerate() {
        let case = |(nth, [sent, answered]): (usize, &'_ [String; 2])| {
            let later = (nth + turn) % 2 == 1 && known.contains(answered.as_str());
            (nth + 1, if later { answered.clone() } else { sent.clone() })
        };
        let all: Vec<(usize, String)> = moments.iter().enumerate().map(case).collect();
        let total = all.len();
        let cases = bench.sample(what, all, 3);
        tried += cases.len();
        let name = |(nth, point): &(usize, String)| format!("{what}, {nth}: {point}");
        let good = bench.each(part, &cases, name, |(nth, point)| {
            let mut count = Count::default();
            let done = one(bench, calm, &Case { way, what, nth: *nth, point }, &mut count);
            counts.lock().unwrap_or_else(PoisonError::into_inner).push(count);
            done
        });
        part.all("C8", &format!("calls at which it met {what}"), good.len(), total);
        ended.extend(good);
    }
    figures(part, &ended, counts.into_inner().unwrap_or_else(PoisonError::into_inner));
    part.zero("C8", "trials that failed in any way", tried - ended.len());
}

fn figures(part: &mut Part, ended: &[Ended], counts: Vec<Count>) {
    let slowest = |of: fn(&Ended) -> bool| {
        let mut took: Vec<f64> = ended.iter().filter(|one| of(one)).map(|one| one.took.as_secs_f64()).collect();
        took.sort_by(f64::total_cmp);
        took.get((took.len() * 99).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default()
    };
    part.at_most("C8", "time to the end after a first signal, p99", slowest(|one| one.parks()), 10.0, "s");
    part.at_most("C8", "time to the end after a second one, p99", slowest(|one| one.way == Way::Second), 1.0, "s");
    let whole = ended.iter().filter(|one| one.parks() && one.code == 0).count();
    part.told("C8", "runs that were at their end before they could park", whole.to_string());
    let sum = Count::sum(&counts);
    part.told("C8", "runs, and resumes of them", format!("{}, {}", counts.len(), sum.resumes));
    part.zero("C8", "resources too much (duplicates, orphans)", sum.too_much);
    part.zero("C8", "resources missing", sum.missing);
    part.zero("C8", "inventories that do not fit the world (ghosts)", sum.ghosts);
    part.zero("C8", "finished effects sent again", sum.again);
    part.zero("C8", "runs that needed a person", sum.unresolved);
}

impl Ended {
    fn parks(&self) -> bool {
        matches!(self.way, Way::First(_) | Way::Reader)
    }
}

fn one(bench: &Bench, calm: &Calm, case: &Case<'_>, count: &mut Count) -> Result<Ended, String> {
    let place = Place::of(bench.trial());
    let err = place.root().join("err");
    let mut command = match case.way {
        Way::Reader => place.command(RUN.iter().copied().chain(["--json"])),
        _ => place.command(RUN),
    };
    let sent = place.root().join("sent");
    if let Some(signals) = case.way.signals() {
        command.env("RUNBOOK_CRASH", case.point).env("RUNBOOK_CRASH_SIGNAL", signals);
        command.env("RUNBOOK_CRASH_SENT", &sent).stdout(Stdio::null());
    }
    let io = |error: std::io::Error| error.to_string();
    command.stderr(File::create(&err).map_err(io)?);
    let mut running = Running::start(command)?;
    let went = match case.way {
        Way::Reader => read_until(&mut running, case.nth),
        Way::Stopped => {
            running.stopped()?;
            std::thread::sleep(STOPPED);
            running.send("CONT")?;
            Some(Instant::now())
        }
        _ => None,
    };
    let status = running.end()?;
    let code = status.code().unwrap_or(-1);
    let text = std::fs::read_to_string(&err).unwrap_or_default();
    let took = match went {
        Some(moment) => moment.elapsed(),
        None => {
            let stamp = std::fs::metadata(&sent).and_then(|file| file.modified());
            stamp
                .map_err(|_| format!("no signal was sent, it ended with {code}:\n{text}"))?
                .elapsed()
                .unwrap_or_default()
        }
    };
    let allowed: &[i32] = if case.way == Way::Stopped { &[0] } else { &[0, 4] };
    if !allowed.contains(&code) || text.contains("panicked") {
        return Err(format!("after {} it ended with {code} ({status}):\n{text}", case.what));
    }
    if code == 0 {
        trial::same(&place, calm, count)?;
        return Ok(Ended { way: case.way, code, took });
    }
    if case.way != Way::Reader && !text.contains("runbook resume ") {
        return Err(format!("it does not say how to go on:\n{text}"));
    }
    let lost = unanswered(&place)?;
    if case.way != Way::Second && !lost.is_empty() {
        return Err(format!("executed and answered, and not in the journal: {lost:?}\n{text}"));
    }
    trial::go_on(&place, calm, count)?;
    Ok(Ended { way: case.way, code, took })
}

impl Way {
    /// What the process sends itself, as RUNBOOK_CRASH_SIGNAL names it.
    fn signals(self) -> Option<&'static str> {
        match self {
            Self::First(signal) => Some(signal),
            Self::Second => Some("INT,INT"),
            Self::Stopped => Some("TSTP"),
            Self::Reader => None,
        }
    }
}

/// Reads a run's events until its N-th intent, and goes away.
fn read_until(running: &mut Running, nth: usize) -> Option<Instant> {
    let lines = BufReader::new(running.child().stdout.take()?).lines().map_while(Result::ok);
    let _met = lines.filter(|line| line.contains("\"event\":\"effect.intent\"")).nth(nth - 1);
    Some(Instant::now())
}

/// The calls that the sandbox executed and answered, and that the journal does not have.
fn unanswered(place: &Place) -> Result<Vec<String>, String> {
    let text = |error: runbook_state::error::Error| error.to_string();
    let store = Sqlite::open(&place.state()).map_err(text)?;
    let Some(run) = store.runs().map_err(text)?.into_iter().next() else { return Ok(Vec::new()) };
    let (mut tokens_of, mut answered) = (HashMap::new(), HashSet::new());
    for entry in store.journal(&run.id).map_err(text)? {
        match entry.record {
            Record::Intent { effect, token, .. } => drop(tokens_of.insert(effect, token)),
            Record::Accepted { effect, .. } | Record::Done { effect, .. } => {
                answered.extend(tokens_of.get(&effect).cloned())
            }
            _ => {}
        }
    }
    drop(store);
    let executed = calls(&world(place)?);
    let done = executed.iter().filter(|call| call["outcome"] == "done");
    let tokens = done.filter_map(|call| call["token"].as_str()).filter(|token| !token.is_empty());
    // What a check does has no intent: it is asked again.
    let effects: HashSet<&String> = tokens_of.values().collect();
    let lost = tokens.map(str::to_owned).filter(|token| effects.contains(token) && !answered.contains(token));
    Ok(lost.collect())
}
