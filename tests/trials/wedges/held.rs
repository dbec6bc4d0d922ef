//! An undo that cannot come to its end: it says what is left and why, leaves what is foreign, and ends when the obstacle is gone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    super::{Make, Tried, UNDO, calls, expect, world},
    Ended,
    account::{Change, Documents, change, documents, left, stands},
};
use crate::harness::{Place, Said};

/// What holds it.
pub struct Held {
    /// Its name.
    pub name: &'static str,
    /// The run.
    pub script: fn() -> String,
    /// What others do before the undo.
    pub plant: fn(&Documents) -> Tried<Vec<Change>>,
    /// A fault of the first undo alone: its word, and at which of its calls.
    pub fault: Option<(&'static str, usize)>,
    /// Kinds of what is left, and words that must stand in the reason or in what holds it.
    pub says: &'static [(&'static str, &'static [&'static str])],
    /// What goes on costing, with how many.
    pub costs: &'static [(&'static str, usize)],
    /// What others do afterwards.
    pub lift: fn(&Documents, &[Change]) -> Vec<Change>,
    /// It must end within so many simulated minutes.
    pub minutes: f64,
}

/// The arguments of a run of the script.
pub const RUN: [&str; 5] = ["run", "s.rhai", "--sandbox", "--speed", "0"];

/// What an undo told.
pub struct Told {
    /// Simulated minutes.
    pub minutes: f64,
    /// `delete.left`, each with its fields.
    pub left: Vec<Value>,
    /// The same, for what was left on purpose.
    pub kept: Vec<Value>,
}

/// Reads what an undo told with `--json`.
///
/// # Errors
/// When it is no NDJSON, or has no end.
pub fn told(said: &Said) -> Tried<Told> {
    let lines = said.out.lines().map(serde_json::from_str::<Value>);
    let events = lines.collect::<Result<Vec<Value>, _>>().map_err(|error| format!("{error}: {}", said.out))?;
    let of = |name: &str| events.iter().filter(|event| event["event"] == name).cloned().collect::<Vec<_>>();
    let end = of("run.ended").pop().ok_or_else(|| format!("it has no end: {}\n{}", said.out, said.err))?;
    let (kept, left): (Vec<Value>, Vec<Value>) = of("delete.left").into_iter().partition(|left| left["kept"] == true);
    let minutes = end["took_ms"].as_f64().unwrap_or(f64::MAX) / 60_000.0;
    match end["ending"]["left"].as_u64() {
        Some(count) if count != left.len() as u64 => {
            Err(format!("{count} are left, it says, and names {}", left.len()))
        }
        _ => Ok(Told { minutes, left, kept }),
    }
}

/// Tries one.
///
/// # Errors
/// What went wrong.
pub fn one(make: Make<'_>, case: &Held) -> Tried<Ended> {
    let place = make();
    place.write("s.rhai", &(case.script)());
    expect(&place, 0, &RUN)?;
    let planted = (case.plant)(&documents(&place)?)?;
    change(&place, &planted)?;

    let fault = case.fault.map(|(word, nth)| Ok::<_, String>(format!("{word}:{}", calls(&world(&place)?).len() + nth)));
    let fault = fault.transpose()?;
    let more = fault.as_ref().map_or_else(Vec::new, |fault| vec!["--fault", fault.as_str()]);
    let told = told(&expect(&place, 7, &[&UNDO[..], &["--json"], &more[..]].concat())?)?;
    if told.minutes > case.minutes {
        return Err(format!("it took {:.1} minutes, the most is {}", told.minutes, case.minutes));
    }
    named(&told.left, &left(&documents(&place)?))?;
    case.says.iter().try_for_each(|(kind, words)| reasoned(&told.left, kind, words))?;
    costs(&told.left, case.costs)?;
    untouched(&place, &planted)?;

    if case.fault.is_none() {
        // Once more, for people.
        let said = expect(&place, 7, &UNDO)?;
        for_people(&said, &told.left)?;
        untouched(&place, &planted)?;
    }
    change(&place, &(case.lift)(&documents(&place)?, &planted))?;
    emptied(&place)?;
    Ok(Ended { minutes: told.minutes, left: told.left.len() })
}

/// Undoes to nothing.
///
/// # Errors
/// What is left.
pub fn emptied(place: &Place) -> Tried<()> {
    expect(place, 0, &UNDO)?;
    let left = &world(place)?["objects"];
    if left.as_array().is_some_and(Vec::is_empty) { Ok(()) } else { Err(format!("left: {left}")) }
}

/// Insists that exactly what still stands was named.
fn named(told: &[Value], standing: &BTreeSet<(String, String)>) -> Tried<()> {
    let text = |left: &Value, name: &str| left[name].as_str().unwrap_or_default().to_owned();
    let named: BTreeSet<(String, String)> = told.iter().map(|left| (text(left, "kind"), text(left, "id"))).collect();
    let missing: Vec<_> = standing.difference(&named).collect();
    let too_much: Vec<_> = named.difference(standing).collect();
    if missing.is_empty() && too_much.is_empty() && named.len() == told.len() && !named.is_empty() {
        return Ok(());
    }
    Err(format!("left and not named: {missing:?}; named and not left: {too_much:?}; told: {told:?}"))
}

/// Insists that one of a kind has the reason, and that nobody is without one.
fn reasoned(told: &[Value], kind: &str, words: &[&str]) -> Tried<()> {
    if let Some(mute) = told.iter().find(|left| left["why"].as_str().is_none_or(str::is_empty)) {
        return Err(format!("left without a reason: {mute}"));
    }
    let reason = |left: &Value| format!("{} {}", left["why"], left["blockers"]);
    let fits = |left: &&Value| left["kind"] == kind && words.iter().all(|word| reason(left).contains(word));
    match told.iter().find(fits) {
        Some(_) => Ok(()),
        None => Err(format!("no {kind} is left because of {words:?}: {told:?}")),
    }
}

fn costs(told: &[Value], wanted: &[(&str, usize)]) -> Tried<()> {
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    told.iter().filter_map(|left| left["cost"].as_str()).for_each(|cost| *counted.entry(cost).or_default() += 1);
    let wanted: BTreeMap<&str, usize> = wanted.iter().copied().collect();
    if counted == wanted { Ok(()) } else { Err(format!("what goes on costing is {wanted:?}, it says {counted:?}")) }
}

/// Insists that the last block names everything, what it costs, and the next command.
fn for_people(said: &Said, left: &[Value]) -> Tried<()> {
    let plain = |text: &str| text.split_whitespace().collect::<String>();
    let told = plain(&said.err);
    let ids = left.iter().filter_map(|left| left["id"].as_str());
    let costs = left.iter().filter_map(|left| left["cost"].as_str());
    match ids.chain(costs).chain(["next runbook undo"]).find(|text| !told.contains(&plain(text))) {
        Some(missing) => Err(format!("no {missing} in\n{}", said.err)),
        None => Ok(()),
    }
}

/// Insists that what others planted stands as they left it. The API server marks what stands in a namespace that goes.
fn untouched(place: &Place, planted: &[Change]) -> Tried<()> {
    let documents = documents(place)?;
    for (key, object) in planted {
        let Some(object) = object.as_ref().filter(|object| object["token"] == "given") else { continue };
        let found = documents.get(key).filter(|found| stands(found));
        let found = found.ok_or_else(|| format!("what is foreign was deleted: {key}"))?;
        if object["kind"] != "k8s.object" && found != object {
            return Err(format!("what is foreign was changed: {found}"));
        }
    }
    Ok(())
}
