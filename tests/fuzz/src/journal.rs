//! Records of a journal: decoding, the store's rules, the history of a run, and what is shown of it.
//!
//! The input is one record a line, as JSON; a line may begin with `+MILLISECONDS ` or `-MILLISECONDS ` for the clock.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use runbook_engine::{
    event::{Event, replay},
    run::history::{Effect, History},
    ui::{finale::Finale, heading, json, lines::Writer, look::Look, tally::Totals, tree::Tree},
};
use runbook_state::{
    error::Error,
    holder,
    record::{EffectKey, EffectState, Record},
    sqlite::Sqlite,
    store::{Entry, Lease, NewRun, Run, Store, When},
};
use serde_json::{Value, json};

use super::told;

/// As many records of an input are taken.
const MOST: usize = 80;
/// When the run begins.
const BEGIN: i64 = 1_800_000_000_000;
/// A store in memory is used for as many inputs.
const INPUTS: u32 = 200;

/// Takes them in and insists:
///
/// * a record written and read is the same;
/// * what the store takes it gives back, in order, and it takes no illegal transition;
/// * the history and the store agree on what the run owns, and on the counts of lists;
/// * every event is a line of JSON, and reads back the same;
/// * what is shown of it, live or afterwards, is fit for a terminal and as high as there is room.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let records = records(text);
    if records.is_empty() {
        return;
    }
    STORE.with_borrow_mut(|kept| {
        let store = kept.get_or_insert_with(Kept::new);
        let (run, taken) = store.take_in(&records);
        agreed(store, &run, &taken);
        shown(&run, &taken);
        if store.inputs >= INPUTS {
            *kept = None;
        }
    });
}

/// The records of a text with their times; what is none is left out.
fn records(text: &str) -> Vec<(i64, Record)> {
    let mut at = BEGIN;
    let mut found = Vec::new();
    for line in text.lines() {
        let (later, line) = match line.split_once(' ') {
            Some((number, rest)) if line.starts_with(['+', '-']) => (number.parse::<i32>().unwrap_or(1), rest),
            _ => (1_000, line),
        };
        let Ok(record) = serde_json::from_str::<Record>(line) else { continue };
        at += i64::from(later);
        let written = serde_json::to_string(&record).expect("a record can be written");
        let read: Record = serde_json::from_str(&written).unwrap_or_else(|why| panic!("{why}: {written}"));
        assert_eq!(read, record, "written and read it is another: {written}");
        found.push((at, record));
        if found.len() == MOST {
            break;
        }
    }
    found
}

thread_local! {
    static STORE: RefCell<Option<Kept>> = const { RefCell::new(None) };
}

/// A store in memory.
struct Kept {
    store: Sqlite,
    inputs: u32,
}

impl Kept {
    fn new() -> Self {
        Self { store: Sqlite::open_in_memory().expect("SQLite has memory"), inputs: 0 }
    }

    /// A new run with those of the records that may follow each other.
    fn take_in(&mut self, records: &[(i64, Record)]) -> (Run, Vec<Entry>) {
        self.inputs += 1;
        let id = format!("{:032x}", self.inputs);
        let new = NewRun {
            id: id.clone(),
            runbook: "s".to_owned(),
            customer: None,
            target: "sandbox".to_owned(),
            settings: json!({"region": "us-east-1", "speed": 600.0}),
            files: Vec::new(),
            created_ms: BEGIN,
        };
        self.store.create(&new).expect("a run can be made");
        let holder = holder::this_process("eve@here").expect("/proc says who we are");
        let lease = self.store.acquire(&id, &holder, BEGIN, 60_000).expect("nobody holds it");
        let mut taken = Vec::new();
        let mut finished = BTreeSet::new();
        for (at_ms, record) in records {
            let (at_ms, sim_ms) = (*at_ms, Some(at_ms + 5));
            let mut then = finished.clone();
            let record = counted(record.clone(), &mut then);
            match self.append(&lease, at_ms, sim_ms, &record) {
                Ok(()) => {
                    finished = then;
                    taken.push(Entry { seq: taken.len() as u64 + 1, at_ms, sim_ms, record });
                }
                Err(Error::Illegal { what, .. }) => assert!(!what.is_empty()),
                Err(other) => panic!("{other}"),
            }
        }
        self.store.release(&lease, BEGIN).expect("it is ours");
        (self.store.run(&id).expect("it was made"), taken)
    }

