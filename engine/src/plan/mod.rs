//! The plan: a rehearsal of the whole run in memory, and what it tells about steps, effects, waits, time and cost.
//!
//! * [`rehearse`]: drives the run against a sandbox in memory, as fast as it goes. Nothing outside is called.
//! * [`digest`]: counts and spans out of the rehearsal's events.
//! * [`critical`]: the longest chain of steps.

pub mod critical;
pub mod digest;
pub mod rehearse;
