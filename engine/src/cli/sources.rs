//! Where runbooks are found, and their files for drawing errors.

use std::path::PathBuf;

use super::error::Problem;
use crate::{error::Failure, script::program::Program};

/// The folders that are searched after a path: `./runbooks`.
pub fn search() -> Vec<PathBuf> {
    vec![PathBuf::from("runbooks")]
}

/// Opens a runbook by path or name.
///
/// # Errors
/// RB01xx when it is not found or not a script.
pub fn open(name: &str) -> Result<Program, Problem> {
    Program::open(name, &search()).map_err(|failure| {
        let files: Vec<String> = failure.sites.iter().map(|site| site.file.clone()).collect();
        let folder = PathBuf::from(name).parent().map(PathBuf::from).unwrap_or_default();
        let folders: Vec<PathBuf> = std::iter::once(folder).chain(search()).collect();
        let sources = files.into_iter().filter_map(|file| {
            let text = folders.iter().find_map(|folder| std::fs::read_to_string(folder.join(&file)).ok())?;
            Some((file, text))
        });
        Problem { sources: sources.collect(), ..Problem::from(failure) }
    })
}

/// A failure of an opened program, with the files that it points into.
pub fn problem(program: &Program, failure: Failure) -> Problem {
    let sources = failure
        .sites
        .iter()
        .filter_map(|site| program.source(&site.file).map(|text| (site.file.clone(), text.to_owned())));
    Problem { sources: sources.collect(), ..Problem::from(failure) }
}
