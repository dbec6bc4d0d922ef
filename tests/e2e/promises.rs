//! Editing, leases, secrets: what a person relies on around a run.

use std::time::Duration;

use runbook_state::{record::Record, sqlite::Sqlite, store::Store as _};

use crate::harness::Place;

const SCRIPT: &str = r#"const AWS = aws(#{ region: "us-east-1" });
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ cidr_block: "10.0.0.0/16" }));
step("subnet", || AWS.ec2.create_subnet(#{ vpc_id: vpc.id, cidr_block: "10.0.1.0/24", availability_zone: "us-east-1a" }));
step("late", || fail("not yet"));
"#;

fn failed() -> Place {
    let place = Place::new();
    place.write("s.rhai", SCRIPT);
    place.expect(1, ["run", "s.rhai", "--sandbox", "--speed", "0"]);
    place
}

#[test]
fn an_edit_after_a_failure_keeps_the_finished_steps() {
    let place = failed();
    place.write("s.rhai", &SCRIPT.replace("fail(\"not yet\")", "\"done\""));
    let said = place.expect(6, ["resume", "latest"]);
    assert!(said.err.contains("--edited") && said.err.contains("--original"), "{}", said.err);
    let said = place.expect(0, ["resume", "latest", "--edited", "--json"]);
    assert!(!said.out.contains("\"effect.intent\""), "a finished step was done again:\n{}", said.out);
}

#[test]
fn a_finished_step_that_was_edited_counts_once() {
    let place = failed();
    let block = SCRIPT.replace(
        "|| AWS.ec2.create_vpc(#{ cidr_block: \"10.0.0.0/16\" })",
        "|| { let all = \"10.0.0.0/16\"; AWS.ec2.create_vpc(#{ cidr_block: all }) }",
    );
    assert_ne!(block, SCRIPT);
    place.write("s.rhai", &block.replace("fail(\"not yet\")", "1"));
    place.expect(0, ["resume", "latest", "--edited"]);
    let said = place.expect(0, ["runs", "--json"]);
    let runs: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(runs["runs"][0]["steps"], 3, "{}", said.out);
}

#[test]
fn an_edited_finished_step_stops_and_shows_both() {
    let place = failed();
    place.write("s.rhai", &SCRIPT.replace("10.0.1.0/24", "10.0.2.0/24"));
    let said = place.expect(6, ["resume", "latest", "--edited"]);
    for text in ["subnet", "cidr_block", "10.0.1.0/24", "10.0.2.0/24", "s.rhai:3"] {
        assert!(said.err.contains(text), "no {text:?} in:\n{}", said.err);
    }
}

/// The second step edited, and a new one before it.
fn edited_twice() -> String {
    let subnet = "step(\"subnet\"";
    let new = "step(\"new\", || AWS.ec2.create_internet_gateway(#{ name: \"new\" }));\n";
    SCRIPT.replace("10.0.1.0/24", "10.0.2.0/24").replace(subnet, &format!("{new}{subnet}"))
}

#[test]
fn an_edited_resume_that_was_killed_still_compares_the_remaining_steps() {
    let place = failed();
    place.write("s.rhai", &edited_twice());
    let said = place.run(["resume", "latest", "--edited", "--fault", "kill-after:3"]);
    assert_eq!(said.code, -1, "it was not killed: {}", said.err);
    // The run's own copy and the files on the disk are the same now. The step is of the copy before.
    let said = place.expect(6, ["resume", "latest"]);
    for text in ["RB0320", "cidr_block", "10.0.1.0/24", "10.0.2.0/24"] {
        assert!(said.err.contains(text), "no {text:?} in:\n{}", said.err);
    }
    let edited = edited_twice().replace("fail(\"not yet\")", "1");
    place.write("s.rhai", &edited);
    place.expect(6, ["resume", "latest", "--edited"]);
    // A third edit, back to what the record says: every step is compared from where it came.
    place.write("s.rhai", &edited.replace("10.0.2.0/24", "10.0.1.0/24"));
    let said = place.expect(0, ["resume", "latest", "--edited", "--json"]);
    assert!(!said.out.contains("\"effect.intent\""), "{}", said.out);
    let again = place.expect(0, ["resume", "latest"]);
    assert!(!again.err.contains("RB03"), "{}", again.err);
}

#[test]
fn new_parameters_that_were_killed_still_count_for_the_remaining_steps() {
    let script = "const P = params(#{ cidr: string(\"10.0.1.0/24\") });\n".to_owned()
        + &SCRIPT.replace("\"10.0.1.0/24\"", "P.cidr").replace(
            "step(\"subnet\"",
            "if P.cidr != \"10.0.1.0/24\" { step(\"new\", || AWS.ec2.create_internet_gateway(#{})); }\nstep(\"subnet\"",
        );
    let place = Place::new();
    place.write("s.rhai", &script);
    place.expect(1, ["run", "s.rhai", "--sandbox", "--speed", "0"]);
    let said = place.run(["resume", "latest", "-p", "cidr=10.0.2.0/24", "--fault", "kill-after:3"]);
    assert_eq!(said.code, -1, "it was not killed: {}", said.err);
    let said = place.expect(6, ["resume", "latest"]);
    assert!(said.err.contains("RB0320") && said.err.contains("10.0.2.0/24"), "{}", said.err);
}

#[test]
fn a_comment_changes_nothing() {
    let place = failed();
    place.write("s.rhai", &format!("// a comment\n\n{}", SCRIPT.replace("fail(\"not yet\")", "1")));
    let said = place.expect(0, ["resume", "latest", "--edited", "--json"]);
    assert!(!said.out.contains("\"effect.intent\""), "{}", said.out);
}

#[test]
fn the_original_is_kept_with_the_run() {
    let place = failed();
    place.write("s.rhai", "this is no longer a script");
    let said = place.expect(1, ["resume", "latest", "--original"]);
    assert!(said.err.contains("not yet"), "{}", said.err);
}

#[test]
fn only_one_process_drives_a_run() {
    let place = Place::new();
    place.write("slow.rhai", "step(\"wait\", || { sleep(\"10m\"); });\n");
    let mut child = place.start(["run", "slow.rhai", "--sandbox", "--speed", "60"]);
    let mut said = place.run(["resume", "latest"]);
    for _ in 0..100 {
        if said.code == 5 {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
        said = place.run(["resume", "latest"]);
    }
    let pid = child.id().to_string();
    child.kill().expect("a kill");
    child.wait().expect("a child");
    assert_eq!(said.code, 5, "{}", said.err);
    assert!(said.err.contains(&pid), "the holder {pid} is not named:\n{}", said.err);
    let runs = place.expect(0, ["runs"]);
    assert!(runs.out.contains("interrupted"), "{}", runs.out);
    place.expect(0, ["resume", "latest", "--speed", "0"]);
}

#[test]
fn a_secret_is_written_nowhere() {
    let canary = "cAnArY/7f3a+Zx\"9=quiet";
    let place = Place::new();
    let param = format!("redis_password={canary}");
    let mut outputs = Vec::new();
    for args in [
        vec!["run", "redis-ha.rhai", "--sandbox", "--speed", "0", "--json", "-p", &param, "--fault", "refuse:100"],
        vec!["resume", "latest", "--json"],
        vec!["show", "latest"],
        vec!["logs", "latest"],
        vec!["output", "latest"],
        vec!["runs"],
        vec!["verify", "latest"],
        vec!["world", "--json"],
    ] {
        let said = place.run(args);
        outputs.push(said.out.into_bytes());
        outputs.push(said.err.into_bytes());
    }
    let mut files = Vec::new();
    collect(place.root(), &mut files);
    assert!(files.iter().any(|(name, _)| name.ends_with("runs.db")), "the scanner sees the journal");
    let needles = encodings(canary);
    assert!(needles.iter().all(|needle| contains(format!("x{}y", needle.escape_ascii()).as_bytes(), needle) || needle.contains(&b'"')));
    for needle in &needles {
        for (name, bytes) in &files {
            assert!(!contains(bytes, needle), "{:?} is in {name}", String::from_utf8_lossy(needle));
        }
        for bytes in &outputs {
            assert!(!contains(bytes, needle), "{:?} was printed", String::from_utf8_lossy(needle));
        }
    }
    let revealed = place.expect(0, ["output", "latest", "redis_password", "--reveal"]);
    assert_eq!(revealed.out.trim_end(), canary);
}

/// The value plain, in base64, hexadecimal, URL and JSON escapes.
fn encodings(value: &str) -> Vec<Vec<u8>> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut base64 = Vec::new();
    for chunk in value.as_bytes().chunks_exact(3) {
        let bits = (u32::from(chunk[0]) << 16) | (u32::from(chunk[1]) << 8) | u32::from(chunk[2]);
        for shift in [18, 12, 6, 0] {
            base64.push(alphabet[(bits >> shift) as usize & 63]);
        }
    }
    let hex = value.bytes().map(|b| format!("{b:02x}")).collect::<String>();
    let url = value
        .bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect::<String>();
    let json = serde_json::to_string(value).expect("JSON");
    vec![
        value.as_bytes().to_vec(),
        base64,
        hex.clone().into_bytes(),
        hex.to_uppercase().into_bytes(),
        url.into_bytes(),
        json.trim_matches('"').as_bytes().to_vec(),
    ]
}

fn collect(folder: &std::path::Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if let Ok(bytes) = std::fs::read(&path) {
            found.push((path.display().to_string(), bytes));
        }
    }
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// Their steps name several files in several functions.
#[test]
fn finished_steps_of_an_unchanged_script_answer_and_are_not_held_against_the_record() {
    for runbook in ["redis-ha.rhai", "sre-platform.rhai"] {
        let place = Place::new();
        let killed = place.run(["run", runbook, "--sandbox", "--speed", "0", "--fault", "kill-after:12"]);
        assert_eq!(killed.code, -1, "{runbook}: {}", killed.err);
        place.run(["resume", "latest", "--speed", "0", "--fault", "refuse:14"]);
        let store = Sqlite::open(&place.state()).expect("the store");
        let run = store.runs().expect("the runs").pop().expect("a run");
        let again = store.journal(&run.id).expect("the journal").into_iter().filter_map(|entry| match entry.record {
            Record::StepDone { step, again: true, .. } => Some(step),
            _ => None,
        });
        assert_eq!(again.collect::<Vec<_>>(), [""; 0], "{runbook}");
    }
}

/// A read that fails, and what the script does then.
const CAUGHT: &str = r#"const AWS = aws(#{ region: "us-east-1" });
step("cluster", || {
    try { AWS.eks.describe_cluster(#{ name: "nowhere" }); } catch (e) { log(e.code); }
    on_undo(|| print("the closure after the read was called"));
    AWS.ec2.create_vpc(#{ cidr_block: "10.0.0.0/16" }).id
});
step("late", || fail("not yet"));
"#;

#[test]
fn a_failed_read_that_the_script_caught_is_part_of_the_record() {
    let place = Place::new();
    place.write("s.rhai", CAUGHT);
    place.expect(1, ["run", "s.rhai", "--sandbox", "--speed", "0"]);
    place.write("s.rhai", &CAUGHT.replace("fail(\"not yet\")", "1").replace("log(e.code)", "log(e.message)"));
    let said = place.expect(0, ["resume", "latest", "--edited", "--json"]);
    assert!(!said.out.contains("\"effect.intent\""), "a finished step was done again:\n{}", said.out);
    let said = place.expect(0, ["undo", "latest", "--yes"]);
    let all = format!("{}{}", said.out, said.err);
    assert!(all.contains("the closure after the read was called"), "{all}");
}
