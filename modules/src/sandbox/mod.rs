//! The sandbox: the built-in simulated target. No account, no network, honest states and waits.
//!
//! * [`world`]: the stored world, objects by kind, place and id, committed before a call answers.
//! * [`memory`]: a world's store in memory, for tests and `plan`.
//! * [`sim`]: how a kind behaves in it; [`sim::Simple`] says it as data for most kinds, [`simple`] is what that means.
//! * [`target`]: the target itself; [`faults`]: calls that fail on purpose, for trials; [`late`]: those of a dead client that are still
//!   on their way.
//! * [`k8s`]: the simulated clusters; [`helm`]: their releases; [`balancers`]: what the AWS Load Balancer Controller makes for them.
//! * [`snapshot`]: a world in a form in which two can be compared; [`tagged`]: what in it carries our tags.
//! * [`rehearsal`]: what only a live system could answer or make, out of a `*.rehearsal.yaml`; [`template`] renders
//!   its texts with what [`facts`] finds, [`answers`] answers calls from it, [`controllers`] makes what it says; [`standard`] says what well-known charts make.

pub mod answers;
pub mod balancers;
pub mod clock_text;
pub mod controllers;
pub mod facts;
pub mod faults;
pub mod helm;
pub mod k8s;
pub mod late;
pub mod making;
pub mod memory;
pub mod rehearsal;
pub mod sim;
pub mod simple;
pub mod snapshot;
pub mod standard;
pub mod tagged;
pub mod target;
pub mod template;
pub mod world;

#[cfg(test)]
mod tests;
