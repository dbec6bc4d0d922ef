//! A release in the shape that the sandbox gives too: what helm says of it, corrected by what its objects say. A release is
//! `deployed` for Helm as soon as its objects were taken; here it is so when they are ready.

use runbook_modules::error::CallError;
use serde_json::{Value, json};

use super::{
    made::{self, Obstacles},
    record::{self, Content, Revision},
};
use crate::objects::api::Api;

/// Words with which helm says only that it did not wait longer.
const EMPTY_WORDS: [&str; 4] = [
    "timed out waiting for the condition",
    "context deadline exceeded",
    "context canceled",
    "would exceed context deadline",
];
/// The reason that stands in a release whose helm ended before it was done, see [`record::mark_failed`].
pub const INTERRUPTED: &str = "interrupted: helm ended before it was done";

/// A revision and what it holds.
pub struct Seen {
    /// By its labels.
    pub revision: Revision,
    /// Its content.
    pub content: Content,
}

/// The newest revision of a release; None when there is none, or it is uninstalled and only its history was kept.
///
/// # Errors
/// As a read of Secrets.
pub async fn newest(api: Api<'_>, namespace: &str, release: &str) -> Result<Option<Seen>, CallError> {
    // Between the two reads a revision may go; then there is a newer one, or none.
    for _ in 0..3 {
        let Some(revision) = record::revisions(api, namespace, release).await?.pop() else { return Ok(None) };
        if revision.status == "uninstalled" {
            return Ok(None);
        }
        if let Some(content) = record::content(api, namespace, &revision).await? {
            return Ok(Some(Seen { revision, content }));
        }
    }
    Ok(None)
}

/// What stands in the way of a release: its hooks as far as they run, have failed or were broken off, and its objects, unless a hook
/// before them holds them up.
///
/// # Errors
/// As a read of an object.
pub async fn obstacles(api: Api<'_>, namespace: &str, content: &Content) -> Result<Obstacles, CallError> {
    let (mut found, mut begun) = (Obstacles::default(), true);
    for hook in content.hooks.iter().flatten() {
        if !["Running", "Failed", "Unknown"].contains(&hook.last_run.phase.as_str()) {
            continue;
        }
        let own = made::obstacles(api, &made::of(&hook.manifest, namespace)).await?;
        // Helm writes down that a hook has succeeded only with what it does next.
        let stands = own == Obstacles::default();
        begun &= stands || !hook.events.iter().any(|event| event.starts_with("pre-"));
        let named = |text: String| format!("{} hook {text}", hook.events.join(", "));
        found.failed.extend(own.failed.into_iter().map(named));
        found.waiting.extend(own.waiting.into_iter().map(named));
    }
    if begun {
        let objects = made::obstacles(api, &made::of(&content.manifest, namespace)).await?;
        found.failed.extend(objects.failed);
        found.waiting.extend(objects.waiting);
    }
    Ok(found)
}

/// The description of a release. `chart`: the reference by which it was asked for, where that is known; `at_work`: a helm of ours is
/// still at work on it.
///
/// # Errors
/// As a read of an object.
pub async fn describe(
    api: Api<'_>, namespace: &str, release: &str, seen: &Seen, chart: Option<&str>, at_work: bool,
) -> Result<Value, CallError> {
    let obstacles = obstacles(api, namespace, &seen.content).await?;
    let state = state(&seen.revision, &seen.content, obstacles, at_work);
    let metadata = &seen.content.chart.metadata;
    let mut described = json!({
        "id": format!("{namespace}/{release}"), "name": release, "release": release, "namespace": namespace,
        "chart": chart.unwrap_or(&metadata.name), "version": metadata.version,
        "values": seen.content.config.clone().unwrap_or_default(), "revision": seen.revision.number,
        "status": state.status, "tags": seen.revision.tags(),
    });
    if !state.waiting_for.is_empty() {
        described["waiting_for"] = state.waiting_for.into();
    }
    if state.interrupted {
        described["interrupted"] = true.into();
    }
    // Should it fail, it must be rolled back: that is for the call that upgrades.
    if at_work && seen.revision.is_pending() && seen.revision.number > 1 {
        described["upgrading"] = true.into();
    }
    Ok(described)
}

