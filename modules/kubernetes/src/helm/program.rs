//! The `helm` program: where it is and which version, asked once.

use std::{
    env, fmt,
    path::{Path, PathBuf},
    process::Stdio,
};

use runbook_modules::error::CallError;
use tokio::process::Command;

/// The oldest version that can do what is asked of it: labels of a release, `--plain-http`, `--dry-run=server`.
const OLDEST: Version = Version { major: 3, minor: 13 };
/// The code of the error about a program that is missing or cannot be used.
const UNUSABLE: &str = "RB0801";

/// The program.
#[derive(Debug, Clone)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// Which one it is.
    pub version: Version,
}

/// A version, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 3 or 4.
    pub major: u32,
    /// The 21 of 3.21.4.
    pub minor: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl Program {
    /// The program that `RUNBOOK_HELM` names, else the first `helm` on PATH.
    ///
    /// # Errors
    /// RB0801 when there is none, it does not start, or its version is too old.
    pub async fn find() -> Result<Self, CallError> {
        let named = env::var_os("RUNBOOK_HELM").filter(|path| !path.is_empty()).map(PathBuf::from);
        let path = match named {
            Some(path) => path,
            None => on_path("helm", &env::var_os("PATH").unwrap_or_default())
                .ok_or_else(|| unusable("there is no helm on PATH".to_owned()))?,
        };
        Self::at(path).await
    }

    /// The program at a path, asked for its version.
    ///
    /// # Errors
    /// As [`Program::find`].
    pub async fn at(path: PathBuf) -> Result<Self, CallError> {
        let text = asked(&path).await.map_err(|why| unusable(format!("{} does not work: {why}", path.display())))?;
        let version = parse(&text).ok_or_else(|| {
            unusable(format!("{} says {:?}, which is no version of Helm", path.display(), text.trim()))
        })?;
        if version < OLDEST {
            return Err(unusable(format!("{} is Helm {version}, which is too old", path.display())));
        }
        Ok(Self { path, version })
    }
}

fn unusable(message: String) -> CallError {
    CallError::refused(UNUSABLE, message)
        .hint(format!("install Helm {OLDEST} or newer (3.x or 4.x): https://helm.sh/docs/intro/install/"))
        .hint("RUNBOOK_HELM=/path/to/helm names a program that is not on PATH")
}

fn on_path(name: &str, path: &std::ffi::OsStr) -> Option<PathBuf> {
    env::split_paths(path).map(|folder| folder.join(name)).find(|program| runs(program))
}

fn runs(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok() && path.is_file()
}

async fn asked(path: &Path) -> Result<String, String> {
    let output = Command::new(path)
        .args(["version", "--template", "{{.Version}}"])
        .env_clear()
        // Without plugins: they are the user's, and helm would start them.
        .envs([("HOME", "/nonexistent"), ("HELM_PLUGINS", "/nonexistent")])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = output.await.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let words: String = String::from_utf8_lossy(&output.stderr).trim().chars().take(300).collect();
    Err(format!("{}: {words}", output.status))
}

/// `v3.21.4+gabc`; a helm that was built from source may say only `v3.21`.
fn parse(text: &str) -> Option<Version> {
    let mut numbers = text.trim().strip_prefix('v')?.split(['.', '-', '+']);
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers.next()?.parse().ok()?;
    Some(Version { major, minor })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn versions_are_read() {
        let found = |text| parse(text).map(|version| version.to_string());
        assert_eq!(found("v3.21.4+gabcdef\n").as_deref(), Some("3.21"));
        assert_eq!(found("v4.2").as_deref(), Some("4.2"));
        assert_eq!(found("v3.13.0-rc.1").as_deref(), Some("3.13"));
        assert_eq!(found("3.21"), None);
        assert_eq!(found("v3"), None);
        assert!(Version { major: 4, minor: 0 } > OLDEST && Version { major: 3, minor: 12 } < OLDEST);
    }

    fn script(folder: &Path, text: &str) -> PathBuf {
        let path = folder.join("helm");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[tokio::test]
    async fn what_cannot_be_used_is_said_with_what_to_install() {
        let folder = tempfile::tempdir().unwrap();
        for (text, why) in [
            ("#!/bin/sh\necho v3.12.3\n", "is Helm 3.12, which is too old"),
            ("#!/bin/sh\necho hello\n", "says \"hello\", which is no version of Helm"),
            ("#!/bin/sh\necho broken >&2; exit 3\n", "broken"),
        ] {
            let error = Program::at(script(folder.path(), text)).await.unwrap_err();
            assert_eq!(error.code, UNUSABLE);
            assert!(error.message.contains(why), "{}", error.message);
            assert!(error.hints[0].contains("install Helm 3.13 or newer"), "{:?}", error.hints);
        }
        let error = Program::at(folder.path().join("none")).await.unwrap_err();
        assert!(error.message.contains("does not work"), "{}", error.message);
        assert_eq!(on_path("helm", folder.path().as_os_str()), Some(folder.path().join("helm")));
        assert_eq!(on_path("helm", std::ffi::OsStr::new("/nonexistent")), None);
    }
}
