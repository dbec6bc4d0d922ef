//! Random records, legal or not: what the store keeps beside the journal is what the journal says.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{record::EffectState, status};

fn any_record() -> impl Strategy<Value = Record> {
    let step = prop::sample::select(vec!["a", "b", "c"]);
    (step, 0..9_u8, any::<bool>()).prop_map(|(step, kind, flag)| {
        let (effect, own) = (key(step), flag.then(|| owned(step)));
        match kind {
            0 => intent(step),
            1 => Record::Accepted { effect, response: Value::Null, owned: own },
            2 => done(step, own),
            3 => Record::Failed { effect, error: Value::Null, remains: flag },
            4 => Record::Unknown { effect, error: Value::Null },
            5 => Record::Retired { effect, why: String::new() },
            6 => Record::DeleteIntent { effect },
            7 => gone(step),
            _ => step_done(step),
        }
    })
}

fn effect_of(record: &Record) -> Option<EffectKey> {
    let text = serde_json::to_value(record).unwrap();
    serde_json::from_value(text.get("effect")?.clone()).ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn summary_and_inventory_are_what_the_journal_says(records in prop::collection::vec(any_record(), 0..60)) {
        let store = store();
        let lease = lease(&store);
        let mut states: BTreeMap<EffectKey, EffectState> = BTreeMap::new();
        let mut taken = Vec::new();
        for record in records {
            let effect = effect_of(&record);
            let after = effect.clone().map(|effect| status::next(states.get(&effect).copied(), &record));
            let legal = !matches!(after, Some(Err(_)));
            prop_assert_eq!(now(&store, &lease, vec![record.clone()]).is_ok(), legal);
            if let (Some(effect), Some(Ok(state))) = (effect, after) {
                states.insert(effect, state);
            }
            if legal {
                taken.push(record);
            }
        }
        let journal: Vec<_> = store.journal(RUN).unwrap().into_iter().map(|entry| entry.record).collect();
        prop_assert_eq!(&journal, &taken);
        let summary = store.run(RUN).unwrap().summary;
        let left = store.inventory(RUN).unwrap().iter().filter(|row| !row.gone).count();
        prop_assert_eq!(summary.owned as usize, left);
        let done = states.values().filter(|state| **state == EffectState::Done).count();
        prop_assert_eq!(summary.effects_done as usize, done);
    }

    #[test]
    fn a_number_comes_out_of_the_journal_as_it_went_in(bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        prop_assume!(number.is_finite());
        let store = store();
        let lease = lease(&store);
        let record = Record::Output { name: "n".into(), value: number.into() };
        now(&store, &lease, vec![record.clone()]).unwrap();
        prop_assert_eq!(&store.journal(RUN).unwrap()[0].record, &record);
    }
}
