//! Files that are ours, and files that are not.
