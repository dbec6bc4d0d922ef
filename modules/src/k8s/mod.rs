//! Kubernetes: any object, applied, patched, read, waited for; and commands in pods.
//!
//! * [`object`]: the kind `k8s.object`; [`patch`]: the kind `k8s.patch`.
//! * [`operations`]: get, list, wait, logs, delete; [`exec`]: exec and run_pod.
//! * [`finalizers`]: what holds an object that is being deleted.
//! * [`health`]: whether an object is ready, [`custom`]: the same for the objects of well-known controllers; [`types`]: the kinds that every
//!   cluster knows; [`quantity`]: `1000m` is `1`; [`secret`]: where a Secret holds its values.

use crate::table::Table;

pub mod custom;
pub mod exec;
pub mod finalizers;
pub mod health;
pub mod object;
pub mod operations;
pub mod patch;
pub mod quantity;
pub mod secret;
pub mod types;

/// Adds everything to the table.
pub fn register(table: &mut Table) {
    table.add(
        &[&object::Object, &patch::Patch],
        &[
            &operations::GET,
            &operations::LIST,
            &operations::WAIT,
            &operations::LOGS,
            &operations::DELETE,
            &exec::EXEC,
            &exec::RUN_POD,
        ],
    );
}
