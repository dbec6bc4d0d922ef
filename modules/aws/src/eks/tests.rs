//! What the sandbox's EKS answers and refuses.
