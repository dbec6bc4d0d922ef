//! GitHub: repositories, and the files in them as one commit.
//!
//! * [`repository`]: the kind `github.repository`; [`files`]: the kind `github.files`; [`reads`]: what only looks.
//! * [`changes`]: what a commit must change, and what may be put back.
//! * `simulate`: repositories, branches and commits of the sandbox; `live`: GitHub itself.

use runbook_modules::{input::InputError, table::Table};

pub mod changes;
pub mod files;
#[cfg(feature = "live")]
pub mod live;
pub mod reads;
pub mod repository;
mod simulate;
#[cfg(test)]
mod tests;

/// Where GitHub's own API is.
pub const API: &str = "https://api.github.com";

/// Adds the kinds and operations.
pub fn register(table: &mut Table) {
    table.add(&[&repository::Repository, &files::Files], &[&reads::REPOSITORY, &reads::FILE]);
}

/// `owner/name`.
pub fn full_name(owner: &str, name: &str) -> String {
    format!("{owner}/{name}")
}

/// The rules of names of owners and repositories.
///
/// # Errors
/// The field that does not fit.
fn names_fit(owner: &str, name: &str) -> Result<(), InputError> {
    let wrong = |field: &str, found: &str, why: &str| Err(InputError::new(field, format!("{found:?} {why}")));
    let in_owner = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !(1..=100).contains(&owner.len()) || !owner.chars().all(in_owner) {
        return wrong("owner", owner, "must be a user or organisation: letters, digits and hyphens");
    }
    let in_name = |c: char| in_owner(c) || c == '.';
    if !(1..=100).contains(&name.len()) || !name.chars().all(in_name) || [".", ".."].contains(&name) {
        return wrong("name", name, "must have 1 to 100 letters, digits, dots, hyphens and underscores");
    }
    Ok(())
}
