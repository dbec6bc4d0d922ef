//! One trial of redis-ha: disturbed somewhere, gone on with as a person would, and held against the undisturbed run.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    path::Path,
    process::Command,
    sync::OnceLock,
};

use runbook_state::{record::Record, sqlite::Sqlite, store::Store as _, world::World};
use serde_json::Value;

use crate::{
    bench::Bench,
    harness::{Place, Said, said},
    seen::{self, Seen},
    trials::{UNDO, apart},
};

/// The run that is disturbed.
pub const RUN: [&str; 5] = ["run", "redis-ha.rhai", "--sandbox", "--speed", "0"];

/// A mutating call that the sandbox noted.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its number in the world.
    pub n: u64,
    /// The token it bore; deletions bear none.
    pub token: String,
}

/// An undisturbed run and its undo.
pub struct Calm {
    /// What stands after the run.
    pub world: Value,
    /// The calls of the run.
    pub calls: Vec<Call>,
    /// Every point around a commit that the run passes.
    pub points: Vec<String>,
    /// The calls of the undo.
    pub undo_calls: Vec<Call>,
    /// Every point that the undo passes.
    pub undo_points: Vec<String>,
    /// What the script saw, and the outputs.
    pub seen: Seen,
    /// The finished run, before its undo.
    finished: Place,
}

/// What a trial counted.
#[derive(Debug, Default, Clone, Copy)]
pub struct Count {
    /// Resources that the undisturbed run does not leave.
    pub too_much: usize,
    /// Resources that it does leave.
    pub missing: usize,
    /// Finished effects that were sent again, by the sandbox's own log of calls.
    pub again: usize,
    /// Rows of the inventory that nothing stands behind, or that are not as they were made: `verify` found drift.
    pub ghosts: usize,
    /// Needed a person.
    pub unresolved: usize,
    /// How often it was resumed.
    pub resumes: usize,
    /// Fields that the script saw otherwise than in the undisturbed run, and outputs.
    pub unlike: usize,
    /// Things that were found and taken over, and compared.
    pub adopted: usize,
}

impl Count {
    /// The sum of many.
    pub fn sum(all: &[Self]) -> Self {
        all.iter().fold(Self::default(), |sum, one| Self {
            too_much: sum.too_much + one.too_much,
            missing: sum.missing + one.missing,
            again: sum.again + one.again,
            ghosts: sum.ghosts + one.ghosts,
            unresolved: sum.unresolved + one.unresolved,
            resumes: sum.resumes + one.resumes,
            unlike: sum.unlike + one.unlike,
            adopted: sum.adopted + one.adopted,
        })
    }
}

/// The undisturbed run, made once.
pub fn calm(bench: &Bench) -> &'static Calm {
    static CALM: OnceLock<Calm> = OnceLock::new();
    CALM.get_or_init(|| {
        let place = Place::of(bench.trial());
        let points = traced(&place, &RUN);
        let (world, calls) = world(&place);
        let seen = Seen::of(&place).expect("a journal");
        let finished = Place::of(bench.trial());
        fill(&finished, &place);
        let undo_points = traced(&place, &UNDO);
        let undo_calls = self::world(&place).1.split_off(calls.len());
        Calm { world, calls, points, undo_calls, undo_points, seen, finished }
    })
}

impl Calm {
    /// A place of its own in which the run is finished.
    pub fn finished(&self, program: &Path) -> Place {
        let place = Place::of(program);
        fill(&place, &self.finished);
        place
    }
}

fn fill(place: &Place, from: &Place) {
    let all = from.root().join(".");
    let copied = Command::new("cp").arg("-a").arg(all).arg(place.root()).status();
    assert!(copied.is_ok_and(|status| status.success()), "a finished run is copied");
}

/// Runs it to its end and gives every point around a commit that it passes.
pub fn traced(place: &Place, args: &[&str]) -> Vec<String> {
    let trace = place.root().join("trace");
    let done = said(place.command(args).env("RUNBOOK_CRASH_TRACE", &trace).output().expect("the program starts"));
    assert_eq!(done.code, 0, "{}\n{}", done.out, done.err);
    let text = std::fs::read_to_string(&trace).expect("a trace");
    std::fs::remove_file(&trace).expect("a trace");
    let mut met = BTreeSet::new();
    text.lines().filter(|point| met.insert(*point)).map(str::to_owned).collect()
}

/// The world, ids normalised, and the calls that it noted.
pub fn world(place: &Place) -> (Value, Vec<Call>) {
    let told: Value = serde_json::from_str(&place.expect(0, ["world", "--json"]).out).expect("JSON");
    let call = |call: &Value| Call {
        n: call["n"].as_u64().unwrap_or_default(),
        token: call["token"].as_str().unwrap_or_default().to_owned(),
    };
    let calls = told["calls"].as_array().into_iter().flatten().map(call).collect();
    (told["objects"].clone(), calls)
}

/// Runs the program with something in its environment.
pub fn with(place: &Place, args: &[&str], name: &str, value: &str) -> Said {
    said(place.command(args).env(name, value).output().expect("the program starts"))
}

