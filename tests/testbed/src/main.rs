//! Brings the testbed up, tells where it is, and takes it down.

fn main() {}
