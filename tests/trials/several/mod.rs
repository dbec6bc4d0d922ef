//! A14: what a script says in one breath is several calls for AWS (five rules of a group, a role with its policies, a bucket with its
//! settings, the records of a zone), and some of it stands already, made by somebody else. The run is broken off at any of these calls
//! and gone on with: exactly what was asked for must stand beside what was there. Its undo, broken off as well, takes away exactly what
//! the run added, and what somebody else had is as it was.
//!
//! What stands is read out of the sandbox's world, never out of our journal.

mod scripts;

use runbook_state::{sqlite::Sqlite, store::Store as _};
use serde_json::{Value, json};

use super::{
    Make, Tried, UNDO, apart, calls, expect,
    wedges::account::{documents, stands},
    world,
};
use crate::harness::{Place, said};

/// The run.
pub const RUN: [&str; 5] = ["run", "s.rhai", "--sandbox", "--speed", "0"];

/// Who else made which of five: each bit is one that stands already.
pub const MASKS: u8 = 32;

/// The calls that hold five rules each, on a group that is somebody else's: all [`MASKS`] are tried with them.
const WHOLE: u64 = 2;

/// Where it is broken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// A fault at the n-th call of the run.
    Run(&'static str, u64),
    /// Killed around a commit, by name.
    Commit(String),
    /// A fault at the n-th call of the undo.
    Undo(&'static str, u64),
}

/// One trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Which of five stand already.
    pub mask: u8,
    /// Where it is broken off.
    pub at: At,
}

/// The undisturbed run.
pub struct Calm {
    /// What stands at its end, whatever stood before.
    stands: Vec<String>,
    /// Its calls.
    run: u64,
    /// The calls of its undo.
    undo: u64,
}

impl Case {
    /// Which of five stand already, and where it is broken off.
    pub fn name(&self) -> String {
        match &self.at {
            At::Run(fault, n) => format!("{:05b} {fault} {n}", self.mask),
            At::Commit(point) => format!("{:05b} {point}", self.mask),
            At::Undo(fault, n) => format!("{:05b} undo {fault} {n}", self.mask),
        }
    }
}

/// Does it once undisturbed.
///
/// # Errors
/// When the run does not leave all that it asks for, or its undo leaves something else than what was there.
pub fn calm(make: Make<'_>) -> Tried<Calm> {
    let (place, before, from) = begun(make, 0)?;
    expect(&place, 0, &RUN)?;
    let (stands, run) = (standing(&place)?, count(&place)? - from);
    let rules = |of: &str| stands.iter().filter(|line| line.starts_with(of)).count();
    for (what, wanted) in [
        ("rule theirs ip_permissions tcp", 11),
        ("rule theirs ip_permissions_egress tcp", 5),
        ("rule ours ip_permissions tcp", 5),
        ("iam.role_policy_attachment theirs", 6),
        ("iam.role_policy ours", 5),
        ("route53.record_set r", 5),
    ] {
        if rules(what) != wanted {
            return Err(format!("{wanted} of {what:?} were asked for:\n{}", stands.join("\n")));
        }
    }
    expect(&place, 0, &UNDO)?;
    same(&standing(&place)?, &before, "after the undo")?;
    Ok(Calm { stands, run, undo: count(&place)? - from - run })
}

/// Every case: each call of the run and of the undo with each fault, and the given commits; what stands already goes through all there is.
pub fn cases(calm: &Calm, commits: Vec<String>) -> Vec<Case> {
    let of_run = ["kill-before", "kill-after", "lost", "server-error", "drop"];
    let of_undo = ["kill-before", "kill-after", "lost"];
    let run = (1..=calm.run).flat_map(|n| of_run.map(|fault| At::Run(fault, n)));
    let undo = (1..=calm.undo).flat_map(|n| of_undo.map(|fault| At::Undo(fault, n)));
    let all = run.chain(commits.into_iter().map(At::Commit)).chain(undo);
    let mut cases: Vec<Case> =
        all.enumerate().map(|(i, at)| Case { mask: (i * 7 % usize::from(MASKS)) as u8, at }).collect();
    for n in 1..=WHOLE {
        for (mask, fault) in (0..MASKS).flat_map(|mask| of_run.map(|fault| (mask, fault))) {
            let case = Case { mask, at: At::Run(fault, n) };
            if !cases.contains(&case) {
                cases.push(case);
            }
        }
    }
    cases
}

/// A place in which somebody else has made what the mask says, with what stands there and how many calls that took.
///
/// # Errors
/// When that does not run.
pub fn begun(make: Make<'_>, mask: u8) -> Tried<(Place, Vec<String>, u64)> {
    let place = make();
    place.write("theirs.rhai", scripts::THEIRS);
    place.write("s.rhai", scripts::OURS);
    expect(&place, 0, &["run", "theirs.rhai", "--sandbox", "--speed", "0", "-p", &format!("mask={mask}")])?;
    let (before, calls) = (standing(&place)?, count(&place)?);
    Ok((place, before, calls))
}

