//! D6: the run was begun by another build of the program, which had a binding that this one does not have, or whose answers, parameters or
//! targets looked otherwise. The journal of a real run is written anew as that build would have written it. Going on, showing, verifying
//! and undoing must do what is right or stop with the name of what is missing; nothing panics.

use runbook_state::{
    holder,
    record::Record,
    sqlite::Sqlite,
    store::{File, NewRun, Store as _, When},
};
use serde_json::{Value, json};

use super::{Make, Tried, UNDO, made, world};
use crate::harness::{Place, Said, said};

const SCRIPT: &str = r#"const P = params(#{ name: string("v") });
const AWS = aws(#{ region: "us-east-1" });
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ name: P.name, cidr_block: "10.0.0.0/16" }));
let zones = step("zones", || AWS.ec2.describe_availability_zones(#{}));
let gate = step("gateway", || AWS.ec2.create_internet_gateway(#{ name: "g" }));
step("attached", || AWS.ec2.attach_internet_gateway(#{ internet_gateway_id: gate.id, vpc_id: vpc.id }));
step("subnet", || AWS.ec2.create_subnet(#{ name: "s", vpc_id: vpc.id, cidr_block: "10.0.1.0/24" }));
output("zones", zones);
"#;

/// What stands at the end.
const MADE: [&str; 4] = ["ec2.internet_gateway g", "ec2.internet_gateway_attachment ", "ec2.subnet s", "ec2.vpc v"];

/// How the other build differed.
#[derive(Clone, Copy)]
pub struct Other {
    /// In words.
    pub name: &'static str,
    /// After which call the run was killed.
    after: usize,
    /// What stood in its script and journal instead of what this build says.
    said: &'static [(&'static str, &'static str)],
    /// What it wrote otherwise.
    wrote: fn(&mut Value),
    /// What must be named when the run does not go on; the first of it also when its undo leaves something.
    named: &'static [&'static str],
}

/// How it was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The run went on to its end.
    Finished,
    /// It stopped with the name.
    Stopped,
}

const SAME: Other = Other { name: "", after: 3, said: &[], wrote: |_| {}, named: &[] };
const PORTAL: &[(&str, &str)] =
    &[("create_internet_gateway", "create_portal"), ("ec2.internet_gateway\"", "ec2.portal\"")];

/// All of them.
pub const OTHERS: &[Other] = &[
    Other { name: "no difference", ..SAME },
    Other { name: "the binding of a finished step is gone", said: PORTAL, named: &["ec2.portal"], ..SAME },
    Other { name: "the binding of an unresolved effect is gone", after: 2, said: PORTAL, named: &["portal"], ..SAME },
    Other {
        name: "a binding was renamed, its effect unresolved",
        after: 2,
        said: &[("create_internet_gateway", "create_internet_gatway")],
        named: &["create_internet_gatway", "create_internet_gateway"],
        ..SAME
    },
    Other {
        name: "a read of a finished step is gone",
        said: &[("describe_availability_zones", "describe_all_zones")],
        ..SAME
    },
    Other {
        name: "a service is gone",
        after: 2,
        said: &[("ec2.create_internet", "net.create_internet")],
        named: &["net"],
        ..SAME
    },
    Other {
        name: "a field of a result had another name",
        wrote: |record| result(record, renamed),
        named: &["id"],
        ..SAME
    },
    Other {
        name: "a result was a text",
        wrote: |record| result(record, |value| *value = json!("vpc-1")),
        named: &["id"],
        ..SAME
    },
    Other {
        name: "a result was a list",
        wrote: |record| result(record, |value| *value = json!([value.clone()])),
        named: &["id"],
        ..SAME
    },
    Other {
        name: "a result was nothing",
        wrote: |record| result(record, |value| *value = Value::Null),
        named: &["id"],
        ..SAME
    },
    Other { name: "a field of a result was a map", wrote: |record| result(record, nested), named: &["vpc_id"], ..SAME },
    Other {
        name: "requests were digested otherwise",
        after: 2,
        wrote: digested,
        named: &["RB0320", "gateway"],
        ..SAME
    },
    Other { name: "a parameter did not exist", wrote: unasked, named: &["name"], ..SAME },
    Other { name: "a target said less of itself", wrote: unbound, named: &["RB0430"], ..SAME },
];

/// Changes what the step `vpc` and its call gave.
fn result(record: &mut Value, change: fn(&mut Value)) {
    let of_step = record["record"] == "step_done" && record["step"] == "vpc";
    let of_call = record["record"] == "done" && record["effect"]["step"] == "vpc";
    if of_step {
        change(&mut record["result"]);
    } else if of_call {
        change(&mut record["response"]);
    }
}

fn renamed(value: &mut Value) {
    if let Some(fields) = value.as_object_mut()
        && let Some(id) = fields.remove("id")
    {
        fields.insert("identifier".to_owned(), id);
    }
}

fn nested(value: &mut Value) {
    value["id"] = json!({ "value": value["id"] });
}

fn digested(record: &mut Value) {
    if record["record"] == "intent" {
        record["digest"] = "0".repeat(64).into();
    }
}

fn unasked(record: &mut Value) {
    if record["record"] == "params" {
        record["values"] = json!({});
    }
}

fn unbound(record: &mut Value) {
    if record["record"] == "target" {
        record["about"] = json!({ "simulated": true, "account": ["123456789012"] });
    }
}

/// Has a run of that build gone on with, shown, verified and undone.
///
/// # Errors
/// A panic, an end without the name of what is missing, another world.
pub fn one(make: Make<'_>, other: &Other) -> Tried<Taken> {
    let place = of_the_other(make, other)?;
    for args in [&["show", "latest"][..], &["logs", "latest"], &["runs"]] {
        sound(&place.run(args), args, &[0], &[])?;
    }
    let resumed = place.run(["resume", "latest", "--speed", "0"]);
    let taken = if resumed.code == 0 { Taken::Finished } else { Taken::Stopped };
    sound(&resumed, &["resume"], &[0, 1, 2, 6], other.named)?;
    let now = made(&world(&place)?);
    if taken == Taken::Finished && now != MADE {
        return Err(format!("it says that all is done, and there stands {now:?}"));
    }
    if let Some(more) = now.iter().find(|thing| now.iter().filter(|other| other == thing).count() > 1) {
        return Err(format!("{more} is there twice"));
    }
    sound(&place.run(["verify", "latest"]), &["verify"], &[0, 2, 8], other.named)?;
    sound(&place.run(["show", "latest"]), &["show"], &[0], &[])?;
    let undone = place.run(UNDO);
    sound(&undone, &["undo"], &[0, 2, 7], &other.named[..other.named.len().min(1)])?;
    let left = made(&world(&place)?);
    if undone.code == 0 && !left.is_empty() {
        return Err(format!("undone, and there stands {left:?}"));
    }
    Ok(taken)
}

/// Insists on an exit code, on no panic, and for anything but 0 on the names.
fn sound(told: &Said, args: &[&str], codes: &[i32], named: &[&str]) -> Tried<()> {
    let text = format!("{}{}", told.out, told.err);
    if !codes.contains(&told.code) || text.contains("panicked") || text.contains("RB09") {
        return Err(format!("{args:?} ended with {}:\n{text}", told.code));
    }
    match named.iter().find(|name| told.code != 0 && !text.contains(**name)) {
        Some(name) => Err(format!("{args:?} ended with {} and does not say {name}:\n{text}", told.code)),
        None if told.code != 0 && named.is_empty() && codes != [0] => {
            Err(format!("{args:?} ended with {}, and all that it needs is there:\n{text}", told.code))
        }
        None => Ok(()),
    }
}

/// A broken-off run, as the other build would have written it.
fn of_the_other(make: Make<'_>, other: &Other) -> Tried<Place> {
    let ours = make();
    ours.write("s.rhai", SCRIPT);
    let mut command = ours.command(["run", "s.rhai", "--sandbox", "--speed", "0"]);
    command.env("RUNBOOK_FAULT", format!("kill-after:{}", other.after));
    let killed = said(command.output().map_err(|error| error.to_string())?);
    if killed.code != -1 {
        return Err(format!("it was not killed, it ended with {}:\n{}", killed.code, killed.err));
    }
    let theirs = make();
    written(&ours, &theirs, other).map_err(|error| error.to_string())?;
    for name in ["sandbox.db", "sandbox.db-wal"] {
        std::fs::copy(ours.state().join(name), theirs.state().join(name))
            .map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(theirs)
}

fn written(from: &Place, to: &Place, other: &Other) -> Result<(), Box<dyn std::error::Error>> {
    let respelt =
        |text: &str| other.said.iter().fold(text.to_owned(), |text, (ours, theirs)| text.replace(ours, theirs));
    let (before, after) = (Sqlite::open(&from.state())?, Sqlite::open(&to.state())?);
    let run = before.runs()?.into_iter().next().ok_or("no run was stored")?;
    let files = before.run_files(&run.id)?.into_iter().map(|file| {
        let content = respelt(&String::from_utf8_lossy(&file.content)).into_bytes();
        File { content, ..file }
    });
    after.create(&NewRun {
        id: run.id.clone(),
        runbook: run.runbook.clone(),
        customer: run.customer.clone(),
        target: run.target.clone(),
        settings: run.settings.clone(),
        files: files.collect(),
        created_ms: run.created_ms,
    })?;
    let lease = after.acquire(&run.id, &holder::this_process("the other build")?, run.created_ms, 0)?;
    for entry in before.journal(&run.id)? {
        let mut record: Value = serde_json::from_str(&respelt(&serde_json::to_string(&entry.record)?))?;
        if record["record"] == "began" {
            // What it drove is what is stored.
            record["script"] = Value::Null;
        }
        (other.wrote)(&mut record);
        let record: Record = serde_json::from_value(record)?;
        after.append(&lease, entry.at_ms, entry.sim_ms, vec![record], When::Now)?;
    }
    after.release(&lease, run.created_ms)?;
    Ok(())
}
