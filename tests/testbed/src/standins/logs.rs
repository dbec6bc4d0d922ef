//! What the containers of a cluster have logged, for as long as the testbed runs.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;

use super::kube_objects::text;

/// The log of each container, by the pod's uid and the container's name. A pod that is made anew begins anew.
#[derive(Default)]
pub struct Logs {
    written: Mutex<BTreeMap<(String, String), String>>,
    files: Mutex<BTreeMap<(String, String), PathBuf>>,
}

impl Logs {
    /// Adds to a container's log.
    pub fn write(&self, pod: &Value, container: &str, added: &str) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.entry(key(pod, container)).or_default().push_str(added);
    }

    /// A container's log is the file that a program of ours writes.
    pub fn is_file(&self, pod: &Value, container: &str, file: PathBuf) {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).insert(key(pod, container), file);
    }

    /// All that a container has logged; nothing when it is one that logs nothing.
    pub fn read(&self, pod: &Value, container: &str) -> String {
        let key = key(pod, container);
        let file = self.files.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let mut log = written.get(&key).cloned().unwrap_or_default();
        if let Some(file) = file {
            log.push_str(&String::from_utf8_lossy(&std::fs::read(file).unwrap_or_default()));
        }
        log
    }
}

fn key(pod: &Value, container: &str) -> (String, String) {
    (text(pod, "metadata.uid").to_owned(), container.to_owned())
}
