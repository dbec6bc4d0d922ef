//! What only a live system could answer or make, out of a `*.rehearsal.yaml` next to the runbook.

/// A rehearsal file.
#[derive(Debug, Clone, Default)]
pub struct Rehearsal {}
