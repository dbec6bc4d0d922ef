//! The fault proxy in front of the emulators.
