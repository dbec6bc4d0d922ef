//! End to end: the built program, seen from outside.

mod commands;
mod crash;
mod harness;
mod journals;
mod promises;
mod readme;
mod redis_ha;
mod script_errors;
mod signals;