/// The journal of the newest run; None: no run was stored.
///
/// # Errors
/// When it cannot be read.
pub fn journal(place: &Place) -> Result<Option<Vec<Record>>, String> {
    let text = |error: runbook_state::error::Error| error.to_string();
    if !place.state().join("runs.db").exists() {
        return Ok(None);
    }
    let store = Sqlite::open(&place.state()).map_err(text)?;
    let Some(run) = store.runs().map_err(text)?.into_iter().next() else { return Ok(None) };
    let entries = store.journal(&run.id).map_err(text)?;
    Ok(Some(entries.into_iter().map(|entry| entry.record).collect()))
}

/// What a run that was broken off has on the disk: the tokens of the effects that its journal has as done, and how many calls the
/// sandbox has noted. None: no run was stored.
fn broken_off(place: &Place) -> Result<Option<(HashSet<String>, usize)>, String> {
    let Some(records) = journal(place)? else { return Ok(None) };
    let text = |error: runbook_state::error::Error| error.to_string();
    let state = place.state();
    let mut tokens = HashMap::new();
    let mut done = HashSet::new();
    for record in records {
        match record {
            Record::Intent { effect, token, .. } => drop(tokens.insert(effect, token)),
            Record::Done { effect, .. } => done.extend(tokens.get(&effect).filter(|token| !token.is_empty()).cloned()),
            _ => {}
        }
    }
    let calls = if state.join("sandbox.db").exists() {
        let (_, documents) = World::open(&state).map_err(text)?.load().map_err(text)?;
        documents.iter().filter(|(key, _)| key.starts_with("oracle/")).count()
    } else {
        0
    };
    Ok(Some((done, calls)))
}

/// Goes on to the end of the run, and holds what stands then against the undisturbed run. A run that was killed before it was
/// stored, or before anything was made, begins anew.
///
/// # Errors
/// When it does not come to its end, sends a finished effect again, or leaves another world.
pub fn go_on(place: &Place, calm: &Calm, count: &mut Count) -> Result<(), String> {
    let Some((done, before)) = broken_off(place)? else {
        ended(&place.run(RUN), "a new run")?;
        return same(place, calm, count);
    };
    count.resumes += 1;
    let told = place.run(["resume", "latest"]);
    if told.code == 2 && told.err.contains("RB0218") {
        if before > 0 {
            return Err(format!("{before} calls were made by a run that says that it made nothing"));
        }
        ended(&place.run(RUN), "a new run")?;
        return same(place, calm, count);
    }
    if told.err.contains("needs a decision") {
        count.unresolved += 1;
    }
    ended(&told, "the resume")?;
    let (objects, calls) = world(place);
    let again: Vec<&Call> = calls.iter().skip(before).filter(|call| done.contains(&call.token)).collect();
    count.again += again.len();
    if !again.is_empty() {
        return Err(format!("finished effects were sent again: {again:?}"));
    }
    compared(place, &objects, calm, count)
}

fn ended(told: &Said, what: &str) -> Result<(), String> {
    if told.code == 0 {
        return Ok(());
    }
    Err(format!("{what} ended with {}:\n{}\n{}", told.code, told.out, told.err))
}

/// Holds the world against the undisturbed run's, and the inventory against the world.
///
/// # Errors
/// What is too much, missing or not as it was made.
pub fn same(place: &Place, calm: &Calm, count: &mut Count) -> Result<(), String> {
    compared(place, &world(place).0, calm, count)
}

fn compared(place: &Place, objects: &Value, calm: &Calm, count: &mut Count) -> Result<(), String> {
    let list = |world: &Value| world.as_array().cloned().unwrap_or_default();
    let (too_much, missing) = apart(&list(objects), &list(&calm.world));
    count.too_much += too_much.len();
    count.missing += missing.len();
    let verified = place.run(["verify", "latest"]);
    count.ghosts += usize::from(verified.code != 0);
    if !too_much.is_empty() || !missing.is_empty() {
        let text = |list: &[Value]| list.iter().map(Value::to_string).collect::<Vec<_>>().join("\n  ");
        return Err(format!("too much:\n  {}\nmissing:\n  {}", text(&too_much), text(&missing)));
    }
    ended(&verified, "verify")?;
    let seen = Seen::of(place)?;
    let unlike = seen::differences(&calm.seen, &seen);
    count.unlike += unlike.len();
    count.adopted += seen.adopted;
    if unlike.is_empty() { Ok(()) } else { Err(format!("the script saw something else:\n  {}", unlike.join("\n  "))) }
}

/// Undoes what is there and insists on an empty world.
///
/// # Errors
/// What is left.
pub fn emptied(place: &Place) -> Result<(), String> {
    ended(&place.run(UNDO), "the undo")?;
    nothing_left(place)
}

/// Insists on an empty world.
///
/// # Errors
/// What is left.
pub fn nothing_left(place: &Place) -> Result<(), String> {
    let left = world(place).0;
    if left.as_array().is_some_and(Vec::is_empty) { Ok(()) } else { Err(format!("left: {left}")) }
}
