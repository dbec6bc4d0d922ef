//! All of the testbed together.
