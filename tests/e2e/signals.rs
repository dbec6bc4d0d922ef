//! Signals, a reader that goes away, `runbook cancel`: the run parks, says what next, and goes on later.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    harness::{Place, Said},
    redis_ha::world,
};

/// Two branches that wait for ten and twenty minutes of simulated time, after two effects.
const SLOW: &str = r#"const AWS = aws(#{ region: "us-east-1" });
parallel(#{
    a: || step("long pause", || sleep("10m")),
    b: || {
        let vpc = step("vpc", || AWS.ec2.create_vpc(#{ cidr_block: "10.0.0.0/16" }));
        step("longer pause", || sleep("20m"));
    },
});
"#;
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(20);

/// A run in another process, with its standard error in a file.
struct Running {
    place: Place,
    child: Child,
}

impl Running {
    /// Starts the slow script and waits until both branches have come to their pauses.
    fn start() -> Self {
        let place = Place::new();
        place.write("slow.rhai", SLOW);
        let err = File::create(place.root().join("err")).expect("a file");
        let mut command = place.command(["run", "slow.rhai", "--sandbox", "--speed", "30"]);
        let child = command.stdout(Stdio::null()).stderr(err).spawn().expect("the program starts");
        let running = Self { place, child };
        running.until("both pauses", |text| text.contains("a pause of 10m") && text.contains("a pause of 20m"));
        running
    }

    fn err(&self) -> String {
        std::fs::read_to_string(self.place.root().join("err")).expect("a file")
    }

    /// Waits until standard error looks as wished.
    fn until(&self, what: &str, wished: impl Fn(&str) -> bool) {
        poll(what, || wished(&self.err()).then_some(()));
    }

    fn send(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill");
        assert!(sent.success(), "{signal} could not be sent");
    }

    fn end(&mut self) -> ExitStatus {
        poll("the end of the run", || self.child.try_wait().expect("a child"))
    }

    /// Insists that the run goes on to its end without doing anything twice.
    fn goes_on(&self) {
        self.place.expect(0, ["resume", "latest", "--speed", "0"]);
        let world = world(&self.place);
        let vpcs = world["objects"].as_array().into_iter().flatten().filter(|object| object["kind"] == "ec2.vpc");
        assert_eq!(vpcs.count(), 1, "{world:#}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After a failed assertion the run may still be there.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Memory holds secrets in clear, and what a core dump holds of it stays on the disk.
#[test]
fn a_running_program_may_write_no_core_dump() {
    let running = Running::start();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", running.child.id())).expect("its limits");
    let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).expect("a limit");
    assert_eq!(core.split_whitespace().take(2).collect::<Vec<_>>(), ["0", "0"], "now, and at most");
}

/// Asks again and again until there is an answer.
fn poll<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(LOOK);
    }
}

#[test]
fn the_first_signal_parks_and_names_what_it_parks() {
    for (signal, name) in [("-INT", "Ctrl-C"), ("-TERM", "SIGTERM"), ("-HUP", "SIGHUP")] {
        let mut run = Running::start();
        run.send(signal);
        assert_eq!(run.end().code(), Some(4), "{}", run.err());
        let err = run.err();
        for text in [name, "parking", "a › long pause", "b › longer pause", "nothing is lost", "runbook resume "] {
            assert!(err.contains(text), "no {text:?} in:\n{err}");
        }
        let parking = err.lines().find(|line| line.contains("parking")).expect("the line that says it");
        assert!(parking.contains("a › long pause") && parking.contains("b › longer pause"), "{parking}");
        assert!(run.place.expect(0, ["runs"]).out.contains(&format!("parked ({name})")));
        run.goes_on();
    }
}

#[test]
fn the_second_signal_stops_at_once() {
    let place = Place::new();
    // At a tenth of the real time's pace nothing is over by itself.
    place.write("s.rhai", "const AWS = aws(#{ region: \"us-east-1\" });\nstep(\"vpc\", || AWS.ec2.create_vpc(#{ cidr_block: \"10.0.0.0/16\" }));\n");
    let err = File::create(place.root().join("err")).expect("a file");
    let mut command = place.command(["run", "s.rhai", "--sandbox", "--speed", "0.1"]);
    let child = command.stdout(Stdio::null()).stderr(err).spawn().expect("the program starts");
    let mut run = Running { place, child };
    run.until("the heading", |text| text.contains("s · run "));
    run.send("-INT");
    run.until("the answer", |text| text.contains("parking"));
    // It may have parked meanwhile: then there is nobody left to be told.
    if run.child.try_wait().expect("a child").is_none() {
        let _ = Command::new("kill").args(["-INT", &run.child.id().to_string()]).stderr(Stdio::null()).status();
    }
    assert_eq!(run.end().code(), Some(4), "{}", run.err());
    assert!(run.err().contains("runbook resume "), "{}", run.err());
    run.goes_on();
}

#[test]
fn a_second_signal_does_not_wait_for_what_holds_the_first_one_up() {
    let mut run = Running::start();
    // Somebody holds the journal: parking cannot come to its end.
    let db = rusqlite::Connection::open(run.place.state().join("runs.db")).expect("the journal");
    db.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    run.send("-INT");
    run.until("the answer", |text| text.contains("once more stops at once"));
    assert!(run.child.try_wait().expect("a child").is_none(), "it parked without its journal: {}", run.err());
    run.send("-INT");
    assert_eq!(run.end().code(), Some(4), "{}", run.err());
    let err = run.err();
    let last = err.trim_end().lines().last().unwrap_or_default();
    assert!(err.contains("Ctrl-C again: stopped at once") && last.contains("runbook resume "), "{err}");
    db.execute_batch("ROLLBACK").expect("the lock back");
    assert!(run.place.expect(0, ["runs"]).out.contains("interrupted"));
    run.goes_on();
}

#[test]
fn what_was_parked_is_shown() {
    let mut run = Running::start();
    run.send("-INT");
    assert_eq!(run.end().code(), Some(4), "{}", run.err());
    let shown = run.place.expect(0, ["show", "latest"]).out;
    for text in ["a › long pause", "b › longer pause"] {
        let line = shown.lines().find(|line| line.contains(text)).unwrap_or_default();
        assert!(line.contains("parked: Ctrl-C"), "{text}: {shown}");
    }
}

#[test]
fn an_undo_that_was_parked_goes_on_as_an_undo_only() {
    let place = Place::new();
    place.expect(0, ["run", "redis-ha", "--sandbox", "--speed", "0", "-q"]);
    let err = File::create(place.root().join("err")).expect("a file");
    let mut command = place.command(["undo", "latest", "--yes", "--speed", "60"]);
    let child = command.stdout(Stdio::null()).stderr(err).spawn().expect("the program starts");
    let mut run = Running { place, child };
    run.until("a deletion", |text| text.contains(" deleted"));
    run.send("-INT");
    assert_eq!(run.end().code(), Some(4), "{}", run.err());
    let last = run.err().trim_end().lines().last().map(str::to_owned).unwrap_or_default();
    assert!(last.contains("runbook undo ") && !last.contains("runbook resume "), "{last}");
    let said = run.place.expect(2, ["resume", "latest"]);
    assert!(said.err.contains("RB0217") && said.err.contains("runbook undo "), "{}", said.err);
    run.place.expect(0, ["undo", "latest", "--yes", "--speed", "0"]);
    assert_eq!(world(&run.place)["objects"], serde_json::json!([]));
}

#[test]
fn usr1_tells_what_is_running_and_changes_nothing() {
    let mut run = Running::start();
    run.send("-USR1");
    run.until("what is running", |text| text.matches("left").count() >= 2);
    assert!(run.child.try_wait().expect("a child").is_none(), "{}", run.err());
    run.send("-TERM");
    assert_eq!(run.end().code(), Some(4), "{}", run.err());
}

#[test]
fn cancel_parks_from_another_process() {
    let mut run = Running::start();
    let pid = run.child.id().to_string();
    let said = run.place.expect(0, ["cancel", "latest"]);
    assert!(said.err.contains(&pid) && said.err.contains("runbook resume "), "{}", said.err);
    assert_eq!(run.end().code(), Some(4), "{}", run.err());
    assert!(run.err().contains("runbook cancel by tester@"), "{}", run.err());
    let said = run.place.expect(2, ["cancel", "latest"]);
    assert!(said.err.contains("RB0208"), "{}", said.err);
    run.goes_on();
}

#[test]
fn a_living_run_is_left_alone_by_others() {
    let mut run = Running::start();
    for args in [vec!["undo", "latest", "--yes"], vec!["undo", "latest"], vec!["resume", "latest"]] {
        let Said { code, err, .. } = run.place.run(&args);
        assert_eq!(code, 5, "{args:?}: {err}");
        assert!(err.contains(&run.child.id().to_string()) && err.contains("runbook cancel"), "{args:?}: {err}");
    }
    let shown = run.place.expect(0, ["show", "latest"]);
    assert!(shown.out.contains("running (pid") && shown.out.contains("runbook cancel"), "{}", shown.out);
    run.send("-TERM");
    assert_eq!(run.end().code(), Some(4), "{}", run.err());
}

#[test]
fn a_reader_of_json_that_goes_away_parks_the_run() {
    let place = Place::new();
    place.write("slow.rhai", SLOW);
    let mut command = place.command(["run", "slow.rhai", "--sandbox", "--speed", "60", "--json"]);
    let mut child = command.stderr(Stdio::null()).spawn().expect("the program starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    let first: Value = serde_json::from_str(&line).expect("a line of JSON");
    assert_eq!(first["event"], "run.began");
    let status = poll("the end of the run", || child.try_wait().expect("a child"));
    assert_eq!(status.code(), Some(4));
    assert!(place.expect(0, ["runs"]).out.contains("the reader of its output has gone"));
    place.expect(0, ["resume", "latest", "--speed", "0"]);
}

#[test]
fn a_reader_of_an_answer_that_goes_away_is_no_error() {
    let place = Place::new();
    place.write("s.rhai", "for i in 0..300 { step(`step ${i}`, || i); }\n");
    place.expect(0, ["run", "s.rhai", "--sandbox", "--speed", "0", "-q"]);
    for args in [vec!["logs", "latest"], vec!["logs", "latest", "--json"], vec!["show", "latest"], vec!["docs"]] {
        let mut child = place.command(&args).spawn().expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        assert!(!line.is_empty());
        let output = child.wait_with_output().expect("a child");
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(output.stderr.is_empty(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
