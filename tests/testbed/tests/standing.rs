//! The standing testbed: one command brings it up, one takes it down, and nothing of it outlives its process.

use std::{
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use runbook_testbed::tools::{self, Tools};

use crate::common::running_in;

/// A cache of its own with the installed programs in it.
fn cache(tools: &Tools) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("testbed")).expect("a folder");
    for name in ["bin", "venv"] {
        symlink(tools.cache.join(name), folder.path().join("testbed").join(name)).expect("a link");
    }
    folder
}

fn testbed(cache: &Path, command: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_testbed");
    Command::new(program).arg(command).env("RUNBOOK_CACHE", cache).output().expect("it runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Waits until nothing runs in a folder, at most 20 s.
fn emptied(folder: &Path) -> Vec<String> {
    for _ in 0..200 {
        if running_in(folder).is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    running_in(folder)
}

#[test]
fn it_goes_up_and_down() {
    let Some(tools) = tools::require() else { return };
    let cache = cache(&tools);
    assert!(said(&testbed(cache.path(), "status")).contains("not up"));
    let up = testbed(cache.path(), "up");
    assert!(up.status.success(), "{}", said(&up));
    let environment = std::fs::read_to_string(cache.path().join("testbed/state/env")).expect("an environment");
    assert!(environment.contains("export AWS_ENDPOINT_URL='http://127.0.0.1:"), "{environment}");
    let customer = std::fs::read_to_string(cache.path().join("testbed/state/customer.yaml")).expect("a customer file");
    assert!(customer.contains("redis_chart: oci://127.0.0.1:"), "{customer}");
    assert!(running_in(cache.path()).len() >= 2);
    assert!(said(&testbed(cache.path(), "up")).contains("up already"));
    let down = testbed(cache.path(), "down");
    assert!(down.status.success(), "{}", said(&down));
    assert_eq!(running_in(cache.path()), Vec::<String>::new());
    assert!(said(&testbed(cache.path(), "status")).contains("not up"));
}

#[test]
fn a_killed_one_leaves_no_process() {
    let Some(tools) = tools::require() else { return };
    let cache = cache(&tools);
    let up = testbed(cache.path(), "up");
    assert!(up.status.success(), "{}", said(&up));
    let pid = std::fs::read_to_string(cache.path().join("testbed/state/pid")).expect("a pid");
    assert!(running_in(cache.path()).len() >= 2);
    assert!(Command::new("kill").args(["-9", pid.trim()]).status().expect("kill runs").success());
    assert_eq!(emptied(cache.path()), Vec::<String>::new());
}
