//! C1, C2: who drives a run. Processes race for the lease and never two have it; one that was stopped beyond its lease, taken over and
//! continued writes nothing any more.
//!
//! The test starts itself as the processes. RUNBOOK_TRIALS multiplies the races (1: 25; the catalogue makes 1,000).

#![expect(clippy::print_stdout, reason = "the figures of a trial")]

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use runbook_state::{
    error::{Error, Holder},
    holder,
    record::{Record, Site},
    sqlite::Sqlite,
    store::{Lease, NewRun, Store, When},
};
use serde_json::json;

const DIR: &str = "RUNBOOK_LEASE_DIR";
const ELSEWHERE: &str = "RUNBOOK_LEASE_ELSEWHERE";
const RUN: &str = "0123456789abcdef0123456789abcdef";
const STALE_MS: i64 = 30_000;

fn create(state: &Path) -> Sqlite {
    let store = Sqlite::open(state).unwrap();
    let run = NewRun {
        id: RUN.to_owned(),
        runbook: "leases".to_owned(),
        customer: None,
        target: "sandbox".to_owned(),
        settings: json!({}),
        files: Vec::new(),
        created_ms: 0,
    };
    store.create(&run).unwrap();
    store
}

/// A process of ours: it does what its standard input says, one word a line, and answers with one line each.
struct Racer {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Racer {
    fn start(state: &Path, elsewhere: bool) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "the_process_that_races", "--nocapture"]).env(DIR, state);
        if elsewhere {
            command.env(ELSEWHERE, "1");
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let orders = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut racer = Self { child, orders, answers };
        racer.order("open");
        assert_eq!(racer.answer(), "opened");
        racer
    }

    fn order(&mut self, order: &str) {
        writeln!(self.orders, "{order}").unwrap();
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.answers.read_line(&mut line).unwrap() > 0, "the process ended");
            // The test harness may have written the beginning of the first line.
            if let Some((_, answer)) = line.trim_end().split_once("racer: ") {
                return answer.to_owned();
            }
        }
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Racer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn of_processes_that_race_one_has_the_lease() {
    let races = 25 * std::env::var("RUNBOOK_TRIALS").ok().and_then(|n| n.parse::<u32>().ok()).unwrap_or(1);
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let store = create(&state);
    let mut racers: Vec<Racer> = (0..4).map(|_| Racer::start(&state, false)).collect();
    let (mut doubles, mut fence) = (0, 0);
    for race in 0..races {
        // Every other race is for the lease of a process that died with it.
        let mut dead = (race % 5 == 4).then(|| racers.len() - 1);
        if let Some(at) = dead {
            racers[at].order("acquire");
            let told = racers[at].answer();
            fence = told.strip_prefix("acquired ").unwrap().parse::<u64>().unwrap();
            racers[at].child.kill().unwrap();
            racers[at].child.wait().unwrap();
        }
        let racing: Vec<usize> = (0..racers.len()).filter(|at| dead != Some(*at)).collect();
        for at in &racing {
            racers[*at].order("acquire");
        }
        let answers: Vec<String> = racing.iter().map(|at| racers[*at].answer()).collect();
        let won: Vec<usize> =
            racing.iter().zip(&answers).filter(|(_, a)| a.starts_with("acquired ")).map(|(at, _)| *at).collect();
        doubles += won.len().saturating_sub(1);
        assert_eq!(won.len(), 1, "race {race}: {answers:?}");
        assert!(
            answers.iter().all(|answer| answer.starts_with("acquired ") || answer.starts_with("held ")),
            "{answers:?}"
        );
        let now = answers.iter().find_map(|a| a.strip_prefix("acquired ")).unwrap().parse::<u64>().unwrap();
        assert!(now > fence, "the fence does not rise: {fence}, then {now}");
        fence = now;
        racers[won[0]].order("append");
        assert_eq!(racers[won[0]].answer(), "appended");
        racers[won[0]].order("release");
        assert_eq!(racers[won[0]].answer(), "released");
        if let Some(at) = dead.take() {
            racers[at] = Racer::start(&state, false);
        }
    }
    assert_eq!(store.journal(RUN).unwrap().len(), races as usize, "each holder wrote once");
    println!("races {races}, double holders {doubles}");
}

#[test]
fn one_that_slept_beyond_its_lease_writes_nothing_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let store = create(&state);
    // On another machine: there only the heartbeat tells whether it lives.
    let mut zombie = Racer::start(&state, true);
    zombie.order("acquire");
    assert!(zombie.answer().starts_with("acquired "));
    zombie.order("append");
    assert_eq!(zombie.answer(), "appended");
    zombie.signal("-STOP");
    let own = holder::this_process("me@here").unwrap();
    assert!(
        matches!(store.acquire(RUN, &own, STALE_MS - 1, STALE_MS), Err(Error::Held { .. })),
        "taken over too early"
    );
    let lease = store.acquire(RUN, &own, STALE_MS + 1, STALE_MS).unwrap();
    assert!(lease.taken_from.as_ref().is_some_and(|before| before.host == "elsewhere"), "{lease:?}");
    store.append(&lease, 0, None, vec![record("ours")], When::Now).unwrap();
    let kept = store.journal(RUN).unwrap();
    zombie.signal("-CONT");
    for order in ["append", "renew", "release"] {
        zombie.order(order);
        assert_eq!(zombie.answer(), "fenced", "{order}");
    }
    assert_eq!(store.journal(RUN).unwrap(), kept, "the zombie wrote");
    store.append(&lease, 0, None, vec![record("still ours")], When::Now).unwrap();
}

fn record(step: &str) -> Record {
    Record::StepStarted { step: step.to_owned(), attempt: 1, site: Site::default() }
}

/// Not a test by itself: does nothing unless a [`Racer`] has started it.
#[test]
fn the_process_that_races() {
    let Some(state) = std::env::var_os(DIR) else { return };
    let store = Sqlite::open(Path::new(&state)).unwrap();
    let mut own = holder::this_process("me@here").unwrap();
    if std::env::var_os(ELSEWHERE).is_some() {
        own = Holder { host: "elsewhere".to_owned(), boot: "another".to_owned(), ..own };
    }
    let mut lease: Option<Lease> = None;
    for order in std::io::stdin().lines() {
        let order = order.unwrap();
        let answer = match (order.as_str(), &lease) {
            ("open", _) => Ok("opened".to_owned()),
            ("acquire", _) => store.acquire(RUN, &own, 0, STALE_MS).map(|new| {
                let told = format!("acquired {}", new.fence);
                lease = Some(new);
                told
            }),
            ("append", Some(lease)) => store
                .append(lease, 0, None, vec![record(&format!("of {}", lease.fence))], When::Now)
                .map(|()| "appended".to_owned()),
            ("renew", Some(lease)) => store.renew(lease, 0).map(|()| "renewed".to_owned()),
            ("release", Some(lease)) => store.release(lease, 0).map(|()| "released".to_owned()),
            (other, _) => panic!("{other}"),
        };
        let answer = answer.unwrap_or_else(|error| match error {
            Error::Held { holder, .. } => format!("held {}", holder.pid),
            Error::Fenced { .. } => "fenced".to_owned(),
            other => panic!("{other}"),
        });
        println!("racer: {answer}");
    }
}
