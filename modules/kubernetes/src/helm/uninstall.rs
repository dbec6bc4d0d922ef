//! `helm uninstall`: waits until what the release made is gone, pods included, and names what is left while it waits. Claims that a
//! StatefulSet's controller made stay, as do definitions (CRDs) and what the chart says to keep.

use std::time::Duration;

use runbook_modules::{
    error::{CallError, Class},
    k8s::types::text,
};
use serde_json::{Value, json};

use super::{
    answer::nothing_done,
    describe::Seen,
    process::Ended,
    record::RUN_LABEL,
    work::{Call, LONGEST, Tells, Work, millis},
};

/// One uninstall waits no longer, in the target's time; the engine goes on from there.
const PATIENCE: Duration = Duration::from_secs(600);

/// Uninstalls by the script's wish, whoever made the release.
///
/// # Errors
/// `NotFound` when there is none; else as [`run`].
pub async fn call(work: &Work<'_>) -> Result<Value, CallError> {
    if work.newest().await?.is_none() {
        return Err(not_found(work));
    }
    run(work).await?;
    Ok(json!({"id": work.id()}))
}

/// Uninstalls what a run made: a release of the same name that another run or a person made since is not touched.
///
/// # Errors
/// `NotFound` when there is none (any more); else as [`run`].
pub async fn delete(work: &Work<'_>, at: &Value) -> Result<(), CallError> {
    match work.newest().await? {
        Some(seen) if is_of(at, seen.revision.labels.get(RUN_LABEL).map(String::as_str)) => run(work).await,
        _ => Err(not_found(work)),
    }
}

/// Whether a release bears the mark of the run that the locator names.
pub fn is_of(at: &Value, run: Option<&str>) -> bool {
    let wanted = text(at, "run");
    wanted.is_empty() || run == Some(wanted)
}

/// Uninstalls.
///
/// # Errors
/// `Blocked` naming what is left when the time is over.
pub async fn run(work: &Work<'_>) -> Result<(), CallError> {
    let folder = work.folder()?;
    // In the foreground: a workload is gone only when its pods are.
    let timeout = format!("--timeout={}s", LONGEST.as_secs());
    let arguments = ["uninstall", "--wait", "--cascade=foreground", &timeout, "--", &work.release];
    let call = Call {
        arguments: arguments.map(str::to_owned).into(),
        limit: Some(PATIENCE),
        tells: Tells::Left,
        ..Call::default()
    };
    let until_ms = work.host.clock().now_ms() + millis(PATIENCE);
    let before = work.newest().await?;
    let ran = work.call(&folder, call).await?;
    let unknown = |why: String| CallError::new(Class::Unknown, "UninstallBroken", why);
    let after = work.newest().await.map_err(|error| unknown(error.message))?;
    match (ran.ended, after, before) {
        (Some(Ended::Interrupted), ..) => Err(unknown("helm was ended, because the run is being stopped".to_owned())),
        (Some(Ended::Limit), Some(seen), _) => Err(not_gone(work, &work.left(&seen).await.unwrap_or_default())),
        (None, Some(_), _) => Err(nothing_done(&ran.said)),
        // Helm forgets the release also when it could not wait for the end of what it deleted, and does not always see it.
        (_, None, Some(seen)) => until_gone(work, &seen, until_ms).await,
        (_, None, None) => Ok(()),
    }
}

/// Waits for what a forgotten release made.
async fn until_gone(work: &Work<'_>, seen: &Seen, until_ms: i64) -> Result<(), CallError> {
    loop {
        // What cannot be read is not known to be gone.
        let left = work.left(seen).await.unwrap_or_else(|error| vec![error.to_string()]);
        if left.is_empty() {
            return Ok(());
        }
        if work.host.clock().now_ms() >= until_ms {
            return Err(not_gone(work, &left));
        }
        work.host.progress(&format!("{} is uninstalled: {}", work.release, left.join("; ")));
        let stopped = work.host.clock().sleep(Duration::from_secs(2));
        stopped.map_err(|_| CallError::new(Class::Unknown, "Interrupted", "the run is being stopped"))?;
    }
}

fn not_gone(work: &Work<'_>, left: &[String]) -> CallError {
    CallError::new(Class::Blocked, "NotGone", format!("what is left of {}: {}", work.id(), left.join("; ")))
}

fn not_found(work: &Work<'_>) -> CallError {
    CallError::not_found("ReleaseNotFound", format!("release: not found: {}", work.id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_runs_own_release_is_uninstalled_for_it() {
        let at = json!({"release": "web", "run": "r1"});
        assert!(is_of(&at, Some("r1")) && !is_of(&at, Some("r2")) && !is_of(&at, None));
        assert!(is_of(&json!({"release": "web"}), None));
    }
}
