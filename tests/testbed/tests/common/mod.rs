//! What several of these tests need.

pub mod aws;

use std::{fs, path::Path};

/// What stands between two texts.
pub fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}")).1;
    rest.split_once(after).expect("an end").0
}

/// The names of the programs that run in a folder or below it.
pub fn running_in(folder: &Path) -> Vec<String> {
    let processes = fs::read_dir("/proc").expect("processes").flatten();
    let inside =
        processes.filter(|entry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder)));
    inside.map(|entry| fs::read_to_string(entry.path().join("comm")).unwrap_or_default()).collect()
}
