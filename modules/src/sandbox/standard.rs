//! What well-known charts make, in every world: the rules of `standard.yaml`, beside those of the runbook's rehearsal file.

use std::sync::LazyLock;

use super::rehearsal::{Make, Rehearsal, Unusable};

const TEXT: &str = include_str!("standard.yaml");

static RULES: LazyLock<Vec<Make>> = LazyLock::new(|| parse().map(|rules| rules.makes).unwrap_or_default());

fn parse() -> Result<Rehearsal, Unusable> {
    Rehearsal::parse(TEXT, "standard.yaml")
}

/// The rules.
pub fn rules() -> &'static [Make] {
    &RULES
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_can_be_read() {
        assert!(!super::parse().unwrap().makes.is_empty());
    }
}
