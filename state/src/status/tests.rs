//! Every state against every record.

use serde_json::Value;

use super::*;
use crate::record::EffectKey;

fn key() -> EffectKey {
    EffectKey { step: "s".to_owned(), ordinal: 0, generation: 0 }
}

/// One record for each letter: intent, accepted, done, failed, unknown, retired, delete intent, gone.
fn records() -> [(char, Record); 8] {
    let (effect, error) = (key(), Value::Null);
    let intent = Record::Intent {
        effect: key(),
        op: String::new(),
        token: String::new(),
        digest: String::new(),
        input: Value::Null,
        place: Value::Null,
        tags: Value::Null,
        site: Default::default(),
        prior: None,
    };
    let done = Record::Done { effect: key(), response: Value::Null, owned: None, adopted: false, attempts: 1 };
    [
        ('i', intent),
        ('a', Record::Accepted { effect: key(), response: Value::Null, owned: None }),
        ('d', done),
        ('f', Record::Failed { effect: key(), error: error.clone(), remains: false }),
        ('u', Record::Unknown { effect: key(), error }),
        ('r', Record::Retired { effect: key(), why: String::new() }),
        ('x', Record::DeleteIntent { effect: key() }),
        ('g', Record::Gone { effect, already: false }),
    ]
}

#[test]
fn each_state_takes_exactly_these_records() {
    use EffectState::{Accepted, Done, Failed, Intent, Retired, Undone, Unknown};
    let table = [
        (None, "i"),
        (Some(Intent), "adfur"),
        (Some(Accepted), "dfuxg"),
        (Some(Done), "xg"),
        (Some(Failed), "xg"),
        (Some(Unknown), "adfur"),
        (Some(Retired), ""),
        (Some(Undone), ""),
    ];
    for (before, taken) in table {
        let legal: String = records()
            .into_iter()
            .filter(|(_, record)| next(before, record).is_ok())
            .map(|(letter, _)| letter)
            .collect();
        assert_eq!(legal, taken, "after {before:?}");
    }
}

#[test]
fn a_record_leads_to_its_own_state() {
    use EffectState::{Accepted, Done, Failed, Intent, Retired, Undone, Unknown};
    let states = [Intent, Accepted, Done, Failed, Unknown, Retired, Done, Undone];
    for ((letter, record), after) in records().into_iter().zip(states) {
        let before = match letter {
            'i' => None,
            'x' | 'g' => Some(Done),
            _ => Some(Intent),
        };
        assert_eq!(next(before, &record), Ok(after));
    }
}

#[test]
fn other_records_are_none_of_an_effect() {
    assert!(next(None, &Record::CancelAsked { by: "me".to_owned() }).is_err());
}
