//! A helm in front of the real one: it puts a rehearsed chart ([`super::charts`]) in the place of the one that is asked for, which no
//! test may fetch, and then becomes the real helm.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use crate::tools::Tools;

/// What it does, as a script.
const SCRIPT: &str = include_str!("helm.py");

/// Writes the program into a folder. `real`: the helm that it becomes; `answers`: where charts are asked for.
///
/// # Errors
/// The folder cannot be written.
pub fn write(tools: &Tools, real: &Path, answers: &str, folder: &Path) -> Result<PathBuf, String> {
    let script = folder.join("helm.py");
    let name = real.file_name().unwrap_or_default().to_string_lossy();
    let program = folder.join(format!("rehearsed-{name}"));
    let text = format!(
        "#!/bin/sh\nexec '{}' -I '{}' '{}' '{answers}' \"$@\"\n",
        tools.cache.join("venv/bin/python3").display(),
        script.display(),
        real.display()
    );
    let written = fs::write(&script, SCRIPT)
        .and_then(|()| fs::write(&program, text))
        .and_then(|()| fs::set_permissions(&program, fs::Permissions::from_mode(0o755)));
    written.map_err(|error| format!("{}: {error}", program.display()))?;
    Ok(program)
}
