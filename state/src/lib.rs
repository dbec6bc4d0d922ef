//! Durable facts: runs, the journal, the inventory, leases, stored scripts, sealed secrets, and the sandbox's world.
//!
//! This crate knows SQLite and which transitions are legal. It knows neither Rhai nor any cloud nor the terminal nor the
//! environment; times and ids are passed in. The engine reaches it through the trait [`store::Store`]. The map:
//!
//! * [`record`]: what the journal holds.
//! * [`status`]: which record may follow which.
//! * [`store`]: the narrow trait, and the rows it gives back.
//! * [`sqlite`]: the store over SQLite.
//! * [`world`]: the sandbox's world, in a file of its own.
//! * [`holder`]: who drives a run, and whether that process is alive.
//! * [`error`]: what can be wrong with a store.

mod chain;
pub mod error;
pub mod holder;
mod migrate;
mod open;
pub mod record;
pub mod sqlite;
pub mod status;
pub mod store;
pub mod world;
