//! Helm: releases of charts.
//!
//! * [`release`]: the kind `helm.release`; [`operations`]: status, template, uninstall.

use crate::table::Table;

pub mod operations;
pub mod release;

/// Adds everything to the table.
pub fn register(table: &mut Table) {
    table.add(&[&release::Release], &[&operations::STATUS, &operations::TEMPLATE, &operations::UNINSTALL]);
}
