//! A7: the process dies with a request on its way, which is executed while its resume works, or long after.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;

use crate::{
    Section,
    bench::Bench,
    harness::Place,
    sheet::Part,
    trial::{self, Calm, Count, RUN, calm},
    trials::{apart, expect, wedges::account},
};

/// A7.
pub const SECTION: Section = Section {
    name: "ghosts",
    title: "Requests of a dead process that are executed later",
    how: "redis-ha is killed with one call on its way, at every call, and resumed at once; the call is executed so many seconds after the \
          resume began. Two hours later nothing is under way any more. For a time below the settle time of 120 s the world must be the \
          undisturbed one. For a longer one a second thing may stand: `runbook audit` must then list it, or `runbook verify` say that \
          something is not as it was made.",
    limits: &["The time counts from the death; the resume begins at that moment."],
    measure,
};

/// A7, before an undo.
pub const UNDONE: Section = Section {
    name: "undone",
    title: "Requests of a dead process that are executed while it is undone",
    how: "The same with an undo instead of the resume. Two hours later a script that reads looks what stands: nothing may be left.",
    limits: &["The time counts from the death; the undo begins at that moment."],
    measure: measure_undone,
};

/// Below the settle time, and beyond it.
const BELOW: [u32; 5] = [1, 30, 60, 90, 119];
const BEYOND: [u32; 3] = [150, 300, 1800];
/// Before an undo: below the settle time.
const BEFORE_UNDO: [u32; 2] = [30, 119];

/// Makes the sandbox look what has come to pass: where nothing is in an inventory any more, `verify` has nothing to ask for.
const LOOK: &str = "step(\"look\", || aws(#{ region: \"us-east-1\" }).ec2.describe_vpcs(#{}));\n";

/// A request that is executed later.
struct Ghost {
    n: u64,
    after_s: u32,
}

/// What came of one.
#[derive(Default)]
struct Came {
    after_s: u32,
    twice: usize,
    found: usize,
    person: bool,
}

impl Ghost {
    fn fault(&self) -> String {
        format!("kill-late:{}+{}", self.n, self.after_s)
    }
}

/// Each call of the run, executed after each of these times.
fn ghosts(calm: &Calm, times: &[u32]) -> Vec<Ghost> {
    times.iter().flat_map(|after_s| calm.calls.iter().map(|call| Ghost { n: call.n, after_s: *after_s })).collect()
}

fn measure_undone(bench: &Bench, part: &mut Part) {
    let all = ghosts(calm(bench), &BEFORE_UNDO);
    let total = all.len();
    let cases = bench.sample("undone", all, 6);
    let tried = bench.each(part, &cases, Ghost::fault, |ghost| undone(bench, ghost));
    part.all("A7", "calls executed 30 and 119 s after an undo began, which left nothing", tried.len(), total);
}

fn measure(bench: &Bench, part: &mut Part) {
    let calm = calm(bench);
    let all = ghosts(calm, &BELOW);
    let total = all.len();
    let cases = bench.sample("below", all, 12);
    let counts = Mutex::new(Vec::new());
    let tried = bench.each(part, &cases, Ghost::fault, |ghost| {
        let mut count = Count::default();
        let done = below(bench, calm, ghost, &mut count);
        counts.lock().unwrap_or_else(PoisonError::into_inner).push(count);
        done
    });
    let sum = Count::sum(&counts.into_inner().unwrap_or_else(PoisonError::into_inner));
    part.all("A7", "calls executed 1 to 119 s after the resume began", tried.len(), total);
    part.zero("A7", "of these, worlds that are not the undisturbed one", cases.len() - tried.len());
    part.zero("A7", "of these, things too much (duplicates, orphans)", sum.too_much);
    part.zero("A7", "of these, runs that needed a person", sum.unresolved);
    let all = ghosts(calm, &BEYOND);
    let total = all.len();
    let mut cases = bench.sample("beyond", all, 8);
    // The first call makes what only its tag names: of this one a second one comes about.
    if bench.case().is_none() && !bench.full() {
        cases.extend(BEYOND.map(|after_s| Ghost { n: 1, after_s }));
    }
    let count = cases.len();
    let came = bench.each(part, &cases, Ghost::fault, |ghost| beyond(bench, calm, ghost));
    part.all("A7", "calls executed 150 to 1800 s after the resume began", came.len(), total);
    let sum = |of: fn(&Came) -> usize| came.iter().map(of).sum::<usize>();
    part.told("A7", "of these, things there twice", sum(|came| came.twice).to_string());
    part.told("A7", "of these, listed by the audit", sum(|came| came.found).to_string());
    part.told("A7", "of these, runs that needed a person", sum(|came| usize::from(came.person)).to_string());
    part.zero("A7", "of these, not detected", count - came.len());
    let unsafe_from = came.iter().filter(|came| came.twice > 0).map(|came| came.after_s).min();
    let safe = BELOW.iter().chain(&BEYOND).filter(|after_s| unsafe_from.is_none_or(|from| **after_s < from)).max();
    part.told(
        "A7",
        "the longest time tried that made nothing twice",
        format!("{} s", safe.copied().unwrap_or_default()),
    );
}

