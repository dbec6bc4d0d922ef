//! What the sandbox's Route 53 answers and refuses.
