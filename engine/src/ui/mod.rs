//! Draws events.
