//! The idempotency token: derived from what names the effect, never from clock, host, process or attempt, so that a resumed run
//! sends the same one.

use std::hash::{BuildHasher as _, RandomState};

use runbook_seeded::mutant;
use sha2::{Digest, Sha256};

/// Version of the derivation. A change would make every resumed run send new tokens: it never changes for old runs.
const VERSION: &str = "runbook-token-1";
/// How much of a token the ownership tag holds.
const TAG: usize = 32;

/// The token of an effect: 64 lower-hex characters.
pub fn token(run: &str, step: &str, ordinal: u32, operation: &str, generation: u32) -> String {
    let mut hash = Sha256::new();
    let step = if mutant!("token-without-step") { "" } else { step };
    if mutant!("random-token") {
        hash.update(RandomState::new().hash_one(0).to_be_bytes());
    }
    for part in [VERSION, run, step, &ordinal.to_string(), operation, &generation.to_string()] {
        // The length before each part: no two lists of parts give the same bytes.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// The value of the tag that names the effect.
pub fn tag(token: &str) -> &str {
    token.get(..TAG).unwrap_or(token)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_token_is_the_same_for_ever() {
        let known = token("7f3a", "redis1/network/vpc", 0, "ec2.create_vpc", 0);
        assert_eq!(known, token("7f3a", "redis1/network/vpc", 0, "ec2.create_vpc", 0));
        assert_eq!(known, "3c579b6fc2a9ae4e4e710946a1c9ef8d46f3c852b4e32edb4f8eaae322b6a358");
        assert_eq!(tag(&known).len(), 32);
    }

    #[test]
    fn every_part_counts_and_none_runs_into_the_next() {
        let all = [
            token("r", "s", 0, "o", 0),
            token("r2", "s", 0, "o", 0),
            token("r", "s2", 0, "o", 0),
            token("r", "s", 1, "o", 0),
            token("r", "s", 0, "o2", 0),
            token("r", "s", 0, "o", 1),
            token("r", "s1", 0, "o", 0),
            token("rs", "", 0, "o", 0),
        ];
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        assert!(
            all.iter().all(|t| t.len() == 64 && t.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()))
        );
    }
}
