//! The sandbox: the built-in simulated target. No account, no network, honest states and waits.
//!
//! * [`world`]: the stored world, objects by kind, place and id, committed before a call answers.
//! * [`sim`]: how a kind behaves in it; [`sim::Simple`] says it as data for most kinds.

pub mod sim;
pub mod world;
