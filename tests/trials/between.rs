//! D2: something that a run depends on is another between the crash and the resume: a module, a data file, the rehearsal, the customer file,
//! a parameter, the key, the folder, the environment. It may not be accepted in silence: either the resume stops and names what differs,
//! with nothing sent, or it answers out of what the run has kept, and its end is that of the undisturbed run.

use std::{fs, os::unix::fs::symlink};

use serde_json::Value;

use super::{Make, Tried, calls, expect, wedges::emptied, world};
use crate::harness::{Place, Said, said};

const SCRIPT: &str = r#"import "lib/net" as net;
const P = params(#{ name: string("standard"), cidr: string("10.0.0.0/16"), token: secret() });
const AWS = aws(#{ region: "us-east-1" });
let data = yaml(file("data/names.yaml"));
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ name: P.name, cidr_block: P.cidr }));
step("subnet", || net::subnet(AWS, vpc, P.name));
step("gateway", || AWS.ec2.create_internet_gateway(#{ name: data.gateway }));
step("table", || AWS.ec2.create_route_table(#{ name: net::called(P.name), vpc_id: vpc.id }));
step("queue", || AWS.sqs.create_queue(#{ queue_name: P.name + "-" + data.queue }));
output("names", [P.name, data.gateway, net::called("x")]);
output("token", P.token);
"#;
const MODULE: &str = r#"fn subnet(aws, vpc, name) {
    aws.ec2.create_subnet(#{ name: called(name), vpc_id: vpc.id, cidr_block: "10.0.1.0/24" })
}
fn called(name) { name + "-of-the-module" }
"#;
const DATA: &str = "gateway: door\nqueue: line\n";
const REHEARSAL: &str = "params: { token: made-up }\n";
const CUSTOMER: &str = "customer: acme\nparams: { name: ours }\n";
const TOKEN: &str = "token=kept-since-then";

/// How many calls the run makes.
pub const CALLS: usize = 5;

/// What is another when it is gone on with.
#[derive(Clone, Copy)]
pub struct Change {
    /// In words.
    pub name: &'static str,
    made: fn(&Place) -> std::io::Result<()>,
    /// In the environment of the resume; `ROOT` stands for the place's own folder.
    environment: &'static [(&'static str, &'static str)],
    /// Arguments of the resume, and those with which it then goes on all the same.
    arguments: (&'static [&'static str], &'static [&'static str]),
    /// Where it is resumed, below the place's own folder.
    folder: &'static str,
    /// What a refusal must name.
    named: &'static [&'static str],
}

/// How it was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It stopped and named what differs.
    Stopped,
    /// It went on out of what it had kept.
    Kept,
}

const ORIGINAL: (&[&str], &[&str]) = (&[], &["--original"]);
const NOTHING: Change = Change {
    name: "",
    made: |_| Ok(()),
    environment: &[],
    arguments: ORIGINAL,
    folder: "work",
    named: &["no refusal is right"],
};

const fn edited(name: &'static str, made: fn(&Place) -> std::io::Result<()>, named: &'static [&'static str]) -> Change {
    Change { name, made, named, ..NOTHING }
}

const fn surrounded(name: &'static str, environment: &'static [(&'static str, &'static str)]) -> Change {
    Change { name, environment, ..NOTHING }
}

/// All of them.
pub const CHANGES: &[Change] = &[
    edited(
        "the script is edited",
        |place| put(place, "s.rhai", &SCRIPT.replace("10.0.0.0", "10.9.0.0")),
        &["RB0214", "s.rhai"],
    ),
    edited(
        "a module is edited",
        |place| put(place, "lib/net.rhai", &MODULE.replace("of-the", "another")),
        &["RB0214", "lib/net.rhai"],
    ),
    edited(
        "a data file is edited",
        |place| put(place, "data/names.yaml", "gateway: other\nqueue: other\n"),
        &["RB0214", "data/names.yaml"],
    ),
    edited(
        "the rehearsal is edited",
        |place| put(place, "s.rehearsal.yaml", "params: { token: other }\n"),
        &["RB0214", "s.rehearsal.yaml"],
    ),
    edited(
        "the customer file is edited",
        |place| put(place, "c.yaml", "customer: other\nparams: { name: theirs }\n"),
        &[],
    ),
    edited("the script is gone", |place| fs::remove_file(place.work().join("s.rhai")), &[]),
    edited("a module is gone", |place| fs::remove_file(place.work().join("lib/net.rhai")), &[]),
    edited("a data file is gone", |place| fs::remove_file(place.work().join("data/names.yaml")), &[]),
    edited("the customer file is gone", |place| fs::remove_file(place.work().join("c.yaml")), &[]),
    edited("a module is a link to another file", linked, &[]),
    edited("a module is no text", |place| fs::write(place.work().join("lib/net.rhai"), [0xff, 0xfe, 0]), &[]),
    Change {
        arguments: (&["--edited"], &["--original"]),
        ..edited(
            "the script is edited and asked for",
            |place| put(place, "s.rhai", &SCRIPT.replace("name: P.name,", "name: P.name + \"x\",")),
            &["RB0320", "s.rhai"],
        )
    },
    Change {
        name: "another value for a parameter",
        arguments: (&["-p", "name=theirs"], &["-p", "name=ours"]),
        named: &["RB0320", "ours", "theirs"],
        ..NOTHING
    },
    Change { name: "it is resumed in another folder", folder: "empty", ..NOTHING },
    Change {
        name: "it is resumed in a folder with another script of the name",
        folder: "other",
        named: &["RB0214", "s.rhai"],
        ..NOTHING
    },
    Change {
        named: &["RB0702", "token"],
        ..surrounded(
            "another key",
            &[("RUNBOOK_KEY", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")],
        )
    },
    Change { named: &["RB0702", "token"], ..surrounded("another home, and its key", &[("HOME", "ROOT/empty")]) },
    surrounded("another region", &[("AWS_REGION", "eu-west-1"), ("AWS_DEFAULT_REGION", "eu-west-1")]),
    surrounded("another profile", &[("AWS_PROFILE", "other"), ("AWS_CONFIG_FILE", "ROOT/empty/config")]),
    surrounded("another account's keys", &[("AWS_ACCESS_KEY_ID", "AKIAOTHER"), ("AWS_SECRET_ACCESS_KEY", "other")]),
    surrounded("another kubeconfig", &[("KUBECONFIG", "ROOT/empty/kubeconfig"), ("RUNBOOK_HELM", "/bin/false")]),
    surrounded("another language and time zone", &[("LANG", "tr_TR.UTF-8"), ("LC_ALL", "C"), ("TZ", "Pacific/Apia")]),
    surrounded("another user on another terminal", &[("USER", "somebody"), ("TERM", "dumb"), ("COLUMNS", "40")]),
];

fn put(place: &Place, name: &str, text: &str) -> std::io::Result<()> {
    fs::write(place.work().join(name), text)
}

fn linked(place: &Place) -> std::io::Result<()> {
    let module = place.work().join("lib/net.rhai");
    fs::remove_file(&module)?;
    put(place, "another.rhai", &MODULE.replace("of-the", "another"))?;
    symlink(place.work().join("another.rhai"), module)
}

/// The end of the undisturbed run.
#[derive(Debug, PartialEq)]
pub struct Calm {
    objects: Value,
    outputs: String,
    token: String,
}

/// Makes the undisturbed run.
///
/// # Errors
/// When it does not come to its end.
pub fn calm(make: Make<'_>) -> Tried<Calm> {
    let place = begun(make)?;
    said_in(&place, &RUN, &[], "work").and_then(|told| good(&told, "the run"))?;
    if calls(&world(&place)?).len() != CALLS {
        return Err("the run makes another number of calls".to_owned());
    }
    end(&place)
}

const RUN: [&str; 9] = ["run", "s.rhai", "--sandbox", "--speed", "0", "--params", "c.yaml", "-p", TOKEN];

/// Kills a run after its N-th call, changes something, and goes on.
///
/// # Errors
/// When the change is accepted without a word, refused without its name, or in the way afterwards.
pub fn one(make: Make<'_>, calm: &Calm, n: usize, change: &Change) -> Tried<Taken> {
    let place = begun(make)?;
    let fault = format!("kill-after:{n}");
    let killed = said_in(&place, &RUN, &[("RUNBOOK_FAULT", &fault)], "work")?;
    if killed.code != -1 {
        return Err(format!("it was not killed, it ended with {}:\n{}", killed.code, killed.err));
    }
    let before = calls(&world(&place)?).len();
    (change.made)(&place).map_err(|error| error.to_string())?;
    let resume = [&["resume", "latest"][..], change.arguments.0].concat();
    let told = said_in(&place, &resume, change.environment, change.folder)?;
    let taken = if told.code == 0 {
        Taken::Kept
    } else {
        let unnamed: Vec<&&str> = change.named.iter().filter(|text| !told.err.contains(**text)).collect();
        if change.named.is_empty() || !unnamed.is_empty() {
            return Err(format!("it ended with {} and does not say {unnamed:?}:\n{}", told.code, told.err));
        }
        let sent = calls(&world(&place)?).len() - before;
        if sent > 0 {
            return Err(format!("it refused, and had sent {sent} calls:\n{}", told.err));
        }
        let again = [&["resume", "latest"][..], change.arguments.1].concat();
        said_in(&place, &again, &[], "work").and_then(|told| good(&told, "the resume with what it was"))?;
        Taken::Stopped
    };
    let ended = end(&place)?;
    if ended != *calm {
        return Err(format!("accepted without a word: {ended:?}\nundisturbed: {calm:?}\n{}", told.err));
    }
    emptied(&place)?;
    Ok(taken)
}

fn begun(make: Make<'_>) -> Tried<Place> {
    let place = make();
    let other = [("other", "s.rhai", "step(\"another\", || 1);\n"), ("empty", "note", "nothing\n")];
    for (folder, name, text) in other {
        let folder = place.root().join(folder);
        fs::create_dir(&folder).and_then(|()| fs::write(folder.join(name), text)).map_err(|error| error.to_string())?;
    }
    for (name, text) in [
        ("s.rhai", SCRIPT),
        ("lib/net.rhai", MODULE),
        ("data/names.yaml", DATA),
        ("s.rehearsal.yaml", REHEARSAL),
        ("c.yaml", CUSTOMER),
    ] {
        place.write(name, text);
    }
    Ok(place)
}

fn said_in(place: &Place, args: &[&str], environment: &[(&str, &str)], folder: &str) -> Tried<Said> {
    let mut command = place.command(args);
    command.current_dir(place.root().join(folder));
    let root = place.root().display().to_string();
    command.envs(environment.iter().map(|(name, value)| (name, value.replace("ROOT", &root))));
    Ok(said(command.output().map_err(|error| error.to_string())?))
}

fn good(told: &Said, what: &str) -> Tried<()> {
    if told.code == 0 { Ok(()) } else { Err(format!("{what} ended with {}:\n{}", told.code, told.err)) }
}

fn end(place: &Place) -> Tried<Calm> {
    let outputs = expect(place, 0, &["output", "latest", "names", "--json"])?.out;
    let token = said_in(place, &["output", "latest", "token", "--reveal"], &[], "work")?;
    good(&token, "the token's output")?;
    expect(place, 0, &["verify", "latest"])?;
    Ok(Calm { objects: world(place)?["objects"].clone(), outputs, token: token.out })
}
