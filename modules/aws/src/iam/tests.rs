//! What the sandbox's IAM answers and refuses.