/// Breaks it off, goes on, compares; takes it down and compares again.
///
/// # Errors
/// What is too much or missing.
pub fn one(make: Make<'_>, calm: &Calm, case: &Case) -> Tried<()> {
    let (place, before, from) = begun(make, case.mask)?;
    match &case.at {
        At::Run(fault, n) => {
            disturbed(&place, &RUN, "RUNBOOK_FAULT", &format!("{fault}:{}", from + n))?;
            went_on(&place)?;
        }
        At::Commit(point) => {
            disturbed(&place, &RUN, "RUNBOOK_CRASH", point)?;
            went_on(&place)?;
        }
        At::Undo(..) => drop(expect(&place, 0, &RUN)?),
    }
    same(&standing(&place)?, &calm.stands, "after the run")?;
    if let At::Undo(fault, n) = &case.at {
        let fault = format!("{fault}:{}", count(&place)? + n);
        disturbed(&place, &UNDO, "RUNBOOK_FAULT", &fault)?;
    }
    expect(&place, 0, &UNDO)?;
    same(&standing(&place)?, &before, "after the undo")
}

/// Runs it to where it is broken off. A lost answer may be got over by itself; a death must happen.
fn disturbed(place: &Place, args: &[&str], how: &str, when: &str) -> Tried<()> {
    let told = said(place.command(args).env(how, when).output().map_err(|error| error.to_string())?);
    let killed = how == "RUNBOOK_CRASH" || when.starts_with("kill");
    match told.code {
        -1 if killed => Ok(()),
        0 if !killed => Ok(()),
        code => Err(format!("at {when} it ended with {code}:\n{}", told.err)),
    }
}

/// Goes on to the end; a run that was killed before it was stored, or before anything was made, begins anew.
fn went_on(place: &Place) -> Tried<()> {
    let runs = Sqlite::open(&place.state()).and_then(|store| store.runs()).map_err(|error| error.to_string())?;
    // The first run made what is theirs.
    if runs.len() < 2 {
        return expect(place, 0, &RUN).map(drop);
    }
    let told = place.run(["resume", "latest"]);
    match (told.code, told.err.contains("RB0218")) {
        (0, _) => Ok(()),
        (2, true) => expect(place, 0, &RUN).map(drop),
        (code, _) => Err(format!("the resume ended with {code}:\n{}", told.err)),
    }
}

fn count(place: &Place) -> Tried<u64> {
    Ok(calls(&world(place)?).len() as u64)
}

/// What stands, a line for each rule, attachment, policy, setting and record.
fn standing(place: &Place) -> Tried<Vec<String>> {
    let mut lines = Vec::new();
    for object in documents(place)?.values().filter(|object| stands(object)) {
        let (kind, body) = (text(&object["kind"]), &object["body"]);
        match kind {
            "ec2.security_group" => {
                for direction in ["ip_permissions", "ip_permissions_egress"] {
                    rules(body, direction, &mut lines);
                }
            }
            "ec2.security_group_ingress" | "ec2.security_group_egress" => {}
            "iam.role_policy_attachment" => {
                lines.push(format!("{kind} {} {}", text(&body["role_name"]), text(&body["policy_arn"])));
            }
            "iam.role_policy" => {
                let (role, name) = (text(&body["role_name"]), text(&body["policy_name"]));
                lines.push(format!("{kind} {role} {name} {}", body["policy_document"]));
            }
            "route53.record_set" => {
                let kind_of = text(&body["type"]);
                lines.push(format!(
                    "{kind} {} {kind_of} {} {}",
                    text(&body["name"]),
                    body["ttl"],
                    body["resource_records"]
                ));
            }
            kind if kind.starts_with("s3.") => lines.push(format!("{kind} {} {}", text(&object["id"]), settings(body))),
            kind if ["ec2.", "iam.", "route53."].iter().any(|service| kind.starts_with(service)) => {
                let named = [&body["name"], &object["tags"]["Name"]].into_iter().find_map(Value::as_str);
                lines.push(format!("{kind} {}", named.unwrap_or_default()));
            }
            _ => {}
        }
    }
    lines.sort();
    Ok(lines)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A setting without what is only about it.
fn settings(body: &Value) -> Value {
    let fields = body.as_object().into_iter().flatten();
    let said = fields
        .filter(|(name, value)| !["id", "name", "bucket", "tags", "arn"].contains(&name.as_str()) && !value.is_null());
    said.map(|(name, value)| (name.clone(), value.clone())).collect::<serde_json::Map<_, _>>().into()
}

fn rules(group: &Value, direction: &str, lines: &mut Vec<String>) {
    for permission in group[direction].as_array().into_iter().flatten() {
        let lists =
            permission.as_object().into_iter().flatten().filter_map(|(name, value)| Some((name, value.as_array()?)));
        for (list, sources) in lists {
            for source in sources {
                let ports = json!([permission["from_port"], permission["to_port"]]);
                let protocol = text(&permission["ip_protocol"]);
                lines.push(format!(
                    "rule {} {direction} {protocol} {ports} {list} {source}",
                    text(&group["group_name"])
                ));
            }
        }
    }
}

/// Insists on the same lines.
fn same(now: &[String], wanted: &[String], when: &str) -> Tried<()> {
    let (too_much, missing) = apart(now, wanted);
    if too_much.is_empty() && missing.is_empty() {
        return Ok(());
    }
    Err(format!("{when}: too much: {too_much:#?}, missing: {missing:#?}"))
}
