//! The stored world.
