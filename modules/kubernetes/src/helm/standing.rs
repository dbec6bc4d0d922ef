//! Whose a release is that stands already, and what follows for an install or upgrade of ours.

use std::collections::BTreeMap;

use runbook_modules::target::{EFFECT_TAG, RUN_TAG};

use super::record::{EFFECT_LABEL, RUN_LABEL, Revision};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ours {
    /// The run.
    pub run: String,
    /// The effect.
    pub effect: String,
}

impl Ours {
    /// Out of the tags of a request.
    pub fn of(tags: &BTreeMap<String, String>) -> Self {
        let tag = |name: &str| tags.get(name).cloned().unwrap_or_default();
        Self { run: tag(RUN_TAG), effect: tag(EFFECT_TAG) }
    }

    /// Whether this very effect made a revision.
    pub fn made(&self, revision: &Revision) -> bool {
        self.ran(revision) && revision.labels.get(EFFECT_LABEL) == Some(&self.effect)
    }

    /// Whether this run made a revision.
    pub fn ran(&self, revision: &Revision) -> bool {
        !self.run.is_empty() && revision.labels.get(RUN_LABEL) == Some(&self.run)
    }
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Install, or upgrade what this run installed.
    Go,
    /// It was done by this very effect.
    Done,
    /// A helm that an earlier process started is still at work: wait for it.
    Wait,
    /// A first install of ours came to nothing: uninstall what is left of it.
    Uninstall,
    /// An upgrade of ours was broken off: mark it failed, so that the next one may begin.
    MarkFailed,
    /// Somebody else made it.
    Foreign,
    /// Somebody else's helm is at work on it, or was killed in the middle.
    ForeignPending,
}

/// What follows for an effect of ours from the newest revision. `at_work`: a helm of ours holds its folder.
pub fn next(newest: Option<&Revision>, ours: &Ours, at_work: bool) -> Next {
    // It may not have written anything yet.
    if at_work {
        return Next::Wait;
    }
    let Some(revision) = newest else { return Next::Go };
    let unfinished = revision.is_pending() || revision.status == "uninstalling";
    match revision.status.as_str() {
        // Only its history is kept.
        "uninstalled" => Next::Go,
        _ if !ours.ran(revision) && unfinished => Next::ForeignPending,
        _ if !ours.ran(revision) => Next::Foreign,
        "uninstalling" => Next::Uninstall,
        _ if unfinished && revision.number == 1 => Next::Uninstall,
        _ if unfinished => Next::MarkFailed,
        "failed" if revision.number == 1 => Next::Uninstall,
        "deployed" if ours.made(revision) => Next::Done,
        _ => Next::Go,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision(status: &str, number: u64, run: &str, effect: &str) -> Revision {
        let labels = BTreeMap::from([(RUN_LABEL, run), (EFFECT_LABEL, effect)]);
        Revision {
            number,
            status: status.to_owned(),
            secret: String::new(),
            labels: labels.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        }
    }

    #[test]
    fn what_stands_decides_what_follows() {
        let ours = Ours { run: "r".to_owned(), effect: "e".to_owned() };
        for (status, number, run, effect, at_work, expected) in [
            ("deployed", 1, "r", "e", false, Next::Done),
            ("deployed", 1, "r", "other", false, Next::Go),
            ("deployed", 1, "other", "e", false, Next::Foreign),
            ("failed", 3, "other", "e", false, Next::Foreign),
            ("pending-install", 1, "r", "e", true, Next::Wait),
            ("pending-install", 1, "r", "e", false, Next::Uninstall),
            ("pending-install", 1, "other", "e", true, Next::Wait),
            ("pending-install", 1, "other", "e", false, Next::ForeignPending),
            ("pending-upgrade", 2, "r", "e", false, Next::MarkFailed),
            ("pending-rollback", 3, "r", "other", false, Next::MarkFailed),
            ("pending-upgrade", 2, "other", "e", false, Next::ForeignPending),
            ("failed", 1, "r", "e", false, Next::Uninstall),
            ("failed", 2, "r", "e", false, Next::Go),
            ("superseded", 2, "r", "e", false, Next::Go),
            ("uninstalling", 1, "r", "e", true, Next::Wait),
            ("uninstalling", 1, "r", "e", false, Next::Uninstall),
            ("uninstalling", 1, "other", "e", false, Next::ForeignPending),
            ("uninstalled", 4, "other", "e", false, Next::Go),
        ] {
            let found = next(Some(&revision(status, number, run, effect)), &ours, at_work);
            assert_eq!(found, expected, "{status} {number} of {run}/{effect}, at work: {at_work}");
        }
        assert_eq!((next(None, &ours, false), next(None, &ours, true)), (Next::Go, Next::Wait));
        let nobody = Ours { run: String::new(), effect: String::new() };
        assert_eq!(next(Some(&revision("deployed", 1, "", "")), &nobody, false), Next::Foreign);
    }
}
