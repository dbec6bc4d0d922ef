//! The hash chain of a journal: each entry's digest covers the one before it, so a changed, missing, added or moved row is seen.

use sha2::{Digest, Sha256};

/// A SHA-256 digest.
pub(crate) type Hash = [u8; 32];

/// The root of a run's chain: covers what the run is.
pub(crate) fn root(
    id: &str, runbook: &str, customer: Option<&str>, target: &str, settings: &str, created: i64,
) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(b"runbook journal 1");
    for part in [Some(id), Some(runbook), customer, Some(target), Some(settings)] {
        text(&mut hasher, part);
    }
    hasher.update(created.to_le_bytes());
    hasher.finalize().into()
}

/// The digest of an entry.
pub(crate) fn link(before: &Hash, run: &str, seq: u64, at_ms: i64, sim_ms: Option<i64>, payload: &str) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(before);
    text(&mut hasher, Some(run));
    hasher.update(seq.to_le_bytes());
    hasher.update(at_ms.to_le_bytes());
    hasher.update([u8::from(sim_ms.is_some())]);
    hasher.update(sim_ms.unwrap_or_default().to_le_bytes());
    text(&mut hasher, Some(payload));
    hasher.finalize().into()
}

/// The digest of a file's content, in lower hex.
pub(crate) fn content(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The length goes first: two texts cannot trade bytes.
fn text(hasher: &mut Sha256, part: Option<&str>) {
    match part {
        Some(part) => {
            hasher.update([1]);
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        None => hasher.update([0]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts() {
        let base = link(&[0; 32], "r", 1, 2, None, "p");
        for other in [
            link(&[1; 32], "r", 1, 2, None, "p"),
            link(&[0; 32], "s", 1, 2, None, "p"),
            link(&[0; 32], "r", 2, 2, None, "p"),
            link(&[0; 32], "r", 1, 3, None, "p"),
            link(&[0; 32], "r", 1, 2, Some(0), "p"),
            link(&[0; 32], "r", 1, 2, None, "q"),
        ] {
            assert_ne!(base, other);
        }
        assert_eq!(base, link(&[0; 32], "r", 1, 2, None, "p"));
    }

    #[test]
    fn neighbouring_texts_do_not_run_together() {
        assert_ne!(root("ab", "c", None, "t", "s", 0), root("a", "bc", None, "t", "s", 0));
        assert_ne!(root("a", "b", None, "t", "s", 0), root("a", "b", Some(""), "t", "s", 0));
    }
}
