//! Deleting the inventory; verifying it.
