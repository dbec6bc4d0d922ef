//! Stand-ins for what would run in pods.
