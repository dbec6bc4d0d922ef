//! What the sandbox's Cloud Map answers and refuses.
