//! Runs written by earlier versions: read, shown, resumed and undone by this one, for ever.
//!
//! Each folder in `tests/journals` holds a state directory as a version left it. `tests/journals/README.md` says how to add the
//! next one: RUNBOOK_WRITE_JOURNALS=FOLDER writes it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{harness::Place, redis_ha::world};

/// Seals the secret of the stored runs. It guards nothing: it stands here.
const KEY: &str = "7f3a9c0e5b1d42688f6e0a3c9d5b7e1f2a4c6e8091b3d5f7a9c1e3b5d7f90b2d";
const PASSWORD: &str = "kept since then";

/// Everything that a journal can hold, in one script.
const ALL: &str = r#"//! Everything that a journal can hold.
const P = params(#{ name: string("all"), password: secret() });
const AWS = aws(#{ region: "us-east-1" });

let id = step("decisions", || #{ id: uuid(), at: now() });
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ name: P.name, cidr_block: "10.0.0.0/16" }));
let zones = step("zones", || AWS.ec2.describe_availability_zones(#{}));
let sides = parallel(#{
    left: || step("subnet", || AWS.ec2.create_subnet(#{ vpc_id: vpc.id, cidr_block: "10.0.1.0/24" })),
    right: || step("outer", || step("inner", || AWS.ec2.create_subnet(#{ vpc_id: vpc.id, cidr_block: "10.0.2.0/24" }))),
});
let caught = "nothing";
try {
    step("twice", || AWS.ec2.create_subnet(#{ vpc_id: vpc.id, cidr_block: "10.0.1.0/24" }));
} catch {
    caught = "refused";
}
step("gateways", || {
    AWS.ec2.create_internet_gateway(#{ name: "first" });
    AWS.ec2.create_internet_gateway(#{ name: "second" });
});
check("sides", || sides.len() == 2);
output("caught", caught);
output("left", sides.left.cidr_block);
output("password", P.password);
"#;

/// Stops where a fault kills it: the state of its last effect is what the file name says.
const STOPS: &str = r#"const AWS = aws(#{ region: "us-east-1" });
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ cidr_block: "10.1.0.0/16" }));
step("gateway", || AWS.ec2.create_internet_gateway(#{ name: "the last" }));
step("after", || vpc.id);
output("vpc", vpc.id);
"#;

/// Waits for a long time, so that it can be killed then.
const WAITS: &str = r#"const AWS = aws(#{ region: "us-east-1" });
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ cidr_block: "10.2.0.0/16" }));
let subnet = step("subnet", || AWS.ec2.create_subnet(#{ vpc_id: vpc.id, cidr_block: "10.2.0.0/24" }));
step("way out", || {
    let gateway = AWS.ec2.create_internet_gateway(#{});
    AWS.ec2.attach_internet_gateway(#{ internet_gateway_id: gateway.id, vpc_id: vpc.id });
});
let address = step("address", || AWS.ec2.allocate_address(#{}));
let nat = step("nat", || AWS.ec2.create_nat_gateway(#{ subnet_id: subnet.id, allocation_id: address.id }));
output("nat", nat.id);
"#;

/// Asks somebody.
const ASKS: &str = "approve(\"may it go on?\");\noutput(\"went\", \"on\");\n";

/// What each stored run is, by the name of its runbook, and the exit code of resuming it.
const RUNS: [(&str, &str); 7] = [
    ("all", ALL),
    ("intent", STOPS),
    ("lost", STOPS),
    ("refused", STOPS),
    ("waiting", WAITS),
    ("undone", STOPS),
    ("asking", ASKS),
];

fn journals() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/journals")
}

fn keyed<'a>(place: &Place, args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = place.command(args);
    command.env("RUNBOOK_KEY", KEY);
    command
}

fn said<'a>(place: &Place, code: i32, args: impl IntoIterator<Item = &'a str>) -> (String, String) {
    let args: Vec<&str> = args.into_iter().collect();
    let output = keyed(place, args.iter().copied()).output().expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{args:?}\nstdout:\n{out}\nstderr:\n{err}");
    (out, err)
}

/// The runs of a place: id by the runbook's name.
fn runs(place: &Place) -> BTreeMap<String, String> {
    let (out, _) = said(place, 0, ["runs", "--json"]);
    let text = |run: &Value, name: &str| run[name].as_str().unwrap_or_default().to_owned();
    let list: Value = serde_json::from_str(&out).expect("JSON");
    let list = list["runs"].as_array().cloned().unwrap_or_default();
    list.iter().map(|run| (text(run, "runbook"), text(run, "run"))).collect()
}

fn events(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn steps<'a>(events: &'a [Value], name: &str) -> BTreeSet<&'a str> {
    events.iter().filter(|event| event["event"] == name).filter_map(|event| event["step"].as_str()).collect()
}

/// How many mutating calls the world has seen.
fn calls(place: &Place) -> usize {
    world(place)["calls"].as_array().expect("a list").len()
}

/// The tokens of the calls that were executed.
fn executed(place: &Place) -> Vec<String> {
    let world = world(place);
    let all = world["calls"].as_array().expect("a list").iter();
    let done = all.filter(|call| ["done", "lost"].iter().any(|outcome| call["outcome"] == *outcome));
    let tokens = done.filter_map(|call| call["token"].as_str()).filter(|token| !token.is_empty());
    tokens.map(str::to_owned).collect()
}

#[test]
fn every_stored_journal_is_carried_on() {
    let mut versions = 0;
    for version in std::fs::read_dir(journals()).expect("tests/journals").flatten() {
        if version.path().is_dir() {
            carried_on(&version.path());
            versions += 1;
        }
    }
    assert!(versions > 0, "there is no stored journal");
}

fn carried_on(version: &Path) {
    let place = Place::new();
    let state = place.state();
    std::fs::create_dir(&state).expect("a folder");
    for file in ["runs.db", "sandbox.db"] {
        std::fs::copy(version.join(file), state.join(file)).expect("a copy");
    }
    let runs = runs(&place);
    for (name, _) in RUNS {
        assert!(runs.contains_key(name), "{}: no run {name} in {runs:?}", version.display());
        said(&place, 0, ["show", &runs[name]]);
    }
    let (password, _) = said(&place, 0, ["output", &runs["all"], "password", "--reveal"]);
    assert_eq!(password.trim(), PASSWORD);
    let (caught, _) = said(&place, 0, ["output", &runs["all"], "caught"]);
    assert_eq!(caught.trim(), "refused");
    said(&place, 0, ["verify", &runs["all"]]);
    // What a resume may still call: the effect at which the run stood, or nothing at all.
    for (name, most) in [("intent", 1), ("lost", 0), ("refused", 1), ("waiting", 0)] {
        let before = calls(&place);
        let (out, _) = said(&place, 0, ["resume", &runs[name], "--json", "--speed", "0"]);
        let events = events(&out);
        let kept: BTreeSet<&str> = events
            .iter()
            .filter(|event| event["event"] == "step.done" && event["kept"] == true)
            .filter_map(|event| event["step"].as_str())
            .collect();
        assert!(kept.contains("vpc"), "{name}: the finished step was not kept: {kept:?}");
        assert!(kept.is_disjoint(&steps(&events, "effect.intent")), "{name}: a finished step was done again:\n{out}");
        assert!(calls(&place) - before <= most, "{name}: {} calls", calls(&place) - before);
    }
    said(&place, 0, ["approve", &runs["asking"], "--yes", "--why", "a test"]);
    said(&place, 0, ["resume", &runs["asking"], "--speed", "0"]);
    let executed = executed(&place);
    assert_eq!(executed.iter().collect::<BTreeSet<_>>().len(), executed.len(), "done twice: {executed:?}");
    for name in ["all", "intent", "lost", "refused", "waiting"] {
        said(&place, 0, ["undo", &runs[name], "--yes"]);
    }
    assert_eq!(world(&place)["objects"], serde_json::json!([]), "undo left something");
}

/// Not a test by itself: does nothing unless RUNBOOK_WRITE_JOURNALS names the new folder.
#[test]
fn writing_the_journals_of_this_version() {
    let Ok(folder) = std::env::var("RUNBOOK_WRITE_JOURNALS") else { return };
    let place = Place::new();
    for (name, script) in RUNS {
        place.write(&format!("{name}.rhai"), script);
    }
    let sandbox = |name: &'static str| [name, "--sandbox", "--speed", "0"];
    let fault = |faults: [(&str, usize); 2]| {
        let from = if place.root().join("state/sandbox.db").exists() { calls(&place) } else { 0 };
        faults.map(|(what, n)| format!("{what}:{}", from + n)).join(",")
    };
    // The vpc's answer is lost: found by its tag and adopted. The first gateway gets none and is not there: retired, and made anew.
    let faults = fault([("lost", 1), ("drop", 5)]);
    let password = format!("password={PASSWORD}");
    said(&place, 0, ["run"].into_iter().chain(sandbox("all.rhai")).chain(["-p", &password, "--fault", &faults]));
    for (name, file, what) in [("intent", "intent.rhai", "kill-before"), ("lost", "lost.rhai", "kill-after")] {
        let faults = fault([(what, 2), (what, 2)]);
        let mut run = keyed(&place, ["run"].into_iter().chain(sandbox(file)).chain(["--fault", &faults]));
        let status = run.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("the program starts");
        assert_eq!(status.code(), None, "{name} was not killed");
    }
    let faults = fault([("refuse", 2), ("refuse", 2)]);
    said(&place, 1, ["run"].into_iter().chain(sandbox("refused.rhai")).chain(["--fault", &faults]));
    killed_while_waiting(&place);
    said(&place, 0, ["run"].into_iter().chain(sandbox("undone.rhai")));
    said(&place, 0, ["undo", "latest", "--yes"]);
    said(&place, 3, ["run"].into_iter().chain(sandbox("asking.rhai")));
    // The last one to close the database moves the write-ahead log into the file.
    assert_eq!(runs(&place).len(), RUNS.len());
    let folder = journals().join(folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    for file in ["runs.db", "sandbox.db"] {
        assert!(!place.state().join(format!("{file}-wal")).exists(), "{file} is still open");
        std::fs::copy(place.state().join(file), folder.join(file)).expect("a copy");
    }
}

fn killed_while_waiting(place: &Place) {
    let mut run = keyed(place, ["run", "waiting.rhai", "--sandbox", "--speed", "10", "--json"]);
    let mut child = run.stderr(Stdio::null()).spawn().expect("the program starts");
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
    let mut accepted =
        lines.filter(|line| line.contains("\"event\":\"effect.accepted\"") && line.contains("\"step\":\"nat\""));
    assert!(accepted.next().is_some(), "it did not wait");
    child.kill().expect("a kill");
    child.wait().expect("a child");
}
