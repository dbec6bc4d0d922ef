//! End to end: the built program, seen from outside.

mod harness;
