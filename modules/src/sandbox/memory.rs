//! A world's store in memory, for tests and `plan`.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;

use super::world::Store;

/// Documents in memory. Share one between two sandboxes to try what two processes do.
#[derive(Debug, Default)]
pub struct MemoryStore {
    kept: Mutex<(u64, BTreeMap<String, Value>)>,
}

impl Store for MemoryStore {
    fn version(&self) -> Result<u64, String> {
        Ok(self.kept.lock().unwrap_or_else(PoisonError::into_inner).0)
    }

    fn load(&self) -> Result<(u64, Vec<(String, Value)>), String> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((kept.0, kept.1.iter().map(|(key, value)| (key.clone(), value.clone())).collect()))
    }

    fn commit(&self, base: u64, changes: &[(String, Option<Value>)]) -> Result<Option<u64>, String> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0 != base {
            return Ok(None);
        }
        for (key, value) in changes {
            match value {
                Some(value) => kept.1.insert(key.clone(), value.clone()),
                None => kept.1.remove(key),
            };
        }
        kept.0 += 1;
        Ok(Some(kept.0))
    }
}
