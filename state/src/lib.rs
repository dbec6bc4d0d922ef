//! Durable facts: runs, the journal, the inventory, leases, stored scripts, sealed secrets, and the sandbox's world.
//!
//! This crate knows SQLite and which transitions are legal. It knows neither Rhai nor any cloud nor the terminal nor the
//! environment; times and ids are passed in. The engine reaches it through the trait [`store::Store`]. The map:
//!
//! * [`record`]: what the journal holds.
//! * [`status`]: which record may follow which.
//! * [`store`]: the narrow trait, and the rows it gives back.
//! * [`error`]: what can be wrong with a store.

pub mod error;
pub mod record;
pub mod status;
pub mod store;
