//! One helm process: a group of its own, values through its standard input, ended with all that it started.

use std::{io, process::Stdio, time::Duration};

use async_trait::async_trait;
use runbook_modules::host::Host;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, Command},
    time::timeout,
};

use super::{folder::Folder, program::Program};

/// How often the runner is asked whether to go on, in real time.
const LOOK: Duration = Duration::from_millis(100);
/// How long helm may take to write down that it was stopped, in real time.
const FAREWELL: Duration = Duration::from_secs(10);
/// No more is read of what helm prints.
const PRINTED_MOST: u64 = 64 * 1024 * 1024;

/// What helm is to do.
pub struct Job<'a> {
    /// Arguments. Never a secret.
    pub arguments: &'a [String],
    /// What it reads from its standard input.
    pub input: Option<String>,
    /// Whether what it prints is wanted.
    pub prints: bool,
    /// When it is ended at the latest, in the target's time.
    pub until_ms: i64,
    /// How long it may go on in real time once the run is to stop. An apply that takes seconds is better finished.
    pub grace: Duration,
}

/// How it went.
#[derive(Debug)]
pub struct Ran {
    /// It ended by itself and without an error.
    pub succeeded: bool,
    /// What it printed.
    pub printed: Vec<u8>,
    /// What it said on its standard error.
    pub said: String,
    /// Why we ended it.
    pub ended: Option<Ended>,
}

/// Why a program was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The run is being stopped.
    Interrupted,
    /// The time is over.
    Limit,
}

/// What is done now and then while helm works.
#[async_trait]
pub trait Meanwhile: Send {
    /// About ten times a second.
    async fn look(&mut self);
}

/// Runs helm.
///
/// # Errors
/// When it cannot be started: nothing was done.
pub async fn run(
    program: &Program, folder: &Folder, job: &Job<'_>, host: &dyn Host, meanwhile: &mut dyn Meanwhile,
) -> io::Result<Ran> {
    let mut child = start(program, folder, job)?;
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let input = child.stdin.take().zip(job.input.clone());
    let feeding = tokio::spawn(async move {
        if let Some((mut stdin, text)) = input {
            // Helm that ended before it read them says why by itself.
            let _ = stdin.write_all(text.as_bytes()).await;
        }
    });
    let output = child.stdout.take();
    let reading = tokio::spawn(async move {
        let mut printed = Vec::new();
        if let Some(stdout) = output {
            let _ = stdout.take(PRINTED_MOST).read_to_end(&mut printed).await;
        }
        printed
    });
    let mut ended = None;
    let mut left = job.grace;
    let status = loop {
        if let Ok(status) = timeout(LOOK, child.wait()).await {
            break status?;
        }
        let stopping = host.clock().sleep(Duration::from_millis(1)).is_err();
        if stopping && !left.is_zero() {
            left = left.saturating_sub(LOOK);
        } else if stopping || host.clock().now_ms() >= job.until_ms {
            ended = Some(if stopping { Ended::Interrupted } else { Ended::Limit });
            break end(&mut child, group).await?;
        } else {
            meanwhile.look().await;
        }
    };
    feeding.abort();
    // Whoever still holds the pipe was ended with the group, or has left it: its words are not waited for.
    let printed = timeout(FAREWELL, reading).await.ok().and_then(Result::ok).unwrap_or_default();
    Ok(Ran { succeeded: ended.is_none() && status.success(), printed, said: folder.said(), ended })
}

