//! The Rhai host: what a script can say, its limits, its parameters, and its errors with file, line and column.
//!
//! Opening: [`program`] is the entrance for everybody else; `files` finds and reads, `load` compiles, `resolver` serves imports.
//! Setting up: `engine` puts Rhai together; `limits`, `memory` and `here` watch what a script uses up.
//! Saying: `steps`, `decisions`, `handles`, `bindings`, `text`, `compare`, `yaml`, `secret`; [`params`] for the declaration.
//! Comparing: [`fingerprint`], a stored script with an edited one.
//! Crossing over: `convert` (values), `bodies` and `captures` (closures), `raise` and `diagnose` (errors), `host` (what natives share).

mod bindings;
mod bodies;
mod captures;
mod check;
mod compare;
mod convert;
mod decisions;
mod diagnose;
mod engine;
mod files;
pub mod fingerprint;
mod handles;
mod here;
mod host;
mod limits;
mod load;
mod memory;
pub mod params;
pub mod program;
mod raise;
mod resolver;
mod respell;
mod secret;
mod steps;
#[cfg(test)]
mod tests;
mod text;
mod yaml;
