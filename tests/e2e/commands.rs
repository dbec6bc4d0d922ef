//! The commands around a run, and what they answer when there is nothing to answer.

use std::path::Path;

use serde_json::Value;

use crate::{harness::Place, redis_ha::world};

const QUIET: [&str; 4] = ["--sandbox", "--speed", "0", "-q"];
const TWO: &str = r#"const AWS = aws(#{ region: "us-east-1" });
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ cidr_block: "10.0.0.0/16" }));
step("subnet", || AWS.ec2.create_subnet(#{ vpc_id: vpc.id, cidr_block: "10.0.1.0/24", availability_zone: "us-east-1a" }));
output("vpc", vpc.id);
"#;
const ASKS: &str = r#"approve("delete the old cluster?");
step("after", || 1);
"#;

/// A place where a script has come to its end, or to the exit code that it must have.
fn after(script: &str, code: i32) -> Place {
    let place = Place::new();
    place.write("s.rhai", script);
    place.expect(code, ["run", "s.rhai"].into_iter().chain(QUIET));
    place
}

#[test]
fn an_approval_is_given_with_who_and_why() {
    let place = after(ASKS, 3);
    place.expect(3, ["resume", "latest"]);
    place.expect(2, ["approve", "latest"]);
    place.expect(0, ["approve", "latest", "--yes", "--why", "the window is open"]);
    place.expect(0, ["resume", "latest"]);
    let logs = place.expect(0, ["logs", "latest"]);
    assert!(logs.out.contains("tester@") && logs.out.contains("said yes: the window is open"), "{}", logs.out);
    let said = place.expect(2, ["approve", "latest", "--yes"]);
    assert!(said.err.contains("RB0207"), "{}", said.err);
    place.expect(2, ["approve", "latest", "--yes", "--step", "delete the old cluster?"]);
}

#[test]
fn a_no_stops_the_run_and_a_later_yes_counts() {
    let place = after(ASKS, 3);
    place.expect(0, ["approve", "latest", "--no", "--why", "not at night"]);
    let said = place.expect(1, ["resume", "latest"]);
    assert!(said.err.contains("RB0312") && said.err.contains("not at night"), "{}", said.err);
    place.expect(0, ["approve", "latest", "--yes"]);
    place.expect(0, ["resume", "latest"]);
}

#[test]
fn an_answer_ahead_of_its_question_is_told_to_be_one() {
    let place = after(ASKS, 3);
    let said = place.expect(0, ["approve", "latest", "--yes", "--step", "delete the old clsuter?"]);
    assert!(said.err.contains("has not asked it yet"), "{}", said.err);
    place.expect(3, ["resume", "latest"]);
}

#[test]
fn an_undone_run_cannot_go_on_as_if_it_stood() {
    let place = after(TWO, 0);
    place.expect(0, ["undo", "latest", "--yes"]);
    let said = place.expect(2, ["resume", "latest"]);
    assert!(said.err.contains("RB0217") && said.err.contains("runbook run s.rhai --sandbox"), "{}", said.err);
    assert!(place.expect(0, ["runs"]).out.contains("undone"));
    let said = place.expect(0, ["undo", "latest", "--yes"]);
    assert!(said.err.contains("0 deleted"), "{}", said.err);
}

#[test]
fn undo_asks_and_takes_only_what_was_typed() {
    let place = after(TWO, 0);
    let said = place.expect(2, ["undo", "latest"]);
    assert!(said.err.contains("--yes"), "{}", said.err);
    let said = place.expect(2, ["undo", "latest", "--yes", "--step", "subnte"]);
    assert!(said.err.contains("RB0216") && said.err.contains("subnet"), "{}", said.err);
    assert!(place.expect(0, ["runs"]).out.contains("finished"), "a wrong step changed the run");
    place.expect(0, ["undo", "latest", "--yes", "--step", "subnet"]);
    let kinds = |place: &Place| -> Vec<String> {
        let world = world(place);
        let objects = world["objects"].as_array().cloned().unwrap_or_default();
        objects.iter().filter_map(|object| Some(object["kind"].as_str()?.to_owned())).collect()
    };
    assert!(!kinds(&place).iter().any(|kind| kind == "ec2.subnet"), "{:?}", kinds(&place));
    place.expect(0, ["resume", "latest"]);
    assert_eq!(kinds(&place).iter().filter(|kind| *kind == "ec2.subnet").count(), 1);
}

#[test]
fn what_needs_a_decision_is_shown_again_with_its_code_and_hint() {
    let place = after(&format!("{TWO}step(\"late\", || fail(\"not yet\"));\n"), 1);
    place.write("s.rhai", &TWO.replace("10.0.1.0/24", "10.0.2.0/24"));
    let said = place.expect(6, ["resume", "latest", "--edited"]);
    let shown = place.expect(0, ["show", "latest"]).out;
    for text in ["RB0320", "hint", "--original", "cidr_block", "needs a decision at subnet"] {
        assert!(said.err.contains(text) && shown.contains(text), "no {text:?} in:\n{}\n{shown}", said.err);
    }
}

#[test]
fn a_resume_counts_the_whole_run_and_its_own_part() {
    let waits =
        "step(\"first\", || sleep(\"10m\"));\nif file(\"go\") != \"yes\" { step(\"bad\", || fail(\"not yet\")); }\n";
    let script = format!("{waits}step(\"second\", || sleep(\"5m\"));\n{TWO}");
    let place = Place::new();
    place.write("go", "no");
    place.write("s.rhai", &script);
    place.expect(1, ["run", "s.rhai"].into_iter().chain(QUIET));
    place.write("go", "yes");
    let said = place.expect(0, ["resume", "latest", "--edited", "-q"]).err;
    let shown = place.expect(0, ["show", "latest"]).out;
    for text in [&said, &shown] {
        let head = text.lines().find(|line| line.contains("s finished in ")).expect("the head");
        assert!(head.contains("finished in 15:") && text.contains("4 steps") && text.contains("2 effects"), "{text}");
        let own = text.lines().find(|line| line.starts_with("resumed ")).expect("its own part");
        assert!(own.contains("3 steps") && own.contains("2 effects") && own.contains("5:"), "{own}");
    }
}

#[test]
fn what_is_undone_does_not_count_as_standing() {
    let place = after(TWO, 0);
    let said = place.expect(0, ["undo", "latest", "--yes", "--step", "subnet", "-q"]).err;
    let so_far = |text: &str| text.lines().find(|line| line.starts_with("so far ")).unwrap_or_default().to_owned();
    assert!(so_far(&said).contains("1 step kept") && so_far(&said).contains("1 effect "), "{said}");
    let shown = place.expect(0, ["show", "latest"]).out;
    assert!(so_far(&shown).contains("1 effect "), "{shown}");
}

#[test]
fn a_finished_run_goes_on_to_nothing() {
    let place = after(TWO, 0);
    let said = place.expect(0, ["resume", "latest", "--json"]);
    assert!(!said.out.contains("\"effect."), "{}", said.out);
}

#[test]
fn nothing_there_is_said_and_leaves_nothing() {
    let place = Place::new();
    for command in ["show", "logs", "output", "resume", "undo", "verify", "cancel", "approve"] {
        let said = place.expect(2, [command, "latest"]);
        assert!(said.err.contains("RB0203") && said.err.contains("next"), "{command}: {}", said.err);
    }
    place.expect(0, ["runs"]);
    assert!(!place.state().exists(), "asking made a state directory");
}

#[test]
fn a_run_is_named_by_a_unique_beginning() {
    let place = after("step(\"a\", || 1);\n", 0);
    // Seventeen ids cannot all begin differently.
    for _ in 0..16 {
        place.expect(0, ["run", "s.rhai"].into_iter().chain(QUIET));
    }
    let runs: Value = serde_json::from_str(&place.expect(0, ["runs", "--json"]).out).expect("JSON");
    let ids: Vec<&str> = runs["runs"].as_array().expect("runs").iter().filter_map(|run| run["run"].as_str()).collect();
    assert_eq!(ids.len(), 17);
    let first = |id: &str| id.chars().take(1).collect::<String>();
    let shared = ids.iter().find(|id| ids.iter().filter(|other| first(other) == first(id)).count() > 1).expect("two");
    let said = place.expect(2, ["show", &first(shared)]);
    assert!(said.err.contains("runs begin with") && said.err.contains(*shared), "{}", said.err);
    assert!(place.expect(2, ["show", "xyz"]).err.contains("RB0203"));
    place.expect(0, ["show", shared]);
}

#[test]
fn a_foreign_newer_or_broken_store_is_refused_untouched() {
    let place = after(TWO, 0);
    let db = place.state().join("runs.db");
    let sound = std::fs::read(&db).expect("the journal");
    // The user version stands big-endian at byte 60 of a SQLite file, the application id at byte 68.
    let mut newer = sound.clone();
    newer[60..64].copy_from_slice(&999_u32.to_be_bytes());
    let mut foreign = sound;
    foreign[68..72].copy_from_slice(&7_u32.to_be_bytes());
    for (bytes, code) in [(newer, "RB0601"), (foreign, "RB0602"), (vec![b'x'; 9000], "RB0602")] {
        std::fs::write(&db, &bytes).expect("a file");
        for args in [vec!["runs"], vec!["resume", "latest"], vec!["run", "s.rhai", "--sandbox", "--speed", "0"]] {
            let said = place.expect(9, &args);
            assert!(said.err.contains(code), "{args:?}: {}", said.err);
        }
        assert!(std::fs::read(&db).expect("the file") == bytes, "{code}: the file was changed");
    }
}

#[test]
fn a_state_directory_that_is_a_file_is_named() {
    let place = Place::new();
    place.write("s.rhai", TWO);
    place.write("file", "not a directory");
    for args in [vec!["runs"], vec!["show", "latest"], vec!["run", "s.rhai", "--sandbox", "--speed", "0"]] {
        let said = place.expect(9, args.iter().chain(&["--state", "file"]));
        assert!(said.err.contains("file is not a directory"), "{args:?}: {}", said.err);
    }
}

#[test]
fn json_is_all_that_stands_on_standard_output() {
    let place = Place::new();
    place.write("s.rhai", &format!("{TWO}print(\"a line\");\nstep(\"bad\", || fail(\"no\"));\n"));
    let runs = [
        (1, vec!["run", "s.rhai", "--sandbox", "--speed", "0", "--json"]),
        (1, vec!["resume", "latest", "--json"]),
        (0, vec!["show", "latest", "--json"]),
        (0, vec!["logs", "latest", "--json"]),
        (0, vec!["output", "latest", "--json"]),
        (0, vec!["runs", "--json"]),
        (0, vec!["verify", "latest", "--json"]),
        (0, vec!["world", "--json"]),
        (0, vec!["params", "redis-ha", "--json"]),
        (0, vec!["plan", "redis-ha", "--json"]),
        (0, vec!["undo", "latest", "--yes", "--json"]),
    ];
    for (code, args) in runs {
        let said = place.expect(code, &args);
        assert!(!said.out.is_empty(), "{args:?}");
        for line in said.out.lines() {
            let parsed: Result<Value, _> = serde_json::from_str(line);
            assert!(parsed.is_ok_and(|value| value.is_object()), "{args:?}: {line}");
        }
    }
}

#[test]
fn colour_and_symbols_are_as_asked_for() {
    let place = after(TWO, 0);
    let plain = place.expect(0, ["show", "latest"]);
    assert!(!plain.out.contains('\u{1b}') && plain.out.contains('✓'), "{}", plain.out);
    assert!(place.expect(0, ["show", "latest", "--color", "always"]).out.contains("\u{1b}["));
    for args in [vec!["show", "latest"], vec!["runs"], vec!["logs", "latest"], vec!["plan", "redis-ha"]] {
        let output = place.command(&args).env("LANG", "C").output().expect("the program starts");
        let text = [output.stdout, output.stderr].concat();
        assert!(text.is_ascii(), "{args:?}: {}", String::from_utf8_lossy(&text));
    }
}

#[test]
fn quiet_says_only_the_last_block() {
    let place = Place::new();
    place.write("s.rhai", TWO);
    let said = place.expect(0, ["run", "s.rhai"].into_iter().chain(QUIET));
    assert!(said.out.is_empty(), "{}", said.out);
    assert!(said.err.trim_start().starts_with("✓ s finished in "), "{}", said.err);
    assert!(said.err.trim_end().lines().last().is_some_and(|line| line.starts_with("next ")), "{}", said.err);
}

#[test]
fn what_needs_no_run_answers_without_one() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(place.expect(0, ["completions", shell]).out.contains("runbook"));
    }
    assert!(place.expect(0, ["explain", "RB0412"]).out.contains("RB0412"));
    assert!(place.expect(2, ["explain", "RB9999"]).err.contains("RB0209"));
    let codes = place.expect(0, ["help", "exit-codes"]).out;
    assert!(codes.contains("70") && codes.contains("another process drives the run"), "{codes}");
    place.expect(0, ["check", "redis-ha"]);
    assert!(place.expect(0, ["params", "redis-ha"]).out.contains("redis_password"));
    assert!(place.expect(0, ["docs", "ec2.create_vpc"]).out.contains("cidr_block"));
    place.expect(0, ["eject", "redis-ha"]);
    assert!(files(&place.work()) > 1);
    // A second one finds the same files; one that was edited is left alone.
    place.expect(0, ["eject", "redis-ha"]);
    place.write("runbooks/redis-ha.rhai", "edited");
    assert!(place.expect(2, ["eject", "redis-ha"]).err.contains("RB0210"));
    assert!(!place.state().exists());
}

fn files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    entries.map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { 1 }).sum()
}

#[test]
fn on_the_sandbox_a_missing_parameter_takes_a_made_up_value() {
    let place = Place::new();
    place.write("one.rhai", "const P = params(#{ host: string(), port: int(80) });\noutput(\"host\", P.host);\n");
    place.write("one.rehearsal.yaml", "params:\n  host: example.com\n");
    for args in [vec!["run", "one.rhai", "--sandbox", "--speed", "0"], vec!["plan", "one.rhai"]] {
        let said = place.expect(0, args);
        assert!(said.err.contains("made-up values for host, out of the rehearsal file"), "{}", said.err);
    }
    assert_eq!(place.expect(0, ["output", "latest", "host"]).out.trim(), "example.com");
    let said = place.expect(0, ["run", "one.rhai", "--sandbox", "--speed", "0", "-p", "host=mine"]);
    assert!(!said.err.contains("made-up"), "{}", said.err);
    assert_eq!(place.expect(0, ["output", "latest", "host"]).out.trim(), "mine");
    let said = place.run(["run", "one.rhai", "--yes"]);
    assert!(said.code == 2 && said.err.contains("RB0201"), "{}", said.err);
}
