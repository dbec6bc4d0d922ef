//! The files that a run leaves: for their owner alone, whatever the umask; a database that somebody holds is waited for, not for ever;
//! ten thousand steps cost each as much as the first ones.

#![expect(clippy::print_stdout, reason = "figures")]

use std::{
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::harness::{Place, said};

const SLOW: &str = "const AWS = aws(#{ region: \"us-east-1\" });\nconst P = params(#{ pw: secret().generate(12) });\n\
                    step(\"vpc\", || AWS.ec2.create_vpc(#{ cidr_block: \"10.0.0.0/16\" }));\nstep(\"wait\", || sleep(\"2m\"));\n";

/// What others may read, write or enter below a folder.
fn loose(folder: &Path, found: &mut Vec<String>) -> usize {
    let mut looked = 0;
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        // A file that has gone meanwhile is not loose.
        let Ok(about) = entry.path().symlink_metadata() else { continue };
        looked += 1;
        if about.permissions().mode() & 0o077 != 0 {
            found.push(format!("{} {:o}", entry.path().display(), about.permissions().mode() & 0o777));
        }
        if about.is_dir() {
            looked += loose(&entry.path(), found);
        }
    }
    looked
}

#[test]
fn they_are_for_their_owner_alone_whatever_the_umask() {
    for umask in ["000", "022", "077"] {
        let place = Place::new();
        place.write("slow.rhai", SLOW);
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")]);
        let mut command = place.under(shell, ["run", "slow.rhai", "--sandbox", "--speed", "60", "-q"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a shell");
        let (state, home) = (place.state(), place.root().join("home"));
        let (mut looks, mut found) = (0, Vec::new());
        while child.try_wait().expect("a child").is_none() {
            looks += loose(&state, &mut found);
            std::thread::sleep(Duration::from_millis(20));
        }
        looks += loose(&state, &mut found);
        let key = home.join(".config/runbook/key");
        let mode = key.symlink_metadata().expect("the key").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "umask {umask}: the key");
        assert!(found.is_empty() && looks > 20, "umask {umask}: {found:?} of {looks}");
        println!("umask {umask}: {looks} looks, loose 0");
    }
}

#[test]
fn a_database_that_somebody_holds_is_waited_for_but_not_for_ever() {
    let place = Place::new();
    place.write("s.rhai", "step(\"one\", || 1);\n");
    place.expect(0, ["run", "s.rhai", "--sandbox", "--speed", "0", "-q"]);
    let db = rusqlite::Connection::open(place.root().join("state/runs.db")).expect("the journal");
    db.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let began = Instant::now();
    let told = place.run(["resume", "latest"]);
    let waited = began.elapsed();
    assert_eq!(told.code, 9, "{}", told.err);
    assert!(told.err.contains("runs.db") && told.err.contains("lock"), "{}", told.err);
    assert!(waited > Duration::from_secs(5) && waited < Duration::from_secs(60), "{waited:?}");
    db.execute_batch("ROLLBACK").expect("the lock back");
    place.expect(0, ["resume", "latest"]);
    // A second that somebody takes is nothing.
    db.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let child = place.command(["resume", "latest"]).spawn().expect("the program starts");
    std::thread::sleep(Duration::from_secs(1));
    db.execute_batch("ROLLBACK").expect("the lock back");
    let told = said(child.wait_with_output().expect("a child"));
    assert_eq!(told.code, 0, "{}", told.err);
}

#[test]
fn ten_thousand_steps_are_run_and_kept() {
    let place = Place::new();
    place.write("many.rhai", "const P = params(#{ n: int(100) });\nfor i in 0..P.n { step(`s${i}`, || i); }\n");
    let run = |n: u64| {
        let began = Instant::now();
        place.expect(0, ["run", "many.rhai", "--sandbox", "--speed", "0", "-q", "-p", &format!("n={n}")]);
        began.elapsed()
    };
    let (few, many) = (run(1_000), run(10_000));
    let began = Instant::now();
    let told = place.expect(0, ["resume", "latest", "-q"]);
    println!("1,000 steps {few:?}, 10,000 steps {many:?}, resume of 10,000 {:?}", began.elapsed());
    assert!(told.err.contains("10000 steps") || told.err.contains("10,000 steps"), "{}", told.err);
}
