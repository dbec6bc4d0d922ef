//! The test programs of the engine and the store, built once with the feature `mutants`: without `RUNBOOK_MUTANT` they are the usual
//! tests.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    bench::{Bench, cargo, workspace},
    sheet::Part,
};

/// Where a test is: a test program, or [`CATALOGUE`], and a filter of its tests.
pub type Tests = (&'static str, &'static str);

/// A section of this catalogue instead of a test program.
pub const CATALOGUE: &str = "catalogue";

/// How a test program ended.
pub struct Ran {
    /// The tests that passed.
    pub passed: usize,
    /// The first test that failed; a hang and a death are failures.
    pub failed: Option<String>,
}

/// The built test programs.
pub struct Programs(BTreeMap<String, PathBuf>);

/// Builds them when they are first asked for.
///
/// # Panics
/// When they do not build; the compiler has said why.
pub fn programs(bench: &Bench) -> &'static Programs {
    static BUILT: OnceLock<Programs> = OnceLock::new();
    BUILT.get_or_init(|| {
        eprintln!("building the tests with mutants");
        let built = cargo("test")
            .args(["--quiet", "--no-run", "--message-format", "json", "--no-default-features"])
            .args(["--features", "runbook-engine/mutants"])
            .args([
                "--package",
                "runbook-engine",
                "--package",
                "runbook-state",
                "--package",
                "runbook-kubernetes",
                "--lib",
                "--test",
                "kill",
                "--target-dir",
            ])
            .arg(bench.folder())
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo starts");
        assert!(built.status.success(), "the tests with mutants do not build");
        let text = String::from_utf8_lossy(&built.stdout).into_owned();
        let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let program = |message: Value| {
            let path = message["executable"].as_str().filter(|_| message["profile"]["test"] == true)?.into();
            Some((message["target"]["name"].as_str()?.to_owned(), path))
        };
        Programs(messages.filter_map(program).collect())
    })
}

impl Programs {
    /// Runs tests with something in their environment, for so long at most.
    ///
    /// # Panics
    /// When there is no such program.
    pub fn run(
        &self, bench: &Bench, (program, filter): Tests, environment: &[(&str, &str)], patience: Duration,
    ) -> Ran {
        let mut command = if program == CATALOGUE {
            let mut command = Command::new(std::env::current_exe().expect("this program"));
            command.args(["--only", filter, "--seed", &bench.seed().to_string()]);
            command
        } else {
            let path =
                self.0.get(program).unwrap_or_else(|| panic!("there is no test program {program}: {:?}", self.0));
            let mut command = Command::new(path);
            command.args([filter, "--test-threads", "2"]).current_dir(workspace().join("engine"));
            command
        };
        command.envs(environment.iter().copied()).stdin(Stdio::null());
        // Test programs tell on standard output, the catalogue on the other one.
        let (text, status) = if program == CATALOGUE {
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("this program starts");
            let told = child.stderr.take().expect("its output");
            waited(child, told, patience)
        } else {
            let mut child =
                command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a test program starts");
            let told = child.stdout.take().expect("its output");
            waited(child, told, patience)
        };
        let passed = text.lines().filter(|line| line.starts_with("test ") && line.ends_with(" ... ok")).count();
        if status == Some(true) {
            return Ran { passed, failed: None };
        }
        let failed = |line: &str| {
            let test = line.strip_prefix("test ").and_then(|line| line.strip_suffix(" ... FAILED"));
            let case = line.strip_prefix("FAILED ").filter(|_| program == CATALOGUE);
            test.map(str::to_owned).or_else(|| case.map(|case| format!("catalogue {filter}: {case}")))
        };
        let why = if status.is_none() { "did not end in time" } else { "died" };
        let name = text.lines().find_map(failed).unwrap_or_else(|| format!("{program} {filter} ({why})"));
        Ran { passed, failed: Some(name) }
    }
}

/// Tells of tests that must pass; they are named by the beginning of their names, or a part.
pub fn passing(bench: &Bench, part: &mut Part, id: &'static str, what: &str, tests: &[Tests]) {
    if bench.tested() {
        return part.not_measured(id, what, &format!("all {}", tests.len()), "they have been run by cargo test");
    }
    let passed = bench.each(part, tests, |(_, filter)| (*filter).to_owned(), |tests| pass(bench, *tests));
    part.all(id, what, passed.len(), tests.len());
}

/// Tests that must pass, of the program of that name; how many they are.
///
/// # Errors
/// The test that fails, or that there is none of that name.
pub fn pass(bench: &Bench, tests: Tests) -> Result<usize, String> {
    let ran = programs(bench).run(bench, tests, &[], Duration::from_secs(600));
    match ran.failed {
        None if ran.passed == 0 => Err("there is no such test".to_owned()),
        None => Ok(ran.passed),
        Some(test) => Err(format!("{test} fails")),
    }
}

/// What a child tells until it ends, and whether it ended well; None: it had to be killed.
fn waited(
    mut child: std::process::Child, mut told: impl std::io::Read + Send + 'static, patience: Duration,
) -> (String, Option<bool>) {
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        let _read = told.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    let began = Instant::now();
    let status = loop {
        match child.try_wait().expect("a child") {
            Some(status) => break Some(status.success()),
            None if began.elapsed() > patience => break None,
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    };
    if status.is_none() {
        let _ended = child.kill();
        let _ended = child.wait();
    }
    (reader.join().unwrap_or_default(), status)
}
