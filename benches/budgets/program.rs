//! The built program, seen from outside: how soon it is at work, what memory it takes, and whether anything waits that could run.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::measure::{REPEATS, Samples, Table, folder};

const RUN: [&str; 4] = ["run", "redis-ha.rhai", "--sandbox", "--json"];
/// A paced run's simulated per real time.
const SPEED: u32 = 60;
/// Finished steps, and then one that fails: so that there is something to resume.
const MANY: &str = "for n in 0..10000 { step(`step ${n}`, || n); }\nstep(\"end\", || fail(\"not yet\"));\n";

/// All figures of the program.
pub fn measure(table: &mut Table) {
    if let Err(why) = whole(table) {
        table.skipped("program: redis-ha on the sandbox", &why);
    }
    match first_step() {
        Ok(figure) => table.time("program: start to first step", figure, Duration::from_millis(50)),
        Err(why) => table.skipped("program: start to first step", &why),
    }
    match resume() {
        Ok(figure) => table.time("program: resume of 10,000 finished steps", figure, Duration::from_millis(100)),
        Err(why) => table.skipped("program: resume of 10,000 finished steps", &why),
    }
}

/// Runs redis-ha as fast as it goes, for its memory and its critical path, then paced.
fn whole(table: &mut Table) -> Result<(), String> {
    let dir = folder();
    let mut child = start(dir.path(), RUN.iter().copied().chain(["--speed", "0"]));
    let out = child.stdout.take();
    let reader = std::thread::spawn(move || out.map(std::io::read_to_string).transpose());
    let peak = peak_memory(&mut child);
    let text = reader.join().map_err(|_| "the reader died")?.map_err(|error| error.to_string())?;
    let critical = ended(&text.unwrap_or_default()).map_err(|why| format!("{why}: {}", errors(&mut child)))?.0;
    table.number("program: peak memory", peak, " MiB", 40.0);

    let dir = folder();
    let speed = SPEED.to_string();
    let output = start(dir.path(), RUN.iter().copied().chain(["--speed", &speed])).wait_with_output();
    let output = output.map_err(|error| error.to_string())?;
    let (_, real) = ended(&String::from_utf8_lossy(&output.stdout))?;
    let least = critical / SPEED;
    table.ratio("program: paced run time / critical path", (real, least), 1.05);
    Ok(())
}

/// Simulated and real time of a run out of its last event.
fn ended(text: &str) -> Result<(Duration, Duration), String> {
    let event: Value =
        text.lines().last().and_then(|line| serde_json::from_str(line).ok()).ok_or("the program said nothing")?;
    if event["ending"]["how"] != "finished" {
        return Err(format!("it did not finish: {}", event["ending"]));
    }
    let ms = |name: &str| event[name].as_u64().map(Duration::from_millis).ok_or(format!("no {name}"));
    Ok((ms("took_ms")?, ms("real_ms")?))
}

/// The most memory that a process ever held, in MiB.
fn peak_memory(child: &mut Child) -> f64 {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0_f64;
    while let Ok(None) = child.try_wait() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak = line.and_then(|kib| kib.trim().parse().ok()).unwrap_or(peak);
        std::thread::sleep(Duration::from_millis(2));
    }
    peak / 1024.0
}

/// From the start of the process to its first step, in a state directory that was used before.
fn first_step() -> Result<(Duration, Duration), String> {
    let dir = folder();
    let once = || {
        let mut child = start(dir.path(), RUN.iter().copied().chain(["--speed", "0"]));
        let out = child.stdout.take().map(BufReader::new);
        let mut lines = out.into_iter().flat_map(|out| out.lines().map_while(Result::ok));
        let found = lines.any(|line| line.contains("\"event\":\"step.started\""));
        child.kill().and_then(|()| child.wait()).map_err(|error| error.to_string())?;
        if found { Ok(()) } else { Err(errors(&mut child)) }
    };
    once()?;
    let mut failure = Ok(());
    let figure = Samples::of(REPEATS, || failure = failure.clone().and_then(|()| once()));
    failure.map(|()| figure)
}

/// The whole process: start, replay of all steps, the failing one, end.
fn resume() -> Result<(Duration, Duration), String> {
    let dir = folder();
    std::fs::write(dir.path().join("many.rhai"), MANY).map_err(|error| error.to_string())?;
    let failed = |output: Output| match output.status.code() {
        Some(1) => Ok(()),
        code => Err(format!("exit code {code:?}: {}", first_line(&output.stderr))),
    };
    let run = start(dir.path(), ["run", "many.rhai", "--sandbox", "--speed", "0", "-q"]).wait_with_output();
    failed(run.map_err(|error| error.to_string())?)?;
    let mut failure = Ok(());
    let figure = Samples::of(REPEATS, || {
        let resume = start(dir.path(), ["resume", "latest", "-q"]).wait_with_output();
        failure = failure.clone().and_then(|()| failed(resume.map_err(|error| error.to_string())?));
    });
    failure.map(|()| figure)
}

fn errors(child: &mut Child) -> String {
    let mut text = Vec::new();
    if let Some(mut stderr) = child.stderr.take() {
        // What cannot be read is missing in the explanation, no more.
        let _read = stderr.read_to_end(&mut text);
    }
    // The process was killed or has ended: there is nothing else to say about it.
    let _ended = child.wait();
    first_line(&text)
}

fn first_line(text: &[u8]) -> String {
    String::from_utf8_lossy(text).lines().find(|line| !line.trim().is_empty()).unwrap_or("no message").to_owned()
}

fn start<'a>(dir: &Path, args: impl IntoIterator<Item = &'a str>) -> Child {
    Command::new(env!("CARGO_BIN_EXE_runbook"))
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("HOME", dir)
        .env("PATH", "/usr/bin:/bin")
        .env("LANG", "C.UTF-8")
        .env("USER", "bench")
        .env("RUNBOOK_STATE", dir.join("state"))
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}