const VERIFY: [&str; 2] = ["verify", "latest"];

/// Dies with the request on its way.
fn killed(bench: &Bench, ghost: &Ghost) -> Result<Place, String> {
    let place = Place::of(bench.trial());
    let told = trial::with(&place, &RUN, "RUNBOOK_FAULT", &ghost.fault());
    if told.code == -1 {
        Ok(place)
    } else {
        Err(format!("it was not killed, it ended with {}:\n{}", told.code, told.err))
    }
}

/// Two hours pass in the sandbox: what is under way arrives as soon as somebody looks, with this command.
fn pass(place: &Place, look: &[&str]) -> Result<(), String> {
    let clock = account::documents(place)?.get("clock").and_then(Value::as_i64).ok_or("the world has no clock")?;
    account::change(place, &[("clock".to_owned(), Some((clock + 2 * 3_600_000).into()))])?;
    // Drift is for the trial to judge.
    let told = place.run(look);
    if told.code == 2 {
        return Err(format!("{look:?} was refused:\n{}", told.err));
    }
    if account::documents(place)?.keys().any(|key| key.starts_with("late/")) {
        return Err("the call never arrived".to_owned());
    }
    Ok(())
}

fn below(bench: &Bench, calm: &Calm, ghost: &Ghost, count: &mut Count) -> Result<(), String> {
    let place = killed(bench, ghost)?;
    trial::go_on(&place, calm, count)?;
    pass(&place, &VERIFY)?;
    trial::same(&place, calm, count)?;
    expect(&place, 0, &["audit", "--sandbox"]).map(drop)
}

fn beyond(bench: &Bench, calm: &Calm, ghost: &Ghost) -> Result<Came, String> {
    let place = killed(bench, ghost)?;
    let resumed = place.run(["resume", "latest"]);
    let person = resumed.code != 0;
    if person && !(resumed.err.contains("RB0") && resumed.err.contains("runbook ")) {
        return Err(format!("the resume ended with {} and does not say how to go on:\n{}", resumed.code, resumed.err));
    }
    pass(&place, &VERIFY)?;
    if person {
        return Ok(Came { after_s: ghost.after_s, person, ..Came::default() });
    }
    let (twice, other) = extra(&trial::world(&place).0, &calm.world);
    let audit = place.run(["audit", "--sandbox", "--json"]);
    let told: Value = serde_json::from_str(&audit.out).map_err(|error| format!("{error}: {}", audit.err))?;
    let mut orphans: BTreeMap<(String, String), usize> = BTreeMap::new();
    for orphan in told["orphans"].as_array().into_iter().flatten() {
        *orphans.entry((text(&orphan["kind"]), text(&orphan["step"]))).or_default() += 1;
    }
    let (marked, bare): (Vec<&Value>, Vec<&Value>) = twice.iter().partition(|object| step(object).is_some());
    for object in &marked {
        let key = (text(&object["kind"]), step(object).unwrap_or_default());
        match orphans.get_mut(&key).filter(|left| **left > 0) {
            Some(left) => *left -= 1,
            None => return Err(format!("not listed by the audit: {object}\n{}", audit.out)),
        }
    }
    if let Some(object) = bare.iter().find(|object| object["owner"].is_null()) {
        return Err(format!("it bears no mark and belongs to nothing: {object}"));
    }
    if other && place.run(["verify", "latest"]).code == 0 && marked.is_empty() {
        return Err("something is not as it was made, and neither audit nor verify says so".to_owned());
    }
    Ok(Came { after_s: ghost.after_s, twice: twice.len(), found: marked.len(), person })
}

fn undone(bench: &Bench, ghost: &Ghost) -> Result<(), String> {
    let place = killed(bench, ghost)?;
    trial::emptied(&place)?;
    place.write("look.rhai", LOOK);
    pass(&place, &["run", "look.rhai", "--sandbox", "--speed", "0"])?;
    trial::nothing_left(&place)
}

/// The objects that the undisturbed run does not leave, and whether one of its own is missing. Two of one name have numbers, which say
/// nothing here.
fn extra(objects: &Value, calm: &Value) -> (Vec<Value>, bool) {
    let list = |world: &Value| -> Vec<Value> {
        let text = (0..10).fold(world.to_string(), |text, n| text.replace(&format!(">#{n}"), ">"));
        serde_json::from_str(&text).unwrap_or_default()
    };
    let (extra, missing) = apart(&list(objects), &list(calm));
    (extra, !missing.is_empty())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn step(object: &Value) -> Option<String> {
    object["tags"].get("runbook:step").and_then(Value::as_str).map(str::to_owned)
}
