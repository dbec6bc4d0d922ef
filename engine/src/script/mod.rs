//! The Rhai host: what a script can say, its limits, its parameters, and its errors with file, line and column.
//!
//! * [`program`]: a runbook with all its files, compiled; the entrance for everybody else.
//! * [`params`]: declared parameters, and values given for them.

pub mod params;
pub mod program;
