//! What exists in the emulators: read from them, never from anybody's journal, and told without ids and times, so that two
//! inventories can be compared.

use std::collections::BTreeMap;

use serde_json::{Value, json};

mod listed;
mod normal;
mod read;

use super::shared::Shared;

/// Everything there is, at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inventory {
    /// By kind (`ec2.vpc`) and id.
    items: BTreeMap<(String, String), Value>,
}

impl Inventory {
    pub(super) async fn read(shared: &Shared) -> Result<Self, String> {
        read::everything(shared).await
    }

    /// How many things of a kind there are.
    pub fn count(&self, kind: &str) -> usize {
        self.items.keys().filter(|(of, _)| of == kind).count()
    }

    /// What has come, gone or changed since an earlier inventory, by kind. Ids are names (`vpc:redis1-vpc`) or ordinals
    /// (`subnet#2`), times and addresses are left out. An empty map: nothing.
    pub fn since(&self, earlier: &Self) -> Value {
        let differs = |a: &Self, b: &Self| {
            let items = a.items.iter().filter(|(key, value)| b.items.get(*key) != Some(value));
            items.map(|(key, value)| (key.clone(), value.clone())).collect::<BTreeMap<_, _>>()
        };
        let (now, before) = (differs(self, earlier), differs(earlier, self));
        let mut told = normal::told(&now);
        if !before.is_empty() {
            told["gone or changed"] = normal::told(&before);
        }
        told
    }

    /// Everything, as [`since`](Self::since) tells it.
    pub fn told(&self) -> Value {
        match self.since(&Self::default()) {
            Value::Null => json!({}),
            told => told,
        }
    }
}
