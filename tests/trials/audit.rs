//! A17: orphans are planted in the sandbox's world in every way in which one can come to be. `runbook audit` finds each, calls nothing
//! an orphan that a run owns, and touches nothing.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use super::{Make, Tried, UNDO, calls, expect, world};
use crate::harness::Place;

/// What an audit has found.
#[derive(Debug)]
pub struct Figures {
    /// Orphans that were planted.
    pub planted: usize,
    /// Of these, found.
    pub found: usize,
    /// Resources that a run owns.
    pub owned: usize,
    /// Of these, called an orphan.
    pub falsely: usize,
}

/// A script that makes so many things and, on demand, one more.
fn script(count: usize) -> String {
    format!(
        "const P = params(#{{ more: bool(false) }});\nconst AWS = aws(#{{ region: \"us-east-1\" }});\n\
         for i in 0..{count} {{ step(`g ${{i}}`, || AWS.ec2.create_internet_gateway(#{{ name: `owned ${{i}}` }})); }}\n\
         if !P.more {{ step(\"stops\", || fail(\"not yet\")); }}\n\
         step(\"more\", || AWS.ec2.create_internet_gateway(#{{ name: \"newer than the journal\" }}));\n"
    )
}

const ONE: &str = "const AWS = aws(#{ region: \"us-east-1\" });\nstep(\"one\", || AWS.ec2.create_internet_gateway(#{ name: \"NAME\" }));\n";

/// Plants, audits, counts.
///
/// # Errors
/// When a part of it does not run, or the audit changed something.
pub fn one(make: Make<'_>, owned: usize) -> Tried<Figures> {
    let place = make();
    let state = place.state();
    let quick = ["--sandbox", "--speed", "0", "-q"];
    // A run of another state directory, over the same world.
    place.write("other.rhai", &ONE.replace("NAME", "of another directory"));
    expect(&place, 0, &[&["run", "other.rhai"], &quick[..]].concat())?;
    for name in ["runs.db", "runs.db-wal", "runs.db-shm"] {
        let _ = fs::remove_file(state.join(name));
    }
    // One whose journal has it as gone, while the world has it again.
    place.write("gone.rhai", &ONE.replace("NAME", "undone"));
    expect(&place, 0, &[&["run", "gone.rhai"], &quick[..]].concat())?;
    let before = copy(&state, "sandbox.db")?;
    expect(&place, 0, &UNDO)?;
    put_back(&state, "sandbox.db", &before)?;
    // One that is newer than the journal: an older backup was put back.
    place.write("s.rhai", &script(owned));
    expect(&place, 1, &[&["run", "s.rhai"], &quick[..]].concat())?;
    let before = copy(&state, "runs.db")?;
    expect(&place, 0, &["resume", "latest", "-p", "more=true"])?;
    put_back(&state, "runs.db", &before)?;
    // One whose outcome is open is none.
    place.write("open.rhai", &ONE.replace("NAME", "open"));
    let n = calls(&world(&place)?).len() + 1;
    let said = place.run(["run", "open.rhai", "--sandbox", "--fault", &format!("kill-after:{n}")]);
    if said.code != -1 {
        return Err(format!("it was not killed: {}", said.err));
    }
    // Opening both moves what was killed out of the write-ahead logs.
    expect(&place, 0, &["runs"])?;
    world(&place)?;
    let files = |name: &str| fs::read(state.join(name)).map_err(|error| error.to_string());
    let untouched = (files("runs.db")?, files("sandbox.db")?);
    let answer = audited(&place)?;
    if (files("runs.db")?, files("sandbox.db")?) != untouched {
        return Err("the audit changed a file".to_owned());
    }
    let planted = [
        ("of another directory", "no_such_run"),
        ("undone", "dismissed"),
        ("newer than the journal", "not_in_journal"),
    ];
    let orphans = answer["orphans"].as_array().cloned().unwrap_or_default();
    let text = |orphan: &Value, name: &str| orphan[name].as_str().unwrap_or_default().to_owned();
    let named: BTreeSet<(String, String)> =
        orphans.iter().map(|orphan| (text(orphan, "name"), text(orphan, "why"))).collect();
    let found = planted.iter().filter(|(name, why)| named.contains(&((*name).to_owned(), (*why).to_owned()))).count();
    if answer["open"] != 1 {
        return Err(format!("one outcome is open: {answer}"));
    }
    Ok(Figures { planted: planted.len(), found, owned, falsely: orphans.len() - found })
}

fn audited(place: &Place) -> Tried<Value> {
    let said = expect(place, 8, &["audit", "--sandbox", "--json"])?;
    serde_json::from_str(&said.out).map_err(|error| error.to_string())
}

fn copy(state: &Path, name: &str) -> Tried<Vec<u8>> {
    if state.join(format!("{name}-wal")).exists() {
        return Err(format!("{name} is still open"));
    }
    fs::read(state.join(name)).map_err(|error| error.to_string())
}

fn put_back(state: &Path, name: &str, bytes: &[u8]) -> Tried<()> {
    fs::write(state.join(name), bytes).map_err(|error| error.to_string())
}