    fn append(&self, lease: &Lease, at_ms: i64, sim_ms: Option<i64>, record: &Record) -> Result<(), Error> {
        self.store.append(lease, at_ms, sim_ms, vec![record.clone()], When::Now)
    }
}

/// A record with what the engine says beside it: whether its step was finished already.
fn counted(mut record: Record, known: &mut BTreeSet<String>) -> Record {
    match &mut record {
        Record::StepDone { step, again, .. } => *again = !known.insert(step.clone()),
        Record::StepUndone { step, finished } => *finished = known.remove(step),
        Record::StepFailed { step, .. } => drop(known.remove(step)),
        _ => {}
    }
    record
}

/// The store gives back what it took, and the history made of it says the same as the store's summaries.
fn agreed(kept: &Kept, run: &Run, taken: &[Entry]) {
    let read = kept.store.journal(&run.id).expect("the chain holds");
    assert_eq!(read, taken, "what was taken is not what is given back");
    let history = History::load(&kept.store, &run.id).expect("the chain holds");
    let inventory = kept.store.inventory(&run.id).expect("the chain holds");
    let owned: BTreeSet<EffectKey> = inventory.into_iter().filter(|row| !row.gone).map(|row| row.effect).collect();
    let standing: BTreeSet<EffectKey> =
        history.effects().iter().filter(|effect| stands(effect)).map(|effect| effect.key.clone()).collect();
    assert_eq!(owned, standing, "store and history do not agree on what stands");
    let totals = history.totals();
    assert_eq!(run.summary.owned as usize, owned.len(), "the store's count of what is owned");
    assert_eq!(run.summary.effects_done, totals.effects, "the count of effects");
    assert_eq!(run.summary.steps_done, totals.steps, "the count of steps");
    assert_eq!(run.summary.ending.is_some(), history.ended().is_some(), "whether it has ended");
}

fn stands(effect: &Arc<Effect>) -> bool {
    let there = match effect.state {
        EffectState::Retired | EffectState::Undone => false,
        EffectState::Failed => effect.remains,
        EffectState::Intent | EffectState::Accepted | EffectState::Done | EffectState::Unknown => true,
    };
    there && effect.owned.is_some()
}

/// What is shown of it.
fn shown(run: &Run, taken: &[Entry]) {
    let events = replay(run, taken);
    let seqs: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert!(seqs.iter().copied().eq(1..=events.len() as u64), "{seqs:?}");
    for look in [Look::plain(), Look { unicode: true, width: 44, ..Look::plain() }] {
        let mut tree = Tree::new(look.clone(), true, Arc::default());
        let (mut writer, mut totals) = (Writer::new(look.clone(), true), Totals::default());
        for event in &events {
            json_of(event);
            tree.take(event).iter().for_each(|line| told::shown(line));
            for height in [1, 7, 40] {
                let live = tree.live(event.target_ms + 1_000, 3, height);
                assert!(live.len() <= height, "{} lines where there is room for {height}", live.len());
                live.iter().for_each(|line| told::shown(line));
            }
            writer.line(event).iter().for_each(|line| told::shown(line));
            heading::of(event, "abcd", "", &look).iter().for_each(|line| told::shown(line));
            totals.take(event);
        }
        let finale = Finale {
            look: &look,
            runbook: "s",
            short: "abcd",
            options: "",
            source: &|_: &str| None,
            steps: None,
            details: "",
        };
        told::shown(&finale.draw(&totals));
    }
}

/// The line of an event is JSON on one line without a secret's placeholder; and the event reads back the same.
fn json_of(event: &Event) {
    let line = json::line(event);
    assert!(!line.contains('\n') && !line.contains("{{secret:"), "{line}");
    let value: BTreeMap<String, Value> = serde_json::from_str(&line).unwrap_or_else(|why| panic!("{why}: {line}"));
    assert!(value.contains_key("event"), "{line}");
    let text = serde_json::to_string(event).expect("an event can be written");
    let read: Event = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
    assert_eq!(&read, event, "written and read it is another");
}
