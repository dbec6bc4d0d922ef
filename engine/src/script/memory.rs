//! Counts the heap, so that a script which hoards ends with an error instead of taking the machine down.
//!
//! Rhai limits the size of each value, not their sum. The count is the whole program's; a script is charged with the growth
//! since it began.

use std::alloc::System;

use cap::Cap;

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// Bytes allocated now.
pub fn allocated() -> usize {
    HEAP.allocated()
}