fn start(program: &Program, folder: &Folder, job: &Job<'_>) -> io::Result<Child> {
    Command::new(&program.path)
        .args(job.arguments)
        .env_clear()
        .envs(folder.environment())
        .stdin(if job.input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(if job.prints { Stdio::piped() } else { Stdio::null() })
        .stderr(folder.listen()?)
        .process_group(0)
        .spawn()
}

/// Asks the whole group to end, and makes it end when it does not. Helm writes down that it was stopped.
async fn end(child: &mut Child, group: Option<Pid>) -> io::Result<std::process::ExitStatus> {
    let signal = |signal| group.map(|group| kill_process_group(group, signal));
    signal(Signal::TERM);
    let status = timeout(FAREWELL, child.wait()).await;
    signal(Signal::KILL);
    match status {
        Ok(status) => status,
        Err(_) => child.wait().await,
    }
}

#[cfg(test)]
mod tests {
    use std::{
        os::unix::fs::PermissionsExt as _,
        path::Path,
        sync::atomic::{AtomicBool, AtomicI64, Ordering},
    };

    use runbook_modules::host::{Clock, Interrupted};
    use serde_json::Value;

    use super::*;
    use crate::helm::program::Version;

    #[derive(Default)]
    struct Runner {
        stop: AtomicBool,
        now_ms: AtomicI64,
    }

    impl Clock for Runner {
        fn now_ms(&self) -> i64 {
            self.now_ms.load(Ordering::Relaxed)
        }
        fn sleep(&self, _: Duration) -> Result<(), Interrupted> {
            if self.stop.load(Ordering::Relaxed) { Err(Interrupted) } else { Ok(()) }
        }
    }

    impl Host for Runner {
        fn clock(&self) -> &dyn Clock {
            self
        }
        fn reveal(&self, value: &Value) -> Result<Value, String> {
            Ok(value.clone())
        }
        fn progress(&self, _: &str) {}
    }

    fn helm(folder: &Path, script: &str) -> Program {
        let path = folder.join("helm");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Program { path, version: Version { major: 3, minor: 21 } }
    }

    struct Look<F: FnMut() + Send>(F);

    #[async_trait]
    impl<F: FnMut() + Send> Meanwhile for Look<F> {
        async fn look(&mut self) {
            (self.0)();
        }
    }

    async fn ran(
        script: &str, input: Option<&str>, runner: &Runner, look: impl FnMut() + Send,
    ) -> (Ran, tempfile::TempDir) {
        let root = tempfile::tempdir().unwrap();
        let program = helm(root.path(), script);
        let folder = Folder::make(root.path(), "x", None).unwrap();
        let arguments = [root.path().display().to_string()];
        let input = input.map(str::to_owned);
        let job = Job { arguments: &arguments, input, prints: true, until_ms: 1000, grace: Duration::ZERO };
        (run(&program, &folder, &job, runner, &mut Look(look)).await.unwrap(), root)
    }

    #[tokio::test]
    async fn input_output_and_words_come_through() {
        let (done, _root) = ran("cat; echo Error: no >&2; exit 3", Some("values"), &Runner::default(), || {}).await;
        assert_eq!((done.printed.as_slice(), done.said.as_str()), (&b"values"[..], "Error: no\n"));
        assert!(!done.succeeded && done.ended.is_none());
        let (done, _root) = ran("exit 0", Some(&"x".repeat(1 << 20)), &Runner::default(), || {}).await;
        assert!(done.succeeded, "input that nobody reads is no error");
    }

    #[tokio::test]
    async fn the_whole_group_is_ended_when_the_run_stops_or_the_time_is_over() {
        let script = "sleep 60 & echo $! >$1/child; trap 'echo stopped >&2; exit 1' TERM; while :; do sleep 0.05; done";
        let runner = Runner::default();
        for expected in [Ended::Interrupted, Ended::Limit] {
            let (done, root) = ran(script, None, &runner, || match expected {
                Ended::Interrupted => runner.stop.store(true, Ordering::Relaxed),
                Ended::Limit => runner.now_ms.store(1000, Ordering::Relaxed),
            })
            .await;
            assert_eq!((done.ended, done.said.contains("stopped"), done.succeeded), (Some(expected), true, false));
            let child = std::fs::read_to_string(root.path().join("child")).unwrap();
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
            assert!(stat.is_empty() || stat.contains(") Z "), "a child outlived it: {stat}");
            runner.stop.store(false, Ordering::Relaxed);
        }
    }
}