#[derive(Debug, PartialEq, Eq)]
struct State {
    status: String,
    waiting_for: Vec<String>,
    interrupted: bool,
}

fn state(revision: &Revision, content: &Content, obstacles: Obstacles, at_work: bool) -> State {
    let state = |status: &str, waiting_for: Vec<String>, interrupted: bool| State {
        status: status.to_owned(),
        waiting_for,
        interrupted,
    };
    let Obstacles { failed, waiting } = obstacles;
    match revision.status.as_str() {
        "deployed" if !failed.is_empty() => state("failed", failed, false),
        "deployed" if waiting.is_empty() => state("deployed", waiting, false),
        "deployed" if revision.number == 1 => state("pending-install", waiting, false),
        "deployed" => state("pending-upgrade", waiting, false),
        "failed" => {
            let words = &content.info.description;
            // An upgrade that has failed is rolled back: one that still stands was left before that.
            let interrupted = revision.number > 1 || words == INTERRUPTED || words.ends_with("context canceled");
            state("failed", reasons(words, failed, waiting), interrupted)
        }
        pending if revision.is_pending() && at_work => {
            let all = [failed, waiting].concat();
            state(pending, if all.is_empty() { vec!["helm, which is at work on it".to_owned()] } else { all }, false)
        }
        pending if revision.is_pending() => {
            state(pending, vec!["helm, which ended before it was done".to_owned()], true)
        }
        other => state(other, Vec::new(), false),
    }
}

/// Why it failed: what is not ready, and helm's words unless they say nothing more.
pub fn reasons(words: &str, failed: Vec<String>, waiting: Vec<String>) -> Vec<String> {
    let found = if failed.is_empty() { waiting } else { failed };
    let empty = EMPTY_WORDS.iter().any(|empty| words.contains(empty));
    if found.is_empty() || !empty {
        return [super::answer::words(words)].into_iter().chain(found).collect();
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn judged(status: &str, number: u64, words: &str, failed: &[&str], waiting: &[&str], at_work: bool) -> State {
        let revision = Revision { number, status: status.to_owned(), secret: String::new(), labels: BTreeMap::new() };
        let mut content = Content::default();
        words.clone_into(&mut content.info.description);
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        state(&revision, &content, Obstacles { failed: texts(failed), waiting: texts(waiting) }, at_work)
    }

    #[test]
    fn deployed_means_that_all_is_ready() {
        let of =
            |number, failed: &[&str], waiting: &[&str]| judged("deployed", number, "", failed, waiting, false).status;
        assert_eq!(of(1, &[], &[]), "deployed");
        assert_eq!(of(1, &[], &["a"]), "pending-install");
        assert_eq!(of(2, &[], &["a"]), "pending-upgrade");
        assert_eq!(of(2, &["b"], &["a"]), "failed");
    }

    #[test]
    fn what_is_not_ready_replaces_words_that_say_nothing() {
        let why =
            |words, failed: &[&str], waiting: &[&str]| judged("failed", 1, words, failed, waiting, false).waiting_for;
        assert_eq!(why("x: timed out waiting for the condition", &[], &["Deployment web: y"]), ["Deployment web: y"]);
        assert_eq!(why("x: timed out waiting for the condition", &[], &[]), ["x: timed out waiting for the condition"]);
        assert_eq!(why("no such field", &[], &["Deployment web: y"]), ["no such field", "Deployment web: y"]);
        assert_eq!(why("job x failed", &["Job x: y"], &["z"]), ["job x failed", "Job x: y"]);
    }

    #[test]
    fn a_pending_release_is_interrupted_unless_helm_lives() {
        assert!(judged("pending-upgrade", 2, "", &[], &[], false).interrupted);
        let living = judged("pending-install", 1, "", &[], &[], true);
        assert_eq!((living.status.as_str(), living.interrupted), ("pending-install", false));
        assert!(judged("failed", 1, "Release \"x\" failed: context canceled", &[], &[], false).interrupted);
        assert!(judged("failed", 2, INTERRUPTED, &[], &[], false).interrupted);
        assert!(!judged("failed", 1, "job failed", &[], &[], false).interrupted);
        // It was to be rolled back.
        assert!(judged("failed", 2, "job failed", &[], &[], false).interrupted);
    }
}
