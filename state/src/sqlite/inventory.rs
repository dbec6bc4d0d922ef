//! What a run owns, read out of its checked journal: no other table could hide a resource from undo by a flipped bit.

use std::collections::BTreeMap;

use crate::{
    record::{EffectKey, Owned, Record},
    store::{Entry, InventoryRow},
};

/// What a record means for the inventory row of its effect.
pub(super) enum Change<'a> {
    /// The row is there and says this.
    Owns(&'a Owned),
    /// The resource is not there, or no more.
    Gone,
    /// Nothing.
    None,
}

/// The one place that says so, for appending and for reading.
pub(super) fn change(record: &Record) -> Change<'_> {
    match record {
        Record::Accepted { owned: Some(owned), .. } | Record::Done { owned: Some(owned), .. } => Change::Owns(owned),
        Record::Gone { .. } | Record::Retired { .. } | Record::Failed { remains: false, .. } => Change::Gone,
        _ => Change::None,
    }
}

/// The rows, oldest first. The newest record that describes a resource is believed; its place is that of the first.
pub(super) fn rows(journal: Vec<Entry>) -> Vec<InventoryRow> {
    let mut rows: Vec<InventoryRow> = Vec::new();
    let mut places: BTreeMap<EffectKey, usize> = BTreeMap::new();
    for Entry { seq, record, .. } in journal {
        let Some(effect) = effect(&record) else { continue };
        let place = places.get(effect).copied();
        match (change(&record), place) {
            (Change::Owns(owned), Some(place)) => rows[place].owned = owned.clone(),
            (Change::Owns(owned), None) => {
                places.insert(effect.clone(), rows.len());
                rows.push(InventoryRow { effect: effect.clone(), seq, owned: owned.clone(), gone: false });
            }
            (Change::Gone, Some(place)) => rows[place].gone = true,
            (Change::Gone | Change::None, _) => {}
        }
    }
    rows
}

fn effect(record: &Record) -> Option<&EffectKey> {
    match record {
        Record::Accepted { effect, .. }
        | Record::Done { effect, .. }
        | Record::Failed { effect, .. }
        | Record::Retired { effect, .. }
        | Record::Gone { effect, .. } => Some(effect),
        _ => None,
    }
}
