//! B5, C6: the journal is older than the world, because a backup was put back, its write-ahead log was taken away or swapped, or two copies of
//! the state directory are driven in turn. The run is gone on with: nothing may be made a second time, nothing may be without an owner
//! at the end, or the resume is refused with a reason and makes nothing.
//!
//! The sandbox's world stays as it is: only the files of the journal are exchanged.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use super::{Make, Tried, expect, wedges::emptied, world};
use crate::harness::{Place, Said, said};

/// Things that are found again in each way: by the tag alone, by a token that may be forgotten, by a name, and by nothing of their own
/// (what joins two others).
const SCRIPT: &str = r#"const AWS = aws(#{ region: "us-east-1" });
let vpc = step("vpc", || AWS.ec2.create_vpc(#{ name: "v", cidr_block: "10.0.0.0/16" }));
let gate = step("gateway", || AWS.ec2.create_internet_gateway(#{ name: "g" }));
step("attached", || AWS.ec2.attach_internet_gateway(#{ internet_gateway_id: gate.id, vpc_id: vpc.id }));
let subnet = step("subnet", || AWS.ec2.create_subnet(#{ name: "s", vpc_id: vpc.id, cidr_block: "10.0.1.0/24" }));
let table = step("table", || AWS.ec2.create_route_table(#{ name: "t", vpc_id: vpc.id }));
step("route", || AWS.ec2.create_route(#{ route_table_id: table.id, destination_cidr_block: "0.0.0.0/0", gateway_id: gate.id }));
step("used", || AWS.ec2.associate_route_table(#{ route_table_id: table.id, subnet_id: subnet.id }));
let address = step("address", || AWS.ec2.allocate_address(#{ name: "a", domain: "vpc" }));
step("nat", || AWS.ec2.create_nat_gateway(#{ name: "n", subnet_id: subnet.id, allocation_id: address.id }));
let volume = step("volume", || AWS.ec2.create_volume(#{ name: "d", availability_zone: "us-east-1a", size: 1 }));
step("snapshot", || AWS.ec2.create_snapshot(#{ name: "d", volume_id: volume.id }));
step("queue", || AWS.sqs.create_queue(#{ queue_name: "q" }));
step("repository", || AWS.ecr.create_repository(#{ repository_name: "repo" }));
step("last", || AWS.ec2.create_internet_gateway(#{ name: "l" }));
"#;

/// The run.
pub const RUN: [&str; 5] = ["run", "s.rhai", "--sandbox", "--speed", "0"];
const RESUME: [&str; 4] = ["resume", "latest", "--speed", "0"];

/// What happens to the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A backup of its files is put back.
    Backup,
    /// Its write-ahead log is deleted.
    LogGone,
    /// Its write-ahead log is replaced with another run's.
    LogSwapped,
    /// Two copies of it are driven in turn.
    Copies,
}

/// All of them.
pub const WAYS: [Way; 4] = [Way::Backup, Way::LogGone, Way::LogSwapped, Way::Copies];

/// How going on with it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The world is that of the undisturbed run, and everything has its owner.
    Same,
    /// It was refused, and nothing was made.
    Refused,
}

/// The undisturbed run.
pub struct Calm {
    objects: Vec<Value>,
    /// Its mutating calls.
    pub calls: usize,
}

type Files = Vec<(&'static str, Vec<u8>)>;

/// The undisturbed run.
///
/// # Errors
/// When it does not come to its end.
pub fn calm(make: Make<'_>) -> Tried<Calm> {
    let place = begun(make);
    expect(&place, 0, &RUN)?;
    let calm = Calm { objects: objects(&place)?, calls: super::calls(&world(&place)?).len() };
    emptied(&place)?;
    Ok(calm)
}

/// Breaks a run off after call number `n`, exchanges its journal, goes on, and compares.
///
/// # Errors
/// What is there twice, without an owner, missing, or left at the end.
pub fn one(make: Make<'_>, calm: &Calm, way: Way, n: usize) -> Tried<Ended> {
    let place = begun(make);
    killed(&place, &RUN, n)?;
    let other = match way {
        Way::Backup => {
            let backup = taken(&place)?;
            expect(&place, 0, &RESUME)?;
            exchanged(&place, &backup)?;
            None
        }
        Way::LogGone | Way::LogSwapped => {
            // Opening it moves what is in the log into the file; what comes then is in the log alone.
            expect(&place, 0, &["runs"])?;
            killed(&place, &RESUME, n + 2)?;
            let mut files = taken(&place)?;
            files.retain(|(name, _)| *name == "runs.db");
            if way == Way::LogSwapped {
                // Only what the stranger did last is in its log: all of it would be another journal, whole.
                let stranger = begun(make);
                killed(&stranger, &RUN, 2)?;
                expect(&stranger, 0, &["runs"])?;
                killed(&stranger, &RESUME, 4)?;
                files.extend(taken(&stranger)?.into_iter().filter(|(name, _)| *name != "runs.db"));
            }
            exchanged(&place, &files)?;
            None
        }
        Way::Copies => {
            let second = taken(&place)?;
            killed(&place, &RESUME, n + 2)?;
            let first = taken(&place)?;
            exchanged(&place, &second)?;
            let went = went_on(&place, calm, &place.run(RESUME))?;
            let second = taken(&place)?;
            exchanged(&place, &first)?;
            if went == Ended::Refused {
                return Ok(went);
            }
            Some(second)
        }
    };
    let ended = went_on(&place, calm, &place.run(RESUME))?;
    if ended == Ended::Same {
        emptied(&place)?;
        if let Some(second) = other {
            exchanged(&place, &second)?;
            emptied(&place)?;
        }
    }
    Ok(ended)
}

/// A place with the script.
pub fn begun(make: Make<'_>) -> Place {
    let place = make();
    place.write("s.rhai", SCRIPT);
    place
}

/// Runs it until call number `n` of the world has been executed.
fn killed(place: &Place, args: &[&str], n: usize) -> Tried<()> {
    let mut command = place.command(args);
    command.env("RUNBOOK_FAULT", format!("kill-after:{n}"));
    let told = said(command.output().map_err(|error| error.to_string())?);
    if told.code == -1 { Ok(()) } else { Err(format!("it was not killed, it ended with {}:\n{}", told.code, told.err)) }
}

/// What a resume may come to: the undisturbed run's world with an owner for everything, or a refusal after which nothing is there twice.
///
/// # Errors
/// What is there twice, without an owner, or missing.
pub fn went_on(place: &Place, calm: &Calm, told: &Said) -> Tried<Ended> {
    let now = objects(place)?;
    let (standing, wanted) = (counted(&now), counted(&calm.objects));
    let twice: Vec<_> =
        standing.iter().filter(|(what, count)| wanted.get(*what).is_none_or(|most| *count > most)).collect();
    if !twice.is_empty() {
        return Err(format!("there is too much, after {}: {twice:?}\n{}", told.code, told.err));
    }
    if told.code == 0 {
        if let Some(other) = now.iter().find(|object| !calm.objects.contains(object)) {
            return Err(format!("it says that all is done, and this is not as in the undisturbed run: {other}"));
        }
        if now.len() < calm.objects.len() {
            return Err(format!("it says that all is done, and {} stand of {}", now.len(), calm.objects.len()));
        }
        expect(place, 0, &["audit", "--sandbox"])?;
        expect(place, 0, &["verify", "latest"])?;
        return Ok(Ended::Same);
    }
    let reasons = ["RB0203", "RB0218", "RB0410", "RB0415", "RB0602", "RB0603"];
    if reasons.iter().any(|code| told.err.contains(code)) {
        return Ok(Ended::Refused);
    }
    Err(format!("it ended with {} and without one of {reasons:?}:\n{}", told.code, told.err))
}

/// How many of each kind and name there are.
fn counted(objects: &[Value]) -> BTreeMap<(String, String), usize> {
    let mut count = BTreeMap::new();
    for object in objects {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        *count.entry((text(&object["kind"]), text(&object["tags"]["Name"]))).or_default() += 1;
    }
    count
}

fn objects(place: &Place) -> Tried<Vec<Value>> {
    Ok(world(place)?["objects"].as_array().cloned().unwrap_or_default())
}

/// The journal's files as they lie there.
fn taken(place: &Place) -> Tried<Files> {
    let mut files = Files::new();
    for name in ["runs.db", "runs.db-wal"] {
        let path = place.state().join(name);
        if path.exists() {
            files.push((name, fs::read(path).map_err(|error| error.to_string())?));
        }
    }
    Ok(files)
}

/// Puts other files in their place.
fn exchanged(place: &Place, files: &Files) -> Tried<()> {
    let state = place.state();
    for name in ["runs.db", "runs.db-wal", "runs.db-shm"] {
        let _absent = fs::remove_file(state.join(name));
    }
    files.iter().try_for_each(|(name, bytes)| written(&state.join(name), bytes)).map_err(|error| error.to_string())
}

fn written(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    fs::write(path, bytes)?;
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
}
