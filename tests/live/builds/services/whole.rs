//! Made, verified, compared with the sandbox, taken down.

use std::collections::{BTreeMap, BTreeSet};

use runbook_state::{record::Record, sqlite::Sqlite, store::Store};
use runbook_testbed::{bed::Options, tools};
use serde_json::{Value, json};

use super::place;
use crate::{harness::Place, stand::Stand};

/// What the sandbox's answers have and those of the emulators lack, with the reasons. Anything else that only the sandbox gives would let
/// a script pass its rehearsal and fail live.
const LEFT_OUT: &str = include_str!("left_out.txt");

#[test]
fn each_service_gives_what_the_sandbox_gives_and_is_taken_down() {
    let Some(tools) = tools::require() else { return };
    let mut stand = Stand::with(&tools, &tools.helm4, 1, Options::default());
    stand.place = place();
    let before = stand.inventory();
    stand.expect(0, &["run", "services.rhai", "--yes", "--json"]);
    stand.expect(0, &["verify", "latest"]);
    let rehearsed = place();
    rehearsed.expect(0, ["run", "services.rhai", "--sandbox", "--speed", "0", "--json"]);
    let lacks = lacking(&answers(&stand.place), &answers(&rehearsed));
    let known: BTreeSet<String> = LEFT_OUT.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
    let new: Vec<_> = lacks.difference(&known).collect();
    assert!(new.is_empty(), "only the sandbox gives these: {new:#?}");
    let given: Vec<_> = known.difference(&lacks).collect();
    assert!(given.is_empty(), "left_out.txt lists what is given: {given:#?}");
    stand.expect(0, &["undo", "latest", "--yes"]);
    assert_eq!(stand.inventory().since(&before), json!({}), "undo left something, or took too much");
}

/// The answer of each effect of the newest run, by the effect's place and operation.
fn answers(place: &Place) -> BTreeMap<(String, u32, String), Value> {
    let store = Sqlite::open(&place.state()).expect("the store");
    let run = store.runs().expect("the runs").pop().expect("a run");
    let (mut called, mut answers) = (BTreeMap::new(), BTreeMap::new());
    for entry in store.journal(&run.id).expect("the journal") {
        match entry.record {
            Record::Intent { effect, op, .. } => {
                called.insert((effect.step, effect.ordinal), op);
            }
            Record::Done { effect, response, .. } => {
                let op = called.get(&(effect.step.clone(), effect.ordinal)).cloned().unwrap_or_default();
                answers.insert((effect.step, effect.ordinal, op), response);
            }
            _ => {}
        }
    }
    answers
}

/// `OPERATION FIELD` of what the first lacks.
fn lacking(
    live: &BTreeMap<(String, u32, String), Value>, sandbox: &BTreeMap<(String, u32, String), Value>,
) -> BTreeSet<String> {
    assert_eq!(live.keys().collect::<Vec<_>>(), sandbox.keys().collect::<Vec<_>>(), "not the same effects");
    let mut lacking = BTreeSet::new();
    for (effect, rehearsed) in sandbox {
        let (mut given, mut wanted) = (BTreeSet::new(), BTreeSet::new());
        fields(&live[effect], "", &mut given);
        fields(rehearsed, "", &mut wanted);
        lacking.extend(wanted.difference(&given).map(|field| format!("{} {field}", effect.2)));
    }
    lacking
}

/// The paths of all fields, without those below tags, whose names are a script's own.
fn fields(value: &Value, path: &str, all: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                if !["tags", "version_ids_to_stages"].contains(&name.as_str()) {
                    fields(value, &path, all);
                }
                all.insert(path);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| fields(item, path, all)),
        _ => {}
    }
}
