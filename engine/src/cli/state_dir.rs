//! Where the state directory and the key are.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;

use super::{error::Problem, exit::Exit};
use crate::{error::Failure, run::vault::seal::Key};

/// The directory's name in a project.
const NAME: &str = ".runbook";

/// The state directory: what was asked for, else the nearest `.runbook` upward, else the user's own.
///
/// # Errors
/// RB0205 when there is no home directory to put it into.
pub fn find(asked: Option<&Path>) -> Result<PathBuf, Problem> {
    // An empty RUNBOOK_STATE is none.
    if let Some(dir) = asked.filter(|dir| !dir.as_os_str().is_empty()) {
        return Ok(dir.to_owned());
    }
    let here = std::env::current_dir().ok();
    if let Some(dir) = here.as_deref().and_then(nearest) {
        return Ok(dir);
    }
    let base = etcetera::choose_base_strategy().map_err(|error| no_home(&error.to_string()))?;
    Ok(base.state_dir().unwrap_or_else(|| base.data_dir()).join("runbook"))
}

/// Whether a state directory has been made already.
///
/// # Errors
/// RB0205 when something else stands there.
pub fn is_there(dir: &Path) -> Result<bool, Problem> {
    if dir.exists() && !dir.is_dir() {
        return Err(Problem::new(Exit::Store, Failure::new("RB0205", format!("{} is not a directory", dir.display())))
            .hint("--state DIR or RUNBOOK_STATE says where the state is"));
    }
    Ok(dir.is_dir())
}

fn nearest(from: &Path) -> Option<PathBuf> {
    from.ancestors().map(|dir| dir.join(NAME)).find(|dir| dir.is_dir())
}

/// The key that seals secrets: RUNBOOK_KEY, else the file in the user's configuration directory, made on first use.
///
/// # Errors
/// RB0205 without a home directory, RB0701 when it cannot be read or made.
pub fn key() -> Result<Key, Problem> {
    let bad = |error: crate::run::vault::seal::Error| Problem::usage("RB0701", error.to_string());
    match std::env::var("RUNBOOK_KEY") {
        Ok(text) if !text.is_empty() => Key::from_text(&text, "RUNBOOK_KEY").map_err(bad),
        _ => {
            let base = etcetera::choose_base_strategy().map_err(|error| no_home(&error.to_string()))?;
            Key::at(&base.config_dir().join("runbook").join("key")).map_err(bad)
        }
    }
}

fn no_home(why: &str) -> Problem {
    Problem::usage("RB0205", format!("failed to find the home directory: {why}"))
        .hint("--state DIR or RUNBOOK_STATE says where the state is")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_upward_wins() {
        let Ok(dir) = tempfile::tempdir() else { return };
        let deep = dir.path().join("a/b");
        assert!(std::fs::create_dir_all(&deep).is_ok() && std::fs::create_dir(dir.path().join(NAME)).is_ok());
        assert_eq!(nearest(&deep), Some(dir.path().join(NAME)));
        assert!(std::fs::create_dir(deep.join(NAME)).is_ok());
        assert_eq!(nearest(&deep), Some(deep.join(NAME)));
    }
}
